"""Every vote that a page acknowledged is there, whenever the server is killed.

The server is a process of its own on a database of its own, set up as an installation is: what is recorded is on disk
before the page answers. Voters vote as fast as they can; the server and a worker that counts are killed at random
moments and started anew. What was acknowledged is what a browser got an answer to that names the next statement.
"""

from __future__ import annotations

import random
import re
import signal
import threading
import time
from pathlib import Path

import pytest
import requests

from tests.hearback.test_kill import Installation, database, free_port, kill

__all__ = ["database"]

STATEMENTS = 25
PREPARE = f"""
from coproduce.agenda.actions.topics import raise_topic
from coproduce.consensus.actions import open_conversation, write_statement
from coproduce.people.actions import set_up
from coproduce.people.models import Hub
amina = set_up("Eastmoor", "", "Amina", "amina@example.org")
conversation = open_conversation(amina, raise_topic(amina, Hub.objects.get(), "Benches"), by_link=True)
conversation.key = "thekeyforall"
conversation.save()
for number in range({STATEMENTS}):
    write_statement(amina, conversation, f"Statement number {{number}}.")
"""
STATEMENT = re.compile(r'name="statement" value="(\d+)"')
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')
CHOICES = {"agree": 1, "disagree": -1, "pass": 0}


class Voter(threading.Thread):
    """A browser with no account that votes, also after an answer did not come; it notes what it was told is kept."""

    def __init__(self, base: str, number: int, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.base, self.draw, self.over = base, random.Random(number), over
        self.acknowledged: dict[int, set[int]] = {}
        self.wrong: list[str] = []
        self.done = False
        self.browser = requests.Session()

    def run(self) -> None:
        page = ""
        while not self.over.is_set() and not self.done:
            try:
                if not self.browser.cookies.get("voter"):
                    page = self.press(self.base, self.browser.get(self.base, timeout=20).text)
                found = STATEMENT.search(page)
                if found is None:
                    page = self.browser.get(f"{self.base}vote/", timeout=20).text
                    self.done = "That was the last one" in page
                    continue
                choice = self.draw.choice(list(CHOICES))
                asked = int(found[1])
                # Until it is answered, nobody knows which of the two it is.
                self.acknowledged.pop(asked, None)
                before, page = page, ""
                page = self.press(f"{self.base}vote/", before, statement=found[1], choice=choice)
                self.acknowledged[asked] = {CHOICES[choice]}
            except requests.RequestException:
                time.sleep(0.05)  # it is being killed

    def press(self, address: str, page: str, **form: str) -> str:
        token = TOKEN.search(page)
        if token is None:
            raise requests.RequestException("half a page")
        answer = self.browser.post(
            address,
            {"csrfmiddlewaretoken": token[1], **form},
            headers={"HX-Request": "true"} if form else {},
            timeout=20,
        )
        if answer.status_code != 200:
            self.wrong.append(f"{answer.status_code}: {answer.text[:200]}")
            raise requests.RequestException(answer.status_code)
        return answer.text


def test_every_acknowledged_vote_is_there_whatever_is_killed(tmp_path, full, database, record_property):
    voters, kills = (60, 20) if full else (8, 3)
    port = free_port()
    here = Installation(tmp_path, 9, database)
    here.manage("migrate", "--verbosity", "0")
    here.manage("createcachetable")
    here.manage("collectstatic", "--noinput", "--verbosity", "0")
    here.manage("shell", "--verbosity", "0", "--command", PREPARE)
    bind = ["--bind", f"127.0.0.1:{port}", "--threads", "8", "--graceful-timeout", "1", "--no-control-socket"]

    def web():
        return here.start("gunicorn", "coproduce.site.wsgi", *bind)

    over = threading.Event()
    people = [Voter(f"http://127.0.0.1:{port}/common-ground/thekeyforall/", n, over) for n in range(voters)]
    running = {"web": web(), "worker": here.start_worker()}

    def acknowledged() -> int:
        return sum(len(each.acknowledged) for each in people)

    try:
        for each in people:
            each.start()
        for number in range(kills):
            enough = voters * STATEMENTS * (number + 1) // (kills + 2)
            wait_until(lambda: acknowledged() >= enough, acknowledged, tmp_path)  # noqa: B023
            time.sleep(random.uniform(0, 0.03))
            name = random.choice(["web", "web", "worker"]) if number else "web"
            kill(running[name])
            running[name] = web() if name == "web" else here.start_worker()
        wait_until(lambda: all(each.done for each in people), acknowledged, tmp_path)
        kill(running["web"])
    finally:
        over.set()
        for process in running.values():
            if process.poll() is None:
                kill(process)
    kept = here.ask("SELECT voter_id, statement_id, choice FROM consensus_vote")
    by_statement: dict[int, list[int]] = {}
    for _voter, statement, choice in kept:
        by_statement.setdefault(statement, []).append(choice)
    record_property(
        "figures",
        f"{voters} voters, {kills} kills: {acknowledged():,} votes acknowledged, {len(kept):,} kept, "
        f"{sum(len(each.wrong) for each in people)} answers that were none",
    )
    assert len({(voter, statement) for voter, statement, _choice in kept}) == len(kept)
    assert len({voter for voter, *_rest in kept}) == voters, "somebody's votes fell apart"
    assert acknowledged() > voters * STATEMENTS * 0.9
    assert not [wrong for each in people for wrong in each.wrong]
    for statement, choices in by_statement.items():
        told = [choice for each in people for choice in each.acknowledged.get(statement, ())]
        for choice in CHOICES.values():
            assert choices.count(choice) >= told.count(choice), "an acknowledged vote is not there"


def wait_until(what, progress, folder: Path) -> None:
    """As long as there is progress."""
    last, since = progress(), time.monotonic()
    while not what():
        time.sleep(0.02)
        if progress() != last:
            last, since = progress(), time.monotonic()
        if time.monotonic() > since + 60:
            pytest.fail(f"It hangs at {last}:\n{(folder / 'worker.log').read_text()[-3000:]}")


def test_a_worker_killed_while_it_counts_leaves_nothing_half_counted(tmp_path, database):
    here = Installation(tmp_path, 9, database)
    here.manage("migrate", "--verbosity", "0")
    here.manage("createcachetable")
    here.manage("shell", "--verbosity", "0", "--command", PREPARE)
    here.manage("shell", "--verbosity", "0", "--command", VOTE)
    for _time in range(3):
        worker = here.start_worker()
        time.sleep(random.uniform(1.0, 2.5))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    worker = here.start_worker()
    uncounted = "SELECT COUNT(*) FROM consensus_vote WHERE NOT counted"
    wait_until(lambda: here.ask(uncounted) == [(0,)], lambda: here.ask(uncounted), tmp_path)
    kill(worker)
    here.manage("shell", "--verbosity", "0", "--command", CHECK)


VOTE = """
from coproduce.consensus import voting
from coproduce.consensus.models import Conversation
from django.db import transaction
conversation = Conversation.objects.get()
with transaction.atomic():
    for voter in range(30):
        for place, statement in enumerate(conversation.statements.all()):
            voting.vote_by_link(f"s{voter}", conversation, statement, (voter * 7 + place * 5) % 3 - 1)
"""
CHECK = """
import numpy as np
from coproduce.consensus import reckoning
from coproduce.consensus.models import Conversation, Reckoned, Vote
from coproduce.engine import consensus as engine
kept = reckoning._result(Reckoned.objects.get(), [], [])
rows = zip(*Vote.objects.values_list("voter", "statement", "choice"))
fresh = engine.analyse(engine.Votes.from_arrays(*(np.array(column) for column in rows)))
assert len(kept.votes) == len(fresh.votes) == Vote.objects.count()
assert kept.labels.tolist() == fresh.labels.tolist()
assert Reckoned.objects.get().shown["people"] == 30
"""
