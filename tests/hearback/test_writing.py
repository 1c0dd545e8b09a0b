from __future__ import annotations

import datetime as dt
import io

import pytest
from django.core import mail
from django.utils import timezone
from pypdf import PdfReader

from coproduce.agenda.actions.topics import decide, raise_topic
from coproduce.changes.actions import record_change, tie
from coproduce.glossary.explained import check
from coproduce.glossary.models import Term
from coproduce.hearback import sending
from coproduce.hearback.actions import write_update
from coproduce.hearback.models import Attempt, Feedback, State, Update
from coproduce.people.models import Hub, Membership, Way
from coproduce.people.permissions import NotAllowed
from coproduce.voices.actions import write_down
from coproduce.voices.consent import Choice
from coproduce.voices.models import Carried
from tests.conftest import make_person
from tests.hearback.conftest import it_went, on_the_line

pytestmark = pytest.mark.django_db
WROTE = {"title": "It has started", "text": "You pick one worker, and they stay with you."}


@pytest.fixture
def change(amina, lee, joan, town):
    """Behind it: Lee (email), who lets anybody read it, and Joan (phone), who lets the group."""
    change = record_change(amina, town, "One worker you trust", "You choose one worker.", "service")
    public = write_down(amina, town, "Just one to ring", "note", lee, uses=["group", "public"])
    tie(amina, change, voices=[public, write_down(amina, town, "He stopped coming", "note", joan)])
    return change


@pytest.fixture
def public(change):
    return change.voices.get(words="Just one to ring")


def path(change) -> str:
    return f"/changes/{change.pk}/tell/"


def test_all_that_was_written_reaches_each_person_with_their_own_words(
    amina, lee, joan, change, public, signed_in, work_the_queue
):
    day = timezone.localdate() + dt.timedelta(days=60)
    more = {
        "quotes": [public.pk],
        "unchanged": "The evenings did not change. There is no money.",
        "following": "We ask the council again.",
        "following_on_day": day.day,
        "following_on_month": day.month,
        "following_on_year": day.year,
        "ask": "Amina, on Tuesdays at the Corner.",
    }
    page = signed_in(amina).post(path(change), WROTE | more | {"tell": ""})
    assert page.status_code == 302
    work_the_queue()
    sent = mail.outbox[0].body
    for words in ("“Just one to ring”", "The evenings did not", "We ask the council again", "Amina, on"):
        assert words in sent
    assert f"by {day.day} {day:%B %Y}" in sent
    assert sent.count("Just one to ring") == 1  # their own: not once more as what others said
    call = signed_in(amina).get("/who-has-heard/to-tell/phone/").content.decode()
    assert call.index("He stopped coming") < call.index("It has started") < call.index("Just one to ring")
    assert Carried.objects.filter(voice=public, kind="email").count() == 2  # to Lee, and as it went to others


def test_only_what_anybody_may_read_goes_to_others(amina, joan, change, public):
    closed = change.voices.get(words="He stopped coming")
    with pytest.raises(NotAllowed):
        write_update(amina, change, **WROTE, quotes=[closed])
    other = write_down(amina, change.hub, "Not behind it", "note", joan, uses=["group", "public"])
    with pytest.raises(NotAllowed):
        write_update(amina, change, **WROTE, quotes=[other])
    assert not Update.objects.exists()


def test_a_quote_that_is_taken_back_goes_from_what_is_not_sent_yet(
    amina, lee, joan, change, public, signed_in, work_the_queue
):
    from coproduce.site.recall import take_back

    write_update(amina, change, **WROTE, quotes=[public])
    page = lambda: signed_in(amina).get("/who-has-heard/to-tell/phone/").content.decode()  # noqa: E731
    assert "Just one to ring" in page()
    take_back(lee, [public], [], Choice.TAKE_OUT)
    assert "Just one to ring" not in page() and "You pick one worker" in page()


def test_how_it_reads_is_said_while_writing_and_on_the_preview(amina, lee, change, signed_in):
    hard = (
        "The multidisciplinary commissioning framework necessitates organisational prioritisation of "
        "safeguarding considerations, notwithstanding budgetary constraints identified by the ICB in its "
        "consultation, which facilitated comprehensive stakeholder engagement across the wider partnership area."
        " The implementation of recommendations remains subject to evaluation."
    )
    answer = signed_in(amina).post(f"/tell/reading/{change.hub_id}/", {"text": hard})
    page = answer.content.decode()
    assert "ICB" in page and "Shorter words" in page and "Make two of each" in page and "<html" not in page
    look = signed_in(amina).post(path(change), WROTE | {"text": hard, "look": ""}).content.decode()
    assert "ICB" in look and "Shorter words" in look
    assert signed_in(lee).post(f"/tell/reading/{change.hub_id}/", {"text": hard}).status_code == 404


