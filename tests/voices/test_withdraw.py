"""Taking words back: take them out, or keep them nameless. Every surface follows at once; the recall list is there."""

from __future__ import annotations

import datetime as dt
import io
from types import SimpleNamespace

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db import connection
from django.urls import reverse
from pypdf import PdfReader

from coproduce.agenda.actions.topics import raise_topic
from coproduce.changes.actions import record_change, untie
from coproduce.changes.thread import count_behind
from coproduce.engine.quotes import find
from coproduce.hearback.actions import answer, make_letters, post_letters, write_update
from coproduce.hearback.models import Answer, Feedback, Letters
from coproduce.people.actions import add_way, prefer_way
from coproduce.people.models import Act, Person, Way
from coproduce.people.permissions import NotAllowed
from coproduce.site.recall import carried, take_back
from coproduce.themes.actions import make_theme
from coproduce.voices import consent
from coproduce.voices.actions import mark_quote, name_speaker, write_down
from coproduce.voices.models import Carried, Story, Turn, Voice
from coproduce.voices.today import do_these_first

pytestmark = pytest.mark.django_db
SAID = "She rang back"  # of the quote
OUT, NAMELESS = consent.Choice.TAKE_OUT, consent.Choice.NAMELESS


@pytest.fixture
def told(amina, lee, story, lees, town):
    """A quote of Lee's story that everybody may read, on a theme, a topic and a change; and a call of his."""
    name_speaker(amina, lees, lee, ["group", "services", "public"])
    turn = story.turns.select_related("speaker__person", "story").get(position=3)
    quote = mark_quote(amina, turn, find(turn.text, "She rang back."))
    call = write_down(amina, town, "Too many pods", "call", lee, uses=["group", "public"])
    theme = make_theme(amina, town, "Somebody to ring", voices=[quote, call])
    topic = raise_topic(amina, town, "One number", "", [theme])
    change = record_change(amina, town, "One number for all", "Soon.", "service", topics=[topic])
    return SimpleNamespace(
        story=story, speaker=lees, turn=turn, quote=quote, call=call, theme=theme, topic=topic, change=change
    )


@pytest.fixture
def surfaces(told, amina, nadia, lee, joan, marek, charlie, signed_in, client):
    """A function: every page that may carry the quote, as each of the cast sees it: (who, address) → text."""
    readers = {
        "amina": signed_in(amina),
        "nadia": signed_in(nadia),
        "lee": signed_in(lee),
        "joan": signed_in(joan),
    }
    readers |= {"marek": signed_in(marek), "charlie": signed_in(charlie), "visitor": client}
    story, turn = told.story.pk, told.turn.pk
    pages = [
        "/voices/",
        "/voices/?q=rang",
        f"/voices/{told.quote.pk}/",
        f"/voices/{told.quote.pk}/went/",
        f"/themes/{told.theme.pk}/",
        "/themes/",
        f"/topics/{told.topic.pk}/",
        f"/topics/{told.topic.pk}/tie/",
        f"/changes/{told.change.pk}/",
        f"/changes/{told.change.pk}/words/",
        f"/changes/{told.change.pk}/tie/?words=rang",
        "/what-happened/",
        f"/stories/{story}/",
        f"/stories/{story}/?step=quotes",
        f"/stories/{story}/?step=who",
        f"/stories/turns/{turn}/",
        f"/stories/turns/{turn}/mend/",
        f"/people/{lee.pk}/consent/",
        "/recall/",
    ]

    def walk() -> dict[tuple[str, str], str]:
        found = {}
        for name, browser in readers.items():
            for page in pages:
                got = browser.get(page, follow=True)
                assert got.status_code in (200, 404), (name, page)
                found[name, page] = got.content.decode()
        return found

    return walk


def every_row() -> str:
    """All that any table holds."""
    rows = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows += cursor.fetchall()
    return str(rows)


def take(by: Person, told, choice: str, hear: bool = False) -> Voice:
    quote = Voice.objects.select_related("turn__story", "person").get(pk=told.quote.pk)
    take_back(by, [quote], [], choice, hear)
    return Voice.objects.get(pk=told.quote.pk)


# Take my words out


def test_taken_out_the_words_are_on_no_page_in_no_row_and_in_no_file(told, surfaces, lee):
    before = surfaces()
    for name in ("amina", "lee", "joan", "marek", "charlie", "visitor"):
        assert SAID in before[name, f"/changes/{told.change.pk}/"], name
    file = told.story.file.name
    assert default_storage.exists(file)
    take(lee, told, OUT)
    assert not [place for place, text in surfaces().items() if SAID in text]
    assert SAID not in every_row()
    assert not default_storage.exists(file)
    assert Story.objects.get().file_name == "" and Story.objects.get().turns.count() == 5


