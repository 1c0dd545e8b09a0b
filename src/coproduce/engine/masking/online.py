"""Emails, written or spelled with "at" and "dot", and web addresses."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from coproduce.engine.masking.candidate import BLANK, Candidate
from coproduce.engine.masking.runs import DIGITS
from coproduce.engine.masking.words import NOT_NAMES, Word, fold, listed

_NOT_BEFORE_AT = listed("not_before_at")

_ENDS = r"(?:com|org|net|uk|gov|info|io|co|biz|eu|ie|scot|wales|cymru|london|app|dev|edu|example|test)"
_PROVIDERS = r"(?:gmail|googlemail|hotmail|outlook|yahoo|icloud|aol|protonmail|btinternet|live)"
_LABEL = r"[^\W_](?:-?[^\W_]){0,40}"
_DOT = r"(?:\s{1,3}dot\s{1,3}|\.)"
_DOMAIN = rf"(?:{_LABEL}{_DOT}){{1,4}}{_ENDS}(?![\w-])"
_EMAIL = re.compile(
    r"(?<![\w.+'’-])[\w.+'’-]{1,64}"
    r"(?:@[\w-]{1,63}(?:\.[\w-]{1,63}){0,5}|\s@\s?[\w-]{1,63}(?:\s?\.\s?[\w-]{1,63}){1,5})"
)
_HANDLE = re.compile(r"(?<![\w@.])@\w[\w.]{1,30}\w")
_SAID_EMAIL = re.compile(
    r"(?i)(?<![\w'’.-])"
    r"([^\W_]{1,40}(?:(?:\s{1,3}(?:dot|underscore|dash|hyphen)\s{1,3}|[._-])[^\W_]{1,40}){0,5})"
    rf"\s{{1,3}}at(?:\s{{1,3}}sign)?\s{{1,3}}(?:{_DOMAIN}|{_PROVIDERS}\b)"
)
_WEB = re.compile(
    rf"(?i)(?<![\w@.-])(?:https?://[^\s{BLANK}]{{1,2000}}"
    rf"|(?:www{_DOT}|w\s?w\s?w{_DOT}){_LABEL}(?:{_DOT}{_LABEL}){{0,5}}(?:/[^\s{BLANK}]{{0,2000}})?"
    rf"|{_DOMAIN}(?:/[^\s{BLANK}]{{0,2000}}|(?:\s(?:forward\s)?slash\s[\w-]{{1,40}}){{1,5}})?)"
)
_EMAIL_CUE = frozenset({"email", "mail", "address"})
_EMAIL_BEGINS = frozenset({"is", "it", "address", "email", "on", "to", "at", "me", "be", "s", "that"})


def find_online(text: str, words: list[Word]) -> Iterator[Candidate]:
    """Emails, web addresses and "@" names."""
    starts = [word.begins for word in words]
    for match in _EMAIL.finditer(text):
        begins, ends = match.span()
        inside = match[0]
        ends -= len(inside) - len(inside.rstrip("-_.'’"))
        begins += len(inside) - len(inside.lstrip("-.'’+"))
        yield Candidate(begins, ends, "email")
    for match in _HANDLE.finditer(text):
        yield Candidate(*match.span(), "web address")
    for match in _SAID_EMAIL.finditer(text):
        at = bisect_left(starts, match.start())
        if fold(match[1]) in _NOT_BEFORE_AT:
            continue
        yield Candidate(words[_email_begins(words, at)].begins, match.end(), "email")
    for match in _WEB.finditer(text):
        begins, ends = match.span()
        first = fold(match[0][:20]).split()[0]
        if " dot " in match[0] and (first in NOT_NAMES or first in _NOT_BEFORE_AT):
            continue
        ends -= len(match[0]) - len(match[0].rstrip(".,;:!?)]}'\"”’*>"))
        yield Candidate(begins, ends, "web address")


def _email_begins(words: list[Word], at: int) -> int:
    """The word with which a spelled email begins whose last word before "at" or "dot" is given."""
    for back in range(at, max(at - 7, 0), -1):
        if words[back - 1].key in _EMAIL_BEGINS or not words[back].gap.isspace():
            if any(word.key in _EMAIL_CUE for word in words[max(back - 6, 0) : back]):
                return back
            break
    while (
        at
        and words[at].gap.isspace()
        and (
            (len(words[at - 1].key) == 1 and words[at - 1].key not in "ai")
            or words[at - 1].key in DIGITS
            or words[at - 1].key in ("dot", "underscore")
            or words[at - 1].key.isdigit()
        )
    ):
        at -= 1
    return at
