"""An email as it came → who wrote, what they answer, and their own words without ours beneath.

Nothing here knows a database or a mailbox. What is a machine's reply is told by RFC 3834, what did not arrive by RFC
3464 (a delivery status notification).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import getaddresses, parseaddr, parsedate_to_datetime
from html.parser import HTMLParser

LONGEST = 200_000
"""Characters of a text that are read. Nobody writes more by hand."""
MOST_ENCLOSED = 10
"""Files of one email that are read."""


@dataclass(frozen=True, slots=True)
class Bounce:
    """That messages did not arrive.

    answers: the Message-IDs of what came back, without angle brackets; may be empty.
    failed: for good; False where the far side still tries.
    reason: what it said, in a line.
    """

    answers: list[str]
    failed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A file that came with an email. kind: what its first bytes show that it is (see `kind_of`), or ""."""

    name: str
    kind: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """One email.

    sender: the address it is from, in lower case, or "".
    to: every address it was sent or delivered to, in lower case.
    number: its Message-ID without angle brackets, or "".
    answers: the Message-IDs that it answers, the nearest first.
    text: all of its text. words: of that, what its sender wrote now (see `own_words`).
    automatic: whether a machine answered, such as a holiday notice, or a list sent it.
    bounce: where it says that something did not arrive; else None.
    enclosed: the files that came with it, without signatures that machines make; MOST_ENCLOSED at most.
    """

    sender: str
    to: list[str]
    subject: str
    number: str
    answers: list[str]
    at: dt.datetime | None
    text: str
    words: str
    automatic: bool
    bounce: Bounce | None
    enclosed: list[Enclosed]


def read_email(raw: bytes) -> Received:
    """Read one email (RFC 5322). Takes any bytes; raises ValueError where they hold neither a header nor a body."""
    if not raw.strip():
        raise ValueError("there is no email here: it is empty")
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)  # the policy makes it one
    text = _text_of(message)[:LONGEST]
    answers = [
        *_numbers(_header(message, "In-Reply-To")),
        *reversed(_numbers(_header(message, "References"))),
    ]
    return Received(
        sender=parseaddr(_header(message, "From"))[1].lower(),
        to=_recipients(message),
        subject=_header(message, "Subject"),
        number=next(iter(_numbers(_header(message, "Message-ID"))), ""),
        answers=list(dict.fromkeys(answers)),
        at=_date(_header(message, "Date")),
        text=text,
        words=own_words(text),
        automatic=_is_automatic(message),
        bounce=_bounce(message, text),
        enclosed=[_enclosed(part) for part in _files(message)][:MOST_ENCLOSED],
    )


def _header(message: Message, name: str) -> str:
    """A header as one line, whatever is wrong with it."""
    try:
        value = message.get(name)
    except (ValueError, IndexError, AttributeError, TypeError):  # what the parser itself trips over
        value = next((raw for known, raw in message.raw_items() if known.lower() == name.lower()), "")
    return " ".join(str(value or "").replace("\x00", " ").split())


def _numbers(header: str) -> list[str]:
    return list(re.findall(r"<([^<>\s]{1,250})>", header))


def _recipients(message: EmailMessage) -> list[str]:
    lines = [_header(message, name) for name in ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")]
    return list(
        dict.fromkeys(address.lower() for _name, address in getaddresses(filter(None, lines)) if address)
    )


def _date(header: str) -> dt.datetime | None:
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        at = parsedate_to_datetime(header)
        return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
    return None


def _parts(message: Message) -> Iterator[Message]:
    for part in message.walk():
        if not part.is_multipart() and part.get_content_disposition() != "attachment":
            yield part


def _files(message: Message) -> Iterator[Message]:
    for part in message.walk():
        kind = part.get_content_type()
        shown = part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment"
        if not (part.is_multipart() or shown or kind.startswith("message/") or kind in _MADE_BY_MACHINES):
            yield part


_MADE_BY_MACHINES = frozenset(
    {"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"}
)


def _enclosed(part: Message) -> Enclosed:
    content = part.get_payload(decode=True)
    content = content if isinstance(content, bytes) else b""
    try:
        name = part.get_filename() or ""
    except (ValueError, IndexError, LookupError, TypeError):  # what the parser itself trips over
        name = ""
    return Enclosed(_harmless(name), kind_of(content), content)


def _harmless(name: str) -> str:
    """The last part of a file's name, with nothing in it that a screen or a folder could mistake."""
    last = re.split(r"[/\\]", name)[-1]
    return " ".join("".join(mark if mark.isprintable() else " " for mark in last).split())[:100]


_BEGIN = [
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"#!AMR", "audio/amr"),
]
_INSIDE = {b"RIFF": {b"WEBP": "image/webp", b"WAVE": "audio/wav"}}
_BRANDS = {
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heic",
    b"avif": "image/avif",
    b"M4A ": "audio/mp4",
    b"3gp4": "audio/3gpp",
    b"3gp5": "audio/3gpp",
}


