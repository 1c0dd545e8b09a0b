from __future__ import annotations

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from coproduce.agenda.actions.topics import decide, raise_topic
from coproduce.changes.actions import record_change, tie
from coproduce.hearback import actions
from coproduce.hearback.actions import write_update
from coproduce.hearback.models import Feedback, Letters, State, Update
from coproduce.hearback.reply import reply_path
from coproduce.people.models import Way
from coproduce.voices.actions import write_down
from tests.conftest import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def winston(town):
    return make_person("Winston", town, way=Way.Kind.LETTER, address="4 Made Up Road\nTO1 1AA")


@pytest.fixture
def change(amina, lee, joan, winston, town):
    """Behind it: Lee (email), Joan (phone), Winston (letter)."""
    change = record_change(amina, town, "One worker you trust", "You choose one worker.", "service")
    for person, words in (
        (lee, "Just one to ring"),
        (joan, "He stopped coming"),
        (winston, "A bag of letters"),
    ):
        tie(amina, change, voices=[write_down(amina, town, words, "note", person)])
    return change


@pytest.fixture
def update(amina, change):
    return write_update(amina, change, "It has started", "You pick one worker, and they stay.")


def test_writing_shows_how_it_reads_before_anybody_is_told(amina, change, signed_in):
    client, page = signed_in(amina), f"/changes/{change.pk}/tell/"
    typed = {"title": "It has started", "text": "You pick one worker."}
    look = client.post(page, typed | {"look": ""}).content.decode()
    assert "This is how it will read" in look
    assert not Update.objects.exists()
    client.post(page, typed | {"tell": ""})
    assert Update.objects.get().feedback.count() == 3


def test_an_update_without_words_keeps_what_was_typed_and_tells_nobody(amina, change, signed_in):
    page = signed_in(amina).post(
        f"/changes/{change.pk}/tell/", {"title": "It has started", "text": "", "tell": ""}
    )
    assert "There is a problem" in page.content.decode()
    assert 'value="It has started"' in page.content.decode()
    assert not Update.objects.exists()


def test_what_you_said_what_happened_shows_their_words_and_marks_them_heard(lee, update, signed_in):
    page = signed_in(lee).get("/what-happened/").content.decode()
    assert "Just one to ring" in page
    assert "You pick one worker, and they stay." in page
    assert "He stopped coming" not in page
    assert Feedback.objects.get(person=lee).state == State.HEARD


def test_heard_on_the_page_means_no_email_afterwards(lee, update, signed_in, work_the_queue):
    signed_in(lee).get("/what-happened/")
    work_the_queue()
    assert mail.outbox == []


def test_not_really_with_words_becomes_a_voice(lee, update, signed_in):
    feedback = Feedback.objects.get(person=lee)
    signed_in(lee).post(
        f"/what-happened/{feedback.pk}/answer/", {"answered": "no", "words": "Not at my hostel"}
    )
    assert feedback.answer.answered is False
    assert lee.voices.filter(words="Not at my hostel", came_by="answer").exists()
    assert "Not at my hostel" in signed_in(lee).get("/what-happened/").content.decode()


def test_somebody_elses_feedback_can_not_be_answered(joan, lee, update, signed_in):
    feedback = Feedback.objects.get(person=lee)
    answer = signed_in(joan).post(f"/what-happened/{feedback.pk}/answer/", {"answered": "yes"})
    assert answer.status_code == 404


def test_the_link_in_an_email_opens_one_piece_without_signing_in(lee, update):
    feedback = Feedback.objects.get(person=lee)
    visitor = Client()
    page = visitor.get(reply_path(feedback)).content.decode()
    assert "Just one to ring" in page
    feedback.refresh_from_db()
    assert feedback.state == State.OWED  # a mail scanner that looks has not heard
    visitor.post(reply_path(feedback), {"answered": "yes"})
    feedback.refresh_from_db()
    assert (feedback.state, feedback.answer.answered) == (State.HEARD, True)


def test_a_link_that_is_not_ours_does_not_exist(lee, update):
    feedback = Feedback.objects.get(person=lee)
    assert Client().get(reply_path(feedback)[:-2] + "x/").status_code == 404


def test_a_call_is_ticked_off_and_what_they_said_is_kept(amina, joan, update, signed_in):
    client = signed_in(amina)
    page = client.get("/who-has-heard/to-tell/phone/").content.decode()
    assert "01632 960111" in page
    assert "He stopped coming" in page
    feedback = Feedback.objects.get(person=joan)
    name = f"f{feedback.pk}"
    client.post(
        f"/who-has-heard/told/{feedback.pk}/", {f"{name}-outcome": "told", f"{name}-words": "About time"}
    )
    feedback.refresh_from_db()
    assert (feedback.state, feedback.told_by) == (State.HEARD, amina)
    assert joan.voices.filter(words="About time").exists()


