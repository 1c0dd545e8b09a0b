"""Work for later: reading the mailbox where answers arrive. Safe to run twice."""

from __future__ import annotations

import datetime as dt
import logging

from django.conf import settings
from django.utils import timezone
from django_tasks import task
from django_tasks_db.models import DBTaskResult

from coproduce.engine.inbox import read_email
from coproduce.hearback import mailbox, replies
from coproduce.hearback.tasks import in_the_queue

log = logging.getLogger(__name__)
READ_AGAIN_AFTER = dt.timedelta(minutes=1)


@task()
def read_mailbox() -> None:
    """Take in what people wrote back by email. What can't be reached now is tried again a minute later."""
    try:
        mailbox.read(settings.IMAP_URL, lambda raw: replies.take_email(read_email(raw)))
    except mailbox.Unreadable as trouble:
        log.warning("The mailbox of answers can't be read: %s", trouble)


def read_mailbox_now_and_then() -> None:
    """Put reading in the queue, every minute, where there is a mailbox to read."""
    if not settings.IMAP_URL or in_the_queue(read_mailbox.module_path).exists():
        return
    lately = DBTaskResult.objects.filter(task_path=read_mailbox.module_path)
    if not lately.filter(enqueued_at__gt=timezone.now() - READ_AGAIN_AFTER).exists():
        read_mailbox.enqueue()
