"""What services ask: the form, the confirmed address, the group's answer, and that the service hears it once."""

from __future__ import annotations

import datetime as dt
import re
import smtplib

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from coproduce.agenda import ask_emails, own, tasks
from coproduce.agenda.actions import asks as actions
from coproduce.agenda.actions.meetings import Plan, plan_meeting, put_on_agenda
from coproduce.agenda.actions.topics import decide, raise_topic
from coproduce.agenda.models import Ask, AskEmail, Topic, ask_of, link_of
from coproduce.engine.plainwords import reading_age, sentences_too_long
from coproduce.people.models import Hub, Membership, Way
from coproduce.people.permissions import NotAllowed
from coproduce.people.sensitive import sensitive_words
from coproduce.site import erase
from tests.conftest import make_person

pytestmark = pytest.mark.django_db

WRITTEN = {
    "organisation": "Tolver Housing",
    "wants": "Try our new letter with us",
    "why": "Nobody answers the old one.",
    "decided": "That there will be a letter.",
    "pays": "15 pounds an hour, and fares.",
    "will_do": "We change it, and tell you what we changed.",
    "name": "Pat",
    "email": "Pat@tolver.example.org",
}


def ask(hub: Hub, confirmed: bool = True, **other: object) -> Ask:
    asked = actions.ask(hub, **WRITTEN | other)
    if confirmed:
        actions.confirm(asked)
    return Ask.objects.get(pk=asked.pk)


@pytest.fixture
def sent(work_the_queue, mailoutbox):
    """A function: let a worker do what waits, and give the emails that went since."""

    def work() -> list:
        del mailoutbox[:]
        work_the_queue()
        return list(mailoutbox)

    return work


# The form


def test_from_the_form_to_the_group_by_the_link_in_the_email(client, signed_in, lee, town, sent):
    page = client.post(reverse("agenda:ask_us"), WRITTEN, follow=True).content.decode()
    assert "Now look in your mailbox" in page
    asks = reverse("agenda:asks")
    assert "Try our new letter" not in signed_in(lee).get(asks).content.decode()
    [email] = sent()
    assert email.to == ["pat@tolver.example.org"]
    link = re.search(r"/your-ask/\S+/", email.body)[0]
    for _scanner in range(2):  # looking changes nothing
        assert "Is this from you?" in client.get(link).content.decode()
    assert "Try our new letter" not in signed_in(lee).get(asks).content.decode()
    page = client.post(link, follow=True).content.decode()
    assert "Your ask is with the group" in page and "The group has it" in page
    assert "Try our new letter" in signed_in(lee).get(asks).content.decode()
    client.post(link)
    assert sent() == []


@pytest.mark.parametrize("name", WRITTEN)
def test_nothing_that_is_asked_may_be_missing_and_the_rest_is_kept(name, client, town):
    page = client.post(reverse("agenda:ask_us"), WRITTEN | {name: " "}).content.decode()
    assert "There is a problem" in page
    for other, words in WRITTEN.items():
        assert other == name or words in page
    assert not Ask.objects.exists() and not AskEmail.objects.exists()


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"email": "pat"}, "email"),
        ({"wants": "x" * 201}, "200"),
        ({"by_when_day": "31", "by_when_month": "2", "by_when_year": "2031"}, "There is no such day"),
        ({"by_when_day": "1", "by_when_month": "2", "by_when_year": "2020"}, "That day is over"),
    ],
)
def test_bad_input_says_what_is_wrong(typed, says, client, town):
    page = client.post(reverse("agenda:ask_us"), WRITTEN | typed).content.decode()
    assert "There is a problem" in page and says in page and "Nobody answers the old one." in page
    assert not Ask.objects.exists()


def test_where_there_are_several_groups_one_is_chosen(client, town, ward):
    assert "Choose" in client.get(reverse("agenda:ask_us")).content.decode()
    assert "There is a problem" in client.post(reverse("agenda:ask_us"), WRITTEN).content.decode()
    client.post(reverse("agenda:ask_us"), WRITTEN | {"hub": ward.pk})
    assert Ask.objects.get().hub == ward