def test_and_counts_stay_true_through_a_row_that_keeps_its_place(told, amina, lee, signed_in):
    counted = count_behind(told.change)
    quote = take(lee, told, OUT)
    assert count_behind(told.change) == counted and quote.is_taken_out
    assert Voice.objects.filter(themes=told.theme).count() == 2
    assert not quote.consents.standing().exists()
    assert Turn.objects.get(pk=told.turn.pk).text == "… 😀 That was all it took."
    page = signed_in(amina).get(f"/changes/{told.change.pk}/words/").content.decode()
    assert "taken out at somebody’s wish" in page
    assert "Taken out at their wish." in signed_in(lee).get(f"/voices/{quote.pk}/").content.decode()


def test_who_took_words_out_still_hears(told, amina, lee):
    take(lee, told, OUT)
    write_update(amina, told.change, "It has started", "You pick one worker.")
    assert Feedback.objects.filter(person=lee).count() == 1


def test_quotes_that_share_words_go_with_it_and_others_follow(told, amina, lee, signed_in):
    turn = Turn.objects.select_related("speaker__person", "story").get(pk=told.turn.pk)
    longer = mark_quote(amina, turn, find(turn.text, "She rang back. 😀 That was all"))
    apart = mark_quote(amina, turn, find(turn.text, "it took."))
    page = signed_in(lee).get(f"/voices/{told.quote.pk}/take-back/").content.decode()
    assert "1 other quote shares words with this one" in page
    take(lee, told, OUT)
    longer, apart = Voice.objects.get(pk=longer.pk), Voice.objects.select_related("turn").get(pk=apart.pk)
    assert longer.is_taken_out
    assert apart.turn and apart.turn.text[apart.begins : apart.ends] == apart.words == "it took."


# Keep them nameless


def test_nameless_nothing_leads_from_the_words_to_who_said_them(told, surfaces, amina, lee):
    consent.set_many(lee, {told.quote: ["group", "services", "public"]})
    quote = take(lee, told, NAMELESS)
    assert quote.words == "She rang back." and quote.person is None and quote.turn is None
    assert not Voice.objects.filter(pk=quote.pk).filter(taken_by=lee).exists()
    assert not quote.consents.filter(given_by=lee).exists()
    assert not Act.objects.filter(by=lee, thing="voices.voice", thing_id=quote.pk).exists()
    after = surfaces()
    for name in ("amina", "lee", "joan", "charlie", "visitor"):  # the words stay where they were allowed
        page = after[name, f"/voices/{quote.pk}/"]
        assert SAID in page and "Somebody in Eastmoor" in page, name
        assert "<b>Lee</b>" not in page, name
    # The story they came from does not tell either, nor the file.
    for name in ("amina", "nadia", "lee"):
        assert SAID not in after[name, f"/stories/{told.story.pk}/"]
        assert SAID not in after[name, f"/stories/turns/{told.turn.pk}/"]
    assert not Story.objects.get().file
    assert (
        SAID not in after["lee", "/what-happened/"]
        and SAID not in after["amina", f"/people/{lee.pk}/consent/"]
    )


def test_nameless_by_default_they_hear_no_more(told, amina, lee):
    take(lee, told, NAMELESS)
    take_back(lee, [Voice.objects.get(pk=told.call.pk)], [], NAMELESS)
    write_update(amina, told.change, "It has started", "You pick one worker.")
    assert not Feedback.objects.filter(person=lee).exists()


def test_who_still_wants_to_hear_does_and_nobody_sees_that_the_words_are_theirs(told, surfaces, amina, lee):
    take_back(lee, [Voice.objects.get(pk=told.call.pk)], [], OUT)
    quote = take(lee, told, NAMELESS, hear=True)
    assert quote.person == lee
    write_update(amina, told.change, "It has started", "You pick one worker.")
    feedback = Feedback.objects.get(person=lee)
    from coproduce.hearback.models import their_words

    assert their_words(feedback) == []  # neither in an email nor in a letter, nor for who rings them
    after = surfaces()
    for name in ("amina", "nadia", "joan", "marek", "charlie", "visitor"):
        page = after[name, f"/voices/{quote.pk}/"]
        assert SAID in page and "<b>Lee</b>" not in page, name
    assert SAID not in after["amina", f"/people/{lee.pk}/consent/"]
    assert "Nobody else can see that you said it" in after["lee", f"/voices/{quote.pk}/"]
    take(lee, told, OUT)  # he may still change his mind
    assert SAID not in every_row()


