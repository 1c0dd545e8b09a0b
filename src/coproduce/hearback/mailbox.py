"""The mailbox where answers arrive, read over IMAP (RFC 3501) by a worker.

An email is taken in, then deleted there: what people wrote is kept in one place, where it can be taken back. After a
crash in between it is read again, and taking it twice takes it once. One that can't be read is flagged and stays, for
somebody to look at.
"""

from __future__ import annotations

import imaplib
import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

log = logging.getLogger(__name__)

TIMEOUT = 20  # seconds
LARGEST = 25_000_000  # bytes of one email that are read; the words come first, files after
AT_ONCE = 200


class Unreadable(Exception):
    """The mailbox can't be reached, or lets nobody in."""


def read(url: str, take: Callable[[bytes], object]) -> int:
    """Hand every email in the mailbox to `take`, and delete it there. Returns how many were taken.

    url: imap(s)://name:password@host:port/folder; imap without the s begins with STARTTLS where the host offers it.
    Raises Unreadable.
    """
    taken = 0
    with _open(url) as box:
        for number in _waiting(box):
            raw = _fetch(box, number)
            try:
                take(raw)
            except Exception as error:  # whatever it is about this one, the others are read
                log.error(
                    "An email can't be taken in (%s). It stays in the mailbox, flagged.", type(error).__name__
                )
                box.uid("STORE", number, "+FLAGS", r"(\Flagged)")
                continue
            box.uid("STORE", number, "+FLAGS", r"(\Deleted)")
            taken += 1
        if taken:
            box.expunge()
    return taken


@contextmanager
def _open(url: str) -> Iterator[imaplib.IMAP4]:
    where = urlsplit(url)
    safe = ssl.create_default_context()
    try:
        box: imaplib.IMAP4
        if where.scheme == "imaps":
            box = imaplib.IMAP4_SSL(
                where.hostname or "", where.port or 993, ssl_context=safe, timeout=TIMEOUT
            )
        else:
            box = imaplib.IMAP4(where.hostname or "", where.port or 143, timeout=TIMEOUT)
            if "STARTTLS" in box.capabilities:
                box.starttls(safe)
        box.login(unquote(where.username or ""), unquote(where.password or ""))
        said, _found = box.select(f'"{unquote(where.path.strip("/")) or "INBOX"}"')
        if said != "OK":
            raise Unreadable("there is no such folder in the mailbox")
    except (OSError, imaplib.IMAP4.error) as trouble:
        raise Unreadable(str(trouble)) from trouble
    try:
        yield box
    except (OSError, imaplib.IMAP4.error) as trouble:
        raise Unreadable(str(trouble)) from trouble
    finally:
        try:
            box.logout()
        except (OSError, imaplib.IMAP4.error):
            log.info("The mailbox was closed from the other side.")


def _waiting(box: imaplib.IMAP4) -> list[str]:
    said, found = box.uid("SEARCH", "UNDELETED", "UNFLAGGED")
    if said != "OK" or not found or not isinstance(found[0], bytes):
        return []
    return found[0].decode("ascii").split()[:AT_ONCE]


def _fetch(box: imaplib.IMAP4, number: str) -> bytes:
    _said, found = box.uid("FETCH", number, f"(BODY.PEEK[]<0.{LARGEST}>)")
    return next((part[1] for part in found or [] if isinstance(part, tuple)), b"")
