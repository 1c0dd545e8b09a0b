"""Email, text message and letter through GOV.UK Notify.

Each has a template in Notify that only passes on what stands here: `((subject))` and `((body))` for email, `((body))`
for a text message, `((body))` under the address for a letter. Our reference goes with each. Notify does not refuse a
second message with the same reference; but it can be asked which messages it has by one, so whatever a crash left
unclear is settled where Notify knows it, and left to a person where it does not.

Its errors, as its documentation has them: 400 is never for this address (or template: then for nobody), 403 does not
know our key, 429 is too fast (`RateLimitError`, by the minute) or over a day's limit (`TooManyRequestsError`), 500 is
theirs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from django.conf import settings
from notifications_python_client.errors import APIError
from notifications_python_client.notifications import NotificationsAPIClient

from coproduce.hearback.channels import Message, NotSent, Refused, Result, Sent, Uncertain, Unreachable
from coproduce.hearback.channels.email import subject, what_it_says
from coproduce.hearback.channels.gateway import never_left
from coproduce.hearback.channels.letter import words_of_letter
from coproduce.hearback.news import news_in
from coproduce.hearback.reply import address_here, stop_path
from coproduce.hearback.text import words_of_text
from coproduce.people.models import Way

# It logs what it was refused, and that may hold an address.
logging.getLogger("notifications_python_client").setLevel(logging.ERROR)
logging.getLogger("notifications_python_client.base").setLevel(logging.CRITICAL)

ANSWERS_WITHIN = 20  # seconds
NOT_ABOUT_THIS_ONE = ("template", "missing personalisation", "api key", "team-only", "trial mode", "service")
ARRIVED = {"delivered", "received"}
NOT_ARRIVED = {
    "permanent-failure",
    "temporary-failure",
    "technical-failure",
    "validation-failed",
    "virus-scan-failed",
    "cancelled",
}


Tell = Callable[[NotificationsAPIClient, str, Message], dict[str, Any]]


@dataclass(frozen=True)
class Notify:
    """One of the three kinds: which, and how a message of it is told to Notify, with the id of its template."""

    kind: Way.Kind
    tell: Tell
    name: str = "GOV.UK Notify"

    def is_set_up(self) -> bool:
        return bool(settings.NOTIFY_API_KEY and settings.NOTIFY_TEMPLATES[self.kind])

    @contextmanager
    def line(self) -> Iterator[Callable[[Message], Result]]:
        client = _client()
        with client.request_session:
            yield lambda message: self._send(client, message)

    def _send(self, client: NotificationsAPIClient, message: Message) -> Result:
        return _asked(lambda: self.tell(client, settings.NOTIFY_TEMPLATES[self.kind], message))

    def say(self, address: str, words: str, reference: str) -> Result:
        """By email or by text message; a letter takes more than a few words."""
        client, template = _client(), settings.NOTIFY_TEMPLATES[self.kind]
        with client.request_session:
            if self.kind == Way.Kind.TEXT:
                return _asked(lambda: _to_phone(client, template, address, words, reference))
            body = {"subject": subject(), "body": words}
            return _asked(
                lambda: client.send_email_notification(
                    email_address=address, template_id=template, personalisation=body, reference=reference
                )
            )

    def what_became_of(self, references: Iterable[str]) -> dict[str, bool | None]:
        """What Notify knows of these references, one question each; it keeps them for seven days."""
        client = _client()
        known: dict[str, bool | None] = {}
        with client.request_session:
            for reference in references:
                try:
                    found = client.get_all_notifications(reference=reference)["notifications"]
                except APIError as error:
                    raise Unreachable(problem_of(error)) from error
                if found:
                    known[reference] = outcome_of(found[0]["status"])
        return known


def _asked(ask: Callable[[], dict[str, Any]]) -> Result:
    try:
        said = ask()
    except APIError as error:
        return _meaning(error)
    return Sent(str(said.get("id", ""))[:100])


def _email(client: NotificationsAPIClient, template: str, message: Message) -> dict[str, Any]:
    content = what_it_says(message)
    said: dict[str, Any] = client.send_email_notification(
        email_address=message.way.address,
        template_id=template,
        personalisation={"subject": content.subject, "body": content.text},
        reference=message.reference,
        one_click_unsubscribe_url=address_here() + stop_path(message.way),
    )
    return said


def _text(client: NotificationsAPIClient, template: str, message: Message) -> dict[str, Any]:
    words = words_of_text(message.feedback, message.way.others_may_read)
    return _to_phone(client, template, message.way.address, words, message.reference)


def _to_phone(
    client: NotificationsAPIClient, template: str, number: str, words: str, reference: str
) -> dict[str, Any]:
    said: dict[str, Any] = client.send_sms_notification(
        phone_number=number, template_id=template, personalisation={"body": words}, reference=reference
    )
    return said


def _letter(client: NotificationsAPIClient, template: str, message: Message) -> dict[str, Any]:
    lines = [message.feedback.person.name, *message.way.address.splitlines()]
    lines = [line.strip() for line in lines if line.strip()]
    if len(lines) > 7:  # that is all an address may have; the last is the postcode
        lines = [*lines[:5], ", ".join(lines[5:-1]), lines[-1]]
    address = {f"address_line_{number}": line for number, line in enumerate(lines, start=1)}
    said: dict[str, Any] = client.send_letter_notification(
        template_id=template,
        personalisation=address | {"body": words_of_letter(message.way, news_in(message))},
        reference=message.reference,
    )
    return said


EMAIL, TEXT, LETTER = (
    Notify(Way.Kind.EMAIL, _email),
    Notify(Way.Kind.TEXT, _text),
    Notify(Way.Kind.LETTER, _letter),
)


def _client() -> NotificationsAPIClient:
    return NotificationsAPIClient(
        settings.NOTIFY_API_KEY, base_url=settings.NOTIFY_BASE_URL, timeout=ANSWERS_WITHIN
    )


def _meaning(error: APIError) -> Result:
    problem = problem_of(error)
    if error.response is None:  # no answer at all
        cause = error.__cause__
        before = isinstance(cause, requests.ConnectTimeout) or (
            isinstance(cause, requests.ConnectionError) and never_left(cause)
        )
        return NotSent(problem, others_too=True) if before else Uncertain(problem)
    if error.status_code == 429:
        by_the_day = "TooManyRequestsError" in problem
        return NotSent(problem, others_too=True, wait=3600 if by_the_day else 60)
    if error.status_code in (401, 403, 404):
        return NotSent(problem, others_too=True)
    if error.status_code == 400:
        if any(word in problem.lower() for word in NOT_ABOUT_THIS_ONE):
            return NotSent(problem, others_too=True)
        return Refused(problem)
    if error.status_code == 503:
        return NotSent(problem, others_too=True, wait=60)
    return Uncertain(problem)


def problem_of(error: APIError) -> str:
    """What went wrong in a line, as Notify says it: [{"error": "BadRequestError", "message": "…"}]."""
    said = error.message
    if isinstance(said, list):
        said = "; ".join(f"{each.get('error', '')}: {each.get('message', '')}" for each in said)
    return f"{error.status_code} {said}"[:500]


def outcome_of(status: str) -> bool | None:
    """Whether it arrived, by the word that Notify has for it. None: not known yet."""
    return True if status in ARRIVED else False if status in NOT_ARRIVED else None
