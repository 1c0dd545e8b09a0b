"""From many voices to themes: quotes → groups that are about the same, in people's own words.

`find_themes` proposes, `propose` puts new voices beside what people confirmed, `nearest` looks by meaning,
`chapters` cuts a long story where the talk turns, `why` shows the words that made the machine think so.
Nothing here writes a word of a quote, decides anything, or leaves this machine. The same texts give the same
themes, in whatever order they come.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coproduce.engine.themes.chapters import chapters
from coproduce.engine.themes.meaning import (
    LSA,
    Embedder,
    NoModel,
    Progress,
    default_embedder,
    nearest,
)
from coproduce.engine.themes.proposing import Proposal, propose
from coproduce.engine.themes.statements import statements
from coproduce.engine.themes.words import stem, terms

__all__ = [
    "LSA",
    "Embedder",
    "NoModel",
    "Proposal",
    "Theme",
    "Themes",
    "chapters",
    "default_embedder",
    "find_themes",
    "nearest",
    "propose",
    "statements",
    "why",
]

BELONGS = 0.15
"""A text is in the theme that most of its neighbours are in, if they weigh at least this share of them all."""

ALSO = 0.35
"""A text is in another theme too, if at least this share of its neighbours are."""

ONE_STORY = 300
"""A single story of up to this many texts is grouped by its terms."""

FEWEST = 3
"""A theme found among many has at least this many texts behind it."""


@dataclass(frozen=True)
class Theme:
    """What some texts are about, as the machine proposes it.

    label: its first key terms, joined. terms: its key terms as people wrote them, the most telling first.
    members: int[m], the texts in it, the strongest first. strengths: float[m], 0 to 1, how strongly each is.
    quotes: three to five members that stand for it and differ from one another; fewer only where it has fewer.
    sureness: 0 to 1, how much of it remains when a tenth of the texts is left out.
    """

    label: str
    terms: tuple[str, ...]
    members: np.ndarray
    strengths: np.ndarray
    quotes: tuple[int, ...]
    sureness: float


@dataclass(frozen=True)
class Themes:
    """What was found in some texts. Every number of a text is its place in them, from 0.

    themes: the largest first. none_yet: int[k], the texts in no theme, in order, to be looked through.
    set_aside: int[s], lines of whoever asked the questions, in no theme and not in `none_yet`. way: "terms",
    "ward", "graph" or "micro-clusters". meaning: the name of the embedder, or "LSA".
    """

    themes: tuple[Theme, ...]
    none_yet: np.ndarray
    set_aside: np.ndarray
    way: str
    meaning: str

    def to_json(self) -> str:
        """The same as JSON: objects with the names above, arrays as lists."""
        return json.dumps(
            {
                "way": self.way,
                "meaning": self.meaning,
                "none_yet": self.none_yet.tolist(),
                "set_aside": self.set_aside.tolist(),
                "themes": [
                    {
                        "label": theme.label,
                        "terms": list(theme.terms),
                        "members": theme.members.tolist(),
                        "strengths": [round(float(strength), 4) for strength in theme.strengths],
                        "quotes": list(theme.quotes),
                        "sureness": round(theme.sureness, 4),
                    }
                    for theme in self.themes
                ],
            },
            ensure_ascii=False,
        )


def find_themes(
    texts: Sequence[str],
    *,
    sources: Sequence[Hashable] | None = None,
    speakers_asked: Sequence[bool] | None = None,
    embedder: Embedder | None = None,
    vectors: np.ndarray | None = None,
    progress: Progress | None = None,
    dask: Any = None,
) -> Themes:
    """Propose themes.

    texts: quotes or statements, best at most about 80 words each (`statements` cuts longer ones); those of
        one story in the order in which they were said, where that is known.
    sources: the story that each text is from. Lines that come again story after story are set aside as an
        interviewer's; texts that are all from one story are grouped by their terms.
    speakers_asked: whether each text was said by whoever asked the questions; those are set aside.
    embedder: what vectors are made with; `default_embedder()` where it is left out.
    vectors: float32[n, d], unit vectors of the texts, where they are kept already.
    progress: told what is being done ("reading", "comparing", "grouping", "checking", "naming") and how far.
    dask: a `distributed.Client`, whose workers share the work above `grouping.MANY` texts.

    Raises ValueError where sources, speakers_asked or vectors are not as many as the texts.
    """
    from coproduce.engine.themes import finding

    for name, given in (("sources", sources), ("speakers_asked", speakers_asked), ("vectors", vectors)):
        if given is not None and len(given) != len(texts):
            raise ValueError(
                f"There are {len(texts)} texts but {len(given)} {name}. Give one for each text, in the same order."
            )
    return finding.find(texts, sources, speakers_asked, embedder, vectors, progress, dask)


def why(text: str, theme: Theme | Sequence[str]) -> list[tuple[int, int]]:
    """The spans of the text, in characters, of the words that made the machine think so.

    theme: the theme, or its terms. In order, none overlapping; empty where only the meaning as a whole did.
    """
    named = theme.terms if isinstance(theme, Theme) else theme
    sought = {" ".join(stem(part.casefold()) for part in name.split()) for name in named}
    spans: list[tuple[int, int]] = []
    for found, begins, ends in sorted(terms(text), key=lambda each: (each[1], -each[2])):
        if found in sought and (not spans or begins >= spans[-1][1]):
            spans.append((begins, ends))
    return spans
