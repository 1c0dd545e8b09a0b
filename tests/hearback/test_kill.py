"""Nobody is told twice, nobody is forgotten, whatever crashes.

Everything is a process of its own, on a database of its own; far sides keep every message on disk before they say so.

- 500 emails, a worker killed again and again. Some kills come at a random moment; the others come while the mail
  server holds a message: before it keeps it, or after, but before the worker hears of it.
- 2,000 feedbacks by email, text and letter, with several workers. Workers, the web server (which takes in receipts)
  and the three far sides are killed at random moments.
- A disk that is full in mid-batch.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from django.conf import settings
from django_tasks_db.models import DBTaskResult

import coproduce
from tests.hearback.far_sides import AFTER, ANY, API_KEY, BEFORE, PATIENCE, MailServer

PEOPLE = 500


PREPARE = f"""
from coproduce.changes.actions import record_change
from coproduce.hearback.actions import write_update
from coproduce.people.actions import set_up
from coproduce.people.models import Hub, Person, Way
from coproduce.voices.models import Voice
from django.utils import timezone
amina = set_up("Eastmoor", "", "Amina", "amina@example.org")
hub = Hub.objects.get()
people = Person.objects.bulk_create(Person(name=f"Person {{n}}") for n in range({PEOPLE}))
Way.objects.bulk_create(
    Way(person=each, kind="email", address=f"person-{{n}}@example.org", preferred=True)
    for n, each in enumerate(people)
)
today = timezone.localdate()
voices = Voice.objects.bulk_create(
    Voice(hub=hub, person=each, came_by="note", words="Hm", said_on=today) for each in people
)
change = record_change(amina, hub, "One worker", "You choose one worker.", "policy")
change.voices.add(*voices)
write_update(amina, change, "It is agreed", "You choose one worker, and they stay.")
"""


class Installation:
    """An installation in a folder of its own: its processes, and a look into its database from outside."""

    def __init__(self, var: Path, mail_port: int, database: str, **more: str) -> None:
        self.var, self.database = var, database
        theirs = {
            key: value
            for key, value in os.environ.items()
            if key not in ("DJANGO_SETTINGS_MODULE", "DATABASE_URL")
        }
        self.env = theirs | {
            "COPRODUCE_VAR": str(var),
            "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
            "PYTHONPATH": str(Path(coproduce.__file__).parents[1]),
        }
        self.env |= more
        if database:
            self.env["DATABASE_URL"] = database

    def manage(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "coproduce.cli", "manage", *arguments]
        subprocess.run(command, env=self.env, check=True, stdout=subprocess.DEVNULL)

    def start(self, *command: str, **rest: Any) -> subprocess.Popen[bytes]:
        with (self.var / "worker.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *command],
                env=self.env,
                stderr=log,
                stdout=log,
                start_new_session=True,
                **rest,
            )

    def start_worker(self, **rest: Any) -> subprocess.Popen[bytes]:
        return self.start("coproduce.cli", "worker", **rest)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        connection: Any
        if self.database:
            connection = psycopg.connect(self.database, autocommit=True)
        else:
            connection = sqlite3.connect(self.var / "coproduce.sqlite3", isolation_level=None, timeout=20)
        try:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def states(self) -> dict[int, str]:
        return dict(self.ask("SELECT id, state FROM hearback_feedback"))  # type: ignore[arg-type]

    def five_minutes_pass(self) -> None:
        """A job that is to wait (five workers died at the one before it) waits no longer."""
        jobs, waiting = DBTaskResult._meta.db_table, "status = 'READY' AND run_after <> enqueued_at"
        if self.ask(f"SELECT 1 FROM {jobs} WHERE {waiting}"):
            self.ask(f"UPDATE {jobs} SET run_after = enqueued_at WHERE {waiting}")

    def wait_for(self, what: Callable[[], bool], progress: Callable[[], object]) -> None:
        """Wait for something, as long as there is progress."""
        last, since = progress(), time.monotonic()
        while not what():
            self.five_minutes_pass()
            time.sleep(0.02)
            if progress() != last:
                last, since = progress(), time.monotonic()
            if time.monotonic() > since + PATIENCE:
                said = (self.var / "worker.log").read_text()[-5000:]
                pytest.fail(f"It hangs: {Counter(self.states().values())}. The workers said:\n{said}")


@pytest.fixture
def database() -> Iterator[str]:
    """A new PostgreSQL database where the suite runs on PostgreSQL; otherwise none, and SQLite it is."""
    theirs = settings.DATABASES["default"]
    if theirs["ENGINE"].endswith("sqlite3"):
        yield ""
        return
    server = f"postgres://{theirs['USER']}:{theirs['PASSWORD']}@{theirs['HOST']}:{theirs['PORT']}/"
    name = f"kill_{os.getpid()}"
    with psycopg.connect(server + "postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield server + name
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_nobody_is_told_twice_and_nobody_is_forgotten_whatever_is_killed(
    tmp_path, full, database, record_property
):
    kills = [BEFORE, AFTER, ANY, AFTER, ANY] * (10 if full else 1)
    random.shuffle(kills)
    with MailServer(tmp_path / "kept") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here, sink = Installation(tmp_path, server.server_address[1], database), server.kept
        sink.slow = 0.004
        here.manage("migrate", "--verbosity", "0")
        here.manage("shell", "--verbosity", "0", "--command", PREPARE)
        assert Counter(here.states().values()) == {"owed": PEOPLE}

        for moment in kills:
            most = max(
                0, (PEOPLE - sink.count) // len(kills) - 2
            )  # so that there is something left for every kill
            enough = sink.count + random.randint(0, min(most, 20))
            worker = here.start_worker()
            here.wait_for(lambda: sink.count >= enough, lambda: sink.count)  # noqa: B023
            if moment == ANY:
                time.sleep(random.uniform(0, 0.03))
            else:
                sink.hold(moment)
                here.wait_for(sink.held.is_set, lambda: sink.count)
            worker.send_signal(signal.SIGKILL)
            assert worker.wait() == -signal.SIGKILL
            sink.go_on.set()

        worker = here.start_worker()
        here.wait_for(lambda: not {"owed", "sending"} & set(here.states().values()), lambda: sink.count)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0
        server.shutdown()

    got = Counter(int(pk) for pk in re.findall(r"feedback-(\d+)\.", (tmp_path / "kept").read_text()))
    states = here.states()
    uncertain = {pk for pk, state in states.items() if state == "uncertain"}
    record_property(
        "figures",
        f"{PEOPLE} emails, worker killed {len(kills)} times: {len(got)} people got theirs, "
        f"{sum(count > 1 for count in got.values())} got it twice; {len(uncertain)} are uncertain, of whom "
        f"{len(uncertain & set(got))} had got it; {len(set(states) - set(got) - uncertain)} are forgotten",
    )
    assert len(states) == PEOPLE
    assert set(states.values()) <= {"sent", "uncertain"}
    assert set(got.values()) == {1}, "somebody was told twice"
    assert set(states) - set(got) <= uncertain, "somebody was forgotten"
    assert set(got) <= set(states)
    # The kills did land in the middle: both kinds of not knowing came about, one for each message held.
    assert len(uncertain & set(got)) >= kills.count(AFTER)
    assert len(uncertain - set(got)) >= kills.count(BEFORE)
    assert len(uncertain) <= len(kills)
    assert here.ask("SELECT 1 FROM site_worker") == []


# Everything killed, over three channels

PREPARE_THREE = """
import datetime as dt
from coproduce.changes.actions import record_change
from coproduce.hearback.actions import write_update
from coproduce.people.actions import set_up
from coproduce.people.models import Hub, Person, Way
from coproduce.voices.models import Voice
from django.utils import timezone
amina = set_up("Eastmoor", "", "Amina", "amina@example.org")
Hub.objects.update(quiet_from=dt.time(3), quiet_until=dt.time(3))
hub = Hub.objects.get()
people = Person.objects.bulk_create(Person(name=f"Person {n}") for n in range(PEOPLE))
ways = []
for n, each in enumerate(people):
    if n % 3 == 0:
        ways.append(Way(person=each, kind="email", address=f"only-{n}@example.org", preferred=True))
    elif n % 3 == 1:
        ways.append(Way(person=each, kind="text", address=f"07700 90{n:04d}", preferred=True))
        ways.append(Way(person=each, kind="email", address=f"second-{n}@example.org"))
    else:
        ways.append(Way(person=each, kind="letter", address=f"{n} Long Road\\nEM1 1AA", preferred=True))
