"""Far sides on this machine: a mail server, one that speaks as GOV.UK Notify does, and a gateway for texts.

Each keeps on disk, synced, what it took, before it says so: one line for each message, with its reference. Each can be
told to refuse, to be too busy, and to hold the next message before or after it keeps it (for whoever kills a worker).
"""

from __future__ import annotations

import json
import os
import random
import re
import socketserver
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import jwt

BEFORE, AFTER, ANY = "before it is kept", "after it is kept", "at any moment"
PATIENCE = 120  # seconds
SERVICE, SECRET = "26785a09-ab16-4eb0-8407-a37497a57506", "3d844edf-8d35-48ac-975b-e847b4f122b0"
API_KEY = f"sinks-{SERVICE}-{SECRET}"


class Kept:
    """What a far side took, and how it is told to misbehave."""

    def __init__(self, file: Path) -> None:
        self.file = file.open("ab", buffering=0)
        self.count = 0
        self.hold_at = ""
        self.held, self.go_on = threading.Event(), threading.Event()
        self.lock = threading.Lock()
        self.slow = 0.0  # seconds a message takes, at most

    def hold(self, moment: str) -> None:
        self.held.clear()
        self.go_on.clear()
        self.hold_at = moment

    def pause(self, moment: str) -> bool:
        """Hold here if told to; whether somebody was."""
        if self.slow:
            time.sleep(random.uniform(0, self.slow))
        with self.lock:
            if self.hold_at != moment:
                return False
            self.hold_at = ""
        self.held.set()
        self.go_on.wait(PATIENCE)
        return True

    def keep(self, reference: str) -> None:
        with self.lock:
            self.file.write(reference.encode() + b"\n")
            os.fsync(self.file.fileno())
            self.count += 1

    def take(self, reference: str) -> bool:
        """Keep it, holding where told to. False: it was held before it was kept, and is not."""
        if self.pause(BEFORE):
            return False
        self.keep(reference)
        self.pause(AFTER)
        return True


# Mail


class MailServer(socketserver.ThreadingTCPServer):
    """`answers`: what it says, by the local part of an address, in place of 250: {"gone": "550 no such user"}."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, kept: Path, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Talk)
        self.kept = Kept(kept)
        self.answers: dict[str, str] = {}
        self.messages: list[bytes] | None = []  # None: it does not keep them

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class _Talk(socketserver.StreamRequestHandler):
    server: MailServer

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self) -> None:
        try:
            self.say("220 here")
            while line := self.rfile.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    self.say("354 go on")
                    message = b"".join(iter(self.rfile.readline, b".\r\n"))
                    [name] = re.findall(rb"(?im)^Message-ID:\s*<([^@>]+)", message)
                    if self.server.kept.take(name.decode()):
                        if self.server.messages is not None:
                            self.server.messages.append(message)
                        self.say("250 kept")
                elif verb == b"RCPT":
                    [who] = re.findall(rb"<([^@>]*)", line)
                    self.say(self.server.answers.get(who.decode(), "250 yes"))
                else:
                    self.say("221 bye" if verb == b"QUIT" else "250 yes")
                    if verb == b"QUIT":
                        return
        except OSError:
            pass  # killed in the middle of a word


# What speaks HTTP


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass  # whoever asked was killed in the middle of a word

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def say(self, status: int, said: Any, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(said).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class NotifyServer(_Server):
    """As https://docs.notifications.service.gov.uk/rest-api.html has it: /v2/notifications/{email,sms,letter}."""

    def __init__(self, kept: Path, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Notify)
        self.kept = Kept(kept)
        self.notifications: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []  # what was asked for, each with its kind
        self.templates = {"an-email", "a-text", "a-letter"}
        self.most_a_minute = 3000
        self.most_a_day = 250_000
        self.broken = False

    def set_status(self, reference: str, status: str) -> dict[str, Any]:
        """What became of a message; returns the receipt that Notify would send."""
        [found] = [each for each in self.notifications if each["reference"] == reference]
        found["status"] = status
        return {
            "id": found["id"],
            "reference": reference,
            "to": found.get("email_address") or found.get("phone_number"),
            "status": status,
            "created_at": "2026-11-23T09:00:00.000000Z",
            "completed_at": "2026-11-23T09:00:05.000000Z",
            "sent_at": "2026-11-23T09:00:01.000000Z",
            "notification_type": found["type"],
        }


