"""Work for later: sending what is owed by email, and making letters. Both are safe to run twice."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from typing import TypeVar

from django.utils import timezone
from django_tasks import TaskContext, TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from coproduce.hearback import sending
from coproduce.hearback.channels import email, letter
from coproduce.hearback.models import Feedback, Letters, owed_notices
from coproduce.people.models import Way

TRY_AGAIN_AFTER = dt.timedelta(minutes=5)
One = TypeVar("One")
SEND_FOR = 5.0  # seconds; then other work has its turn, and a worker asked to stop does so between two emails


@task(takes_context=True)
def deliver(context: TaskContext) -> None:
    """Send every email that is owed, some seconds' worth at a time. The next run sends what is still owed.

    First to the people themselves, then word to trusted people that there is something to pass on.
    """
    worker = context.task_result.worker_ids[-1]
    owed_emails = Feedback.objects.owed_by(Way.Kind.EMAIL)
    owed = list(owed_emails.order_by("owed_at", "pk").values_list("pk", flat=True))
    try:
        reached = not owed or email.send_all(_some(owed), worker)
    finally:
        sending.give_up_claims([worker])  # whatever stopped it in mid-send
    if reached and not owed_emails.exists():
        notices = owed_notices()
        reached = not notices or email.send_notices(_some(notices))
    if not reached:
        deliver.using(run_after=timezone.now() + TRY_AGAIN_AFTER).enqueue()
    elif owed_emails.exists() or owed_notices():
        deliver.enqueue()


def _some(owed: list[One]) -> Iterator[One]:
    """At least the first, and as many as there is time for once the far side has been reached."""
    until = time.monotonic() + SEND_FOR
    for one in owed:
        yield one
        if time.monotonic() > until:
            return


def deliver_what_is_owed() -> None:
    """Put sending in the queue if somebody is owed an email and nothing in the queue would send it."""
    waiting = DBTaskResult.objects.filter(task_path=deliver.module_path).exclude(
        status__in=[TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED]
    )
    if waiting.exists():
        return
    if Feedback.objects.owed_by(Way.Kind.EMAIL).exists() or owed_notices():
        deliver.using(run_after=timezone.now() + TRY_AGAIN_AFTER).enqueue()


@task()
def write_letters(letters_id: int) -> None:
    """Make the PDF of a pile of letters."""
    letters = Letters.objects.select_related("hub").filter(pk=letters_id, posted_at__isnull=True).first()
    if letters is not None:
        letter.make_pdf(letters)
