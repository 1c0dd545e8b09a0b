"""The command, run as people run it: real processes, a free port, a data folder of its own."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import coproduce
from coproduce import cli
from coproduce.site import demo

SOURCE = Path(coproduce.__file__).parents[1]
PATIENCE = 120  # seconds; a slow machine takes some of them, a hanging one all


def free_port() -> int:
    with socket.socket() as knock:
        knock.bind(("127.0.0.1", 0))
        return int(knock.getsockname()[1])


def wait_for(what: Callable[[], object], why: str) -> None:
    until = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < until, why
        time.sleep(0.1)


class Command:
    """`coproduce …` in an empty folder, and what it prints."""

    def __init__(self, folder: Path, *arguments: str, **env: str) -> None:
        theirs = ("COPRODUCE_", "DJANGO_", "DATABASE_URL", "EMAIL_", "HOST", "PORT")
        clean = {key: value for key, value in os.environ.items() if not key.startswith(theirs)}
        self.port = free_port()
        self.printed = folder / "printed"
        with self.printed.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "coproduce.cli", *arguments],
                cwd=folder,
                env=clean | {"PYTHONPATH": str(SOURCE), "PORT": str(self.port)} | env,
                stdout=out,
                stderr=subprocess.STDOUT,
                # Whoever runs the tests may have told all of them to survive the terminal (nohup).
                preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
            )

    def said(self) -> str:
        return self.printed.read_text()

    def ended(self) -> int:
        return self.process.wait(PATIENCE)

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    def until_open(self) -> Command:
        """It has started once the address stands on a line of its own."""

        def is_open() -> bool:
            assert self.process.poll() is None, self.said()
            return self.address in self.said().splitlines()

        wait_for(is_open, self.said())
        return self

    def get(self, path: str = "/", **headers: str) -> tuple[int, str]:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=names)
        try:
            browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
            with browser.open(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def children(self) -> dict[int, str]:
        """Each process it started, and theirs, with its command line."""
        below, grown = {self.process.pid}, True
        while grown:
            more = {pid for pid, (parent, _) in _processes().items() if parent in below} - below
            grown = bool(more)
            below |= more
        return {pid: line for pid, (_, line) in _processes().items() if pid in below - {self.process.pid}}

    def worker(self) -> int | None:
        return next((pid for pid, line in self.children().items() if "coproduce.cli worker" in line), None)


def _processes() -> dict[int, tuple[int, str]]:
    """Every process that runs: its parent and its command line."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found[int(folder.name)] = (int(parent), line)
    return found


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., Command]]:
    """A function that starts the command; whatever still runs at the end is stopped."""
    started: list[Command] = []

    def start(*arguments: str, **env: str) -> Command:
        started.append(Command(tmp_path, *arguments, **env))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.terminate()
            each.ended()


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> Iterator[Command]:
    """The demo town, open."""
    command = Command(tmp_path_factory.mktemp("a folder with spaces"), "demo")
    try:
        yield command.until_open()
    finally:
        command.process.terminate()
        command.ended()


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="there is no /proc here to look into"
)


# The town


def test_the_address_stands_on_a_line_of_its_own_and_answers(town):
    assert town.said().splitlines()[-1] == town.address
    assert town.get()[0] == 200


def test_there_is_a_link_for_each_of_the_cast_and_it_signs_them_in(town):
    for name, about in demo.cast().items():
        [path] = re.findall(rf"(?m)^  {re.escape(name)} +{re.escape(town.address)}(/\S+)$", town.said())
        assert about in town.said()
        status, page = town.get(path)
        assert status == 200
        assert name in page


