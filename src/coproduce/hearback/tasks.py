"""Work for later: sending what is owed by email, and making letters. Both are safe to run twice."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from django_tasks import TaskContext, TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from coproduce.hearback.channels import email, letter
from coproduce.hearback.models import Feedback, Letters
from coproduce.people.models import Way

TRY_AGAIN_AFTER = dt.timedelta(minutes=5)


@task(takes_context=True)
def deliver(context: TaskContext) -> None:
    """Send every email that is owed. Whatever stops it, what is still owed is sent by the next run."""
    owed = list(Feedback.objects.owed_by(Way.Kind.EMAIL).order_by("owed_at", "pk").values_list("pk", flat=True))
    if owed and not email.send_all(owed, worker=context.task_result.worker_ids[-1]):
        deliver.using(run_after=timezone.now() + TRY_AGAIN_AFTER).enqueue()


def deliver_what_is_owed() -> None:
    """Put sending in the queue if somebody is owed an email and nothing in the queue would send it."""
    waiting = DBTaskResult.objects.filter(task_path=deliver.module_path).exclude(
        status__in=[TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED]
    )
    if not waiting.exists() and Feedback.objects.owed_by(Way.Kind.EMAIL).exists():
        deliver.using(run_after=timezone.now() + TRY_AGAIN_AFTER).enqueue()


@task()
def write_letters(letters_id: int) -> None:
    """Make the PDF of a pile of letters."""
    letters = Letters.objects.select_related("hub").filter(pk=letters_id, posted_at__isnull=True).first()
    if letters is not None:
        letter.make_pdf(letters)