def test_without_any_group_there_is_no_form(client, db):
    assert client.get(reverse("agenda:ask_us")).status_code == 404


def test_a_machine_that_fills_in_everything_is_kept_out_and_told_nothing(client, town):
    page = client.post(reverse("agenda:ask_us"), WRITTEN | {"website": "https://x"}, follow=True)
    assert "Now look in your mailbox" in page.content.decode()
    assert not Ask.objects.exists() and not AskEmail.objects.exists()


def test_one_mailbox_is_not_flooded(client, town):
    answers = [client.post(reverse("agenda:ask_us"), WRITTEN).status_code for _time in range(6)]
    assert answers == [302] * 4 + [429] * 2  # unchecked, from one place
    assert Ask.objects.count() == 4


def test_wrong_sums_are_said(client, town):
    page = client.post(reverse("agenda:ask_us"), WRITTEN | {"altcha": "nonsense"}).content.decode()
    assert "send it again" in page and "Nobody answers the old one." in page
    assert not Ask.objects.exists()


def test_what_nobody_confirms_is_gone_after_a_week(client, town):
    asked, confirmed = ask(town, confirmed=False), ask(town)
    Ask.objects.update(sent_at=timezone.now() - Ask.UNCONFIRMED_FOR - dt.timedelta(hours=1))
    link = link_of(asked)
    actions.forget_what_was_not_confirmed()
    assert list(Ask.objects.all()) == [confirmed]
    assert client.get(link).status_code == client.post(link).status_code == 404


@pytest.mark.parametrize("token", ["1", "1:x", "nonsense", "1:" + "A" * 43])
def test_only_our_own_links_open_anything(token, client, town):
    ask(town)
    assert client.get(reverse("agenda:your_ask", args=[token])).status_code == 404


# The group reads and answers


@pytest.mark.parametrize(
    ("cast", "reads", "answers"),
    [
        ("amina", True, True),
        ("lee", True, False),
        ("joan", True, False),
        ("marek", False, False),
        ("charlie", False, False),
    ],
)
def test_the_group_reads_it_and_who_leads_writes_the_answer(cast, reads, answers, request, signed_in, town):
    asked = ask(town)
    client = signed_in(request.getfixturevalue(cast))
    status = {True: 200, False: 404}
    assert client.get(reverse("agenda:asks")).status_code == status[reads]
    page = client.get(reverse("agenda:ask", args=[asked.pk]))
    assert page.status_code == status[reads]
    assert client.get(reverse("agenda:answer", args=[asked.pk])).status_code == status[answers]
    assert ("pat@tolver.example.org" in page.content.decode()) is answers


def test_newest_first_and_what_is_answered_after(signed_in, amina, lee, town):
    for wants in ("Old", "Newer", "Newest"):
        ask(town, wants=wants)
    actions.answer_ask(amina, Ask.objects.get(wants="Newer"), "not for us", "We have no time.")
    page = signed_in(lee).get(reverse("agenda:asks")).content.decode()
    places = [page.index(f">{wants}<") for wants in ("Newest", "Old", "Newer")]
    assert places == sorted(places)


def test_as_many_queries_for_many_asks_as_for_one(signed_in, amina, town):
    client, url = signed_in(amina), reverse("agenda:asks")

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(url).status_code == 200
        return len(captured)

    ask(town)
    actions.answer_ask(amina, ask(town), "take it on", "Yes.")
    few = queries()
    for _number in range(4):
        ask(town)
        actions.answer_ask(amina, ask(town), "take it on", "Yes.")
    assert queries() == few


def test_five_minutes_with_a_reason_and_the_service_hears_at_once(signed_in, client, amina, town, sent):
    asked = ask(town)
    sent()
    typed = {"answer": "five minutes", "reason": "Bring the letter, and read it to us."}
    page = signed_in(amina).post(reverse("agenda:answer", args=[asked.pk]), typed, follow=True)
    assert "They hear it by email now." in page.content.decode()
    assert "on its way" in page.content.decode()
    [email] = sent()
    assert "Five minutes at our next meeting" in email.body and typed["reason"] in email.body
    page = client.get(re.search(r"/your-ask/\S+/", email.body)[0]).content.decode()
    assert "Five minutes" in page and typed["reason"] in page
    assert (
        "They were told by email."
        in signed_in(amina).get(reverse("agenda:ask", args=[asked.pk])).content.decode()
    )
    assert list(Ask.objects.filter(answer="five minutes")) == [asked]
    assert not Topic.objects.exists()