def test_an_answer_of_theirs_is_cut_from_what_they_were_told(told, amina, lee):
    update = write_update(amina, told.change, "It has started", "You pick one worker.")
    given = answer(lee, update.feedback.get(person=lee), answered=False, words="Not for my brother")
    take_back(lee, [given.voice], [], NAMELESS)
    assert Answer.objects.get().voice is None
    assert Voice.objects.get(words="Not for my brother").taken_by is None


# A whole story, and everything


def test_a_whole_story_taken_out(told, surfaces, lee):
    speaker = lee.speaks.select_related("story", "person").get()
    take_back(lee, [], [speaker], OUT)
    rows = every_row()
    for words in ("eleven workers", "picked up the phone", SAID, "all it took"):
        assert words not in rows, words
    assert "Where do you want to start" in rows  # what others said stays
    assert [turn.text for turn in Turn.objects.filter(speaker=speaker)] == ["", ""]
    assert not [place for place, text in surfaces().items() if SAID in text]
    assert "Too many pods" in rows


def test_a_whole_story_kept_nameless(told, surfaces, amina, lee):
    speaker = lee.speaks.select_related("story", "person").get()
    take_back(lee, [], [speaker], NAMELESS)
    speaker.refresh_from_db()
    assert (speaker.person, speaker.label) == (None, "Somebody")
    assert Story.objects.get().title == "A story from March 2026"
    after = surfaces()
    assert SAID in after["amina", f"/stories/{told.story.pk}/?step=quotes"]
    assert "<b>Lee</b>" not in after["amina", f"/stories/{told.story.pk}/?step=quotes"]
    assert (
        SAID in after["joan", f"/voices/{told.quote.pk}/"]
        and "<b>Lee</b>" not in after["joan", "/voices/?q=rang"]
    )
    with pytest.raises(ValidationError):
        name_speaker(amina, speaker, lee, ["group"])  # for good
    assert Story.objects.visible_to(lee).count() == 0


def test_everything(told, surfaces, lee, signed_in):
    page = signed_in(lee).get(f"/people/{lee.pk}/take-back/").content.decode()
    assert "2 things were said, in 1 story as well" in page
    signed_in(lee).post(f"/people/{lee.pk}/take-back/", {"choice": OUT})
    rows = every_row()
    for words in ("eleven workers", SAID, "Too many pods"):
        assert words not in rows, words
    assert not [place for place, text in surfaces().items() if SAID in text or "Too many pods" in text]


def test_everything_nameless(told, surfaces, amina, lee):
    said = list(Voice.objects.filter(person=lee))
    take_back(amina, said, list(lee.speaks.select_related("story", "person")), NAMELESS)
    assert not Voice.objects.filter(person=lee).exists() and not lee.speaks.exists()
    text = surfaces()["visitor", f"/changes/{told.change.pk}/"]
    assert SAID in text and "Too many pods" in text and "<b>Lee</b>" not in text


def test_a_story_that_is_still_coming_in_waits(told, lee):
    Story.objects.update(turns_expected=99)
    with pytest.raises(ValidationError, match="still being taken in"):
        take(lee, told, OUT)
    assert Voice.objects.get(pk=told.quote.pk).words


# Who may


def test_who_may_take_words_back(told, amina, nadia, lee, joan, marek, omar, charlie, signed_in, client):
    addresses = [
        f"/voices/{told.quote.pk}/take-back/",
        f"/stories/speakers/{told.speaker.pk}/take-back/",
        f"/people/{lee.pk}/take-back/",
    ]
    for stranger in (joan, marek, charlie):
        for address in addresses:
            assert signed_in(stranger).get(address).status_code == 404, address
            assert signed_in(stranger).post(address, {"choice": OUT}).status_code == 404, address
        with pytest.raises(NotAllowed):
            take(stranger, told, OUT)
        with pytest.raises(NotAllowed):
            take_back(stranger, [], list(lee.speaks.select_related("story", "person")), OUT)
    assert client.post(addresses[0], {"choice": OUT}).status_code == 302
    assert Voice.objects.get(pk=told.quote.pk).words
    for helper in (lee, amina, omar):
        for address in addresses:
            assert signed_in(helper).get(address).status_code == 200, (helper, address)
    assert signed_in(nadia).get(addresses[0]).status_code == 200


def test_one_of_the_two_has_to_be_chosen(told, lee, signed_in):
    answer = signed_in(lee).post(f"/voices/{told.quote.pk}/take-back/", {})
    assert "Choose one of the two." in answer.content.decode()
    assert Voice.objects.get(pk=told.quote.pk).words