def test_plain_words_are_called_easy():
    reads = check(" ".join(["You pick one worker. They stay with you. You can ring them."] * 4), None)
    assert reads.is_easy
    assert reads.age < 11


def test_names_known_here_are_no_jargon(amina, town, change, signed_in):
    address = f"/tell/reading/{town.pk}/"
    said = {"text": "Ask quennell about it."}  # as people type on a phone
    assert "quennell" in signed_in(amina).post(address, said).content.decode()
    make_person("Tobiah Quennell", town)
    assert "quennell" not in signed_in(amina).post(address, said).content.decode()


def test_while_somebody_types_the_glossary_of_this_hub_is_asked(amina, town, signed_in):
    """She may write in both; a word that one of them explains is explained there and not everywhere."""
    other = Hub.objects.add_root({"name": "Westmoor"})
    Membership.objects.create(person=amina, hub=other, role=Membership.Role.FACILITATOR)
    Term.objects.create(hub=other, word="ICB", explanation="Who pays.", agreed_at=timezone.now())
    browser = signed_in(amina)
    here, there = (
        browser.post(f"/tell/reading/{hub.pk}/", {"text": "The ICB said yes."}).content.decode()
        for hub in (town, other)
    )
    assert "Say these in other words" in here
    assert "explained where they stand" in there and "Say these in other words" not in there


@pytest.mark.parametrize(
    ("kind", "shows"),
    [
        ("email", "Subject: News for you"),
        ("text", "Read it and answer"),
        ("letter", "On the envelope"),
        ("phone", "A call: what to say"),
        ("face_to_face", "Face to face"),
        ("page", "On their page"),
        ("trusted_person", "Through the person they trust"),
        ("", "A call: what to say"),
    ],
)
def test_it_is_seen_as_any_person_by_any_way_before_anybody_is_told(
    amina, joan, change, kind, shows, signed_in
):
    look = WROTE | {"look": "", "as_person": joan.pk, "by_way": kind}
    page = signed_in(amina).post(path(change), look).content.decode()
    assert shows in page
    if kind != "text":
        assert "He stopped coming" in page
    assert not Update.objects.exists() and not Feedback.objects.exists()


def test_a_way_that_others_may_read_is_shown_as_neutral_as_it_will_be(amina, joan, change, signed_in):
    Way.objects.create(person=joan, kind="email", address="shared@example.org", others_may_read=True)
    look = WROTE | {"look": "", "as_person": joan.pk, "by_way": "email"}
    page = signed_in(amina).post(path(change), look).content.decode()
    assert "There is news for you." in page
    assert "He stopped coming" not in page.split("This is how it will read")[1].split("Tell them all")[0]


def test_the_letter_can_be_opened_as_it_will_be_printed(amina, joan, change, public, signed_in):
    typed = WROTE | {"paper": "", "as_person": joan.pk, "quotes": [public.pk]}
    answer = signed_in(amina).post(path(change), typed)
    assert answer["Content-Type"] == "application/pdf"
    text = " ".join(PdfReader(io.BytesIO(answer.content)).pages[0].extract_text().split())
    for words in ("Dear Joan", "He stopped coming", "Just one to ring", "You pick one worker"):
        assert words in text


def test_a_commissioner_writes_it_and_sees_it_as_nobody_in_particular(marek, joan, change, signed_in):
    typed = WROTE | {"look": "", "as_person": joan.pk}
    page = signed_in(marek).post(path(change), typed).content.decode()
    assert "This is how it will read" in page
    for hidden in ("Joan", "He stopped coming", "See it as one of them"):
        assert hidden not in page
    assert signed_in(marek).post(path(change), typed | {"paper": ""})["Content-Type"] != "application/pdf"


def test_what_a_group_decided_is_told_to_whoever_spoke(amina, lee, town, signed_in, work_the_queue):
    topic = raise_topic(
        amina, town, "Who stays?", voices=[write_down(amina, town, "One to ring", "note", lee)]
    )
    decide(amina, topic, "put aside", "The council decides that.")
    page = f"/topics/{topic.pk}/tell/"
    assert "The council decides that." in signed_in(amina).get(page).content.decode()
    signed_in(amina).post(
        page, {"title": "It was put aside", "text": "The council decides that.", "tell": ""}
    )
    work_the_queue()
    assert "One to ring" in mail.outbox[0].body
    mine = signed_in(lee).get("/what-happened/").content.decode()
    assert "It was put aside" in mine and "One to ring" in mine


# Together, and no more than they asked for


