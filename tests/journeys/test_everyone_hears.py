"""Everyone hears: one step of a change, told to eight people by eight ways, with far sides that really answer.

A mail server, one that speaks as GOV.UK Notify does, a mailbox that speaks IMAP, letters on paper, calls, meetings and
a trusted person. One email is refused, one bounces, one text comes back; nobody is told twice and nobody is forgotten.
Then a member opens one page: everything they said, and what became of each.
"""

from __future__ import annotations

import email
import email.policy
import json
import re
from collections import Counter

import pytest
from django.test import Client
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from coproduce.agenda.actions.topics import decide, raise_topic
from coproduce.agenda.models import Topic
from coproduce.changes.actions import record_change, tie
from coproduce.hearback import inbox
from coproduce.hearback.debt import closed_by, owed_in
from coproduce.hearback.models import Attempt, Feedback, Letters, Reply, State, Update
from coproduce.people.actions import make_mandate
from coproduce.people.models import Hub, Membership, Person, Way
from coproduce.voices.actions import write_down
from coproduce.voices.models import Voice
from tests.conftest import make_person
from tests.engine.test_inbox import BOUNCE
from tests.hearback import mailboxes
from tests.hearback.conftest import mail_server, notify_server  # noqa: F401 - fixtures
from tests.journeys.conftest import look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Role = Membership.Role


@pytest.fixture
def people(amina, town) -> dict[str, Person]:
    """One person for each way. Eve's email is refused and she has a phone; Gus's bounces and he has a letterbox."""
    Hub.objects.filter(pk=town.pk).update(quiet_from="03:00", quiet_until="03:00")
    ways = {
        "Pat": [("page", "")],
        "Lee": [("email", "lee@example.org")],
        "Sami": [("text", "07700 900123")],
        "Winston": [("letter", "4 Made Up Road\nEastmoor\nEM1 1AA")],
        "Rose": [("phone", "01632 960111")],
        "Dot": [("face_to_face", "Tuesday lunch")],
        "Eve": [("email", "gone@example.org"), ("phone", "01632 960112")],
        "Gus": [("email", "gus@example.org"), ("letter", "5 Made Up Road\nEastmoor\nEM1 1AB")],
    }
    people = {}
    for name, theirs in ways.items():
        people[name] = make_person(name, town)
        for place, (kind, address) in enumerate(theirs):
            Way.objects.create(person=people[name], kind=kind, address=address, preferred=place == 0)
    joan = make_person("Joan", town, Role.TRUSTED_PERSON, Way.Kind.PHONE, "01632 960113")
    mo = people["Mo"] = make_person("Mo", town)
    make_mandate(mo, mo, joan, ["hear"], best_way=True)
    return people | {"Joan": joan}


@pytest.fixture
def change(amina, town, people):
    said = [
        write_down(amina, town, f"{name} said: one person to ring", "note", them)
        for name, them in people.items()
        if name != "Joan"
    ]
    topic = raise_topic(amina, town, "Who stays?", voices=said)
    decide(amina, topic, "decided", "One worker each.")
    change = record_change(
        amina, town, "One worker you trust", "You choose one.", "service", "agreed", topics=[topic]
    )
    tie(amina, change, voices=said)
    return change


