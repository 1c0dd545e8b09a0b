"""What people write back: a wish that it stops, and files that come with it."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from django.core import mail
from django.core.files.storage import default_storage

from coproduce.changes.actions import record_change, tie
from coproduce.engine.inbox import read_email
from coproduce.engine.plainwords import reading_age
from coproduce.hearback import enclosed, replies, saying_back
from coproduce.hearback.actions import write_update
from coproduce.hearback.models import Enclosed, Feedback, Reply, State
from coproduce.hearback.reply import reply_address
from coproduce.hearback.text import parts
from coproduce.people.actions import add_way
from coproduce.people.models import Way
from coproduce.people.permissions import NotAllowed
from coproduce.people.sensitive import sensitive_words
from coproduce.site import erase
from coproduce.voices.actions import write_down
from tests.conftest import make_person

pytestmark = pytest.mark.django_db
PICTURE = b"\xff\xd8\xff\xe0" + b"a picture of a broken door" * 40
PHONE = "07700 900123"


@pytest.fixture(autouse=True)
def _an_address_of_ours(settings):
    settings.REPLY_TO = "answers@hub.example.org"


def email(to: str, words: str, *files: tuple[str, bytes], sender: str = "lee@example.org") -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Message-ID"] = sender, to, f"<{len(words)}@phone.example.org>"
    message.set_content(words)
    for name, content in files:
        message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


def take(raw: bytes) -> Reply | None:
    return replies.take_email(read_email(raw))


@pytest.fixture
def told(amina, lee, town, work_the_queue) -> Feedback:
    change = record_change(amina, town, "The door", "It is mended.", "building", "made")
    tie(amina, change, voices=[write_down(amina, town, "The door is broken", "note", lee)])
    feedback = write_update(amina, change, "The door is mended", "Come and see.").feedback.get()
    work_the_queue()
    mail.outbox.clear()
    return feedback


# Files


def test_a_picture_is_kept_and_only_who_looks_after_the_group_can_save_it(amina, lee, joan, told, signed_in):
    reply = take(email(reply_address(told), "Look", ("C:\\me\\door.jpg", PICTURE)))
    kept = reply.enclosed.get()
    assert (kept.name, kept.kind, kept.size) == ("door.jpg", "image/jpeg", len(PICTURE))
    browser = signed_in(amina)
    assert "1 file came with an answer" in browser.get("/").content.decode()
    page = browser.get("/who-has-heard/replies/").content.decode()
    assert "A picture" in page and "lee@example.org" in page
    address = f"/who-has-heard/replies/came-with/{kept.pk}/file/"
    answer = browser.get(address)
    assert b"".join(answer.streaming_content) == PICTURE
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    for other in (lee, joan):
        assert signed_in(other).get(address).status_code == 404
        with pytest.raises(NotAllowed):
            enclosed.seen(other, kept)
    browser.post(address.replace("/file/", "/seen/"))
    assert "A picture" not in browser.get("/who-has-heard/replies/").content.decode()
    assert mail.outbox == []  # nothing was lost, so there is nothing to say


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("letter.doc", b"\xd0\xcf\x11\xe0 a letter with a macro in it"),
        ("door.jpg", b"<html><script>alert(1)</script>"),
        ("empty.png", b""),
        ("run.exe", b"MZ"),
    ],
)
def test_what_is_not_kept_is_said_to_both(amina, lee, told, signed_in, work_the_queue, name, content):
    reply = take(email(reply_address(told), "Look at this", (name, content)))
    assert lee.voices.filter(words="Look at this").exists()
    assert not reply.enclosed.get().file
    work_the_queue()
    [said] = mail.outbox
    assert said.to == ["lee@example.org"]
    assert "We could not keep the file" in said.body and name not in said.body
    page = signed_in(amina).get("/who-has-heard/replies/").content.decode()
    assert "A file that we did not keep" in page and name in page
    saying_back.say(Reply.objects.get(pk=reply.pk))
    assert len(mail.outbox) == 1  # never twice


def test_one_that_is_too_large_is_not_kept(told, monkeypatch):
    monkeypatch.setattr(enclosed, "LARGEST", len(PICTURE) - 1)
    assert not take(email(reply_address(told), "Look", ("door.jpg", PICTURE))).enclosed.get().file


def test_a_picture_without_a_word_is_an_answer_too(amina, told, signed_in):
    take(email(reply_address(told), "", ("door.jpg", PICTURE)))
    told.refresh_from_db()
    assert told.state == State.HEARD
    assert told.answer.voice is None and told.answer.answered is None
    assert "1 file came" in signed_in(amina).get("/").content.decode()


def test_of_somebody_we_are_not_sure_of_it_waits_with_their_words_and_nothing_is_said_back(
    amina, lee, told, signed_in, work_the_queue
):
    reply = take(email("answers@hub.example.org", "", ("door.jpg", PICTURE), ("a.exe", b"MZ")))
    work_the_queue()
    assert mail.outbox == []
    page = signed_in(amina).get(f"/who-has-heard/replies/{reply.pk}/").content.decode()
    assert "A picture" in page and "a file that we did not keep" in page
    replies.match(amina, reply, lee)
    assert Reply.objects.get().outcome == "taken"


def test_erased_and_forgotten_the_files_go_as_well(amina, lee, told, django_capture_on_commit_callbacks):
    first = take(email(reply_address(told), "One", ("door.jpg", PICTURE))).enclosed.get()
    second = take(email("answers@hub.example.org", "Two!", ("door.jpg", PICTURE), sender="x@y.org"))
    name = second.enclosed.get().file.name
    replies.put_aside(amina, second)
    Reply.objects.filter(pk=second.pk).update(at="2020-01-01T00:00Z")
    with django_capture_on_commit_callbacks(execute=True):
        assert replies.forget_what_was_put_aside() == 1
    assert not default_storage.exists(name)
    assert default_storage.exists(first.file.name)
    erasure = erase.erase_person(lee, lee)
    assert first.file.name in erasure.to_clean["files"]
    assert not Enclosed.objects.exists()


# Stop


@pytest.fixture
def texted(amina, town, gateway_server, settings, work_the_queue) -> Feedback:
    """Sami was sent a text, and gave an email as well."""
    settings.SMS_CALLBACK_TOKEN = ""
    sami = make_person("Sami", town, way=Way.Kind.TEXT, address=PHONE)
    add_way(amina, sami, "email", "sami@example.org")
    change = record_change(amina, town, "The door", "It is mended.", "building")
    tie(amina, change, voices=[write_down(amina, town, "The door is broken", "note", sami)])
    feedback = write_update(amina, change, "The door is mended", "Come and see.").feedback.get()
    work_the_queue()
    assert len(gateway_server.texts) == 1
    return feedback


@pytest.mark.parametrize("words", ["STOP", " stop. ", "Please stop!", "Stopio"])
def test_stop_by_text_ends_texts_is_said_back_and_the_next_way_has_its_turn(
    amina, texted, gateway_server, work_the_queue, words
):
    replies.take_text("t1", "+44 7700 900123", words)
    replies.take_text("t1", "+44 7700 900123", words)  # handed in twice
    work_the_queue()
    person = texted.person
    assert person.preferred_way.kind == Way.Kind.EMAIL
    assert len(gateway_server.texts) == 2
    said = gateway_server.texts[1]
    assert said["to"] == "+447700900123" and said["text"] == saying_back.words_of_stop()
    assert not person.voices.filter(words=words.strip()).exists()  # it is a wish, and no voice
    tie(
        amina,
        texted.update.change,
        voices=[write_down(amina, texted.update.hub, "And the bell", "note", person)],
    )
    write_update(amina, texted.update.change, "The bell too", "Ring it.")
    work_the_queue()
    assert [message.to for message in mail.outbox] == [["sami@example.org"]]
    assert len(gateway_server.texts) == 2


def test_more_than_stop_is_an_answer(texted, work_the_queue):
    replies.take_text("t2", "+44 7700 900123", "Stop sending him. He left.")
    assert texted.person.voices.filter(words="Stop sending him. He left.").exists()
    assert texted.person.preferred_way.kind == Way.Kind.TEXT


def test_on_a_shared_phone_it_stops_for_whoever_shares_it(town, texted):
    other = make_person("Dot", town, way=Way.Kind.TEXT, address="07700900123")
    reply = replies.take_text("t3", "07700 900123", "stop")
    assert reply.person is None  # we do not know which of them wrote
    assert not Way.objects.leading().filter(person__in=[other, texted.person], kind="text").exists()


def test_where_the_gateway_is_down_it_is_said_back_later(texted, settings, monkeypatch):
    reply = replies.take_text("t4", PHONE, "stop")
    settings.SMS_URL = "http://127.0.0.1:9/"
    assert saying_back.say(reply) is not None
    assert Reply.objects.get().said_back_at is None


def test_stop_as_an_answer_to_an_email_stops_the_address_it_went_to(lee, told):
    take(email(reply_address(told), "unsubscribe"))
    assert not Way.objects.leading().filter(person=lee, kind="email").exists()
    assert not lee.voices.filter(words="unsubscribe").exists()


def test_what_is_said_back_is_plain_and_gives_nobody_away():
    told = saying_back.words_of_stop()
    assert sensitive_words(told) == []
    assert parts(told) == 1
    assert reading_age(told * 4).years <= 12
