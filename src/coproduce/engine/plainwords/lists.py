"""The lists of words that plain words are told by, from `words.toml`."""

from __future__ import annotations

import tomllib
from importlib.resources import files

_LISTS: dict[str, str] = tomllib.loads(files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))


def listed(*names: str) -> frozenset[str]:
    """The words of one or more of the lists."""
    return frozenset(word for name in names for word in _LISTS[name].split())


def listed_lines(name: str) -> list[str]:
    """The lines of a list, each a piece of jargon in several words."""
    return _LISTS[name].strip().splitlines()
