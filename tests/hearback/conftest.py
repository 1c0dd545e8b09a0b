"""People who are owed one update, each by the way they like best; and far sides on this machine."""

from __future__ import annotations

import pytest

from coproduce.changes.actions import record_change, tie
from coproduce.hearback import actions, sending
from coproduce.hearback.channels import Message, Sent
from coproduce.hearback.models import Feedback
from coproduce.people.actions import add_way
from coproduce.voices.actions import write_down
from tests.conftest import make_person
from tests.hearback import far_sides


def on_the_line(feedback: int, worker: str, kind: str) -> Message:
    """One that a worker has claimed and that goes at this moment."""
    [message] = sending.claim([feedback], worker, kind)
    assert sending.begin(message)
    return message


def it_went(message: Message) -> None:
    sending.finish([message], (message, Sent()))


@pytest.fixture
def owed(amina, town):
    """A function: somebody with these ways, the best first, is owed an update about what they said."""

    def owe(*ways: tuple[str, str], name: str = "Sami", others_may_read: bool = False) -> Feedback:
        person = make_person(name, town)
        for kind, address in ways:
            add_way(amina, person, kind, address, others_may_read=others_may_read)
        change = record_change(amina, town, "One worker", "You choose one worker.", "policy")
        tie(amina, change, voices=[write_down(amina, town, "Just one person to ring", "call", person)])
        return actions.write_update(
            amina, change, "They said yes", "You choose one, and they stay."
        ).feedback.get()

    return owe


@pytest.fixture
def mail_server(tmp_path, settings):
    """A real mail server on this machine, and this installation set up to use it."""
    with far_sides.running(far_sides.MailServer(tmp_path / "mail-kept")) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.server_address[1]
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        yield server


@pytest.fixture
def notify_server(tmp_path, settings):
    """A server that speaks as Notify does, and this installation set up to use it for texts and letters."""
    with far_sides.running(far_sides.NotifyServer(tmp_path / "notify-kept")) as server:
        settings.NOTIFY_API_KEY, settings.NOTIFY_BASE_URL = far_sides.API_KEY, server.url
        settings.NOTIFY_TEMPLATES = {"email": "", "text": "a-text", "letter": "a-letter"}
        yield server


@pytest.fixture
def gateway_server(tmp_path, settings):
    """A gateway for texts, and this installation set up to use it."""
    with far_sides.running(far_sides.GatewayServer(tmp_path / "texts-kept")) as server:
        settings.SMS_URL, settings.SMS_TOKEN = server.url + "/send", server.token
        yield server


@pytest.fixture
def town(town):
    """Tests run at any time of the day, so there are no quiet hours here. Those of quiet hours set their own."""
    type(town).objects.filter(pk=town.pk).update(quiet_from="03:00", quiet_until="03:00")
    town.refresh_from_db()
    return town
