from __future__ import annotations

import base64
import datetime as dt
import imaplib
import json

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from coproduce.agenda.actions.topics import decide, raise_topic
from coproduce.agenda.models import Topic
from coproduce.changes.actions import record_change, take_step, tie
from coproduce.engine.inbox import read_email
from coproduce.hearback import inbox, mailbox, replies
from coproduce.hearback.actions import answer, write_update
from coproduce.hearback.models import Feedback, Reply, State
from coproduce.hearback.reply import feedback_at, reply_address
from coproduce.people.models import Membership, Way
from coproduce.people.permissions import NotAllowed
from coproduce.site import erase
from coproduce.voices import consent
from coproduce.voices.actions import write_down
from tests.conftest import make_person
from tests.hearback import mailboxes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _an_address_of_ours(settings):
    settings.REPLY_TO = "answers@hub.example.org"
    settings.INBOUND_TOKEN = "inbound-token"


@pytest.fixture
def change(amina, lee, joan, town):
    topic = raise_topic(
        amina, town, "Who stays?", voices=[write_down(amina, town, "Just one to ring", "note", lee)]
    )
    decide(amina, topic, "decided", "One worker each.")
    return record_change(amina, town, "One worker", "You choose.", "service", "made", topics=[topic])


@pytest.fixture
def told(amina, lee, change, work_the_queue) -> Feedback:
    """Lee was sent an email about the change."""
    feedback = write_update(amina, change, "It has started", "You pick one worker.").feedback.get(person=lee)
    work_the_queue()
    feedback.refresh_from_db()
    assert feedback.state == State.SENT
    return feedback


def email(words: str, **headers: str) -> bytes:
    known = {
        "From": "Lee <lee@example.org>",
        "To": "answers@hub.example.org",
        "Message-ID": "<1@phone.example.org>",
    }
    known |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in known.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + words).encode()


def take(raw: bytes) -> Reply | None:
    return replies.take_email(read_email(raw))


# Matched


def test_a_reply_to_the_marked_address_is_an_answer_and_a_voice(lee, told, change):
    marked = reply_address(told)
    assert mail.outbox[0].reply_to == [marked]
    quoted = "\r\n\r\nOn 4 May 2026 at 09:00, Eastmoor <e@example.org> wrote:\r\n> You pick one worker."
    reply = take(email("Not at my hostel" + quoted, To=marked, From="another@address.example.org"))
    told.refresh_from_db()
    assert (told.state, told.answer.answered) == (State.HEARD, None)
    assert told.answer.voice.words == "Not at my hostel"
    assert told.answer.voice.person == lee
    assert told.answer.voice in change.topics.get().voices.all()
    assert "You pick one worker" in reply.original


def test_a_reply_that_names_our_email_is_an_answer(told):
    number = mail.outbox[0].extra_headers["Message-ID"]
    take(email("Yes thanks", In_Reply_To=number))
    told.refresh_from_db()
    assert told.answer.answered is True
    assert told.answer.voice is None


def test_a_mark_that_is_not_ours_matches_nothing(told):
    marked = reply_address(told)
    assert feedback_at(marked) == told.pk
    assert feedback_at(marked.upper()) == told.pk
    wrong = marked.replace(f"+{told.pk}-", f"+{told.pk + 1}-")
    assert feedback_at(wrong) is None
    assert feedback_at("answers@hub.example.org") is None
    assert len(marked.partition("@")[0]) <= 64


def test_an_address_alone_proves_nothing_and_waits_for_somebody_who_knows(amina, lee, told, signed_in):
    reply = take(email("Not at my hostel"))
    assert (reply.outcome, reply.person) == ("", lee)
    assert not lee.voices.filter(words="Not at my hostel").exists()
    client = signed_in(amina)
    assert "1 answer came back" in client.get("/").content.decode()
    page = client.get(f"/who-has-heard/replies/{reply.pk}/").content.decode()
    assert "Not at my hostel" in page and "somebody you know" in page
    client.post(f"/who-has-heard/replies/{reply.pk}/", {"person": lee.pk})
    assert lee.voices.filter(words="Not at my hostel").exists()
    told.refresh_from_db()
    assert told.answer.voice.words == "Not at my hostel"
    assert "Every answer has found its place" in client.get("/who-has-heard/replies/").content.decode()


def test_what_is_no_answer_is_put_aside_and_forgotten_after_three_months(amina, signed_in):
    reply = take(email("Buy our windows", From="shop@example.org"))
    signed_in(amina).post(f"/who-has-heard/replies/{reply.pk}/", {"aside": ""})
    assert replies.forget_what_was_put_aside() == 0
    Reply.objects.update(at=timezone.now() - dt.timedelta(days=91))
    assert replies.forget_what_was_put_aside() == 1