def kind_of(content: bytes) -> str:
    """What a file is by its first bytes, whatever it calls itself: a picture, a sound or a PDF, as its media type.

    "" for anything else. Signatures as the WHATWG's MIME sniffing standard has them (section 6), and the brands of
    ISO 14496-12 (`ftyp`) for what phones make.
    """
    if content[4:8] == b"ftyp":
        return _BRANDS.get(content[8:12], "")
    if inside := _INSIDE.get(content[:4]):
        return inside.get(content[8:12], "")
    return next((kind for begins, kind in _BEGIN if content.startswith(begins)), "")


def _text_of(message: EmailMessage) -> str:
    """Its plain text; where there is none, its HTML as text."""
    plain = [_content(part) for part in _parts(message) if part.get_content_type() == "text/plain"]
    if any(text.strip() for text in plain):
        return "\n".join(plain)
    html = [_content(part) for part in _parts(message) if part.get_content_type() == "text/html"]
    return "\n".join(as_text(each) for each in html)


def _content(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    for charset in (part.get_content_charset() or "utf-8", "utf-8", "windows-1252"):
        with contextlib.suppress(LookupError, UnicodeDecodeError, ValueError):
            return _tidy(payload.decode(charset))
    return _tidy(payload.decode("utf-8", "replace"))


def _tidy(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").replace("\u00a0", " ")


class _AsText(HTMLParser):
    BREAKS = frozenset({"br", "p", "div", "li", "tr", "h1", "h2", "h3", "hr"})
    HIDDEN = frozenset({"style", "script", "head", "title"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.hidden = 0
        self.quoted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.HIDDEN:
            self.hidden += 1
        if tag == "blockquote":
            self.quoted += 1
        if tag in self.BREAKS or tag == "blockquote":
            self._new_line()

    def handle_endtag(self, tag: str) -> None:
        if tag in self.HIDDEN:
            self.hidden = max(0, self.hidden - 1)
        if tag in self.BREAKS - {"br", "hr"} or tag == "blockquote":
            self._new_line()
        if tag == "blockquote":
            self.quoted = max(0, self.quoted - 1)

    def handle_data(self, data: str) -> None:
        if self.hidden:
            return
        words = re.sub(r"\s+", " ", data)
        if words.strip():
            if self.quoted and (not self.pieces or self.pieces[-1].endswith("\n")):
                self.pieces.append("> ")
            self.pieces.append(words)

    def _new_line(self) -> None:
        if self.pieces and not self.pieces[-1].endswith("\n"):
            self.pieces.append("\n")


def as_text(html: str) -> str:
    """HTML as plain text, line by line; what it quotes begins with "> ". Takes anything, raises nothing."""
    parser = _AsText()
    parser.feed(html[:LONGEST])
    parser.close()
    return "".join(parser.pieces).strip()


# What they wrote now

_BY = r"(?:wrote|writes|ysgrifennodd(?: [^\n:]{1,60})?)"
_QUOTE_BEGINS = [
    # "On 3 May 2026, at 10:02, Eastmoor <e@example.org> wrote:", which may run over three lines
    re.compile(
        rf"^>?\s*(?:On|Ar)\b(?=[^\n]*\d)(?:[^\n]*\n){{0,2}}[^\n]*{_BY}\s*:\s*$", re.MULTILINE | re.IGNORECASE
    ),
    re.compile(
        rf"^[^\n]{{0,200}}<[^<>\s@]+@[^<>\s]+>[^\n]{{0,80}}{_BY}\s*:\s*$", re.MULTILINE | re.IGNORECASE
    ),
    re.compile(r"^\s*-{2,}\s*(?:Original|Forwarded) [Mm]essage\s*-{2,}\s*$", re.MULTILINE | re.IGNORECASE),
    # Outlook: a block of header lines
    re.compile(r"^\s*\*?From:\*?\s[^\n]+\n(?:[^\n]*\n){0,2}?\s*\*?(?:Sent|Date):\*?\s[^\n]+$", re.MULTILINE),
    re.compile(r"^\s*_{20,}\s*$", re.MULTILINE),
]
_SIGNATURE = re.compile(
    r"^(?:-- ?|—|Sent from (?:my|Outlook|Mail|Yahoo|the)\b[^\n]*|Get Outlook for[^\n]*|Sent via[^\n]{0,40})$",
    re.MULTILINE,
)


def own_words(text: str) -> str:
    """What somebody wrote now: their text without the message they answer quoted in it, and without a signature.

    text: of any length; takes time in proportion to it. Every line that is left stands in the text, in its order.
    Where nothing would be left, the whole is: better too much than somebody's words lost.
    """
    text = _tidy(text)[:LONGEST]
    end = min(
        (found.start() for begins in _QUOTE_BEGINS if (found := begins.search(text))), default=len(text)
    )
    lines = [line.rstrip() for line in text[:end].split("\n") if not line.lstrip().startswith(">")]
    kept = "\n".join(lines)
    if signature := _SIGNATURE.search(kept):
        kept = kept[: signature.start()]
    return kept.strip() or text.strip()


_YES = frozenset({"yes", "y", "yes thanks", "yes thank you", "yep", "yeah", "ie", "do", "ydy"})
_NO = frozenset({"no", "n", "nope", "not really", "no thanks", "na", "nac ydy"})


def yes_or_no(words: str) -> bool | None:
    """Whether somebody said yes (True) or no (False) and nothing else; None for anything more."""
    said = " ".join(re.sub(r"[^\w\s]", " ", words.casefold()).split())
    return True if said in _YES else False if said in _NO else None


_STOP = frozenset(
    {"stop", "stop all", "stopall", "stop it", "please stop", "stop please", "unsubscribe", "no more texts"}
    | {
        "stop texts",
        "stop texting",
        "stop texting me",
        "stop these texts",
        "stop emails",
        "stop these emails",
    }
    | {"stopio", "dim mwy"}
)


def wants_it_to_stop(words: str) -> bool:
    """Whether somebody said that no more shall come this way, and nothing else."""
    return " ".join(re.sub(r"[^\w\s]", " ", words.casefold()).split()) in _STOP


# What machines say


def _is_automatic(message: EmailMessage) -> bool:
    """RFC 3834: what says so itself; what is from nobody; and lists (RFC 2919), which nobody answers."""
    if _header(message, "Auto-Submitted").split(";")[0].strip().lower() not in ("", "no"):
        return True
    if _header(message, "Return-Path").strip() == "<>" or _header(message, "List-Id"):
        return True
    if any(_header(message, name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress")):
        return _header(message, "X-Auto-Response-Suppress") == "" or bool(_header(message, "X-Autoreply"))
    return _header(message, "Precedence").lower() in ("bulk", "junk", "auto_reply")


def _bounce(message: EmailMessage, text: str) -> Bounce | None:
    report = message.get_content_type() == "multipart/report"
    if report and str(message.get_param("report-type", "")).lower() == "delivery-status":
        actions: list[str] = []
        reasons: list[str] = []
        answers: list[str] = []
        for part in message.walk():
            kind = part.get_content_type()
            if kind == "message/delivery-status" and isinstance(part.get_payload(), list):
                for fields in part.get_payload():  # one block about the message, then one for each recipient
                    assert isinstance(fields, Message)
                    actions.append(_header(fields, "Action").lower())
                    reasons.append(_header(fields, "Diagnostic-Code") or _header(fields, "Status"))
            elif kind in ("message/rfc822", "message/rfc822-headers", "text/rfc822-headers"):
                answers += _returned(part)
        reason = next(filter(None, reasons), "")
        return Bounce(list(dict.fromkeys(answers)), "failed" in actions, reason[:300])
    if _header(message, "X-Failed-Recipients"):  # as Exim says it
        answers = _numbers(_header(message, "In-Reply-To") + _header(message, "References"))
        answers += re.findall(r"^Message-I[dD]: <([^<>\s]{1,250})>", text, re.MULTILINE)
        return Bounce(list(dict.fromkeys(answers)), True, "")
    return None


def _returned(part: Message) -> list[str]:
    """The Message-IDs of a message that came back, or of its headers alone."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return [
            number
            for each in payload
            if isinstance(each, Message)
            for number in _numbers(_header(each, "Message-ID"))
        ]
    decoded = part.get_payload(decode=True)
    text = decoded.decode("utf-8", "replace") if isinstance(decoded, bytes) else ""
    return re.findall(r"^Message-ID:\s*<([^<>\s]{1,250})>", text, re.MULTILINE | re.IGNORECASE)