# Everywhere they went


def places(voice: Voice) -> set[tuple[str, str]]:
    return set(Carried.objects.filter(voice=voice.pk).values_list("kind", "path"))


def test_the_list_of_public_pages_follows_from_consent_and_thread(told, lee, signed_in):
    page = signed_in(lee).get(f"/voices/{told.quote.pk}/went/").content.decode()
    assert "Everywhere your words went" in page and "One number for all" in page
    assert places(told.quote) == {
        ("page", f"/voices/{told.quote.pk}/"),
        ("page", f"/topics/{told.topic.pk}/"),
        ("page", f"/changes/{told.change.pk}/"),
    }
    signed_in(lee).get(f"/voices/{told.quote.pk}/went/")
    assert Carried.objects.filter(voice=told.quote).count() == 3  # once each


def test_what_was_never_public_was_on_no_public_page(amina, lee, town):
    voice = write_down(amina, town, "Hello", "call", lee, uses=["group", "services"])
    carried([voice.pk])
    assert places(voice) == set()


def test_what_is_taken_off_a_change_is_not_forgotten(told, amina):
    untie(amina, told.change, told.topic)
    carried([told.quote.pk])
    assert ("page", f"/changes/{told.change.pk}/") in places(told.quote)


def test_emails_and_letters_are_on_the_list_and_name_nobody(told, amina, lee, work_the_queue, signed_in):
    write_update(amina, told.change, "It has started", "You pick one worker.")
    work_the_queue()
    assert SAID in mail.outbox[0].body
    assert ("email", f"/changes/{told.change.pk}/") in places(told.quote)
    add_way(lee, lee, Way.Kind.LETTER, "1 High Street\nEastmoor", preferred=True)
    write_update(amina, told.change, "It goes on", "You pick one worker.")
    pile = make_letters(amina, told.change.hub)
    work_the_queue()
    pile.refresh_from_db()
    post_letters(amina, pile)
    assert ("letter", f"/changes/{told.change.pk}/") in places(told.quote)
    assert {row.who_has_it for row in Carried.objects.exclude(kind="page")} == {"whoever said it"}


def test_letters_that_wait_are_made_anew_and_posted_ones_lose_their_pdf(told, amina, lee, work_the_queue):
    add_way(lee, lee, Way.Kind.LETTER, "1 High Street\nEastmoor", preferred=True)

    def pdf_text(pile: Letters) -> str:
        pile.refresh_from_db()
        return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pile.pdf.read())).pages)

    write_update(amina, told.change, "It has started", "You pick one worker.")
    posted = make_letters(amina, told.change.hub)
    work_the_queue()
    assert SAID in pdf_text(posted)
    post_letters(amina, posted)
    write_update(amina, told.change, "It goes on", "You pick one worker.")
    waiting = make_letters(amina, told.change.hub)
    work_the_queue()
    assert SAID in pdf_text(waiting)
    old = [posted.pdf.name, waiting.pdf.name]
    take(lee, told, OUT)
    assert not any(default_storage.exists(name) for name in old)
    work_the_queue()
    assert SAID not in pdf_text(waiting) and "pods" in pdf_text(waiting)
    posted.refresh_from_db()
    assert not posted.pdf
    prefer_way(lee, lee.ways.get(kind=Way.Kind.EMAIL))
    mail.outbox.clear()
    write_update(amina, told.change, "Last news", "Done.")
    work_the_queue()
    assert SAID not in mail.outbox[0].body and "pods" in mail.outbox[0].body


def test_the_follow_up_is_ticked_off(told, amina, lee, joan, signed_in):
    take(lee, told, OUT)
    browser = signed_in(amina)
    assert any("taken down" in todo.title for todo in do_these_first(amina))
    assert f"/voices/{told.quote.pk}/went/" in browser.get("/recall/").content.decode()
    for row in Carried.objects.filter(voice=told.quote):
        assert signed_in(joan).post(reverse("asked", args=[row.pk])).status_code == 404
        browser.post(reverse("asked", args=[row.pk]))
    row.refresh_from_db()
    assert row.asked_by == amina and row.asked_at.date() == dt.datetime.now(dt.UTC).date()
    assert not any("taken down" in todo.title for todo in do_these_first(amina))
    assert "Asked to take it down" in signed_in(lee).get(f"/voices/{told.quote.pk}/went/").content.decode()
    browser.post(reverse("asked", args=[row.pk]), {"undo": "yes"})
    assert any("taken down" in todo.title for todo in do_these_first(amina))
