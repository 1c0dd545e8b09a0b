"""News goes through the trusted person, and stops the moment the mandate does."""

from __future__ import annotations

import datetime as dt
import io
import re
from contextlib import contextmanager

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from coproduce.agenda.actions.topics import raise_topic
from coproduce.changes.actions import record_change, tie
from coproduce.hearback import actions
from coproduce.hearback.models import Feedback, Notice, State, their_words, their_words_for
from coproduce.hearback.notices import claim_notice, owed_notices, send_notices
from coproduce.hearback.sensitive import sensitive_words
from coproduce.hearback.tasks import deliver_what_is_owed
from coproduce.hearback.text import parts
from coproduce.people.actions import bring_in, end_mandate, make_mandate
from coproduce.people.models import Mandate, Membership, Way
from coproduce.people.permissions import NotAllowed
from coproduce.themes.actions import make_theme
from coproduce.voices.actions import disown, set_consent, write_down, write_down_for
from coproduce.voices.models import Use, Voice
from tests.conftest import make_person

pytestmark = pytest.mark.django_db
Role = Membership.Role


@pytest.fixture
def joan(town):
    """Here she likes email best."""
    return make_person("Joan", town, Role.TRUSTED_PERSON, Way.Kind.EMAIL, "joan@example.org")


@pytest.fixture
def magpie(joan, town):
    return bring_in(joan, town, "Magpie", only_i_know=True)


@pytest.fixture
def voice(magpie, joan, town):
    return write_down_for(joan, magpie.mandates.get(), town, "Nine doors in nine days", read_back=True)


@pytest.fixture
def change(amina, voice, town):
    change = record_change(amina, town, "One worker", "You choose one worker.", "service")
    tie(amina, change, voices=[voice])
    return change


@pytest.fixture
def feedback(amina, change, magpie):
    actions.write_update(amina, change, "It has begun", "You pick one worker, and they stay.")
    return Feedback.objects.get(person=magpie)


def test_it_is_on_joans_list_and_on_no_list_of_the_organisers(feedback, joan, amina, signed_in):
    assert list(Feedback.objects.owed_through(joan)) == [feedback]
    assert not Feedback.objects.owed_by(Way.Kind.PHONE, Way.Kind.FACE_TO_FACE, Way.Kind.EMAIL).exists()
    assert not Feedback.objects.owed_by_no_way().exists()
    page = signed_in(joan).get(f"/supporting/{feedback.person.mandates.get().pk}/").content.decode()
    assert "Nine doors in nine days" in page and "You pick one worker" in page
    assert "1 thing to tell them" in signed_in(joan).get("/supporting/").content.decode()
    told = signed_in(amina).get(f"/who-has-heard/{feedback.update_id}/").content.decode()
    assert "Somebody Joan supports" in told and "through the person they trust" in told


def test_joan_tells_them_and_writes_down_their_answer(feedback, joan, magpie, signed_in):
    field = f"f{feedback.pk}-"
    typed = {f"{field}outcome": "told", f"{field}words": "Send a real one", f"{field}read_back": "on"}
    signed_in(joan).post(f"/supporting/news/{feedback.pk}/", typed)
    feedback.refresh_from_db()
    assert (feedback.state, feedback.went_by, feedback.told_by) == (
        State.HEARD,
        Way.Kind.TRUSTED_PERSON,
        joan,
    )
    answer = Voice.objects.get(came_by=Voice.Way.ANSWER)
    assert (answer.words, answer.person, answer.through, answer.read_back) == (
        "Send a real one",
        magpie,
        joan,
        True,
    )


@pytest.mark.parametrize(
    ("outcome", "state"), [("no answer", State.OWED), ("cannot reach", State.UNDELIVERABLE)]
)
def test_joan_could_not(outcome, state, feedback, joan, signed_in):
    signed_in(joan).post(f"/supporting/news/{feedback.pk}/", {f"f{feedback.pk}-outcome": outcome})
    feedback.refresh_from_db()
    assert (feedback.state, feedback.tries) == (state, 1)


