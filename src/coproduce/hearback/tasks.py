"""Work for later: sending what is owed, asking what became of it, and making letters. All are safe to run twice."""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Iterator
from typing import TypeVar

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext
from django_tasks import TaskContext, TaskResultStatus, task
from django_tasks_db.models import DBTaskResult, get_date_max

from coproduce.hearback import not_fixed, saying_back, sending
from coproduce.hearback.channels import Asked, Unreachable, letter
from coproduce.hearback.channels.here import senders
from coproduce.hearback.models import Attempt, Letters, Reply, Update
from coproduce.hearback.notices import owed_notices, send_notices
from coproduce.people.models import Way

One = TypeVar("One")
SEND_FOR = (
    5.0  # seconds for each way; then other work has its turn, and a worker asked to stop does so in between
)
AT_ONCE = 10_000  # more than some workers send in their turns


@task(takes_context=True)
def deliver(context: TaskContext) -> None:
    """Send everything that is owed by a way that a machine sees to, some seconds' worth at a time.

    The next run sends what is still owed. Last comes word to trusted people that there is something to pass on.
    """
    worker = context.task_result.worker_ids[-1]
    # What this worker still holds is from a run that could not even write down what became of it (a full disk).
    sending.give_up_claims([worker])
    channels, waits = senders(), {}
    for channel in channels:
        owed = list(sending.to_send(channel.kind).values_list("pk", flat=True)[:AT_ONCE])
        if not owed:
            continue
        if len(owed) > sending.AT_ONCE:
            ask_for_help()
        random.shuffle(owed)  # so that several workers rarely reach for the same one
        try:
            wait = sending.send_all(channel, _some(owed), worker)
        finally:
            sending.give_up_claims([worker])  # whatever stopped it in mid-send
        if wait is not None:
            waits[channel.kind] = wait
    more = any(sending.to_send(each.kind).exists() for each in channels if each.kind not in waits)
    if not more and not waits and (notices := owed_notices()):
        if not send_notices(_some(notices)):
            waits[Way.Kind.TRUSTED_PERSON] = sending.TRY_AGAIN_AFTER
        more = not waits and bool(owed_notices())
    if more:
        ask_for_help()
    elif waits:
        deliver.using(run_after=timezone.now() + min(waits.values())).enqueue()


def ask_for_help() -> None:
    """Let whichever worker has nothing to do send as well. One such job waits at a time: there may be many workers."""
    if not DBTaskResult.objects.ready().filter(task_path=deliver.module_path).exists():
        deliver.enqueue()


def _some(owed: list[One]) -> Iterator[One]:
    """At least the first, and as many as there is time for once the far side has been reached."""
    until = time.monotonic() + SEND_FOR
    for one in owed:
        yield one
        if time.monotonic() > until:
            return


def deliver_what_is_owed() -> None:
    """Put sending in the queue if something is owed that can go now and nothing in the queue would send it.

    A job that is to wait longer than any of ours does is from before the clock was turned back: it does not count.
    """
    waiting = in_the_queue(deliver.module_path)
    too_late = timezone.now() + 2 * max(sending.TRY_AGAIN_AFTER, dt.timedelta(hours=1))
    strange = waiting.filter(status=TaskResultStatus.READY, run_after__gt=too_late)
    strange.exclude(run_after=get_date_max()).delete()  # which means: at once
    if waiting.exists():
        return
    if any(sending.to_send(channel.kind).exists() for channel in senders()) or owed_notices():
        deliver.using(run_after=timezone.now() + sending.TRY_AGAIN_AFTER).enqueue()


def in_the_queue(path: str) -> QuerySet[DBTaskResult]:
    return DBTaskResult.objects.filter(task_path=path).exclude(
        status__in=[TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED]
    )


ASK_AGAIN_AFTER = dt.timedelta(minutes=15)
FAR_SIDES_KNOW_FOR = dt.timedelta(days=7)


@task()
def ask_what_became() -> None:
    """Ask far sides that can be asked what became of what went to them, the longest ago first."""
    for channel in senders():
        if not isinstance(channel, Asked):
            continue
        asked: list[str] = list(_open_attempts(channel.kind).values_list("reference", flat=True)[:AT_ONCE])
        try:
            known = channel.what_became_of(_some(asked))
        except Unreachable:
            continue
        for reference, it_arrived in known.items():
            if it_arrived is None:
                sending.taken(reference)
            elif it_arrived:
                sending.arrived(reference)
            else:
                sending.bounced(reference, gettext("It did not arrive."))


def _open_attempts(kind: str) -> QuerySet[Attempt]:
    """What went by this kind and nobody knows yet whether it arrived: first what may not even have gone."""
    now = timezone.now()
    lately = Attempt.objects.filter(kind=kind, went_with=None, at__gt=now - FAR_SIDES_KNOW_FOR).exclude(
        reference=""
    )
    unclear = Q(outcome=Attempt.Outcome.UNCERTAIN) | Q(
        outcome=Attempt.Outcome.TAKEN, at__lte=now - ASK_AGAIN_AFTER
    )
    return lately.filter(unclear).order_by("-outcome", "at")


def ask_where_it_is_not_known() -> None:
    """Put asking in the queue, every quarter of an hour, while there is something to ask and somebody to ask it."""
    if not any(isinstance(channel, Asked) and _open_attempts(channel.kind).exists() for channel in senders()):
        return
    lately = DBTaskResult.objects.filter(task_path=ask_what_became.module_path)
    if not lately.filter(enqueued_at__gt=timezone.now() - ASK_AGAIN_AFTER).exists():
        ask_what_became.enqueue()


@task()
def tell_who_sees_to_it(update_id: int) -> None:
    """Somebody says that it is not put right: whoever sees to it hears."""
    known = Update.objects.select_related("change__owner", "step", "review", "decision")
    if update := known.filter(pk=update_id).first():
        not_fixed.tell(update)


@task()
def say_back(reply_id: int) -> None:
    """Say back to whoever wrote that no more comes this way, or what of theirs could not be kept."""
    reply = Reply.objects.select_related("person").filter(pk=reply_id).first()
    if reply is not None and (wait := saying_back.say(reply)):
        say_back.using(run_after=timezone.now() + wait).enqueue(reply_id)


@task()
def write_letters(letters_id: int) -> None:
    """Make the PDF of a pile of letters."""
    letters = Letters.objects.select_related("hub").filter(pk=letters_id, posted_at__isnull=True).first()
    if letters is not None:
        letter.make_pdf(letters)
