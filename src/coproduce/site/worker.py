"""Working the queue, and clearing up after workers that died.

The queue is django-tasks-db. It leaves the job of a killed worker running for ever, so each worker also looks
for such jobs and puts them back: every job here is safe to run twice. Feedback that a dead worker had claimed
is another matter: it may have gone, so it becomes uncertain and a person decides.
"""

from __future__ import annotations

import logging
import threading

from django.db import connection, transaction
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_tasks import TaskResultStatus
from django_tasks_db.management.commands import db_worker
from django_tasks_db.models import DBTaskResult

from coproduce.agenda.actions.asks import forget_what_was_not_confirmed
from coproduce.agenda.actions.wall import forget_names_of_what_was_taken_back
from coproduce.agenda.tasks import remind_of_what_is_near, send_what_services_are_owed
from coproduce.consensus.tasks import reckon_what_is_new
from coproduce.hearback import sending
from coproduce.hearback.inbox import read_mailbox_now_and_then
from coproduce.hearback.replies import forget_what_was_put_aside as forget_replies_put_aside
from coproduce.hearback.tasks import ask_where_it_is_not_known, deliver_what_is_owed
from coproduce.site.models import Worker
from coproduce.site.tasks import finish_what_was_begun
from coproduce.themes.bringing import drop_old
from coproduce.themes.tasks import propose_what_is_new
from coproduce.voices.actions import forget_what_was_put_aside
from coproduce.voices.tasks import find_parts_of_what_changed

log = logging.getLogger(__name__)

BEAT = 5.0  # seconds
TRIES = 5  # a job whose worker died this often is given up: it may be what kills them


def run(until_done: bool = False) -> None:
    """Work the queue until stopped, or until it is empty."""
    worker = Worker.objects.create(id=get_random_string(32))
    stop = threading.Event()
    logging.getLogger("django_tasks_db").setLevel(logging.ERROR)  # that it was asked to stop is no news
    beating = threading.Thread(target=_beat, args=(worker.id, stop), daemon=True)
    clear_up()
    beating.start()
    try:
        queue = db_worker.Worker(
            queue_names=["default"],
            interval=0.5,
            batch=until_done,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=worker.id,
            excluded_queue_names=[],
        )
        queue.configure_signals()
        queue.run()
    finally:
        stop.set()
        beating.join()
        worker.delete()


def clear_up() -> None:
    """Put back the jobs of dead workers, and leave their half-sent feedback for a person to decide."""
    with transaction.atomic():
        # First what is claimed, then who is alive: a worker says that it lives before it claims anything, so
        # whoever holds a claim and is not among the living is dead, also where others start while we look.
        running = list(DBTaskResult.objects.select_for_update().filter(status=TaskResultStatus.RUNNING))
        claiming = sending.claimants() | {job.worker_ids[-1] for job in running if job.worker_ids}
        known = list(Worker.objects.all())
        alive = {worker.pk for worker in known if worker.is_alive()}
        dead = ({worker.pk for worker in known} | claiming) - alive
        left = sending.give_up_claims(dead)
        for job in running:
            if job.worker_ids and job.worker_ids[-1] not in dead:
                continue
            job.status = TaskResultStatus.READY if len(job.worker_ids) < TRIES else TaskResultStatus.FAILED
            if job.status == TaskResultStatus.FAILED:
                job.finished_at = timezone.now()
                job.traceback = f"{len(job.worker_ids)} workers died at this job"
            job.save(update_fields=["status", "finished_at", "traceback"])
            log.warning("The worker of job %s died; the job is %s.", job.pk, job.status.lower())
        Worker.objects.filter(pk__in=dead).delete()
    if left:
        log.warning("%s feedback may or may not have gone. A person has to decide.", left)
    drop_old()
    reckon_what_is_new()
    deliver_what_is_owed()
    send_what_services_are_owed()
    remind_of_what_is_near()
    ask_where_it_is_not_known()
    read_mailbox_now_and_then()
    finish_what_was_begun()
    find_parts_of_what_changed()
    propose_what_is_new()
    forget_what_was_put_aside()
    forget_names_of_what_was_taken_back()
    forget_replies_put_aside()
    forget_what_was_not_confirmed()


def _beat(worker: str, stop: threading.Event) -> None:
    while not stop.wait(BEAT):
        try:
            # Others may have taken us for dead, as when this machine slept.
            Worker.objects.update_or_create(pk=worker, defaults={"beat_at": timezone.now()})
            clear_up()
        except Exception:
            log.exception("A beat was missed; the next one comes.")
        finally:
            connection.close()