def test_no_answer_stays_owed_and_no_choice_says_what_to_do(amina, joan, update, signed_in):
    client, feedback = signed_in(amina), Feedback.objects.get(person=joan)
    page = client.post(f"/who-has-heard/told/{feedback.pk}/", {}).content.decode()
    assert "Choose how it went" in page
    client.post(f"/who-has-heard/told/{feedback.pk}/", {f"f{feedback.pk}-outcome": "no answer"})
    feedback.refresh_from_db()
    assert (feedback.state, feedback.tries) == (State.OWED, 1)


def test_letters_are_made_read_and_posted(amina, winston, update, town, signed_in, work_the_queue, tmp_path):
    client = signed_in(amina)
    client.post(f"/who-has-heard/letters/make/{town.pk}/")
    work_the_queue()
    pile = Letters.objects.get()
    pdf = b"".join(client.get(f"/who-has-heard/letters/{pile.pk}/letters.pdf").streaming_content)
    (tmp_path / "letters.pdf").write_bytes(pdf)
    reader = PdfReader(tmp_path / "letters.pdf")
    text = " ".join(reader.pages[0].extract_text().split())
    assert "Winston 4 Made Up Road TO1 1AA" in text
    assert "A bag of letters" in text
    assert "You pick one worker, and they stay." in text
    assert "Just one to ring" not in text
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert Feedback.objects.get(person=winston).state == State.OWED
    client.post(f"/who-has-heard/letters/{pile.pk}/posted/")
    assert Feedback.objects.get(person=winston).state == State.SENT


def test_a_letter_says_exactly_what_was_written_whatever_it_looks_like(
    amina, winston, town, change, signed_in, work_the_queue, tmp_path
):
    odd = '#panic("x") *bold* _it_ $x$ @ref <tag> \\ 漢字 ☕'
    write_update(amina, change, "News", odd)
    signed_in(amina).post(f"/who-has-heard/letters/make/{town.pk}/")
    work_the_queue()
    (tmp_path / "letters.pdf").write_bytes(Letters.objects.get().pdf.read())
    text = " ".join(PdfReader(tmp_path / "letters.pdf").pages[0].extract_text().split())
    assert '#panic("x") *bold* _it_ $x$ @ref <tag>' in text


def test_what_is_uncertain_waits_for_a_decision(amina, lee, update, signed_in, work_the_queue):
    Feedback.objects.filter(person=lee).update(state=State.UNCERTAIN, went_by="email")
    client, feedback = signed_in(amina), Feedback.objects.get(person=lee)
    assert "Lee" in client.get("/who-has-heard/to-settle/").content.decode()
    client.post(f"/who-has-heard/to-settle/{feedback.pk}/", {"again": ""})
    work_the_queue()
    assert [message.to for message in mail.outbox] == [["lee@example.org"]]


def test_who_nobody_knows_how_to_reach_is_not_forgotten(amina, change, town, signed_in):
    sami = make_person("Sami", town)
    tie(amina, change, voices=[write_down(amina, town, "Same here", "note", sami)])
    write_update(amina, change, "News", "Text.")
    page = signed_in(amina).get("/who-has-heard/to-settle/").content.decode()
    assert "Nobody knows how to reach them" in page
    assert "Sami" in page


@pytest.mark.parametrize(
    "page",
    ["who-has-heard/", "who-has-heard/to-tell/phone/", "who-has-heard/to-settle/", "who-has-heard/letters/"],
)
def test_who_is_behind_it_is_for_those_who_tell_people(page, update, lee, marek, charlie, signed_in):
    for person in (lee, charlie):
        assert signed_in(person).get(f"/{page}").status_code == 404
    answer = signed_in(marek).get(f"/{page}")
    assert answer.status_code == (200 if page == "who-has-heard/" else 404)
    assert "Joan" not in answer.content.decode()


def test_a_commissioner_sees_how_many_heard_and_not_who(update, marek, signed_in):
    page = signed_in(marek).get(f"/who-has-heard/{update.pk}/").content.decode()
    assert "Fewer than 11 people heard" in page and "of 3" not in page
    for name in ("Lee", "Joan", "Winston"):
        assert name not in page


def test_the_facilitators_day_says_who_waits(amina, update, signed_in):
    page = signed_in(amina).get("/").content.decode()
    assert "Ring Joan" in page
    assert "Post 1 letter" in page