Way.objects.bulk_create(ways)
today = timezone.localdate()
voices = Voice.objects.bulk_create(
    Voice(hub=hub, person=each, came_by="note", words="Hm", said_on=today) for each in people
)
change = record_change(amina, hub, "One worker", "You choose one worker.", "policy")
change.voices.add(*voices)
write_update(amina, change, "It is agreed", "You choose one worker, and they stay.")
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class FarSide:
    """One of tests.hearback.far_sides as a process, with what it kept."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.port, self.file = kind, free_port(), folder / f"{kind}-kept"
        self.file.touch()

    def start(self) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            "tests.hearback.far_sides",
            self.kind,
            str(self.port),
            str(self.file),
        ]
        return subprocess.Popen(command, cwd=Path(__file__).parents[2], start_new_session=True)

    def kept(self) -> list[str]:
        return self.file.read_text().split()


class Receipts(threading.Thread):
    """Tells the web server what became of each text, again and again until it is heard: every fifth did not arrive."""

    def __init__(self, gateway: FarSide, port: int) -> None:
        super().__init__(daemon=True)
        self.gateway, self.address = gateway, f"http://127.0.0.1:{port}/receipts/text/"
        self.told: dict[str, str] = {}
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.05):
            for reference in self.gateway.kept():
                if reference not in self.told:
                    self.tell(reference)

    def tell(self, reference: str) -> None:
        status = "failed" if int(reference.split("-")[1].split(".")[0]) % 5 == 0 else "delivered"
        said = {"reference": reference, "status": status}
        with contextlib.suppress(requests.RequestException):  # it is being killed: told again
            answer = requests.post(self.address, said, headers={"Authorization": "Bearer yes"}, timeout=20)
            if answer.status_code == 204:
                self.told[reference] = status

    def has_told_all(self) -> bool:
        return set(self.gateway.kept()) <= set(self.told)


def kill(process: subprocess.Popen[bytes]) -> None:
    """The process and all it started, at once."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_whatever_is_killed_over_three_channels(tmp_path, full, database, record_property):
    people, kills = (2000, 200) if full else (120, 6)
    mail, gateway, notify = (FarSide(kind, tmp_path) for kind in ("mail", "gateway", "notify"))
    web_port = free_port()
    here = Installation(
        tmp_path,
        mail.port,
        database,
        SMS_URL=f"http://127.0.0.1:{gateway.port}/send",
        SMS_TOKEN="so it is us",
        SMS_CALLBACK_TOKEN="yes",
        NOTIFY_API_KEY=API_KEY,
        NOTIFY_BASE_URL=f"http://127.0.0.1:{notify.port}",
        NOTIFY_LETTER_TEMPLATE="a-letter",
    )
    here.manage("migrate", "--verbosity", "0")
    here.manage("createcachetable")
    here.manage("shell", "--verbosity", "0", "--command", PREPARE_THREE.replace("PEOPLE", str(people)))
    bind = ["--bind", f"127.0.0.1:{web_port}", "--threads", "4", "--graceful-timeout", "1"]
    start: dict[str, Callable[[], subprocess.Popen[bytes]]] = {
        each.kind: each.start for each in (mail, gateway, notify)
    }
    start["web"] = lambda: here.start("gunicorn", "coproduce.site.wsgi", *bind)
    start |= {f"worker {number}": here.start_worker for number in range(4 if database else 2)}
    running = {name: begin() for name, begin in start.items()}
    receipts = Receipts(gateway, web_port)
    receipts.start()

    def kept() -> int:
        return sum(len(each.kept()) for each in (mail, gateway, notify))

    killed: Counter[str] = Counter()
    try:
        for number in range(kills):
            enough = people * number // (kills + 4)  # so that there is something left for every kill
            here.wait_for(lambda: kept() >= enough, kept)  # noqa: B023
            time.sleep(random.uniform(0, 0.05))
            name = random.choice([*start, *(each for each in start if each.startswith("worker"))])
            kill(running[name])
            killed[name.split()[0]] += 1
            running[name] = start[name]()
        here.wait_for(
            lambda: not {"owed", "sending"} & set(here.states().values()) and receipts.has_told_all(),
            lambda: (kept(), len(receipts.told), Counter(here.states().values())["sent"]),
        )
        left_unclear = Counter(here.states().values())["uncertain"]
        here.manage(
            "shell", "--verbosity", "0", "--command", ASK
        )  # a worker does so every quarter of an hour
        here.wait_for(
            lambda: not here.ask(f"SELECT 1 FROM {JOBS} WHERE status IN ('READY', 'RUNNING')"), kept
        )
        here.wait_for(lambda: not {"owed", "sending"} & set(here.states().values()), kept)
    finally:
        receipts.over.set()
        for process in running.values():
            kill(process)

    of = re.compile(r"feedback-(\d+)\.")
    got = {
        each.kind: Counter(int(pk) for pk in of.findall(each.file.read_text()))
        for each in (mail, gateway, notify)
    }
    states = here.states()
    uncertain = {pk for pk, state in states.items() if state == "uncertain"}
    did_not_arrive = {
        int(of.findall(each)[0]) for each, status in receipts.told.items() if status == "failed"
    }
    reached = set().union(*got.values())
    undeliverable = {pk for pk, state in states.items() if state == "undeliverable"}
    twice = {pk for pk in reached if sum(each[pk] for each in got.values()) > 1 + (pk in did_not_arrive)}
    forgotten = set(states) - reached - uncertain - undeliverable
    record_property(
        "figures",
        f"{people} feedbacks by email, text and letter, {sum(killed.values())} kills ({dict(killed)}): "
        f"{len(reached)} people got theirs, {len(twice)} twice; {len(did_not_arrive)} texts did not arrive and went by "
        f"email; {left_unclear} uncertain, {len(uncertain)} after Notify was asked; "
        f"{len(undeliverable)} undeliverable; {len(forgotten)} forgotten",
    )
    assert len(states) == people
    assert set(states.values()) <= {"sent", "uncertain", "undeliverable"}
    assert not twice, "somebody was told twice"
    assert not forgotten, "somebody was forgotten"
    assert not undeliverable & reached - did_not_arrive, "it arrived and we say that it did not"
    assert not uncertain & set(got["notify"]), "Notify knew, and was not believed"