def test_five_minutes_go_on_one_agenda_after_what_is_the_groups_own(signed_in, client, amina, lee, town):
    asked = actions.answer_ask(amina, ask(town), "five minutes", "Bring the letter.")
    begins = timezone.now() + dt.timedelta(days=9)
    first, second = (
        plan_meeting(
            amina, town, Plan(begins + dt.timedelta(days=more), begins + dt.timedelta(days=more, hours=2))
        )
        for more in (0, 7)
    )
    url = reverse("agenda:make_agenda", args=[first.pk])
    leads = signed_in(amina)
    assert "Services that get five minutes" in leads.get(url).content.decode()
    page = leads.post(url, {"ask": asked.pk}, follow=True).content.decode()
    assert "has its five minutes" in page and "Services that get five minutes" not in page
    leads.post(url, {"topic": raise_topic(lee, town, "Benches").pk})
    assert [str(item) for item in first.items.all()] == [
        "Benches",
        "Tolver Housing: Try our new letter with us",
    ]
    with pytest.raises(ValidationError):
        put_on_agenda(amina, second, "five minutes", 5, ask=asked)
    assert leads.post(url, {"ask": "x"}).status_code == 404
    page = client.get(link_of(asked)).content.decode()
    assert "Your five minutes are on" in page and "The group tells you where." in page
    assert "It is on the agenda" in leads.get(reverse("agenda:ask", args=[asked.pk])).content.decode()
    leads.post(reverse("agenda:take_off_agenda", args=[first.items.get(ask=asked).pk]))
    assert list(Ask.objects.to_place()) == [asked]


def test_only_what_got_five_minutes_here_goes_on_an_agenda(amina, town, ward):
    begins = timezone.now() + dt.timedelta(days=9)
    meeting = plan_meeting(amina, town, Plan(begins, begins + dt.timedelta(hours=2)))
    rosa = make_person("Rosa", ward, Membership.Role.FACILITATOR)
    elsewhere = actions.answer_ask(rosa, ask(ward), "five minutes", "Yes.")
    for wrong in (ask(town), elsewhere, actions.answer_ask(amina, ask(town), "not for us", "No.")):
        with pytest.raises(ValidationError):
            put_on_agenda(amina, meeting, "five minutes", 5, ask=wrong)


def test_what_is_taken_on_becomes_a_topic_that_says_whose_it_was(signed_in, client, amina, town):
    asked = ask(town)
    typed = {"answer": "take it on", "reason": "We know about letters."}
    page = (
        signed_in(amina).post(reverse("agenda:answer", args=[asked.pk]), typed, follow=True).content.decode()
    )
    topic = Topic.objects.get()
    assert (topic.title, topic.why, topic.raised_by) == (asked.wants, asked.why, None)
    for told in (page, client.get(reverse("agenda:topic", args=[topic.pk])).content.decode()):
        assert "Tolver Housing asked for it" in told and "We know about letters." in told
        assert "Pat" not in told and "tolver.example.org" not in told
    assert "Tolver Housing asked for it" in client.get(reverse("agenda:topics")).content.decode()


def test_the_service_sees_what_became_of_the_topic_and_all_that_it_asked(client, amina, town, ward):
    first, second, other = (
        ask(town),
        ask(ward, wants="Look at our map"),
        ask(town, email="else@example.org", wants="X"),
    )
    ask(town, confirmed=False, wants="Not confirmed")
    topic = actions.answer_ask(amina, first, "take it on", "We know about letters.").topic
    decide(amina, topic, "decided", "Phone number first, big print.")
    page = client.get(link_of(second)).content.decode()
    for words in (
        "Try our new letter",
        "Look at our map",
        "Decided",
        "Phone number first",
        f"/topics/{topic.pk}/",
    ):
        assert words in page
    assert "Not confirmed" not in page and ">X<" not in page
    assert "Try our new letter" not in client.get(link_of(other)).content.decode()


