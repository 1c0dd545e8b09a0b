"""Text messages through any gateway that takes a plain HTTP request.

It gets a form with `to` (+44…), `text` and `reference`, and the reference once more as `Idempotency-Key`. What it says:

- 2xx: it took it. A JSON answer may name the message: `{"id": "…"}`.
- 429 and 503: not now; `Retry-After` in seconds is obeyed. 401 and 403: it does not know us; nothing goes to anybody.
- any other 4xx: never for this number.
- anything else, or no answer: nobody knows whether it went. Where the gateway sends the same key only once
  (SMS_KEYS_ARE_HONOURED), it is simply asked again with that key.

What became of it later comes to the address /receipts/text/: see receipts.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from django.conf import settings

from coproduce.hearback.channels import Message, NotSent, Refused, Result, Sent, Uncertain
from coproduce.hearback.text import words_of_text
from coproduce.people.models import Way

ANSWERS_WITHIN = (5, 20)  # seconds: to reach it, and to hear from it


class Gateway:
    name = "text gateway"
    kind = Way.Kind.TEXT

    def is_set_up(self) -> bool:
        return bool(settings.SMS_URL)

    @contextmanager
    def line(self) -> Iterator[Callable[[Message], Result]]:
        with self._session() as session:
            yield lambda message: self._send(
                session,
                message.way.address,
                words_of_text(message.feedback, message.way.others_may_read),
                message.reference,
            )

    def say(self, address: str, words: str, reference: str) -> Result:
        with self._session() as session:
            return self._send(session, address, words, reference)

    @contextmanager
    def _session(self) -> Iterator[requests.Session | None]:
        """None where texts become files."""
        if settings.SMS_URL.startswith("file://"):
            yield None
            return
        with requests.Session() as session:
            if settings.SMS_TOKEN:
                session.headers["Authorization"] = f"Bearer {settings.SMS_TOKEN}"
            yield session

    def _send(self, session: requests.Session | None, address: str, words: str, reference: str) -> Result:
        said = {"to": number(address), "text": words, "reference": reference}
        if session is None:
            return _keep_as_file(said)
        for last in (False, True) if settings.SMS_KEYS_ARE_HONOURED else (True,):
            result = self._ask(session, said)
            if last or not isinstance(result, Uncertain):
                break
        return result

    def _ask(self, session: requests.Session, said: dict[str, str]) -> Result:
        try:
            answer = session.post(
                settings.SMS_URL,
                data=said,
                headers={"Idempotency-Key": said["reference"]},
                timeout=ANSWERS_WITHIN,
                allow_redirects=False,
            )
        except (requests.ConnectTimeout, requests.exceptions.SSLError) as trouble:
            return NotSent(type(trouble).__name__, others_too=True)
        except requests.ConnectionError as trouble:
            if never_left(trouble):
                return NotSent(type(trouble).__name__, others_too=True)
            return Uncertain(type(trouble).__name__)
        except requests.RequestException as trouble:
            return Uncertain(type(trouble).__name__)
        return _meaning(answer)


def _keep_as_file(said: dict[str, str]) -> Result:
    """Where SMS_URL is a folder (`file:///…`, as in try-it mode), texts become files there and reach nobody."""
    folder = Path(settings.SMS_URL.removeprefix("file://"))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / f"{said['reference']}.txt").write_text(f"To: {said['to']}\n\n{said['text']}\n")
    return Sent()


def _meaning(answer: requests.Response) -> Result:
    problem = f"{answer.status_code} {answer.reason or ''}".strip()
    if answer.ok and not answer.is_redirect:
        return Sent(_their_name(answer))
    if answer.status_code in (429, 503):
        wait = answer.headers.get("Retry-After", "")
        return NotSent(problem, others_too=True, wait=min(float(wait), 3600) if wait.isdigit() else 60)
    if answer.status_code in (401, 403) or answer.is_redirect:
        return NotSent(problem, others_too=True)
    return Refused(problem) if 400 <= answer.status_code < 500 else Uncertain(problem)


def _their_name(answer: requests.Response) -> str:
    try:
        said = answer.json()
    except requests.JSONDecodeError:
        return ""
    return str(said.get("id", ""))[:100] if isinstance(said, dict) else ""


def never_left(trouble: requests.ConnectionError) -> bool:
    """Whether there was no connection at all. Where there was one and it broke, what we said may have been heard."""
    return "NewConnectionError" in repr(trouble) or "NameResolutionError" in repr(trouble)


def number(address: str) -> str:
    """A phone number as machines want it: 07700 900123 → +447700900123."""
    digits = re.sub(r"[^\d+]", "", address.replace("(0)", ""))
    if digits.startswith("00"):
        return "+" + digits[2:]
    return "+44" + digits[1:] if digits.startswith("0") else digits
