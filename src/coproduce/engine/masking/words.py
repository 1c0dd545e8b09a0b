"""A text → its words, and the lists of words that masking goes by, from `words.toml`."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from importlib.resources import files
from typing import NamedTuple

_LISTS: dict[str, str] = tomllib.loads(files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))


def listed(*names: str) -> frozenset[str]:
    """The words of one or more of the lists."""
    return frozenset(word for name in names for word in _LISTS[name].split())


NOT_NAMES = listed("not_names")
TITLES = listed("titles")
TWO_LETTERS = listed("two_letters")

_MARKS = "".join(sign for sign in map(chr, range(0x300, 0x1E00)) if unicodedata.category(sign)[0] == "M")
SPACES = re.compile(r"[^\S\n]{1,3}|[^\S\n]?\n[^\S\n]?")
_WORD = re.compile(rf"\w[\w{_MARKS}]*(?:['’ʼ`]\w[\w{_MARKS}]*)*")
_ENDING = re.compile(r"['’ʼ`](?:s|S|ll|d|ve|re|m)$")
_SENTENCE = re.compile(r"[.!?…:;\n\"“”«»•*>]|(?:^|\s)['‘]")
_STROKES = str.maketrans("łŁøØđĐıʼ’`", "lLoOdDi'''")


class Word(NamedTuple):
    """A word without its "'s".

    key: in small letters without accents. gap: what stands between it and the word before. capital: whether
    it begins with one; shouted: whether it is all capitals. first: whether a sentence begins here. owns:
    whether an "'s" or the like was taken off.
    """

    begins: int
    ends: int
    key: str
    gap: str
    capital: bool
    shouted: bool
    first: bool
    owns: bool


def fold(word: str) -> str:
    """A word in small letters without accents, however its apostrophe is written."""
    if not word.isascii():
        parts = unicodedata.normalize("NFKD", word.translate(_STROKES))
        word = "".join(sign for sign in parts if not "\u0300" <= sign <= "\u036f")
    return word.casefold().replace("`", "'")


def words_in(text: str) -> list[Word]:
    """Every word of a text, in order."""
    words: list[Word] = []
    last = 0
    for match in _WORD.finditer(text):
        begins, ends = match.span()
        said = match[0]
        ending = _ENDING.search(said)
        core = said[: ending.start()] if ending else said
        gap = text[last:begins]
        initial = gap in (". ", ".") and words and len(words[-1].key) == 1
        first = not words or (bool(_SENTENCE.search(gap)) and not initial and not _after_title(words, gap))
        words.append(
            Word(
                begins,
                begins + len(core),
                fold(core),
                gap,
                core[:1].isupper(),
                len(core) > 1 and core.isupper(),
                first,
                ending is not None,
            )
        )
        last = ends
    return words


def _after_title(words: list[Word], gap: str) -> bool:
    return gap in (". ", ".") and words[-1].key in TITLES


def joins(words: list[Word], at: int) -> bool:
    """Whether a word belongs with the one before it: between them a space, a hyphen, an initial's dot."""
    gap = words[at].gap
    if words[at - 1].owns:
        return False
    return (
        bool(SPACES.fullmatch(gap))
        or gap in ("-", "‐", "‑")
        or (gap in (". ", ".") and (len(words[at - 1].key) == 1 or words[at - 1].key in TITLES))
    )
