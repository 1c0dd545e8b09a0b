"""Nobody is told twice, nobody is forgotten, whatever crashes: 500 emails, a worker killed again and again.

Everything is a process of its own, on a database of its own. The far side is a small mail server in this test
that keeps every message on disk before it says so. Some kills come at a random moment; the others come while
the mail server holds a message: before it keeps it, or after, but before the worker hears of it.
"""

from __future__ import annotations

import os
import random
import re
import signal
import socketserver
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
from django.conf import settings
from django_tasks_db.models import DBTaskResult

import coproduce

PEOPLE = 500
PATIENCE = 120  # seconds without any progress: then something hangs
BEFORE, AFTER, ANY = "before it is kept", "after it is kept", "at any moment"


class Sink(socketserver.ThreadingTCPServer):
    """A mail server that keeps the Message-ID of what it takes, and can be told to hold the next message."""

    daemon_threads = True

    def __init__(self, kept: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.kept = kept.open("ab", buffering=0)
        self.count = 0
        self.hold_at = ""
        self.held, self.go_on = threading.Event(), threading.Event()

    def hold(self, moment: str) -> None:
        self.held.clear()
        self.go_on.clear()
        self.hold_at = moment

    def pause(self, moment: str) -> bool:
        """Hold here if told to; whether somebody was."""
        time.sleep(random.uniform(0, 0.004))
        if self.hold_at != moment:
            return False
        self.hold_at = ""
        self.held.set()
        self.go_on.wait(PATIENCE)
        return True

    def keep(self, message: bytes) -> None:
        [name] = re.findall(rb"(?im)^Message-ID:\s*(\S+)", message)
        self.kept.write(name + b"\n")
        os.fsync(self.kept.fileno())
        self.count += 1


class _Talk(socketserver.StreamRequestHandler):
    server: Sink

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        try:
            self.say("220 sink")
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    self.say("354 go on")
                    message = b"".join(iter(self.rfile.readline, b".\r\n"))
                    if not self.server.pause(BEFORE):
                        self.server.keep(message)
                        self.server.pause(AFTER)
                        self.say("250 kept")
                else:
                    self.say("221 bye" if verb == b"QUIT" else "250 yes")
        except OSError:
            pass  # killed in the middle of a word


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

    def __init__(self, var: Path, mail_port: int, database: str) -> None:
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
        if database:
            self.env["DATABASE_URL"] = database

    def manage(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "coproduce.cli", "manage", *arguments]
        subprocess.run(command, env=self.env, check=True, stdout=subprocess.DEVNULL)

    def start_worker(self) -> subprocess.Popen[bytes]:
        with (self.var / "worker.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "coproduce.cli", "worker"], env=self.env, stderr=log
            )

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
    with Sink(tmp_path / "kept") as sink:
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        here = Installation(tmp_path, sink.server_address[1], database)
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
        sink.shutdown()

    got = Counter(int(pk) for pk in re.findall(r"<feedback-(\d+)\.", (tmp_path / "kept").read_text()))
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