def test_more_people_do_not_mean_more_queries(amina, change, town, signed_in):
    update = write_update(amina, change, "News", "Text.")
    client = signed_in(amina)
    pages = ["/", "/who-has-heard/", f"/who-has-heard/{update.pk}/", f"/changes/{change.pk}/"]
    counts = {}
    for page in pages:
        client.get(page)
        with CaptureQueriesContext(connection) as few:
            client.get(page)
        counts[page] = len(few)
    for n in range(6):
        person = make_person(f"Person {n}", town, way=Way.Kind.PHONE, address="01632 960112")
        tie(amina, change, voices=[write_down(amina, town, f"Word {n}", "note", person)])
    write_update(amina, change, "More news", "Text.")
    for page in pages:
        with CaptureQueriesContext(connection) as many:
            client.get(page)
        assert len(many) <= counts[page], page


# One call, several things


@pytest.fixture
def two_things(amina, joan, town, update) -> list[Feedback]:
    """Joan, who likes a call best, is owed a second thing."""
    later = record_change(amina, town, "A later bus", "Soon.", "service")
    tie(amina, later, voices=[write_down(amina, town, "The bus is too early", "note", joan)])
    actions.write_update(amina, later, "The bus comes later", "From May.")
    return list(Feedback.objects.filter(person=joan).order_by("owed_at", "pk"))


def test_one_call_tells_somebody_all_there_is_for_them(amina, joan, two_things, signed_in):
    client = signed_in(amina)
    page = client.get("/who-has-heard/to-tell/phone/").content.decode()
    assert page.count("Ring 01632 960111") == 1
    assert "There are 2 things to tell them" in page
    first, second = two_things
    for words in (first.update.title, second.update.title, "The bus is too early"):
        assert words in page
    name = f"f{first.pk}"
    client.post(
        f"/who-has-heard/told/{first.pk}/",
        {f"{name}-outcome": "told", f"{name}-also": [first.pk, second.pk]},
    )
    assert {each.state for each in Feedback.objects.filter(person=joan)} == {State.HEARD}


def test_what_came_since_the_card_was_opened_is_not_ticked_off(amina, joan, two_things, signed_in):
    first, second = two_things
    name = f"f{first.pk}"
    said = {f"{name}-outcome": "told", f"{name}-also": [first.pk]}
    signed_in(amina).post(f"/who-has-heard/told/{first.pk}/", said)
    second.refresh_from_db()
    assert second.state == State.OWED


def test_of_somebody_else_nothing_is_ticked_off_with_it(amina, lee, joan, two_things, signed_in):
    first, second = two_things
    other = Feedback.objects.get(person=lee)
    name = f"f{first.pk}"
    said = {f"{name}-outcome": "told", f"{name}-also": [second.pk, other.pk]}
    signed_in(amina).post(f"/who-has-heard/told/{first.pk}/", said)
    other.refresh_from_db()
    assert other.told_by is None


def test_what_they_said_goes_to_what_it_was_about(amina, joan, two_things, signed_in):
    first, second = two_things
    client, name = signed_in(amina), f"f{first.pk}"
    said = {
        f"{name}-outcome": "told",
        f"{name}-also": [first.pk, second.pk],
        f"{name}-words": "Not on Sundays",
    }
    page = client.post(f"/who-has-heard/told/{first.pk}/", said).content.decode()
    assert "Choose what they said it about" in page and "Not on Sundays" in page
    assert not joan.voices.filter(words="Not on Sundays").exists()
    client.post(f"/who-has-heard/told/{first.pk}/", said | {f"{name}-to": second.pk})
    second.refresh_from_db()
    assert second.answer.voice.words == "Not on Sundays"
    assert not hasattr(Feedback.objects.get(pk=first.pk), "answer")


# How far the loop is closed


def test_a_change_says_how_many_have_their_answer_and_outside_the_group_only_about(
    amina, lee, joan, marek, update, signed_in
):
    path = f"/changes/{update.change_id}/"
    assert "Nobody got their answer" in signed_in(amina).get(path).content.decode()
    actions.answer(lee, update.feedback.get(person=lee), True)
    inside = signed_in(amina).get(path).content.decode()
    assert "1 person heard." in inside and "1 person got their answer." in inside
    assert "33% of all who were owed an answer" in inside
    for outside in (signed_in(marek), Client()):
        page = outside.get(path).content.decode()
        assert "Fewer than 11 people got their answer." in page
        assert "% of all" not in page and "1 person" not in page


def test_a_topic_says_what_people_were_told_and_how_many_have_their_answer(amina, lee, town, signed_in):
    topic = raise_topic(amina, town, "Nights", voices=[write_down(amina, town, "It is cold", "note", lee)])
    page = lambda: signed_in(lee).get(f"/topics/{topic.pk}/").content.decode()  # noqa: E731
    assert "got their answer" not in page()  # nobody was owed anything
    decide(amina, topic, "decided", "A room in winter.")
    update = actions.write_update(amina, topic, "We decided", "A room, from November.")
    actions.answer(lee, update.feedback.get(), True)
    assert "We decided" in page() and "1 person got their answer." in page()
