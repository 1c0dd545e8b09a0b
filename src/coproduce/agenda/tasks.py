"""Work for later: noticing what several hubs raise, and sending services what they are owed. Safe to run twice."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from coproduce.agenda import ask_emails, noticing
from coproduce.agenda.models import AskEmail

TRY_AGAIN_AFTER = dt.timedelta(minutes=2)  # where no mail server could be reached


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
