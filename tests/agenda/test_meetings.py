from __future__ import annotations

import datetime as dt
import smtplib

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from coproduce.agenda import inviting, tasks
from coproduce.agenda.actions import meetings as actions
from coproduce.agenda.actions import minutes
from coproduce.agenda.actions.topics import raise_topic
from coproduce.agenda.models import Attendance, Invitation, Item, Meeting
from coproduce.engine.plainwords import reading_age, sentences_too_long
from coproduce.people.models import Act, Membership, Way
from coproduce.people.permissions import NotAllowed
from coproduce.people.sensitive import sensitive_words
from tests.agenda.conftest import WEEK, plan
from tests.conftest import make_person

pytestmark = pytest.mark.django_db


def titles(meeting: Meeting) -> list[str]:
    return [str(item) for item in meeting.items.all()]


# Planning


@pytest.mark.parametrize("cast", ["lee", "joan", "marek", "charlie"])
def test_only_who_leads_plans_a_meeting(cast, request, town):
    with pytest.raises(NotAllowed):
        actions.plan_meeting(request.getfixturevalue(cast), town, plan(WEEK))


def test_a_meeting_that_ends_before_it_begins_is_refused(amina, town):
    now = timezone.now()
    for ends in (now, now - dt.timedelta(hours=1), now + dt.timedelta(days=2)):
        with pytest.raises(ValidationError) as refused:
            actions.plan_meeting(amina, town, actions.Plan(now, ends))
        assert "ends" in refused.value.message_dict


def test_who_sees_that_there_is_a_meeting(amina, lee, joan, marek, charlie, coming):
    for inside in (amina, lee, joan):
        assert coming in Meeting.objects.visible_to(inside)
    for outside in (marek, charlie, None):
        assert coming not in Meeting.objects.visible_to(outside)
    actions.change_meeting(amina, coming, plan(WEEK, outside="day"))
    for outside in (marek, charlie, None):
        assert coming in Meeting.objects.visible_to(outside)
        assert coming not in Meeting.objects.of_the_group(outside)


def test_calendars_hear_a_change_of_time_or_place_and_of_nothing_else(amina, coming):
    uid = coming.uid
    same = {"starts_at": coming.starts_at, "ends_at": coming.ends_at, "place": coming.place}
    assert actions.change_meeting(amina, coming, actions.Plan(**same, lunch="Soup")) == {"lunch", "from_afar"}
    coming.refresh_from_db()
    assert coming.sequence == 0
    assert actions.change_meeting(amina, coming, actions.Plan(**same | {"place": "The hall"})) >= {"place"}
    coming.refresh_from_db()
    assert (coming.sequence, coming.uid) == (1, uid)


# The agenda


def test_the_groups_own_goes_before_what_services_want(amina, town, lee, coming, topic):
    actions.put_on_agenda(amina, coming, Item.Kind.FIVE_MINUTES, 60, title="The council’s new form")
    actions.put_on_agenda(amina, coming, Item.Kind.TOPIC, 20, topic)
    actions.put_on_agenda(amina, coming, Item.Kind.OTHER, 30, title="Lunch")
    assert titles(coming) == ["Who stays?", "Lunch", "The council’s new form"]
    assert coming.items.get(kind=Item.Kind.FIVE_MINUTES).minutes == 5


def test_a_topic_is_on_an_agenda_once(amina, coming, topic):
    first = actions.put_on_agenda(amina, coming, Item.Kind.TOPIC, 20, topic)
    assert actions.put_on_agenda(amina, coming, Item.Kind.TOPIC, 20, topic) == first


def test_another_hubs_topic_and_a_nameless_thing_are_refused(amina, coming, ward):
    wards = make_person("Wen", ward, Membership.Role.MEMBER)
    with pytest.raises(ValidationError):
        actions.put_on_agenda(amina, coming, Item.Kind.TOPIC, 20, raise_topic(wards, ward, "Theirs"))
    with pytest.raises(ValidationError):
        actions.put_on_agenda(amina, coming, Item.Kind.OTHER, 20, title="  ")


