"""How fast everybody hears: 100,000 people owed one update, by email, to a mail server on this machine.

    .venv/bin/python bench/hearback.py                              on SQLite, with one worker and with four
    .venv/bin/python bench/hearback.py --database postgres://…      on PostgreSQL: a database of this name is made anew
    .venv/bin/python bench/hearback.py --people 5000 --seconds 20   fewer people, and no longer than that

All are owed it; how fast it goes is measured from the first message on for as many seconds as are asked for (60), or
until everybody has theirs. Each run has a data folder and processes of its own, set up as an installation sets itself
up: what is recorded is on disk before the next message goes. The mail server takes whatever comes and keeps nothing.
Beside it, in the same run and to the same mail server, a plain loop over Django's send_mail with one open connection,
which records nothing: the ratio to it is the figure. The workers' rate is that of a whole stretch of time: what they do
between their turns (asking what is owed, clearing up after the dead) is in it. CPU is what a message takes of the
sending processes, in milliseconds, whatever else this machine does meanwhile. Memory is the peak of one process, MiB.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WORKERS = (1, 4)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=60, help="how long to measure each")
    parser.add_argument("--database", default="", help="a PostgreSQL database to make anew; otherwise SQLite")
    parser.add_argument("--step", choices=["owe", "loop"], help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        measured = owe(asked.people) if asked.step == "owe" else loop(asked.seconds)
        print(json.dumps(measured))
        return
    on = "PostgreSQL" if asked.database else "SQLite"
    print(
        f"{asked.people:,} people owed one update by email, on {on}; each rate from {asked.seconds:g} s at most"
    )
    plain = plain_cpu = 0.0
    for workers in WORKERS:
        with tempfile.TemporaryDirectory() as var, MailServer() as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            env = os.environ | {
                "COPRODUCE_VAR": var,
                "PYTHONPATH": str(ROOT / "src"),
                "DJANGO_SETTINGS_MODULE": "coproduce.site.settings",
                "EMAIL_URL": f"smtp://127.0.0.1:{server.server_address[1]}",
                "DATABASE_URL": make_anew(asked.database),
            }
            made = step("owe", asked, env)
            if not plain:
                print(f"  to owe: {made['seconds']:.2f} s, {made['memory']:.0f} MiB")
                looped = step("loop", asked, env)
                plain = looped["sent"] / looped["seconds"]
                print(
                    f"  plain loop over send_mail: {plain:.0f} a second ({looped['sent']:,.0f} sent), "
                    f"{1000 * looped['cpu'] / looped['sent']:.2f} ms of CPU each, {looped['memory']:.0f} MiB"
                )
                plain_cpu = looped["cpu"] / looped["sent"]
            sent, seconds, cpu, memory = work(workers, asked, server, env)
            rate = sent / seconds
            name = "one worker" if workers == 1 else f"{workers} workers"
            print(
                f"  {name}: {rate:.0f} a second ({sent:,} sent), ratio {rate / plain:.2f}; "
                f"{1000 * cpu / sent:.2f} ms of CPU each, ratio {plain_cpu / (cpu / sent):.2f}; {memory:.0f} MiB each"
            )


class MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.taken = 0


class _Talk(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while self.rfile.readline() != b".\r\n":
                    pass
                self.server.taken += 1
            self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 yes\r\n")


def make_anew(database: str) -> str:
    """An empty database of this name. "" (SQLite in the data folder) needs none."""
    if database:
        import psycopg
        from psycopg import sql

        server, _slash, name = database.rpartition("/")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return database


def step(name: str, asked: argparse.Namespace, env: dict[str, str]) -> dict[str, float]:
    command = [sys.executable, __file__, "--step", name]
    command += ["--people", str(asked.people), "--seconds", str(asked.seconds)]
    run = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True)
    measured: dict[str, float] = json.loads(run.stdout)
    return measured


def work(
    workers: int, asked: argparse.Namespace, server: MailServer, env: dict[str, str]
) -> tuple[int, float, float, float]:
    """How many went in how many seconds from the first on, the CPU seconds, and the largest peak of a worker, MiB."""
    server.taken = 0
    running = [
        subprocess.Popen([sys.executable, "-m", "coproduce.cli", "worker"], env=env) for _ in range(workers)
    ]
    begin, before, peak, spent = 0.0, 0, 0.0, 0.0
    try:
        while not begin or (server.taken < asked.people and time.monotonic() < begin + asked.seconds):
            time.sleep(0.05)
            if server.taken and not begin:
                begin, before = time.monotonic(), server.taken
                spent = sum(cpu_of(worker.pid) for worker in running)
            peak = max([peak, *(peak_of(worker.pid) for worker in running)])
        spent = sum(cpu_of(worker.pid) for worker in running) - spent
        return server.taken - before, time.monotonic() - begin, spent, peak
    finally:
        for worker in running:
            worker.send_signal(signal.SIGTERM)
        for worker in running:
            worker.wait()


def cpu_of(process: int) -> float:
    """Seconds of CPU that a process has used so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_of(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return next(
        (int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0.0
    )


def owe(people: int) -> dict[str, float]:
    """The people and their words by plain inserts; then the update, which owes them all, as an installation does it."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.utils import timezone

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    from coproduce.changes.actions import record_change
    from coproduce.hearback.actions import write_update
    from coproduce.people.actions import set_up
    from coproduce.people.models import Hub, Person, Way
    from coproduce.voices.models import Voice

    amina = set_up("Eastmoor", "", "Amina", "amina@example.org")
    hub, today = Hub.objects.get(), timezone.localdate()
    change = record_change(amina, hub, "One worker", "You choose one worker.", "policy")
    for begin in range(0, people, 10_000):
        numbers = range(begin, min(begin + 10_000, people))
        persons = Person.objects.bulk_create(Person(name=f"Person {n}") for n in numbers)
        Way.objects.bulk_create(
            Way(person=each, kind="email", address=f"person-{n}@example.org", preferred=True)
            for n, each in zip(numbers, persons, strict=True)
        )
        voices = Voice.objects.bulk_create(
            Voice(hub=hub, person=each, came_by="note", words="One person to ring", said_on=today)
            for each in persons
        )
        through: Any = change.voices.through
        through.objects.bulk_create(through(change=change, voice=each) for each in voices)
    before = time.monotonic()
    update = write_update(amina, change, "It is agreed", "You choose one worker, and they stay.")
    seconds = time.monotonic() - before
    owed = update.feedback.count()
    assert owed == people, owed
    return {"seconds": seconds, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def loop(most: float) -> dict[str, float]:
    """What somebody would write who records nothing, for so many seconds at most."""
    import django

    django.setup()
    from django.core.mail import get_connection, send_mail

    from coproduce.people.models import Way

    connection = get_connection()
    connection.open()
    before, spent, sent = time.monotonic(), time.process_time(), 0
    ways = Way.objects.filter(kind="email", address__startswith="person-").values_list(
        "person__name", "address"
    )
    for name, address in ways.iterator():
        text = f"Dear {name}\n\nYou choose one worker, and they stay.\n"
        html = f"<p>Dear {name}</p><p>You choose one worker, and they stay.</p>"
        send_mail("News for you", text, None, [address], connection=connection, html_message=html)
        sent += 1
        if time.monotonic() > before + most:
            break
    seconds = time.monotonic() - before
    connection.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "sent": sent, "cpu": time.process_time() - spent, "memory": memory}


if __name__ == "__main__":
    main()