def test_everyone_hears_each_by_the_way_that_suits_them(
    open_context,
    amina,
    town,
    people,
    change,
    work_the_queue,
    settings,
    mail_server,  # noqa: F811
    notify_server,  # noqa: F811
):
    settings.REPLY_TO, settings.INBOUND_TOKEN = "answers@hub.example.org", "inbound-token"
    settings.NOTIFY_TEMPLATES |= {"letter": ""}  # letters are printed here
    mail_server.answers["gone"] = "550 5.1.1 no such person here"
    hers = open_context(amina).new_page()

    # She records the step. What is owed because of it stands first on her day; she writes it, and sees how it reads.
    go(hers, f"/changes/{change.pk}/step/")
    hers.get_by_label("Made: it is done").check()
    press(hers, "button", "Keep this")
    go(hers, "/who-has-heard/owed/")
    expect(hers.get_by_text("9 people wait to hear.")).to_be_visible()
    press(hers, "link", "Write it")
    hers.get_by_label("What happened, in one line?").fill("It has started")
    hers.get_by_label("What changed?").fill(
        "You pick one worker, and they stay with you. The ICB pays for it."
    )
    expect(hers.locator("#reading").get_by_text("ICB")).to_be_visible()
    hers.get_by_label("What did not change, and why?").fill(
        "Nights did not change. There is no money for it."
    )
    press(hers, "button", "See how it will read")
    hers.get_by_label("Who?").select_option(label="Winston")
    press(hers, "button", "Show it")
    expect(hers.get_by_text("Winston said: one person to ring").first).to_be_visible()
    assert not Update.objects.exists()
    press(hers, "button", "Tell them all")
    assert owed_in([town.pk]) == []
    work_the_queue()

    # Emails and a text have gone; one was refused, so Eve is to be rung.
    update = Update.objects.get()
    assert [to_of(raw) for raw in mail_server.messages] == ["gus@example.org", "lee@example.org"] or [
        to_of(raw) for raw in mail_server.messages
    ] == ["lee@example.org", "gus@example.org"]
    [text] = notify_server.sent
    assert (text["kind"], text["phone_number"]) == ("sms", "07700 900123")
    assert "worker" not in text["personalisation"]["body"]
    assert Feedback.objects.get(person=people["Eve"]).way.kind == Way.Kind.PHONE

    # Winston's letter, and the calls: one tap for each outcome, and what they answer.
    go(hers, "/who-has-heard/letters/")
    press(hers, "button", "Make the letters")
    work_the_queue()
    go(hers, "/who-has-heard/letters/")
    pile = Letters.objects.get()
    paper = " ".join(" ".join(page.extract_text() for page in PdfReader(pile.pdf.open()).pages).split())
    assert (
        "Dear Winston" in paper and "Winston said: one person to ring" in paper and "Nights did not" in paper
    )
    assert "Rose said" not in paper
    press(hers, "button", "They are in the post")
    for name in ("Eve", "Rose"):
        go(hers, "/who-has-heard/to-tell/phone/")
        card = hers.locator("article", has=hers.get_by_role("heading", name=name, exact=True))
        expect(card.get_by_text(f"{name} said: one person to ring")).to_be_visible()
        card.get_by_role("button", name="I told them").click()
        expect(hers.get_by_text(f"{name} has heard.")).to_be_visible()
    # Joan likes a call as well: she hears that there is something to pass on, and not what.
    go(hers, "/who-has-heard/to-tell/phone/")
    card = hers.locator("article", has=hers.get_by_role("heading", name="Joan", exact=True))
    expect(card.get_by_text("There is news for somebody they support.")).to_be_visible()
    assert "Mo" not in card.inner_text().replace("More", "")
    card.get_by_role("button", name="I told them").click()
    expect(hers.get_by_text("Joan knows that there is news.")).to_be_visible()
    go(hers, "/who-has-heard/to-tell/face_to_face/")
    press(hers, "button", "I told them")

    # Mo hears through Joan, and answers through her.
    joans = open_context(people["Joan"]).new_page()
    go(joans, "/supporting/")
    press(joans, "link", "Read it")
    joans.get_by_label("I told them").check()
    joans.get_by_label("Not really").check()
    joans.get_by_label("Did they say something?").fill("Mine left already.")
    press(joans, "button", "Keep this")
    assert Voice.objects.get(words="Mine left already.").through == people["Joan"]

    # Pat looks at her page. That is hearing, and one tap answers.
    pats = open_context(people["Pat"]).new_page()
    go(pats, "/what-happened/")
    press(pats, "button", "Yes, thanks")

    # Answers come back: Lee's by email; Gus's bounced, so he is owed a letter; Sami's by text.
    raw = {to_of(raw): raw for raw in mail_server.messages}
    lees = email.message_from_bytes(raw["lee@example.org"], policy=email.policy.default)
    answer = (
        f"From: lee@example.org\r\nTo: {lees['Reply-To']}\r\nMessage-ID: <1@phone>\r\n"
        f"In-Reply-To: {lees['Message-ID']}\r\n\r\nNot at my place, still two.\r\n\r\n"
        "On Mon, 4 May 2026 at 09:00, Eastmoor wrote:\r\n> You pick one worker\r\n"
    ).encode()
    guss = email.message_from_bytes(raw["gus@example.org"], policy=email.policy.default)["Message-ID"]
    bounce = (BOUNCE % {b"action": b"failed", b"returned": b"message/rfc822"}).replace(
        b"<feedback-12.1.abc@hub.example.org>", guss.encode()
    )
    with mailboxes.running({"INBOX": [answer, bounce]}) as box:
        settings.IMAP_URL = box.url
        inbox.read_mailbox_now_and_then()
        work_the_queue()
        assert box.folders["INBOX"] == []
    assert Voice.objects.get(words="Not at my place, still two.").person == people["Lee"]
    assert Feedback.objects.get(person=people["Gus"]).way.kind == Way.Kind.LETTER
    came = {
        "id": "1",
        "source_number": "447700900123",
        "message": "YES",
        "date_received": "2026-05-05T09:00:00Z",
    }
    handed_in = Client().post(
        "/inbound/text/",
        json.dumps(came),
        content_type="application/json",
        headers={"Authorization": "Bearer inbound-token"},
    )
    assert handed_in.status_code == 204
    assert Feedback.objects.get(person=people["Sami"]).answer.answered is True

    # Gus's letter is the last. Nobody is left, and nobody was told twice.
    go(hers, "/who-has-heard/letters/")
    press(hers, "button", "Make the letters")
    work_the_queue()
    go(hers, "/who-has-heard/letters/")
    hers.get_by_role("button", name="They are in the post").first.click()
    expect(hers.get_by_text("The letters are in the post.")).to_be_visible()
    states = Counter(update.feedback.values_list("state", flat=True))
    assert states == {State.HEARD: 7, State.SENT: 2}  # letters are heard once somebody says so
    arrived = Attempt.objects.filter(outcome__in=["taken", "arrived", "heard"]).values_list(
        "feedback__person__name"
    )
    assert max(Counter(arrived).values()) == 1
    assert not Reply.objects.waiting().exists()
    assert closed_by("update__change")[change.pk].closed == 2
    go(hers, "/who-has-heard/owed/people/")
    expect(hers.get_by_text("Everybody who was written to has heard.")).to_be_visible()

    # Lee says on his page that it is not put right: what was decided is open again, and it is first on her day.
    Feedback.objects.get(person=people["Lee"]).answer.delete()
    lee = open_context(people["Lee"]).new_page()
    go(lee, "/what-happened/")
    press(lee, "button", "You say it is done. It is not")
    assert Topic.objects.with_stage().get().stage == "open"
    go(hers, "/")
    expect(hers.get_by_text("Somebody says it is not put right:").first).to_be_visible()


