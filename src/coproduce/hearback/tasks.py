"""Work for later: sending what is owed by email, and making letters. Both are safe to run twice."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from django_tasks import TaskContext, task

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


@task()
def write_letters(letters_id: int) -> None:
    """Make the PDF of a pile of letters."""
    letters = Letters.objects.select_related("hub").filter(pk=letters_id, posted_at__isnull=True).first()
    if letters is not None:
        letter.make_pdf(letters)