def test_its_data_stands_in_var_demo_and_nobody_else_on_the_machine_can_read_it(town):
    kept = [path for path in (town.printed.parent / "var").rglob("*") if path.is_file()]
    assert "coproduce.sqlite3" in {path.name for path in kept if path.parent.name == "demo"}
    assert not [path for path in kept if path.stat().st_mode & 0o077]


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Forwarded_For": "203.0.113.7"},
        {"Forwarded": "for=203.0.113.7"},
        {"Via": "1.1 proxy"},
        {"Host": "example.org"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_whatever_came_through_another_machine_is_refused(town, headers):
    links = re.findall(rf"{re.escape(town.address)}(/\S+)", town.said())
    for path in ("/", links[0]):
        status, _page = town.get(path, **headers)
        assert status in (400, 403)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_it_listens_on_no_other_address(host, monkeypatch, capsys):
    monkeypatch.setenv("HOST", host)
    assert cli.main(["demo"]) == 2
    assert "only listens on this machine" in capsys.readouterr().out


def test_a_port_in_use_is_said_at_once(start, tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        command = start("demo", PORT=str(other.getsockname()[1]))
        assert command.ended() == 2
    assert "Something else listens on port" in command.said()
    assert not (tmp_path / "var").exists()


def test_a_port_that_is_no_number_is_said(start):
    command = start("demo", PORT="web")
    assert command.ended() == 2
    assert "PORT has to be a number" in command.said()


def test_the_town_never_goes_where_a_group_keeps_its_data(start, tmp_path):
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "coproduce.sqlite3").write_text("what people said")
    command = start("demo", "--fresh", COPRODUCE_VAR=str(tmp_path / "ours"))
    assert command.ended() == 2
    assert "holds the data of a group" in command.said()
    assert (tmp_path / "ours" / "coproduce.sqlite3").read_text() == "what people said"


def test_the_folder_of_the_town_is_not_served_to_others(start, tmp_path):
    (tmp_path / cli.TOWN).touch()
    command = start("serve", COPRODUCE_VAR=str(tmp_path))
    assert command.ended() == 2
    assert "holds the demo town" in command.said()


# A group of one's own


@needs_proc
def test_serving_shows_the_way_to_set_up_starts_a_dead_worker_again_and_leaves_nothing_behind(
    start, tmp_path
):
    command = start("serve").until_open()
    [path] = re.findall(rf"{re.escape(command.address)}(/set-up/\S+)", command.said())
    assert command.get(path)[0] == 200
    assert "Email is not set up" in command.said()
    assert (tmp_path / "var" / "group" / "coproduce.sqlite3").exists()

    wait_for(command.worker, "there is no worker")
    first = command.worker()
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: command.worker() not in (None, first), "the worker was not started again")
    assert command.get()[0] == 200

    children = set(command.children())
    assert len(children) >= 3  # the web server, its own child, the worker
    command.process.send_signal(signal.SIGINT)
    assert command.ended() == 0
    assert not children & set(_processes())


@needs_proc
@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP], ids=["SIGTERM", "the terminal is closed"])
def test_however_it_is_stopped_nothing_is_left(start, ending):
    command = start("serve").until_open()
    wait_for(command.worker, "there is no worker")
    children = set(command.children())
    command.process.send_signal(ending)
    assert command.ended() == 0
    assert not children & set(_processes())


def test_a_worker_where_nothing_is_set_up_says_so(start, tmp_path):
    command = start("worker")
    assert command.ended() == 2
    assert f"nothing to work on yet in {tmp_path / 'var' / 'group'}" in command.said()


def test_a_worker_started_by_hand_works_where_serve_does(start):
    assert start("manage", "migrate", "--verbosity", "0").ended() == 0
    assert start("worker", "--until-done").ended() == 0


# What it is made from


def test_a_wheel_holds_every_file_of_the_package():
    told = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text())
    patterns = told["tool"]["setuptools"]["package-data"]["coproduce"]
    inside = SOURCE / "coproduce"
    files = {path for path in inside.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    packed = {path for pattern in patterns for path in inside.glob(pattern)}
    assert not {path for path in files - packed if path.suffix != ".py"}
    folders_of_code = {path.parent for path in files if path.suffix == ".py"}
    assert all((folder / "__init__.py").exists() for folder in folders_of_code)


def test_who_installs_for_the_tests_has_exactly_what_runs_as_well():
    def pins(name: str) -> set[str]:
        lock = SOURCE.parent / name
        return set(re.findall(r"(?m)^([\w.-]+==\S+)", lock.read_text()))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_locks_say_what_and_not_from_where(name):
    lock = (SOURCE.parent / name).read_text()
    assert "--hash=sha256:" in lock
    assert "://" not in lock
