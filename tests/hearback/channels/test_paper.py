"""What is printed: letters for window envelopes, cards to hand over, notices for walls."""

from __future__ import annotations

import io
import re

import pytest
from django.utils import timezone
from pypdf import PdfReader

from coproduce.glossary.models import Term
from coproduce.hearback import actions
from coproduce.hearback.channels import letter
from coproduce.hearback.channels.letter import postcode_of
from coproduce.people.permissions import NotAllowed
from coproduce.people.sensitive import sensitive_words
from coproduce.voices.models import Carried, Consent, Use, Voice

pytestmark = pytest.mark.django_db
MM = 842 / 297  # points


def a_letter(address: list[str], words: str) -> dict[str, object]:
    news = {"title": "They said yes", "owner": "", "voices": [], "wanted": [], "quotes": []}
    news["parts"] = [{"heading": "", "text": [words]}]
    return {
        "name": "Sami",
        "date": "1 May 2026",
        "hub": "Eastmoor",
        "address": address,
        "news": [news],
        "terms": [],
    }


def text_of(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def lines_of(page) -> list[tuple[float, float, str]]:
    """(mm from the left, mm from the top, text) of each piece of text on a page."""
    found: list[tuple[float, float, str]] = []

    def see(text: str, page_matrix: list[float], text_matrix: list[float], *_font: object) -> None:
        left = page_matrix[4] + page_matrix[0] * text_matrix[4]
        height = page_matrix[5] + page_matrix[3] * text_matrix[5]
        if text.strip():
            found.append((left / MM, 297 - height / MM, text.strip()))

    page.extract_text(visitor_text=see)
    return found


# Letters


def test_in_the_window_of_an_envelope_stands_the_address_and_nothing_else():
    address = ["Flat 2", "1 Long Road", "Eastmoor", "EM1 1AA"]
    pdf = letter.on_paper([a_letter(address, "Yes.")], "Eastmoor")
    places = lines_of(PdfReader(io.BytesIO(pdf)).pages[0])
    shown = [(left, top, text) for left, top, text in places if top < 102]
    assert " ".join(text for *_, text in shown) == "Sami Flat 2 1 Long Road Eastmoor EM1 1AA"
    assert all(57 <= top <= 82 and left >= 20 for left, top, _text in shown), shown


@pytest.mark.parametrize(
    ("address", "place"),
    [
        (["1 Long Road", "Leeds", "LS1 4AB"], ("LS", 1, "", "4AB")),
        (["1 Long Road", "ls11 5cd"], ("LS", 11, "", "5CD")),
        (["EC1A 1BB", "London"], ("EC", 1, "A", "1BB")),
        (["Under the bridge"], ("~", 0, "", "")),
        ([], ("~", 0, "", "")),
    ],
)
def test_where_a_letter_comes_in_the_pile(address, place):
    assert postcode_of(address) == place


def test_letters_lie_in_the_order_of_the_post(owed, amina, town, work_the_queue):
    from coproduce.changes.actions import tie
    from coproduce.voices.actions import write_down
    from tests.conftest import make_person

    first = owed(("letter", "1 Long Road\nLS11 5CD"), name="Ada")
    for name, postcode in (("Bea", "LS2 7EW"), ("Cyd", "BD1 1AA"), ("Dot", "by the canal")):
        person = make_person(name, town, way="letter", address=f"1 Road\n{postcode}")
        tie(amina, first.update.change, voices=[write_down(amina, town, "So did I", "note", person)])
    actions.tell_latecomers(amina, first.update)
    pile = actions.make_letters(amina, town)
    work_the_queue()
    pile.refresh_from_db()
    text = text_of(pile.pdf.read())
    assert re.findall(r"Dear (\w+)", text) == ["Cyd", "Bea", "Ada", "Dot"]


def test_words_are_explained_at_the_foot_of_a_letter_and_of_a_card(owed, amina, town, work_the_queue):
    said = {"word": "They said", "explanation": "Whoever pays for it decided.", "agreed_at": timezone.now()}
    Term.objects.create(hub=town, **said)
    feedback = owed(("letter", "1 Long Road\nEM1 1AA"))
    pile = actions.make_letters(amina, town)
    work_the_queue()
    pile.refresh_from_db()
    for pdf in (pile.pdf.read(), actions.make_card(amina, feedback, "Sami")):
        assert "What these words mean They said: Whoever pays for it decided." in text_of(pdf)


def test_each_letter_of_several_pages_counts_its_own():
    long = a_letter(["EM1 1AA"], "A sentence of some length. " * 40)
    short = a_letter(["EM1 1AB"], "Yes.")
    pages = PdfReader(io.BytesIO(letter.on_paper([long, short, long], "Eastmoor"))).pages
    counts = [re.findall(r"Page (\d) of (\d)", page.extract_text()) for page in pages]
    assert counts == [[("1", "2")], [("2", "2")], [], [("1", "2")], [("2", "2")]]


# Cards


def test_a_card_is_neutral_outside_and_says_it_inside(owed, amina, signed_in):
    feedback = owed(("face_to_face", "Tuesday lunch"))
    answer = signed_in(amina).post(f"/who-has-heard/told/{feedback.pk}/card.pdf")
    outside, inside = PdfReader(io.BytesIO(answer.content)).pages
    assert " ".join(outside.extract_text().split()) == "Sami News for you Coproduce"
    assert "Just one person to ring" in inside.extract_text()
    assert "You choose one, and they stay." in inside.extract_text()
    assert Carried.objects.filter(kind=Carried.Kind.LETTER).exists()


def test_where_others_may_read_a_card_only_says_that_there_is_news(owed, amina):
    feedback = owed(("face_to_face", "Tuesday lunch"), others_may_read=True)
    text = text_of(actions.make_card(amina, feedback, "Sami"))
    assert "There is news for you." in text
    assert "Just one" not in text and "They said yes" not in text
    assert not sensitive_words(text)
    assert not Carried.objects.exists()


def test_who_does_not_tell_them_makes_no_card(owed, lee):
    with pytest.raises(NotAllowed):
        actions.make_card(lee, owed(("face_to_face", "Tuesday lunch")), "Sami")


# Notices for a wall


@pytest.mark.parametrize(
    ("use", "shown"),
    [(Use.GROUP, False), (Use.SERVICES, False), (Use.PUBLIC, True)],
    ids=lambda each: str(each),
)
def test_a_notice_shows_what_anybody_may_read_and_no_name(owed, amina, use, shown):
    feedback = owed(("page", ""), name="Sami Strangename")
    Consent.objects.all().delete()
    Consent.objects.create(voice=Voice.objects.get(), use=use, given_by=amina)
    text = text_of(actions.make_wall_notice(amina, feedback.update))
    assert "You said, we did together" in text
    assert "You choose one, and they stay." in text
    assert ("Just one person to ring" in text) is shown
    assert "Strangename" not in text
    assert not re.search(r"\d+ (person|people)", text), "a small number of people stood on a wall"
    assert Carried.objects.filter(kind=Carried.Kind.EXPORT).exists() is shown