def test_what_you_said_what_happened(open_context, amina, town, people, change):
    """Journey 8: everything in order of time, the same on paper, and read out by whom they trust."""
    lee = people["Lee"]
    write_down(amina, town, "The bus is late", "note", lee)
    page = open_context(lee).new_page()
    go(page, "/what-happened/")
    expect(page.get_by_text("Nobody has told you about this yet. Sorry. You will hear.")).to_have_count(1)
    press(page, "link", "Everything I said, in order of time")
    expect(page.get_by_text("Lee said: one person to ring")).to_be_visible()
    expect(page.get_by_text("It is still open.")).to_be_visible()
    assert open_context(lee).request.get(f"/people/{lee.pk}/what-happened.pdf").body()[:5] == b"%PDF-"

    plain = open_context(people["Joan"], scripts=False).new_page()
    answer = plain.goto(f"/people/{people['Mo'].pk}/what-happened/")
    assert answer and answer.status == 200
    expect(plain.get_by_role("heading", level=1)).to_have_text("To read to Mo")
    assert plain.goto(f"/people/{lee.pk}/what-happened/").status == 404  # type: ignore[union-attr]


def go(page: Page, path: str) -> None:
    page.goto(path)
    assert look(page) == []


def press(page: Page, kind: str, name: str) -> None:
    page.get_by_role(kind, name=re.compile(f"^{re.escape(name)}")).first.click()  # type: ignore[arg-type]
    page.wait_for_load_state()
    assert look(page) == []


def to_of(raw: bytes) -> str:
    return str(email.message_from_bytes(raw, policy=email.policy.default)["To"])