def test_items_change_places_with_their_neighbours_and_stay_at_the_ends(amina, coming):
    a, b, c = (actions.put_on_agenda(amina, coming, Item.Kind.OTHER, 5, title=name) for name in "abc")
    actions.move_item(amina, c, up=True)
    assert titles(coming) == ["a", "c", "b"]
    actions.move_item(amina, c, up=True)
    actions.move_item(amina, c, up=True)
    assert titles(coming) == ["c", "a", "b"]
    actions.move_item(amina, b, up=False)
    actions.move_item(amina, a, up=False)
    assert titles(coming) == ["c", "b", "a"]
    actions.take_off_agenda(amina, b)
    assert titles(coming) == ["c", "a"]


# Who needs what, and who came


def test_what_somebody_needs_is_for_them_and_who_leads(amina, lee, joan, coming, signed_in):
    actions.say_needs(lee, coming, "A seat near the door")
    path = reverse("agenda:meeting", args=[coming.pk])
    assert "A seat near the door" in signed_in(lee).get(path).content.decode()
    assert "A seat near the door" in signed_in(amina).get(path).content.decode()
    assert "A seat near the door" not in signed_in(joan).get(path).content.decode()
    actions.say_needs(lee, coming, " ")
    assert not Attendance.objects.exists(), "nothing is kept of who needs nothing"


def test_attendance_is_one_row_a_person_whatever_is_tapped(amina, lee, today):
    for how in ("came", "phone", "note", "note"):
        actions.note_who_came(amina, today, lee, how)
    assert Attendance.objects.get().how == "note"
    actions.note_who_came(amina, today, lee, "")
    assert not Attendance.objects.exists()


def test_nobody_came_yet_to_what_is_to_come(amina, lee, coming):
    with pytest.raises(ValidationError):
        actions.note_who_came(amina, coming, lee, "came")


def test_the_minutes_name_only_who_said_yes(amina, lee, joan, today):
    with pytest.raises(ValidationError):
        actions.name_in_minutes(lee, today, lee, True)
    actions.note_who_came(amina, today, lee, "came")
    actions.name_in_minutes(lee, today, lee, True)
    with pytest.raises(NotAllowed):
        actions.name_in_minutes(joan, today, lee, False)
    assert Attendance.objects.get().named
    actions.note_who_came(amina, today, lee, "")
    actions.note_who_came(amina, today, lee, "came")
    assert not Attendance.objects.get().named, "a yes for a meeting that they were not at is none"


# Calendars and invitations


def event_in(ics: bytes):
    [event] = Calendar.from_ical(ics).walk("VEVENT")
    return event


def invitation_of(message):
    """The calendar part of an email as a mail program finds it, and its method."""
    [part] = [part for part in message.message().walk() if part.get_content_type() == "text/calendar"]
    return part.get_param("method"), event_in(part.get_payload(decode=True))


def test_the_feed_holds_the_meetings_of_ones_own_hubs(amina, lee, ward, coming, client):
    other = make_person("Wen", ward, Membership.Role.FACILITATOR)
    actions.plan_meeting(other, ward, plan(WEEK))
    link = actions.renew_calendar_link(lee)
    answer = client.get(reverse("agenda:calendar", args=[link.key]))
    assert answer["Content-Type"].startswith("text/calendar")
    event = event_in(answer.content)
    assert (str(event["uid"]), event["sequence"], event["status"]) == (coming.uid, 0, "CONFIRMED")
    assert event.decoded("dtstart") == coming.starts_at.replace(microsecond=0)
    assert event.decoded("dtend") == coming.ends_at.replace(microsecond=0)
    assert event["location"] == "The library"


def test_a_calendar_says_meeting_and_nothing_that_gives_somebody_away(amina, lee, town, client):
    rest = {"name": "Recovery group", "place": "The hostel", "access": "A nurse is there"}
    actions.plan_meeting(amina, town, plan(WEEK, **rest))
    link = actions.renew_calendar_link(lee)
    ics = client.get(reverse("agenda:calendar", args=[link.key])).content.decode()
    assert "Meeting" in ics
    assert not sensitive_words(ics)
    for secret in (*rest.values(), "Eastmoor", "Lee"):
        assert secret not in ics