def test_without_an_outcome_what_was_typed_is_kept(feedback, joan, signed_in):
    page = signed_in(joan).post(
        f"/supporting/news/{feedback.pk}/", {f"f{feedback.pk}-words": "Send a real one"}
    )
    assert "Choose how it went" in page.content.decode() and "Send a real one" in page.content.decode()


def test_joan_is_shown_what_came_through_her_and_not_what_they_told_others(
    feedback, change, amina, joan, magpie, town
):
    private = write_down(amina, town, "What I told only Amina", "call", magpie, uses=[])
    tie(amina, change, voices=[private])
    assert {voice.words for voice in their_words_for(joan, feedback)} == {"Nine doors in nine days"}
    assert len(their_words(feedback)) == 2


def test_nobody_passes_on_what_is_not_theirs_to_pass_on(feedback, lee, amina, town, signed_in):
    ann = make_person("Ann", town, Role.TRUSTED_PERSON)
    for other in (ann, lee, amina):
        with pytest.raises(NotAllowed):
            actions.passed_on(other, feedback)
        answer = signed_in(other).post(
            f"/supporting/news/{feedback.pk}/", {f"f{feedback.pk}-outcome": "told"}
        )
        assert answer.status_code == 404


# The email to the trusted person


def test_joan_gets_one_email_that_says_nothing(feedback, work_the_queue):
    work_the_queue()
    deliver_what_is_owed()
    work_the_queue()
    [message] = mail.outbox
    assert message.to == ["joan@example.org"]
    said = message.subject + message.body
    assert "There is news for somebody you support" in said
    for word in ("Magpie", "doors", "worker", "It has begun", "Eastmoor"):
        assert word not in said
    assert Notice.objects.get().sent_at is not None


def test_two_people_of_hers_are_one_email(amina, change, joan, town, work_the_queue):
    wren = bring_in(joan, town, "Wren", only_i_know=True)
    tie(
        amina,
        change,
        voices=[write_down_for(joan, wren.mandates.get(), town, "Same here", read_back=True)],
    )
    actions.write_update(amina, change, "It has begun", "You pick one worker.")
    work_the_queue()
    assert len(mail.outbox) == 1


def test_who_does_not_like_email_gets_none(feedback, joan, work_the_queue):
    joan.ways.update(kind=Way.Kind.PHONE, address="01632 960111")
    work_the_queue()
    assert mail.outbox == [] and owed_notices() == []


def test_who_likes_a_text_gets_one_that_says_nothing(feedback, joan, town, gateway_server, work_the_queue):
    type(town).objects.update(quiet_from="03:00", quiet_until="03:00")
    joan.ways.update(kind=Way.Kind.TEXT, address="07700 900111")
    work_the_queue()
    [said] = gateway_server.texts
    assert said["to"] == "+447700900111"
    assert said["text"].startswith("News for you") and "/supporting/" in said["text"]
    assert sensitive_words(said["text"]) == [] and parts(said["text"]) == 1
    assert Notice.objects.get().sent_at is not None
    assert mail.outbox == []


def test_no_text_to_her_at_night(feedback, joan, town, gateway_server):
    joan.ways.update(kind=Way.Kind.TEXT, address="07700 900111")
    now = timezone.localtime()
    hour = dt.timedelta(hours=1)
    joan.quiet_from, joan.quiet_until = (now - hour).time(), (now + hour).time()
    joan.save()
    assert owed_notices() == []
    joan.quiet_from, joan.quiet_until = (now + hour).time(), (now - hour).time()
    joan.save()
    assert owed_notices() == [(feedback.update_id, joan.pk)]