JOBS = DBTaskResult._meta.db_table
ASK = "from coproduce.hearback.tasks import ask_what_became; ask_what_became.enqueue()"


def test_a_disk_that_is_full_in_mid_batch(tmp_path, database, record_property):
    if database:
        pytest.skip("on PostgreSQL it is the server's disk that fills, not the worker's")
    with MailServer(tmp_path / "kept") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = Installation(tmp_path, server.server_address[1], database)
        here.manage("migrate", "--verbosity", "0")
        here.manage("shell", "--verbosity", "0", "--command", PREPARE)
        here.ask("PRAGMA wal_checkpoint(TRUNCATE)")
        room = 1_500_000  # bytes that any file may have: the database holds more, and its log is soon full
        worker = here.start_worker(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)))
        last = -1
        while worker.poll() is None and (server.kept.count != last or not last):
            last = server.kept.count
            time.sleep(4)
        before = server.kept.count
        if worker.poll() is None:
            kill(worker)
        assert 0 < before < PEOPLE, "the disk was not full in mid-batch"

        worker = here.start_worker()
        here.wait_for(
            lambda: not {"owed", "sending"} & set(here.states().values()), lambda: server.kept.count
        )
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0
        server.shutdown()
    got = Counter(int(pk) for pk in re.findall(r"feedback-(\d+)\.", (tmp_path / "kept").read_text()))
    states = here.states()
    uncertain = {pk for pk, state in states.items() if state == "uncertain"}
    record_property(
        "figures",
        f"The disk was full after {before} of {PEOPLE} emails: {len(got)} people got theirs, "
        f"{sum(count > 1 for count in got.values())} twice, {len(uncertain)} uncertain, "
        f"{len(set(states) - set(got) - uncertain)} forgotten",
    )
    assert set(got.values()) == {1}, "somebody was told twice"
    assert set(states) - set(got) <= uncertain, "somebody was forgotten"
    assert len(uncertain) <= 5
