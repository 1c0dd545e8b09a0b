"""The wall of a meeting under load: 300 notes in a minute from 60 phones, while the big screen looks every 1.2 s.

    .venv/bin/python bench/wall.py                              on SQLite
    .venv/bin/python bench/wall.py --database postgres://…      on PostgreSQL: a database of this name is made anew
    .venv/bin/python bench/wall.py --notes 60 --seconds 12      a shorter one

It starts the server and the worker as `coproduce serve` does, with a data folder of its own, and talks to it over
HTTP as browsers do: each phone opens the note page, gets its cookie and its form, sends a note, follows to the page
that says thank you, and writes the next one on a new form. Every tenth note is sent a second time, as by a shaky
connection. The big screen is asked as its script asks, with what it has seen. Times are in milliseconds, at the phone.

Lost: notes that the thank-you page acknowledged and that are not on the screen at the end. Each note's words are its
own, so what is shown twice is seen. Until shown: from the moment a phone begins to send until the answer to the
screen that first holds the note is read.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOOK_EVERY = 1.2  # seconds, as static/agenda/screen.js does
WORDS = "They close at four and I finish at five so I never get there".split()  # noqa: SIM905


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--notes", type=int, default=300)
    parser.add_argument("--phones", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--database", default="", help="a PostgreSQL database to make anew; otherwise SQLite")
    parser.add_argument("--step", choices=["prepare"], help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        print(json.dumps(prepare()))
        return
    with tempfile.TemporaryDirectory() as var:
        port = free_port()
        env = os.environ | {
            "COPRODUCE_VAR": var,
            "PYTHONPATH": str(ROOT / "src"),
            "DJANGO_SETTINGS_MODULE": "coproduce.site.settings",
            "DATABASE_URL": make_anew(asked.database),
            "PORT": str(port),
        }
        serve = [sys.executable, "-m", "coproduce.cli", "serve"]
        server = subprocess.Popen(serve, env=env, stdout=subprocess.DEVNULL)
        try:
            wait_for(port, server)
            command = [sys.executable, __file__, "--step", "prepare"]
            links = json.loads(subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True).stdout)
            measured = run(port, links, asked.notes, asked.phones, asked.seconds)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
    print(f"{asked.notes} notes in {asked.seconds:.0f} s from {asked.phones} phones, on", end=" ")
    print("PostgreSQL" if asked.database else "SQLite")
    print("\n".join(f"  {line}" for line in measured.lines()))
    if measured.lost or measured.twice or measured.refused:
        sys.exit(1)


def free_port() -> int:
    with socket.socket() as knock:
        knock.bind(("127.0.0.1", 0))
        return int(knock.getsockname()[1])


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


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    sys.exit("The server did not start. What it said is above.")


def prepare() -> dict[str, str]:
    """A hub of 60 people with a meeting today, two topics on its agenda and its wall open: the links to it."""
    import datetime as dt

    import django

    django.setup()
    from django.urls import reverse
    from django.utils import timezone

    from coproduce.agenda.actions import meetings, wall
    from coproduce.agenda.actions.topics import raise_topic
    from coproduce.agenda.wall_pages import screen_path
    from coproduce.people.actions import set_up
    from coproduce.people.models import Hub, Membership, Person

    amina = set_up("Eastmoor", "The town", "Amina", "amina@example.org")
    hub = Hub.objects.get()
    people = Person.objects.bulk_create(Person(name=f"Person {number}") for number in range(60))
    Membership.objects.bulk_create(Membership(person=person, hub=hub) for person in people)
    now = timezone.now()
    plan = meetings.Plan(now, now + dt.timedelta(hours=2), place="The library")
    meeting = meetings.plan_meeting(amina, hub, plan)
    for title in ("Who stays?", "Night bus"):
        meetings.put_on_agenda(amina, meeting, "topic", 20, raise_topic(amina, hub, title))
    wall.open_wall(amina, meeting)
    return {
        "note": reverse("agenda:note", args=[meeting.wall_key]),
        "screen": screen_path(meeting) + "notes/",
    }


@dataclass
class Measured:
    pages: list[float] = field(default_factory=list)
    sends: list[float] = field(default_factory=list)
    looks: list[float] = field(default_factory=list)
    idle_looks: list[float] = field(default_factory=list)
    until_shown: list[float] = field(default_factory=list)
    took: float = 0
    said: int = 0
    shown: int = 0
    lost: int = 0
    twice: int = 0
    refused: int = 0
    again: int = 0

    def lines(self) -> list[str]:
        return [
            f"acknowledged {self.said}, on the screen {self.shown}: lost {self.lost}, "
            f"shown twice {self.twice}, refused {self.refused} (sent a second time: {self.again})",
            f"the last one was sent after {self.took:.1f} s",
            f"the note page: {spread(self.pages)}",
            f"sending a note: {spread(self.sends)}",
            f"the screen's look with news: {spread(self.looks)}",
            f"the screen's look without: {spread(self.idle_looks)}",
            f"until shown: {spread(self.until_shown)}",
        ]


def spread(times: list[float]) -> str:
    if not times:
        return "none"
    ordered = sorted(times)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return (
        f"median {statistics.median(ordered) * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms, "
        f"longest {ordered[-1] * 1000:.0f} ms, of {len(ordered)}"
    )


class Browser:
    """A connection that stays open and keeps its cookies, as a phone's browser does."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies: dict[str, str] = {}

    def ask(
        self, method: str, path: str, body: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            self.line.request(method, path, body, headers)
            answer = self.line.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):
            if method == "POST":
                raise
            self.line.close()  # it was idle for longer than the server keeps it
            self.line.request(method, path, body, headers)
            answer = self.line.getresponse()
        text = answer.read().decode()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _equals, rest = value.partition("=")
                self.cookies[key] = rest.split(";")[0]
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text