def test_a_new_link_ends_the_old_one(lee, coming, client):
    old = actions.renew_calendar_link(lee).key
    new = actions.renew_calendar_link(lee).key
    assert client.get(reverse("agenda:calendar", args=[old])).status_code == 404
    assert client.get(reverse("agenda:calendar", args=[new])).status_code == 200


def test_who_left_the_hub_sees_nothing_more_by_the_old_link(amina, lee, coming, client):
    link = actions.renew_calendar_link(lee)
    lee.memberships.update(until=timezone.localdate())
    assert b"VEVENT" not in client.get(reverse("agenda:calendar", args=[link.key])).content


def test_invitations_go_once_to_who_likes_email(amina, lee, joan, marek, coming, work_the_queue):
    actions.send_invitations(amina, coming)
    actions.send_invitations(amina, coming)
    work_the_queue()
    inviting.send_all(coming.pk)
    [message] = mail.outbox
    assert message.to == ["lee@example.org"], (
        "Joan takes calls, Amina reads it here, and Marek is a commissioner"
    )
    method, event = invitation_of(message)
    assert (method, str(event["uid"]), event["sequence"]) == ("REQUEST", coming.uid, 0)
    assert [str(event["attendee"])] == ["mailto:lee@example.org"]
    assert Invitation.objects.get().gone_at


def test_a_change_goes_with_a_higher_number_and_calling_off_takes_it_out(amina, lee, coming, work_the_queue):
    actions.change_meeting(amina, coming, plan(2 * WEEK))
    work_the_queue()
    assert not mail.outbox, "nobody was invited yet"
    actions.send_invitations(amina, coming)
    work_the_queue()
    actions.change_meeting(amina, coming, plan(3 * WEEK, place="The hall"))
    work_the_queue()
    actions.cancel_meeting(amina, coming, "The heating is broken.")
    work_the_queue()
    read = [invitation_of(message) for message in mail.outbox]
    assert [method for method, _event in read] == ["REQUEST", "REQUEST", "CANCEL"]
    numbers = [event["sequence"] for _method, event in read]
    assert numbers == sorted(set(numbers))
    assert len({str(event["uid"]) for _method, event in read}) == 1
    assert read[2][1]["status"] == "CANCELLED"
    assert "The heating is broken." in mail.outbox[2].body


