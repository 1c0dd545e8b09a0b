"""Telling people from machines without a puzzle: the browser does a small sum while somebody writes (ALTCHA).

A person notices nothing. Who sends a thousand forms does a thousand sums. A sum counts once, and not for long.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from typing import Any

from altcha import Payload, create_challenge, verify_solution
from django.utils.crypto import salted_hmac

from coproduce.people import limits

METHOD = "PBKDF2/SHA-256"
COST = 5000  # rounds for one try
TRIES = (100, 250)  # it takes some tries in this range: a second or so, a few on an old phone
GOOD_FOR = 30 * 60  # seconds


def _secret(what: str) -> str:
    return salted_hmac("coproduce.sums", what, algorithm="sha256").hexdigest()


def new() -> dict[str, Any]:
    """A sum to do, signed, as the browser's part of ALTCHA wants it."""
    low, high = TRIES
    challenge = create_challenge(
        METHOD,
        COST,
        counter=low + secrets.randbelow(high - low),
        expires_at=int(time.time()) + GOOD_FOR,
        hmac_secret=_secret("challenge"),
        hmac_key_secret=_secret("answer"),
    )
    made: dict[str, Any] = challenge.to_dict()
    return made


def is_done(answer: str) -> bool:
    """Whether this is one of our sums, done, still good, and never handed in before."""
    try:
        said = json.loads(base64.b64decode(answer, validate=True))
        payload = Payload.from_dict(said) if isinstance(said, dict) else None
        done = (
            payload is not None
            and verify_solution(payload, _secret("challenge"), hmac_key_secret=_secret("answer")).verified
        )
    except Exception:  # whatever a stranger sends, a strange answer is a wrong one
        return False
    if not (payload and done):
        return False
    expires_at = payload.challenge.parameters.expires_at
    if not isinstance(expires_at, int) or expires_at < time.time():
        return False
    # By the challenge, not by how it was written down: the same sum in other clothes is the same sum.
    return limits.once("sum", payload.challenge.parameters.nonce, GOOD_FOR * 2)