@pytest.mark.parametrize(
    ("kind", "address", "where", "shows"),
    [
        ("phone", "01632 960111", "phone", "Ring 01632 960111"),
        ("letter", "1 Long Road\nEM1 1AA", "face_to_face", "Print the letter"),
        ("face_to_face", "The day centre", "face_to_face", "The day centre"),
    ],
)
def test_who_likes_another_way_is_told_by_somebody(
    feedback, joan, amina, signed_in, work_the_queue, kind, address, where, shows
):
    joan.ways.update(kind=kind, address=address)
    work_the_queue()
    assert mail.outbox == []
    browser = signed_in(amina)
    assert "that there is news to pass on" in browser.get("/").content.decode()
    page = browser.get(f"/who-has-heard/to-tell/{where}/").content.decode()
    assert "Joan" in page and shows in page and "Magpie" not in page
    if kind == "letter":
        pdf = browser.post(f"/who-has-heard/notice/{joan.pk}/", {"letter": ""}).content
        text = PdfReader(io.BytesIO(pdf)).pages[0].extract_text()
        assert "1 Long Road" in text and "news for somebody you support" in " ".join(text.split())
        assert not Notice.objects.exists()  # printed is not posted
    browser.post(f"/who-has-heard/notice/{joan.pk}/", {"told": ""})
    browser.post(f"/who-has-heard/notice/{joan.pk}/", {"told": ""})
    assert Notice.objects.get().trusted == joan
    page = browser.get(f"/who-has-heard/to-tell/{where}/").content.decode()
    assert shows not in page and "Everybody on this list has heard" in page
    assert Feedback.objects.owed_through(joan).exists()  # she has still to pass it on


def test_where_email_goes_by_notify_so_does_the_notice(
    feedback, joan, notify_server, settings, work_the_queue
):
    settings.NOTIFY_TEMPLATES = settings.NOTIFY_TEMPLATES | {"email": "an-email"}
    work_the_queue()
    [said] = notify_server.sent
    assert said["email_address"] == "joan@example.org"
    assert "News for you" in said["personalisation"]["subject"]