class _Notify(_Answers):
    server: NotifyServer

    def refuse(self, status: int, error: str, message: str) -> None:
        self.say(status, {"status_code": status, "errors": [{"error": error, "message": message}]})

    def is_known(self) -> bool:
        try:
            token = self.headers["Authorization"].removeprefix("Bearer ")
            return jwt.decode(token, SECRET, algorithms=["HS256"])["iss"] == SERVICE
        except (jwt.InvalidTokenError, AttributeError, KeyError):
            return False

    def do_POST(self) -> None:
        asked = json.loads(self.body())
        kind = self.path.rsplit("/", 1)[-1]
        server = self.server
        if not self.is_known():
            return self.refuse(403, "AuthError", "Invalid token: API key not found")
        if server.broken:
            return self.say(500, {"status_code": 500, "message": "Internal server error"})
        lately = [each for each in server.notifications if each["at"] > time.monotonic() - 60]
        if len(lately) >= server.most_a_minute:
            said = f"Exceeded rate limit for key type LIVE of {server.most_a_minute} requests per 60 seconds"
            return self.refuse(429, "RateLimitError", said)
        if len(server.notifications) >= server.most_a_day:
            said = f"Exceeded send limits ({server.most_a_day}) for today"
            return self.refuse(429, "TooManyRequestsError", said)
        if asked.get("template_id") not in server.templates:
            return self.refuse(400, "BadRequestError", "Template not found")
        given = asked.get("personalisation", {})
        if "body" not in given:
            return self.refuse(400, "BadRequestError", "Missing personalisation: body")
        if kind == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", asked["email_address"]):
            return self.refuse(400, "ValidationError", "email_address Not a valid email address")
        if kind == "sms" and len(re.sub(r"\D", "", asked["phone_number"])) < 11:
            return self.refuse(400, "ValidationError", "phone_number Not enough digits")
        if kind == "letter":
            lines = [given[name] for name in sorted(given) if name.startswith("address_line_")]
            if not re.fullmatch(r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}", lines[-1].upper()):
                return self.refuse(400, "ValidationError", "Must be a real UK postcode")
        notification = {
            "id": str(uuid.uuid4()),
            "reference": asked.get("reference"),
            "type": kind,
            "status": "created",
            "email_address": asked.get("email_address"),
            "phone_number": asked.get("phone_number"),
            "at": time.monotonic(),
        }
        if not server.kept.pause(BEFORE):
            server.sent.append(asked | {"kind": kind})
            server.notifications.append(notification)
            server.kept.keep(str(asked.get("reference")))
            server.kept.pause(AFTER)
            content = {"body": given["body"]} | ({"subject": given["subject"]} if kind == "email" else {})
            known = {"id": notification["id"], "reference": notification["reference"], "content": content}
            self.say(201, known | {"uri": f"{server.url}/v2/notifications/{notification['id']}"})
        return None

    def do_GET(self) -> None:
        if not self.is_known():
            return self.refuse(403, "AuthError", "Invalid token: API key not found")
        wanted = parse_qs(urlparse(self.path).query).get("reference")
        found = [each for each in self.server.notifications if wanted is None or each["reference"] in wanted]
        return self.say(200, {"notifications": found, "links": {"current": self.path}})


class GatewayServer(_Server):
    """A gateway for texts. `answers`: (status, headers) by number; `once`: it sends the same key only once."""

    def __init__(self, kept: Path, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Gateway)
        self.kept = Kept(kept)
        self.texts: list[dict[str, str]] = []
        self.keys: set[str] = set()
        self.answers: dict[str, tuple[int, dict[str, str]]] = {}
        self.token = "so it is us"
        self.hang_up_after_keeping = 0  # so many times


class _Gateway(_Answers):
    server: GatewayServer

    def do_POST(self) -> None:
        said = {name: values[0] for name, values in parse_qs(self.body().decode()).items()}
        server = self.server
        if self.headers.get("Authorization") != f"Bearer {server.token}":
            return self.say(401, {"problem": "who are you?"})
        if said["to"] in server.answers:
            status, headers = server.answers[said["to"]]
            return self.say(status, {"problem": "no"}, headers)
        if self.headers["Idempotency-Key"] not in server.keys:
            if server.kept.pause(BEFORE):
                return None
            server.keys.add(self.headers["Idempotency-Key"])
            server.texts.append(said)
            server.kept.keep(said["reference"])
            server.kept.pause(AFTER)
        if server.hang_up_after_keeping:
            server.hang_up_after_keeping -= 1
            self.connection.close()
            return None
        return self.say(202, {"id": f"text-{len(server.texts)}"})


@contextmanager
def running(server: socketserver.BaseServer) -> Iterator[Any]:
    """The server, answering until this is over."""
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


# As a process of its own, to be killed: python -m tests.hearback.far_sides mail|notify|gateway PORT FILE


def _refuses(number: int) -> bool:
    """Every seventh address is refused, so that the next way has its turn."""
    return number % 7 == 0


class _EverySeventhAddress(dict[str, str]):
    """ "person-14" is nobody any more."""

    def get(self, who: str, otherwise: Any = None) -> Any:
        found = re.fullmatch(r"only-(\d+)", who)
        return "550 no such user" if found and _refuses(int(found[1])) else otherwise


class _EverySeventhNumber(dict[str, tuple[int, dict[str, str]]]):
    def __contains__(self, number: object) -> bool:
        return _refuses(int(str(number)[-4:]))

    def __getitem__(self, number: str) -> tuple[int, dict[str, str]]:
        return 422, {}


def _alone(kind: str, port: int, file: Path) -> None:
    known = file.read_text().split() if file.exists() else []
    server: Any
    if kind == "mail":
        server = MailServer(file, port)
        server.answers, server.messages = _EverySeventhAddress(), None
    elif kind == "gateway":
        server = GatewayServer(file, port)
        server.answers = _EverySeventhNumber()
    else:
        server = NotifyServer(file, port)
        server.most_a_minute = 10**9
        server.notifications = [
            {"id": str(uuid.uuid4()), "reference": each, "type": "letter", "status": "received", "at": 0}
            for each in known
        ]
    server.kept.slow = 0.004
    server.serve_forever()


if __name__ == "__main__":
    _alone(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
