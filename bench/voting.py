"""The voting page under many voters at once, on a real server with a worker beside it.

    .venv/bin/python bench/voting.py                              on SQLite
    .venv/bin/python bench/voting.py --database postgres://…      on PostgreSQL: a database of this name is made anew
    .venv/bin/python bench/voting.py --voters 60 --statements 20 --pause 0

Each voter is a browser with no account: it opens the link, presses Start, and votes on one statement after the other.
It takes some seconds for each to read it, half to one and a half times `--pause`; with 0 it votes as fast as it gets
the next one, which is more than any number of people do and shows where the limit is. That is done in the way of a page
without JavaScript (a vote, then the page it is sent to) and in that of htmx (a vote, and the next statement in the
answer). Beside them a worker finds what people agree on, as it does in life. What is printed is how long a press of a
button takes until the next statement is there, at the median and for the slowest in twenty (p95); then every vote that
was acknowledged is looked for in the database.
"""

from __future__ import annotations

import argparse
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
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parents[1]

PREPARE = """
from coproduce.agenda.actions.topics import raise_topic
from coproduce.consensus.actions import open_conversation, write_statement
from coproduce.people.actions import set_up
from coproduce.people.models import Hub
amina = set_up("Eastmoor", "", "Amina", "amina@example.org")
topic = raise_topic(amina, Hub.objects.get(), "Benches")
conversation = open_conversation(amina, topic, by_link=True)
for number in range({statements}):
    write_statement(amina, conversation, f"Statement number {{number}}.")
print(conversation.key)
"""
COUNT = """
from coproduce.consensus.models import Reckoned, Vote, Voter
print(Vote.objects.count(), Voter.objects.count(), Vote.objects.filter(counted=True).count())
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--voters", type=int, default=60)
    parser.add_argument("--statements", type=int, default=20)
    parser.add_argument("--pause", type=float, default=3.0, help="seconds to read a statement, on average")
    parser.add_argument("--database", default="", help="a PostgreSQL database to make anew; otherwise SQLite")
    asked = parser.parse_args()
    from hearback import make_anew  # the bench beside this one

    on = "PostgreSQL" if asked.database else "SQLite"
    print(
        f"{asked.voters} voters at once, {asked.statements} statements each, about {asked.pause:g} s to read one, "
        f"on {on}"
    )
    for htmx in (False, True):
        with tempfile.TemporaryDirectory() as var:
            env = os.environ | {
                "COPRODUCE_VAR": var,
                "PYTHONPATH": str(ROOT / "src"),
                "DJANGO_SETTINGS_MODULE": "coproduce.site.settings",
                "DATABASE_URL": make_anew(asked.database),
            }
            measure(asked.voters, asked.statements, asked.pause, env, htmx)


def manage(env: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "coproduce.cli", "manage", *arguments]
    return subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout


def measure(voters: int, statements: int, pause: float, env: dict[str, str], htmx: bool) -> None:
    manage(env, "migrate", "--verbosity", "0")
    manage(env, "createcachetable")
    manage(env, "collectstatic", "--noinput", "--verbosity", "0")
    key = manage(env, "shell", "-v0", "-c", PREPARE.format(statements=statements)).split()[-1]
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    bind = [
        "--bind",
        f"127.0.0.1:{port}",
        "--worker-class",
        "gthread",
        "--threads",
        "8",
        "--no-control-socket",
    ]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "coproduce.site.wsgi", "--log-level", "warning", *bind],
            env=env,
        ),
        subprocess.Popen([sys.executable, "-m", "coproduce.cli", "worker"], env=env),
    ]
    try:
        base = f"http://127.0.0.1:{port}/common-ground/{key}/"
        wait_for(base)
        people = [Voter(base, htmx, pause) for _one in range(voters)]
        begin = time.monotonic()
        for one in people:
            one.start()
        for one in people:
            one.join()
        took = time.monotonic() - begin
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            process.wait()
    times = sorted(each for one in people for each in one.times)
    acknowledged = sum(one.acknowledged for one in people)
    wrong = [each for one in people for each in one.wrong]
    kept, known, counted = map(int, manage(env, "shell", "-v0", "-c", COUNT).split()[-3:])
    way = "htmx" if htmx else "no JavaScript"
    print(
        f"  {way}: median {statistics.median(times) * 1000:.0f} ms, p95 {times[int(0.95 * len(times))] * 1000:.0f} ms, "
        f"{len(times) / took:.0f} presses a second; {acknowledged:,} votes acknowledged, {kept:,} kept of {known} "
        f"voters, {counted:,} counted by then; {len(wrong)} answers that were none"
    )
    if acknowledged > kept or wrong:
        raise SystemExit(f"votes were lost: {wrong[:3]}")


def wait_for(address: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            requests.get(address, timeout=30)
            return
        except requests.RequestException:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


STATEMENT = re.compile(r'name="statement" value="(\d+)"')
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


class Voter(threading.Thread):
    """A browser with no account, that votes until there is nothing left to vote on."""

    def __init__(self, base: str, htmx: bool, pause: float) -> None:
        super().__init__()
        self.base, self.htmx, self.pause = base, htmx, pause
        self.times: list[float] = []
        self.acknowledged = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        browser = requests.Session()
        # The server ends a connection that is idle for some seconds; a browser then asks again by itself.
        browser.headers["Connection"] = "close"
        page = browser.get(self.base, timeout=60).text
        page = self.press(browser, self.base, page, {}).text
        headers = {"HX-Request": "true"} if self.htmx else {}
        number = 0
        while found := STATEMENT.search(page):
            choice = ("agree", "disagree", "pass")[(int(found[1]) + id(self) // 64 + number) % 3]
            time.sleep(self.pause * random.uniform(0.5, 1.5))
            began = time.monotonic()
            answer = self.press(
                browser, f"{self.base}vote/", page, {"statement": found[1], "choice": choice}, headers
            )
            self.times.append(time.monotonic() - began)
            if answer.status_code != 200:
                self.wrong.append(f"{answer.status_code} {answer.text[:200]}")
                return
            self.acknowledged += 1
            page, number = answer.text, number + 1

    def press(
        self,
        browser: requests.Session,
        address: str,
        page: str,
        form: dict[str, str],
        headers: dict[str, str] | None = None,
    ) -> requests.Response:
        token = TOKEN.search(page)
        if token is None:
            raise RuntimeError(f"no token in: {page[:300]}")
        return browser.post(
            address, {"csrfmiddlewaretoken": token[1], **form}, headers=headers or {}, timeout=60
        )


if __name__ == "__main__":
    main()