def run(port: int, links: dict[str, str], notes: int, phones: int, seconds: float) -> Measured:
    measured, lock = Measured(), threading.Lock()
    sent: dict[str, float] = {}
    acknowledged: set[str] = set()
    done = threading.Event()
    begin = 0.0
    chance = random.Random(1)
    # Notes come when they come: spread over the time by chance, each from the next phone.
    moments = sorted(chance.uniform(0, seconds) for _note in range(notes))
    plans = [moments[phone::phones] for phone in range(phones)]

    def phone(number: int) -> None:
        for turn, moment in enumerate(plans[number]):
            time.sleep(max(0.0, begin + moment - time.monotonic()))
            browser = Browser(port)  # somebody else may write the next one: nothing is kept
            words = f"{' '.join(WORDS[: 5 + (number + turn) % 12])} {number} {turn}"
            started = time.monotonic()
            status, _headers, page = browser.ask("GET", links["note"])
            opened = time.monotonic() - started
            fields = dict(re.findall(r'name="(csrfmiddlewaretoken|token)" value="(\w+)"', page))
            body = urllib.parse.urlencode({**fields, "words": words, "name": "", "services": "on"})
            started = time.monotonic()
            with lock:
                measured.pages.append(opened)
                sent[words] = started
            status, headers, _text = browser.ask("POST", links["note"], body)
            if (number + turn) % 10 == 0:
                browser.ask("POST", links["note"], body)
                with lock:
                    measured.again += 1
            with lock:
                measured.sends.append(time.monotonic() - started)
                if status == 302 and "thank-you" in headers.get("location", ""):
                    acknowledged.add(words)
                else:
                    measured.refused += 1
            browser.ask("GET", headers.get("location", links["note"]))
            browser.line.close()

    seen: dict[int, str] = {}
    first: dict[str, float] = {}
    last: list[int] = []

    def screen() -> None:
        browser, etag = Browser(port), ""
        while True:
            finishing = done.is_set()
            started = time.monotonic()
            since = max(seen, default=0)
            headers = {"If-None-Match": etag} if etag else {}
            status, answered, text = browser.ask("GET", f"{links['screen']}?since={since}", **headers)
            took, now = time.monotonic() - started, time.monotonic()
            (measured.idle_looks if status == 304 else measured.looks).append(took)
            if status == 200:
                told = json.loads(text)
                etag = answered["etag"]
                for pk, html in told["notes"].items():
                    seen[int(pk)] = words_of(html)
                    first.setdefault(seen[int(pk)], now)
                last[:] = [pk for pile in told["piles"] for pk in pile["notes"]]
                if not set(last) <= set(seen):  # one that was written at the same moment: ask for all, once
                    _status, _headers, whole = browser.ask("GET", f"{links['screen']}?since=0")
                    for pk, html in json.loads(whole)["notes"].items():
                        seen.setdefault(int(pk), words_of(html))
                        first.setdefault(words_of(html), time.monotonic())
            if finishing:
                return
            time.sleep(LOOK_EVERY)

    for link in links.values():  # the very first request of a server loads what all others use
        Browser(port).ask("GET", link)
    begin = time.monotonic() + 0.5
    threads = [threading.Thread(target=phone, args=(number,)) for number in range(phones)]
    watching = threading.Thread(target=screen)
    watching.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    measured.took = time.monotonic() - begin
    done.set()
    watching.join()
    on_screen = [seen[pk] for pk in last]
    measured.said, measured.shown = len(acknowledged), len(on_screen)
    measured.lost = len(acknowledged - set(on_screen))
    measured.twice = len(on_screen) - len(set(on_screen))
    measured.until_shown = [first[words] - sent[words] for words in acknowledged if words in first]
    return measured


def words_of(html: str) -> str:
    found = re.search(r"<p>“(.*?)”</p>", html, re.DOTALL)
    return found[1] if found else ""


if __name__ == "__main__":
    main()
