"""Work for later: cleaning up after an erasure. Safe to run twice."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult

from coproduce.people.models import Erasure
from coproduce.site import erase

COME_BACK_AFTER = dt.timedelta(seconds=20)


@task()
def finish_erasing(erasure_id: int) -> None:
    erasure = Erasure.objects.select_related("person").filter(pk=erasure_id).first()
    if erasure is not None and not erase.clean_up(erasure):
        finish_erasing.using(run_after=timezone.now() + COME_BACK_AFTER).enqueue(erasure_id)


def finish_what_was_begun() -> None:
    """Put cleaning in the queue where an erasure is not clean yet and nothing there would see to it."""
    waiting = DBTaskResult.objects.filter(task_path=finish_erasing.module_path).exclude(
        status__in=[TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED]
    )
    if not waiting.exists():
        for pk in Erasure.objects.filter(cleaned_at__isnull=True).values_list("pk", flat=True):
            finish_erasing.using(run_after=timezone.now() + COME_BACK_AFTER).enqueue(pk)