@pytest.mark.parametrize(
    "typed",
    [
        {"answer": "not for us", "reason": " "},
        {"answer": "", "reason": "Because"},
        {"answer": "juggle", "reason": "Because"},
    ],
)
def test_an_answer_needs_its_reason(typed, signed_in, amina, town):
    asked = ask(town)
    page = signed_in(amina).post(reverse("agenda:answer", args=[asked.pk]), typed).content.decode()
    assert "There is a problem" in page and typed["reason"].strip() in page
    assert not Ask.objects.exclude(answer="").exists()
    with pytest.raises(ValidationError):
        actions.answer_ask(amina, asked, typed["answer"], typed["reason"])


def test_it_is_answered_once(amina, town, sent):
    asked = ask(town)
    actions.answer_ask(amina, asked, "not for us", "We have no time.")
    with pytest.raises(ValidationError):
        actions.answer_ask(amina, asked, "take it on", "Or have we?")
    assert len(sent()) == 2  # the link, and the answer
    assert not Topic.objects.exists()


def test_what_is_not_confirmed_can_not_be_answered(amina, town):
    with pytest.raises(ValidationError):
        actions.answer_ask(amina, ask(town, confirmed=False), "take it on", "Yes.")


@pytest.mark.parametrize("cast", ["lee", "joan", "marek", "charlie"])
def test_others_do_not_answer_for_the_group(cast, request, town):
    with pytest.raises(NotAllowed):
        actions.answer_ask(request.getfixturevalue(cast), ask(town), "not for us", "Mine")


def test_asks_stand_first_for_who_leads(signed_in, amina, lee, town):
    ask(town, by_when=timezone.localdate() + dt.timedelta(days=9))
    assert "Tolver Housing asks:" in signed_in(amina).get("/").content.decode()
    assert "1 service waits for our answer" in signed_in(lee).get(reverse("agenda:topics")).content.decode()


# Sending, whatever happens


class Refusing(EmailBackend):
    """A mail server that answers in numbers; or that dies in mid-send."""

    wrong: Exception

    def send_messages(self, messages):
        raise self.wrong


@pytest.fixture
def mail_server(monkeypatch):
    def set_up(wrong: Exception | None) -> None:
        def connect(*_arguments: object, **_more: object) -> EmailBackend:
            if wrong is None:
                return EmailBackend()
            server = Refusing()
            server.wrong = wrong
            return server

        monkeypatch.setattr(ask_emails, "get_connection", connect)

    return set_up


def owed() -> AskEmail:
    return AskEmail.objects.get()


def test_running_it_twice_sends_once(town):
    ask(town)
    assert ask_emails.send_what_is_owed() and ask_emails.send_what_is_owed()
    assert len(mail.outbox) == 1 and owed().sent_at


@pytest.mark.parametrize(
    "wrong",
    [
        smtplib.SMTPResponseException(451, b"try again later"),
        smtplib.SMTPRecipientsRefused({"pat@tolver.example.org": (450, b"busy")}),
    ],
)
def test_not_now_is_tried_again(wrong, mail_server, town):
    ask(town)
    mail_server(wrong)
    assert not ask_emails.send_what_is_owed()
    assert owed().claimed_at is None
    mail_server(None)
    assert ask_emails.send_what_is_owed()
    assert len(mail.outbox) == 1


def test_one_that_has_to_wait_does_not_hold_up_the_others(town, monkeypatch):
    for name in ("first", "second"):
        ask(town, email=f"{name}@example.org")

    class Choosy(EmailBackend):
        def send_messages(self, messages):
            if messages[0].to == ["first@example.org"]:
                raise smtplib.SMTPResponseException(450, b"busy")
            return super().send_messages(messages)

    monkeypatch.setattr(ask_emails, "get_connection", Choosy)
    assert not ask_emails.send_what_is_owed()
    assert [message.to for message in mail.outbox] == [["second@example.org"]]


