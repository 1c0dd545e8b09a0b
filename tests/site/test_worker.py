"""Clearing up after workers that died. tests/hearback/test_kill.py kills real ones."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys

import pytest
from django.core import mail
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from coproduce.changes.actions import record_change, tie
from coproduce.hearback import actions as hearback
from coproduce.hearback import tasks
from coproduce.hearback.channels import email
from coproduce.hearback.models import Feedback, State
from coproduce.people.models import Way
from coproduce.site.models import SILENT_FOR, Worker
from coproduce.site.worker import TRIES, clear_up
from coproduce.voices.actions import write_down
from tests.conftest import make_person
from tests.hearback.conftest import on_the_line

pytestmark = pytest.mark.django_db
LONG_AGO = SILENT_FOR + dt.timedelta(seconds=1)


@pytest.fixture
def living(db) -> Worker:
    return Worker.objects.create(id="living")  # its process is this one


@pytest.fixture
def dead(db) -> Worker:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    return Worker.objects.create(id="dead", process=gone.pid)


def running_job(*workers: str) -> DBTaskResult:
    job = DBTaskResult.objects.get(pk=tasks.write_letters.enqueue(0).id)
    job.status, job.worker_ids, job.started_at = TaskResultStatus.RUNNING, list(workers), timezone.now()
    job.save()
    return job


def now(thing):
    thing.refresh_from_db()
    return thing


@pytest.fixture
def feedback(amina, lee, town) -> Feedback:
    change = record_change(amina, town, "One worker", "You choose one worker.", "policy")
    tie(amina, change, voices=[write_down(amina, town, "Just one person to ring", "call", lee)])
    return hearback.write_update(amina, change, "It is agreed", "You choose.").feedback.get(person=lee)


def test_the_job_of_a_dead_worker_is_put_back(dead):
    job = running_job(dead.pk)
    clear_up()
    assert now(job).status == TaskResultStatus.READY
    assert not Worker.objects.filter(pk=dead.pk).exists()


def test_a_job_of_a_worker_that_nobody_knows_any_more_is_put_back():
    job = running_job("never heard of")
    clear_up()
    assert now(job).status == TaskResultStatus.READY


def test_a_job_that_five_workers_died_at_is_given_up(dead):
    job = running_job(*["earlier"] * (TRIES - 1), dead.pk)
    clear_up()
    assert now(job).status == TaskResultStatus.FAILED
    assert job.finished_at
    assert "5 workers died" in job.traceback


def test_the_job_of_a_living_worker_is_left_alone(living, dead):
    job = running_job(dead.pk, living.pk)  # put back once already
    clear_up()
    assert now(job).status == TaskResultStatus.RUNNING
    assert Worker.objects.filter(pk=living.pk).exists()


def test_what_a_dead_worker_was_sending_is_uncertain(dead, feedback):
    claimed = on_the_line(feedback.pk, dead.pk, Way.Kind.EMAIL).feedback
    clear_up()
    assert now(claimed).state == State.UNCERTAIN


def test_what_a_living_worker_is_sending_is_left_alone(living, feedback):
    claimed = on_the_line(feedback.pk, living.pk, Way.Kind.EMAIL).feedback
    clear_up()
    assert now(claimed).state == State.SENDING


@pytest.mark.parametrize(
    ("silent", "alive"),
    [(dt.timedelta(0), True), (LONG_AGO, False)],
    ids=["just heard", "silent for a minute"],
)
def test_on_another_machine_only_the_heartbeat_tells(silent, alive):
    job = running_job("far away")
    Worker.objects.create(id="far away", machine="another", process=1, beat_at=timezone.now() - silent)
    clear_up()
    assert (now(job).status == TaskResultStatus.RUNNING) is alive


def test_a_silent_worker_is_dead_though_another_process_has_its_number_now():
    Worker.objects.create(id="silent", process=os.getpid(), beat_at=timezone.now() - LONG_AGO)
    job = running_job("silent")
    clear_up()
    assert now(job).status == TaskResultStatus.READY


def test_who_is_owed_an_email_is_not_forgotten_when_the_job_that_sends_it_is_gone(feedback):
    DBTaskResult.objects.all().delete()
    clear_up()
    clear_up()
    assert DBTaskResult.objects.get().task_path == tasks.deliver.module_path


def test_what_a_worker_was_sending_when_its_job_broke_is_uncertain(feedback, monkeypatch, work_the_queue):
    monkeypatch.setattr(email, "write", lambda *_: 1 / 0)
    work_the_queue()
    assert now(feedback).state == State.UNCERTAIN


def test_sending_goes_in_turns_and_still_reaches_everybody(
    feedback, amina, town, monkeypatch, work_the_queue
):
    for name in ("Sami", "Jodie"):
        somebody = make_person(name, town, way=Way.Kind.EMAIL, address=f"{name.lower()}@example.org")
        tie(amina, feedback.update.change, voices=[write_down(amina, town, "Same here", "note", somebody)])
    hearback.tell_latecomers(amina, feedback.update)
    monkeypatch.setattr(tasks, "SEND_FOR", 0)
    work_the_queue()
    assert len(mail.outbox) == 3
    assert DBTaskResult.objects.filter(task_path=tasks.deliver.module_path).count() >= 3