def test_who_is_not_known_is_seen_only_where_nothing_is_above(amina, ward, charlie, lee, signed_in):
    reply = take(email("Hello", From="nobody@example.org"))
    below = make_person("Ben", ward, Membership.Role.FACILITATOR)
    assert [Reply.objects.visible_to(person).count() for person in (amina, below, lee, charlie)] == [
        1,
        0,
        0,
        0,
    ]
    with pytest.raises(NotAllowed):
        replies.match(below, reply, lee)


def test_taking_it_twice_takes_it_once(lee, told):
    raw = email("Not at my hostel", To=reply_address(told))
    assert take(raw) == take(raw)
    assert lee.voices.filter(words="Not at my hostel").count() == 1


def test_a_holiday_notice_is_ignored_and_not_kept(told):
    assert take(email("I am away", To=reply_address(told), Auto_Submitted="auto-replied")) is None
    told.refresh_from_db()
    assert (told.state, Reply.objects.count()) == (State.SENT, 0)


def test_what_did_not_arrive_goes_on_to_the_next_way(lee, told):
    from tests.engine.test_inbox import BOUNCE

    Way.objects.create(person=lee, kind=Way.Kind.PHONE, address="01632 960222")
    number = mail.outbox[0].extra_headers["Message-ID"].strip("<>").encode()
    raw = (BOUNCE % {b"action": b"failed", b"returned": b"message/rfc822"}).replace(
        b"feedback-12.1.abc@hub.example.org", number
    )
    assert take(raw) is None
    told.refresh_from_db()
    assert (told.state, told.way.kind) == (State.OWED, Way.Kind.PHONE)
    assert "no such person here" in told.problem


# Not put right


def test_closed_but_not_fixed_opens_the_topic_again_and_who_sees_to_it_hears(
    amina, lee, marek, change, told, signed_in, work_the_queue
):
    type(change).objects.filter(pk=change.pk).update(owner=marek)
    mail.outbox.clear()
    page = Client().get(f"/reply/{_token(told)}/").content.decode()
    assert "You say it is done. It is not" in page
    Client().post(f"/reply/{_token(told)}/", {"answered": "not fixed", "words": "Still two workers"})
    topic = Topic.objects.with_stage().get(pk=change.topics.get().pk)
    assert topic.stage == "open"
    work_the_queue()
    notices = [each for each in mail.outbox if each.to == ["marek@example.org"]]
    assert len(notices) == 1
    for word in ("Lee", "Still two workers", "One worker", "Who stays"):
        assert word not in notices[0].body + notices[0].subject
    assert "Somebody says it is not put right" in signed_in(marek).get("/who-has-heard/").content.decode()
    assert "Somebody says it is not put right" in signed_in(amina).get("/").content.decode()
    assert "Lee" not in signed_in(marek).get("/who-has-heard/").content.decode()
    write_update(amina, change, "We look again", "Sorry. We look again this week.")
    assert "not put right" not in signed_in(amina).get("/").content.decode()


def test_ten_who_say_so_make_one_email(amina, marek, change, town, work_the_queue):
    type(change).objects.filter(pk=change.pk).update(owner=marek)
    people = [make_person(f"P{number}", town) for number in range(10)]
    tie(amina, change, voices=[write_down(amina, town, "Me", "note", person) for person in people])
    update = write_update(amina, change, "It has started", "You pick one worker.")
    for person in people:
        answer(person, update.feedback.get(person=person), False, not_fixed=True)
    work_the_queue()
    assert len([each for each in mail.outbox if each.to == ["marek@example.org"]]) == 1


def test_what_is_only_planned_can_not_be_called_not_fixed(amina, lee, change):
    take_step(amina, change, "planned")
    feedback = write_update(amina, change, "News", "It is planned.").feedback.get(person=lee)
    given = answer(lee, feedback, False, not_fixed=True)
    assert not given.not_fixed
    assert Topic.objects.with_stage().get().stage == "decided"


def _token(feedback: Feedback) -> str:
    from coproduce.hearback.reply import reply_path

    return reply_path(feedback).split("/")[2]


# By text and by those who hand it in


def post(path: str, said: object, token: str = "inbound-token") -> int:
    body = said if isinstance(said, str) else json.dumps(said)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return Client().post(path, body, content_type="application/json", headers=headers).status_code


def test_a_text_answers_the_last_text_that_went_to_that_phone(amina, town, change):
    sami = make_person("Sami", town, way=Way.Kind.TEXT, address="07700 900123")
    tie(amina, change, voices=[write_down(amina, town, "Me too", "note", sami)])
    feedback = write_update(amina, change, "News", "You choose.").feedback.get(person=sami)
    Feedback.objects.filter(pk=feedback.pk).update(state=State.SENT, sent_at=timezone.now(), went_by="text")
    said = {
        "id": "9f",
        "source_number": "447700900123",
        "message": "Still two of them",
        "date_received": "2026-05-05T09:00:00.000000Z",
    }
    assert post("/inbound/text/", said) == 204
    assert post("/inbound/text/", said) == 204
    feedback.refresh_from_db()
    assert feedback.answer.voice.words == "Still two of them"
    assert sami.voices.filter(words="Still two of them").count() == 1