def test_a_server_that_is_not_there_loses_nothing(town, monkeypatch):
    ask(town)

    class Away(EmailBackend):
        def open(self):
            raise ConnectionRefusedError

    monkeypatch.setattr(ask_emails, "get_connection", Away)
    assert not ask_emails.send_what_is_owed()
    assert owed().claimed_at is None


def test_what_died_in_mid_send_is_for_a_person_to_decide(signed_in, amina, town, mail_server):
    asked = ask(town)
    AskEmail.objects.all().delete()
    actions.answer_ask(amina, asked, "not for us", "We have no time.")
    mail_server(ConnectionResetError())
    assert ask_emails.send_what_is_owed()
    mail_server(None)
    assert ask_emails.send_what_is_owed() and not mail.outbox  # never silently sent again
    AskEmail.objects.update(claimed_at=timezone.now() - dt.timedelta(minutes=6))
    url = reverse("agenda:ask", args=[asked.pk])
    client = signed_in(amina)
    assert "We can’t be sure that the email went." in client.get(url).content.decode()
    page = client.post(reverse("agenda:send_again", args=[asked.pk]), follow=True).content.decode()
    assert "It goes once more." in page
    assert ask_emails.send_what_is_owed() and len(mail.outbox) == 1
    client.post(reverse("agenda:send_again", args=[asked.pk]))
    assert ask_emails.send_what_is_owed() and len(mail.outbox) == 1


def test_an_address_that_refuses_is_said(signed_in, amina, town, mail_server):
    asked = ask(town)
    AskEmail.objects.all().delete()
    actions.answer_ask(amina, asked, "not for us", "We have no time.")
    mail_server(smtplib.SMTPRecipientsRefused({"pat@tolver.example.org": (550, b"no such mailbox")}))
    assert ask_emails.send_what_is_owed()
    page = signed_in(amina).get(reverse("agenda:ask", args=[asked.pk])).content.decode()
    assert "550 no such mailbox" in page and "Send it once more" in page


def test_a_lost_job_is_put_back_once(town):
    ask(town)
    DBTaskResult.objects.all().delete()
    tasks.send_what_services_are_owed()
    tasks.send_what_services_are_owed()
    assert DBTaskResult.objects.filter(task_path=tasks.send_to_services.module_path).count() == 1
    DBTaskResult.objects.all().delete()
    ask_emails.send_what_is_owed()
    tasks.send_what_services_are_owed()
    assert not DBTaskResult.objects.exists()


# What the emails say


@pytest.mark.parametrize("what", AskEmail.What.values)
@pytest.mark.parametrize("answer", ["take it on", "five minutes", "not for us"])
def test_emails_are_easy_to_read_and_neutral_outside(what, answer, amina, town):
    asked = ask(town)
    asked = actions.answer_ask(amina, asked, answer, "We talked about it.")
    email = ask_emails.write(AskEmail.objects.select_related("ask__hub").get(ask=asked, what=what))
    text = re.sub(r"https?://\S+", "", email.body)
    age = reading_age(text)
    assert age is None or age.years <= 12, age
    assert not sentences_too_long(text) and not sensitive_words(text)
    outside = "\n".join(f"{name}: {value}" for name, value in email.message().items() if name != "To")
    assert not sensitive_words(outside)
    for secret in (asked.wants, asked.organisation, asked.name, "Eastmoor"):
        assert secret not in outside


# Whose it is


def test_an_ask_from_their_mailbox_is_theirs_to_have_and_to_take_their_name_off(amina, lee, town, client):
    asked = ask(town, email="LEE@example.org", name="Lee at work")
    assert [each["name"] for each in own.export(lee)["asked_of_groups"]] == ["Lee at work"]
    actions.answer_ask(amina, asked, "not for us", "We have no time.")
    erase.erase_person(amina, lee)
    asked.refresh_from_db()
    assert (asked.name, asked.email, asked.wants) == ("", "", "Try our new letter with us")
    assert ask_emails.send_what_is_owed() and not mail.outbox
    erase.erase_person(None, make_person("Second", town, Membership.Role.FACILITATOR, Way.Kind.PAGE))
    assert "We have no time." in client.get(link_of(asked)).content.decode()
    assert ask_of("1") is None
