"""The cast that every test may ask for: Amina facilitates, Lee is a member, Joan his trusted person, Marek a
commissioner, Charlie belongs to no hub. They live in the hub `town`, with a ward below it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client

from coproduce.people.models import Account, Hub, Membership, Person, Way

DATA = Path(os.environ.get("COPRODUCE_DATA", Path(__file__).parents[2] / "shared" / "data"))
Role = Membership.Role


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full", action="store_true", help="the long form: more kills, more rows, more examples"
    )


def find_chromium() -> str | None:
    """The browser that tests drive, if this machine has one."""
    return next(
        (
            found
            for name in ("chromium", "chromium-browser", "google-chrome")
            if (found := shutil.which(name))
        ),
        None,
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    no_browser = pytest.mark.skip(reason="there is no Chromium here to drive: sudo apt install chromium")
    not_full = pytest.mark.skip(reason="only in the long form: ./run test --full")
    for item in items:
        if item.get_closest_marker("browser") and find_chromium() is None:
            item.add_marker(no_browser)
        if item.get_closest_marker("full") and not config.getoption("--full"):
            item.add_marker(not_full)


def pytest_terminal_summary(terminalreporter) -> None:
    """What tests measured, with record_property("figures", …), and how often somebody was let in or kept out."""
    checks = 0
    for report in [report for reports in terminalreporter.stats.values() for report in reports]:
        for name, value in getattr(report, "user_properties", []):
            if name == "figures" and report.when == "call":
                terminalreporter.write_line(value)
            if name == "checks" and report.when == "call":
                checks += value
    if checks:
        terminalreporter.write_line(f"Who may do what: {checks:,} times somebody tried an address.")


@pytest.fixture(scope="session")
def full(pytestconfig) -> bool:
    """Whether this is the long form."""
    return bool(pytestconfig.getoption("--full"))


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser to drive."""
    return find_chromium() or pytest.skip("there is no Chromium here to drive: sudo apt install chromium")


@pytest.fixture(scope="session")
def browser(chromium: str):
    """A real browser: one for each process of tests, since Playwright keeps one loop in it."""
    from playwright.sync_api import sync_playwright

    # Django refuses the database in a thread with a loop. Nothing here runs in that loop.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    quiet = [
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", *quiet]
        )
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def _files_of_their_own(settings, tmp_path):
    settings.VAR = tmp_path
    settings.MEDIA_ROOT = tmp_path / "files"
    settings.EMAIL_FILE_PATH = tmp_path / "mail"


@pytest.fixture(autouse=True)
def _the_second_step_is_not_asked_for(settings):
    """Tests of what a role may do need not sign in in two steps. tests/people/test_accounts.py asks for it again."""
    settings.SECOND_FACTOR_FOR_STAFF = False


@pytest.fixture(autouse=True)
def _messages_go_at_once(monkeypatch):
    monkeypatch.setattr("coproduce.people.accounts.later", lambda do: do())


@pytest.fixture(autouse=True)
def _nobody_tried_before(request):
    """Limits are kept in a table that is not a model, so what a transactional test leaves there has to be cleared."""
    if {"transactional_db", "live_server"} & set(request.fixturenames) or (
        (marker := request.node.get_closest_marker("django_db")) and marker.kwargs.get("transaction")
    ):
        request.getfixturevalue("transactional_db")
        cache.clear()


@pytest.fixture
def town(db) -> Hub:
    return Hub.objects.add_root({"name": "Eastmoor", "about": "The town"})


@pytest.fixture
def ward(town) -> Hub:
    town.refresh_from_db()
    return Hub.objects.add_child(town, {"name": "Millbank"})


def make_person(
    name: str, hub: Hub | None = None, role: str = Role.MEMBER, way: str = "", address: str = ""
) -> Person:
    person = Person.objects.create(name=name)
    if hub:
        Membership.objects.create(person=person, hub=hub, role=role)
    if way:
        Way.objects.create(person=person, kind=way, address=address, preferred=True)
    Account.objects.create(person=person, email=f"{name.lower().replace(' ', '-')}@example.org")
    return person


@pytest.fixture
def amina(town) -> Person:
    return make_person("Amina", town, Role.FACILITATOR, Way.Kind.PAGE)


@pytest.fixture
def lee(town) -> Person:
    return make_person("Lee", town, Role.MEMBER, Way.Kind.EMAIL, "lee@example.org")


@pytest.fixture
def joan(town) -> Person:
    return make_person("Joan", town, Role.TRUSTED_PERSON, Way.Kind.PHONE, "01632 960111")


@pytest.fixture
def marek(town) -> Person:
    return make_person("Marek", town, Role.COMMISSIONER, Way.Kind.EMAIL, "marek@example.org")


@pytest.fixture
def charlie(db) -> Person:
    return make_person("Charlie")


@pytest.fixture
def signed_in():
    """A function: a browser (Django's test client) signed in as this person."""

    def sign_in(person: Person) -> Client:
        client = Client()
        client.force_login(person.account, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in


@pytest.fixture
def work_the_queue(monkeypatch):
    """A function: let a worker do all that is in the queue, as `coproduce worker` would."""
    # A worker puts its connection away between jobs; in a test that connection holds the transaction of the test.
    monkeypatch.setattr("django_tasks_db.management.commands.db_worker.close_old_connections", lambda: None)

    def work() -> None:
        call_command("db_worker", batch=True, interval=0, startup_delay=False, reload=False, verbosity=0)

    return work


@pytest.fixture
def real_story() -> bytes:
    file = DATA / "stories" / "tom-and-lee.txt"
    if not file.exists():
        pytest.skip(f"the real story is not here: {file} (set COPRODUCE_DATA to the folder that holds it)")
    return file.read_bytes()