def test_a_text_from_a_phone_that_two_share_waits_for_somebody_who_knows(amina, town, change):
    for name in ("Sami", "Mo"):
        make_person(name, town, way=Way.Kind.TEXT, address="07700 900 123")
    assert post("/inbound/text/", {"id": "1", "from": "+44 7700 900123", "text": "Yes"}) == 204
    assert Reply.objects.get().person is None


@pytest.mark.parametrize(
    "wrapped",
    [lambda raw: raw.decode(), lambda raw: base64.b64encode(raw).decode()],
)
def test_an_email_that_is_handed_in_whole_is_taken(told, wrapped):
    assert post("/inbound/email/", {"raw": wrapped(email("Still two", To=reply_address(told)))}) == 204
    told.refresh_from_db()
    assert told.answer.voice.words == "Still two"


def test_an_email_that_is_handed_in_by_its_parts_is_taken(told):
    said = {
        "from": "Lee <lee@example.org>",
        "to": [reply_address(told)],
        "subject": "Re: News\r\nBcc: x@y.z",
        "text": "Still two",
        "message_id": "<2@x.org>",
    }
    assert post("/inbound/email/", said) == 204
    told.refresh_from_db()
    assert told.answer.voice.words == "Still two"


@pytest.mark.parametrize("path", ["/inbound/email/", "/inbound/text/"])
def test_without_the_token_it_does_not_exist_and_what_makes_no_sense_is_said_so(path, settings):
    good = {"raw": email("Hello").decode(), "id": "1", "from": "07700900123", "text": "Hello"}
    assert post(path, good, token="") == post(path, good, token="wrong") == 404
    assert post(path, "{") == post(path, "[]") == post(path, {"from": "x"}) == 400
    settings.INBOUND_TOKEN = ""
    assert post(path, good) == 404
    assert not Reply.objects.exists()


# The mailbox


def test_the_mailbox_is_read_and_emptied(lee, told, settings, work_the_queue):
    with mailboxes.running(
        {
            "INBOX": [
                email("Still two", To=reply_address(told)),
                email("Hello", From="a@b.org", Message_ID="<3@x>"),
            ]
        }
    ) as box:
        settings.IMAP_URL = box.url
        inbox.read_mailbox_now_and_then()
        work_the_queue()
        assert box.folders["INBOX"] == []
    assert lee.voices.filter(words="Still two").exists()
    assert Reply.objects.waiting().count() == 1


def test_one_that_can_not_be_taken_stays_flagged_and_the_others_are_read(told):
    raw = [b"\r\n \r\n", email("Still two", To=reply_address(told))]
    with mailboxes.running({"INBOX": raw}) as box:
        assert mailbox.read(box.url, take) == 1
        assert mailbox.read(box.url, take) == 0
        assert [message.flags for message in box.folders["INBOX"]] == [{r"\Flagged"}]


def test_killed_between_taking_and_deleting_it_is_taken_once(lee, told):
    with mailboxes.running({"INBOX": [email("Still two", To=reply_address(told))]}) as box:
        box.dies_at_store = True
        with pytest.raises(mailbox.Unreadable):
            mailbox.read(box.url, take)
        box.dies_at_store = False
        assert mailbox.read(box.url, take) == 1
    assert lee.voices.filter(words="Still two").count() == 1


def test_a_mailbox_that_lets_nobody_in_is_tried_again_and_nothing_else_stops(settings, work_the_queue):
    with mailboxes.running({"INBOX": []}) as box:
        with pytest.raises(mailbox.Unreadable):
            mailbox.read(box.url.replace("secret", "wrong"), take)
        with pytest.raises(mailbox.Unreadable):
            mailbox.read(box.url.replace("INBOX", "Nowhere"), take)
    with pytest.raises(mailbox.Unreadable):
        mailbox.read(box.url, take)
    settings.IMAP_URL = box.url
    inbox.read_mailbox.enqueue()
    work_the_queue()


def test_it_really_is_imap():
    """The mailbox of these tests speaks to Python's own client as a real one does."""
    with mailboxes.running({"INBOX": [email("Hello")]}) as box:
        client = imaplib.IMAP4("127.0.0.1", box.port)
        client.login("answers", "secret")
        assert client.select("INBOX") == ("OK", [b"1"])
        client.logout()


# Taken back


def test_taken_back_and_erased_nothing_of_it_stays(amina, lee, told):
    from coproduce.site.recall import take_back

    take(email("Quinoxic words of mine\r\n-- \r\nLee Vexley", To=reply_address(told)))
    said = lee.voices.get(words="Quinoxic words of mine")
    take_back(lee, [said], [], consent.Choice.TAKE_OUT)
    assert not Reply.objects.exists()
    take(email("Other words", To=reply_address(told), Message_ID="<7@x>"))
    take(email("From my own address", Message_ID="<8@x>"))
    assert Reply.objects.count() == 2
    erase.erase_person(amina, lee)
    assert not Reply.objects.exists()