def test_an_invitation_is_in_a_real_mail_file(amina, lee, coming, work_the_queue, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    actions.send_invitations(amina, coming)
    work_the_queue()
    [file] = settings.EMAIL_FILE_PATH.glob("*")
    import email
    import email.policy

    kept = email.message_from_bytes(file.read_bytes().split(b"\n-----")[0], policy=email.policy.default)
    assert [part.get_content_type() for part in kept.iter_parts()] == ["text/plain", "text/calendar"]
    ics = next(part for part in kept.walk() if part.get_content_type() == "text/calendar")
    assert ics.get_param("method") == "REQUEST"
    assert str(event_in(ics.get_content().encode())["uid"]) == coming.uid


def test_where_others_may_read_there_is_no_day_no_place_and_no_calendar(amina, lee, coming, work_the_queue):
    lee.ways.update(others_may_read=True)
    actions.send_invitations(amina, coming)
    work_the_queue()
    [message] = mail.outbox
    assert not message.alternatives
    for secret in ("library", "Eastmoor", "meet", coming.on.strftime("%B")):
        assert secret not in message.body + message.subject
    assert "There is news for you." in message.body


def test_killed_in_mid_send_nobody_is_told_twice_and_it_is_seen(amina, lee, joan, coming, monkeypatch):
    def killed(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("coproduce.agenda.inviting._send", killed)
    with pytest.raises(KeyboardInterrupt):
        inviting.send_all(coming.pk)
    monkeypatch.undo()
    inviting.send_all(coming.pk)
    assert not mail.outbox
    unclear = {each.name: each.is_unclear for each in inviting.everybody(coming, amina)}
    assert unclear == {"Amina": False, "Joan": False, "Lee": True}


def test_without_a_mail_server_nothing_is_claimed_and_it_is_tried_again(amina, lee, coming, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with pytest.raises(inviting.Unreachable):
        inviting.send_all(coming.pk)
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(("code", "again"), [(550, False), (450, True)])
def test_an_address_that_is_refused_is_told_another_way(amina, lee, coming, monkeypatch, code, again):
    def refuse(_message, *_rest, **_more):
        raise smtplib.SMTPRecipientsRefused({"lee@example.org": (code, b"no")})

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    if again:
        with pytest.raises(inviting.Unreachable):
            inviting.send_all(coming.pk)
        assert not Invitation.objects.exists()
    else:
        inviting.send_all(coming.pk)
        assert Invitation.objects.get().problem


def test_who_takes_no_email_is_on_the_list_and_ticked_off(amina, lee, joan, coming, signed_in):
    browser = signed_in(amina)
    path = reverse("agenda:invite", args=[coming.pk])
    page = browser.get(path).content.decode()
    assert "Phone call: 01632 960111" in page
    browser.post(reverse("agenda:told", args=[coming.pk]), {"person": joan.pk})
    assert Invitation.objects.get(person=joan).gone_at
    assert "told today" in browser.get(path).content.decode()
    actions.change_meeting(amina, coming, plan(2 * WEEK))
    assert "told today" not in browser.get(path).content.decode(), "of the new day they know nothing"


# Reminders


def test_a_reminder_goes_once_a_few_days_before_and_says_nothing_of_what(amina, lee, today, work_the_queue):
    soon = today.on + dt.timedelta(days=tasks.DAYS_BEFORE)
    minutes.give_action(amina, today, "Ring the hostel", lee, soon)
    minutes.give_action(amina, today, "Write to them", lee, soon + dt.timedelta(days=1))
    for _again in range(3):
        tasks.remind_of_what_is_near()
        work_the_queue()
    [message] = mail.outbox
    assert message.to == ["lee@example.org"]
    assert "hostel" not in message.body + message.subject
    assert not sensitive_words(message.body + message.subject)


def test_what_is_done_or_for_who_takes_no_email_is_not_reminded_of(amina, lee, joan, today, work_the_queue):
    minutes.finish(lee, minutes.give_action(amina, today, "Ring them", lee, today.on))
    minutes.give_action(amina, today, "Knock there", joan, today.on)
    tasks.remind_of_what_is_near()
    work_the_queue()
    tasks.remind_of_what_is_near()
    assert not mail.outbox
    assert not tasks.to_remind().exists()


# What goes out is plain and neutral


@pytest.fixture
def messages(amina, lee, coming, today, topic):
    actions.put_on_agenda(amina, coming, Item.Kind.TOPIC, 20, topic)
    way = Way.objects.select_related("person").get(person=lee)
    invitation = Invitation(pk=1, meeting=coming, person=lee, sequence=0)
    action = minutes.give_action(amina, today, "Ring the hostel", lee, today.on)
    told = {"invitation.txt": inviting.write_invitation(coming, way, invitation)}
    told["reminder.txt"] = inviting.write_reminder(action, way)
    coming.sequence = 1
    told["invitation.txt, changed"] = inviting.write_invitation(coming, way, invitation)
    coming.cancelled_at = timezone.now()
    told["called_off.txt"] = inviting.write_invitation(coming, way, invitation)
    way.others_may_read = True
    told["news_only.txt"] = inviting.write_invitation(coming, way, invitation)
    return told


def test_every_template_that_goes_out_is_looked_at(messages):
    from pathlib import Path

    folder = Path(inviting.__file__).parent / "templates" / "agenda" / "mail"
    assert {file.name for file in folder.glob("*.txt")} <= set(messages)


def test_every_message_is_easy_to_read_and_its_outside_neutral(messages):
    for name, message in messages.items():
        age = reading_age(message.body)
        assert age is None or age.years <= 12, f"{name}: {age}"
        assert not sentences_too_long(message.body), name
        outside = " ".join(f"{key} {value}" for key, value in message.message().items() if key != "To")
        assert not sensitive_words(outside), name
        assert not sensitive_words(message.body), name
        assert "Eastmoor" not in outside and "Lee" not in outside, name


def test_every_act_is_on_record_without_words(amina, lee, coming):
    actions.say_needs(lee, coming, "A seat near the door")
    actions.cancel_meeting(amina, coming, "The heating is broken.")
    verbs = list(Act.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs == ["plan", "say needs for", "call off"]
    assert "door" not in str(list(Act.objects.values_list("detail", flat=True)))