def test_several_things_owed_to_one_person_go_in_one_email_and_each_stays_a_row(
    amina, lee, change, town, work_the_queue
):
    other = record_change(amina, town, "A later bus", "It goes at ten.", "service")
    tie(amina, other, voices=[write_down(amina, town, "The bus is too early", "note", lee)])
    write_update(amina, change, **WROTE)
    write_update(amina, other, "A later bus", "It goes at ten from May.")
    work_the_queue()
    (sent,) = mail.outbox
    for words in (
        "Just one to ring",
        "You pick one worker",
        "The bus is too early",
        "It goes at ten from May",
    ):
        assert words in sent.body and words in sent.alternatives[0][0]
    assert sent.body.count("/reply/") == 4  # yes and no for each
    theirs = Feedback.objects.filter(person=lee)
    assert [each.state for each in theirs] == [State.SENT] * 2
    assert Attempt.objects.filter(went_with__isnull=False).count() == 1


def test_what_becomes_of_one_message_holds_for_all_that_was_in_it(amina, lee, change, town, work_the_queue):
    other = record_change(amina, town, "A later bus", "It goes at ten.", "service")
    tie(amina, other, voices=list(change.voices.filter(person=lee)))
    write_update(amina, change, **WROTE)
    write_update(amina, other, "A later bus", "It goes at ten from May.")
    work_the_queue()
    first = Attempt.objects.get(went_with=None, feedback__person=lee)
    assert sending.bounced(first.reference, "550 gone")
    theirs = Feedback.objects.filter(person=lee)
    assert {each.state for each in theirs} == {State.UNDELIVERABLE}
    assert not sending.bounced("feedback-1.1.nobodyknows", "550")


def test_letters_of_one_person_are_one_letter(amina, change, town, signed_in, work_the_queue):
    winston = make_person("Winston", town, way=Way.Kind.LETTER, address="4 Made Up Road\nTO1 1AA")
    for title in ("A later bus", "A new door"):
        made = record_change(amina, town, title, "Soon.", "service")
        tie(amina, made, voices=[write_down(amina, town, f"I want {title.lower()}", "note", winston)])
        write_update(amina, made, title, f"{title}, from May.")
    signed_in(amina).post(f"/who-has-heard/letters/make/{town.pk}/")
    work_the_queue()
    pile = Feedback.objects.filter(person=winston).first().letters
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(pile.pdf.open()).pages).split())
    assert text.count("Dear Winston") == 1
    assert "A later bus, from May." in text and "A new door, from May." in text


def test_how_often_is_set_on_ones_page(lee, charlie, signed_in):
    client = signed_in(lee)
    client.post(f"/people/{lee.pk}/how-often/", {"at_most": "month"})
    assert "once a month, all together" in client.get(f"/people/{lee.pk}/").content.decode()
    assert signed_in(charlie).post(f"/people/{lee.pk}/how-often/", {"at_most": "week"}).status_code == 404


def test_a_text_about_several_things_opens_the_first_and_leads_to_the_others(amina, change, town, signed_in):
    from django.test import Client

    from coproduce.hearback.reply import reply_path

    sami = make_person("Sami", town, way=Way.Kind.TEXT, address="07700 900123")
    for title in ("A later bus", "A new door"):
        made = record_change(amina, town, title, "Soon.", "service")
        tie(amina, made, voices=[write_down(amina, town, f"I want {title.lower()}", "note", sami)])
        write_update(amina, made, f"News: {title}", f"{title}, from May.")
    first, second = Feedback.objects.filter(person=sami)
    message = on_the_line(first.pk, "one worker", Way.Kind.TEXT)
    it_went(message)
    assert [each.feedback for each in message.also] == [second]
    for this, other in ((first, second), (second, first)):
        page = Client().get(reply_path(this)).content.decode()
        assert reply_path(other) in page and other.update.title in page


def test_a_draft_shows_where_its_links_will_stand_and_none_that_opens_anything(amina, lee, change, signed_in):
    look = WROTE | {"look": "", "as_person": lee.pk, "by_way": "email"}
    page = signed_in(amina).post(path(change), look).content.decode()
    assert "/reply/…/" in page and "None" not in page


def test_an_email_is_shown_as_it_will_look_and_only_there_the_page_allows_its_look(
    amina, lee, change, signed_in
):
    browser = signed_in(amina)
    look = WROTE | {"look": "", "as_person": lee.pk}
    shown = browser.post(path(change), look | {"by_way": "email"})
    page = shown.content.decode()
    assert "<iframe" in page and " sandbox " in page and "srcdoc=" in page
    assert "&lt;h1 style=" in page  # inside the frame, and nothing of it in the page itself
    assert "style-src-attr 'unsafe-inline'" in shown["Content-Security-Policy"]
    for other in (look | {"by_way": "text"}, WROTE | {"look": ""}):
        answer = browser.post(path(change), other)
        assert "<iframe" not in answer.content.decode()
    assert "unsafe-inline" not in browser.get(path(change))["Content-Security-Policy"]
