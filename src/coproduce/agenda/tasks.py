"""Work for later: telling people of meetings and reminding them of what they do by a day; noticing what several hubs
raise; sending services what they are owed. All are safe to run twice."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet
from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from coproduce.agenda import ask_emails, inviting, noticing
from coproduce.agenda.models import Action, AskEmail, Meeting

TRY_AGAIN_AFTER = dt.timedelta(minutes=5)  # where no mail server could be reached
DAYS_BEFORE = 3

# Meetings


@task()
def tell_of_meeting(meeting_id: int) -> None:
    """Send invitations, changes or that it is called off. Safe to run twice: each is written down before it goes."""
    if not Meeting.objects.filter(pk=meeting_id).exists():
        return
    try:
        inviting.send_all(meeting_id)
    except inviting.Unreachable:
        tell_of_meeting.using(run_after=timezone.now() + TRY_AGAIN_AFTER).enqueue(meeting_id)


@task()
def remind() -> None:
    """Remind those whose day is near. Safe to run twice: each reminder is written down before it goes."""
    try:
        with inviting.mail_server() as connection:
            for action in to_remind().select_related("owner"):
                inviting.remind(action, connection)
    except inviting.Unreachable:
        remind.using(run_after=timezone.now() + TRY_AGAIN_AFTER).enqueue()


def to_remind() -> QuerySet[Action]:
    today = timezone.localdate()
    near = Action.objects.open().filter(by_day__range=(today, today + dt.timedelta(days=DAYS_BEFORE)))
    return near.filter(reminded_at=None, owner__isnull=False)


def remind_of_what_is_near() -> None:
    """Put reminding in the queue, if there is something to remind of and nothing in the queue that would."""
    if not to_remind().exists():
        return
    waiting = DBTaskResult.objects.filter(task_path=remind.module_path).exclude(
        status__in=[TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED]
    )
    if not waiting.exists():
        remind.enqueue()


# Asks, and what several hubs raise


@task()
def notice_what_hubs_share() -> None:
    """Compare what the hubs raise with one another."""
    noticing.notice()


@task()
def send_to_services() -> None:
    """Send each email that is owed about an ask: the link to confirm an address, and the group's answers."""
    if not ask_emails.send_what_is_owed():
        send_to_services.using(run_after=timezone.now() + TRY_AGAIN_AFTER).enqueue()


def send_what_services_are_owed() -> None:
    """Put that in the queue if something is owed and nothing there would send it. The worker asks often."""
    if not AskEmail.objects.filter(claimed_at__isnull=True).exists():
        return
    waiting = DBTaskResult.objects.filter(task_path=send_to_services.module_path).exclude(
        status__in=[TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED]
    )
    if not waiting.exists():
        send_to_services.using(run_after=timezone.now() + TRY_AGAIN_AFTER).enqueue()