def test_where_nothing_can_go_it_is_given_back_and_tried_again(feedback, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert not send_notices(owed_notices())
    assert not Notice.objects.exists() and owed_notices() != []


def test_ending_it_stops_the_email_in_the_queue(feedback, magpie, amina, work_the_queue):
    end_mandate(amina, magpie.mandates.get(), with_them_present=True)
    work_the_queue()
    assert mail.outbox == [] and not Notice.objects.exists()


def test_ending_it_stops_even_what_the_worker_has_in_hand(feedback, magpie, joan):
    in_hand = owed_notices()
    assert in_hand == [(feedback.update_id, joan.pk)]
    end_mandate(magpie, magpie.mandates.get())
    assert send_notices(in_hand)
    assert mail.outbox == []


def test_a_notice_that_may_have_gone_is_not_sent_again(feedback, joan, work_the_queue):
    assert claim_notice(feedback.update_id, joan.pk) is not None  # and the worker dies
    work_the_queue()
    assert mail.outbox == []
    assert Feedback.objects.owed_through(joan).exists()


# It ends


def test_what_was_not_passed_on_goes_back_to_the_organiser(feedback, magpie, joan, amina, signed_in):
    browser = signed_in(joan)
    page = f"/supporting/{magpie.mandates.get().pk}/"
    assert browser.get(page).status_code == 200
    end_mandate(amina, magpie.mandates.get(), with_them_present=True)
    assert browser.get(page).status_code == 404
    assert "thing to tell them" not in browser.get("/supporting/").content.decode()
    assert browser.post(f"/supporting/news/{feedback.pk}/", {}).status_code == 404
    assert list(Feedback.objects.owed_by_no_way()) == [feedback]
    to_settle = signed_in(amina).get("/who-has-heard/to-settle/").content.decode()
    assert "Somebody" in to_settle and "Magpie" not in to_settle and "Joan" not in to_settle


def test_or_it_goes_by_the_next_way_they_gave(amina, lee, joan, town, work_the_queue):
    mandate = make_mandate(lee, lee, joan, ["hear"], best_way=True)
    change = record_change(amina, town, "One worker", "You choose one worker.", "service")
    tie(amina, change, voices=[write_down(amina, town, "Just one to ring", "call", lee)])
    actions.write_update(amina, change, "It has begun", "You pick one worker.")
    assert Feedback.objects.owed_through(joan).exists()
    assert Feedback.objects.with_way().get().kind == Way.Kind.TRUSTED_PERSON
    end_mandate(lee, mandate)
    assert Feedback.objects.with_way().get().kind == Way.Kind.EMAIL
    deliver_what_is_owed()
    work_the_queue()
    assert [message.to for message in mail.outbox] == [["lee@example.org"]]


def test_words_that_were_disowned_stand_behind_nothing(feedback, voice, magpie, change):
    disown(magpie, voice)
    assert their_words(feedback) == []


# Nobody but Joan is told the name


NAME = "Magpiequill"  # like no other word on any page


BEGIN = [
    "/",
    "/people/",
    "/who-has-heard/",
    "/who-has-heard/to-settle/",
    "/voices/",
    "/voices/add/",
    "/changes/",
]


def everything_they_can_open(browser: Client) -> list[tuple[str, str]]:
    """The pages that somebody gets to by following links, two of each kind, with what is on them."""
    waiting, seen, kinds, pages = [*BEGIN], {*BEGIN}, dict[str, int](), []
    while waiting:
        path = waiting.pop(0)
        kind = re.sub(r"\d+", "N", path.split("?")[0])
        if kinds.setdefault(kind, 0) == 2:
            continue
        kinds[kind] += 1
        answer = browser.get(path, follow=True)
        if not answer.get("Content-Type", "").startswith("text/html"):
            continue
        body = answer.content.decode()
        pages.append((path, body))
        for link in re.findall(r'href="(/[^"#]*)"', body):
            if link not in seen and not re.match(r"/(account|static|try)", link):
                seen.add(link)
                waiting.append(link)
    return pages


@given(
    uses=st.sets(st.sampled_from(Use.values)),
    by_topic=st.booleans(),
    passed_on=st.booleans(),
    answered=st.booleans(),
    ended=st.booleans(),
)
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whoever_reads_nobody_else_is_ever_told_the_name(
    uses, by_topic, passed_on, answered, ended, amina, joan, lee, marek, charlie, town, signed_in, rolled_back
):
    with rolled_back():
        person = bring_in(joan, town, NAME, only_i_know=True)
        mandate = person.mandates.get()
        words = write_down_for(joan, mandate, town, "Nine doors in nine days", True, uses=uses)
        theme = make_theme(amina, town, "Doors", voices=[words])
        topics = [raise_topic(lee, town, "Who stays?", themes=[theme])] if by_topic else []
        change = record_change(amina, town, "One worker", "You choose.", "service", topics=topics)
        tie(amina, change, themes=[theme], voices=[words])
        actions.write_update(amina, change, "It has begun", "You pick one worker.")
        feedback = Feedback.objects.get(person=person)
        if passed_on:
            actions.passed_on(joan, feedback)
        if answered:
            actions.answer(joan, feedback, False, "Send a real one", through=True, read_back=False)
        if ended:
            end_mandate(amina, mandate, with_them_present=True)
        readers = {"amina": amina, "lee": lee, "marek": marek, "charlie": charlie, "a visitor": None}
        for name, reader in ({"joan": joan} | readers if ended else readers).items():
            browser = signed_in(reader) if reader else Client()
            for path, body in everything_they_can_open(browser):
                assert NAME not in body, f"{name} is told on {path}"
            told = [
                *(voice.who for voice in Voice.objects.for_reading(reader)),
                *(str(each.who) for each in Feedback.objects.visible_to(reader).named_for(reader)),
            ]
            assert not [word for word in told if NAME in word], name
        if not ended:
            assert NAME in signed_in(joan).get("/supporting/").content.decode()


@pytest.fixture
def rolled_back():
    """A function: a block whose writes are undone, so that each example begins anew."""

    @contextmanager
    def block():
        with transaction.atomic():
            yield
            transaction.set_rollback(True)

    return block


def test_disowned_words_are_read_by_nobody_they_were_open_to(voice, magpie, joan, lee):
    set_consent(magpie, voice, [Use.GROUP, Use.PUBLIC])
    assert Voice.objects.visible_to(lee).exists() and Voice.objects.visible_to(None).exists()
    disown(magpie, voice)
    for reader in (lee, joan, None):
        assert not Voice.objects.visible_to(reader).exists()
    assert Mandate.objects.standing().exists()
