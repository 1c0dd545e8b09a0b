"""The words of a text, as themes go by them: what is key in it, where it stands, what a theme is called.

Fillers ("um", "you know") and the words that everybody uses all the time are passed over. Nothing here
changes a text.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_FILLER = re.compile(
    r"(?i)(?<![\w'’-])(?:u[hm]+(?:[ -]huh)?|e+r+m*|h+m+|m+h?m+|huh|oh|ah|you know|i mean|sort of|kind of|i guess"
    r"|i suppose|if you like|at the end of the day)(?![\w'’-])[,.…]?"
)
_AGAIN = re.compile(r"(?i)\b(\w+(?:['’]\w+)?(?:\s+\w+(?:['’]\w+)?){0,2})(?:[,\s]+\1\b)+")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+(?:[.,:]\d+)*%?")
_STOP = re.compile(r"[.!?;:…()\"“”]")

_LISTS: dict[str, str] = tomllib.loads(files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))
_PALE, _EMPTY = frozenset(_LISTS["pale"].split()), frozenset(_LISTS["empty"].split())
_UNEVEN = {"buses": "bus"}  # plurals that the stemmer does not bring home

COMMON = 6.0
"""Words above this Zipf frequency (the logarithm of how often in 10⁹ words) say nothing by themselves."""

RARE = 3.5
"""Words below this Zipf frequency count in full; in between, in part."""

SHOWN_TERMS = 3
"""A label names this many of a theme's terms."""

KEPT_TERMS = 12
"""A theme has at most this many terms."""


class Word(NamedTuple):
    """A word that may say something: `text[begins:ends]`, and what its forms have in common.

    pale: it says nothing alone, but something after another ("trusted person").
    """

    stem: str
    begins: int
    ends: int
    pale: bool = False


def heard(text: str) -> str:
    """The text as it is computed with: without fillers, and without words said twice in a row."""
    without = " ".join(_FILLER.sub(" ", text).split())
    return _AGAIN.sub(r"\1", without).strip(" ,") or text.strip()


def words(text: str) -> list[Word]:
    """The words that may say something, in order; fillers and words of every day are left out."""
    return [word for run in _runs(text) for word in run if not word.pale]


def terms(text: str) -> list[tuple[str, int, int]]:
    """The words, and the pairs of words that stand side by side, each with its place: stem(s), begins, ends."""
    found: list[tuple[str, int, int]] = []
    for run in _runs(text):
        found += [(word.stem, word.begins, word.ends) for word in run if not word.pale]
        found += [
            (f"{one.stem} {two.stem}", one.begins, two.ends)
            for one, two in pairwise(run)
            if not one.pale and one.stem != two.stem and not text[one.ends : two.begins].strip()
        ]
    return found


def _runs(text: str) -> Iterable[list[Word]]:
    """The words of each stretch that nothing ends: a full stop, a filler, a bracket."""
    fillers = [found.span() for found in _FILLER.finditer(text)]
    skip = iter([*fillers, (len(text), len(text))])
    begins, ends = next(skip)
    run: list[Word] = []
    last = 0
    for found in _WORD.finditer(text):
        at, to = found.span()
        while ends <= at and begins < len(text):
            begins, ends = next(skip)
            if run:
                yield run
                run = []
        if begins <= at < ends:
            continue
        if run and _STOP.search(text, last, at):
            yield run
            run = []
        last = to
        word = found[0].replace("’", "'").casefold()
        word = word.removesuffix("'s")
        if len(word) > 2 and (word in _PALE or weight(word) > 0):
            run.append(Word(stem(word), at, to, word in _PALE))
    if run:
        yield run


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """What the forms of a word have in common ("housing", "house" → "hous"): Porter 2, by snowballstemmer."""
    return str(_stemmer().stemWord(_UNEVEN.get(word, word).replace("-", "")))


@cache
def _stemmer() -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer("english")


@lru_cache(maxsize=200_000)
def zipf(word: str) -> float:
    """How common a word is in English at large, 0 (unheard of) to about 7.7 ("the"), by wordfreq."""
    import wordfreq

    return float(wordfreq.zipf_frequency(word, "en", wordlist="small"))


@lru_cache(maxsize=200_000)
def weight(word: str) -> float:
    """How much a word says by being said at all, 0 to 1: the rarer in English at large, the more."""
    if not word[0].isalpha() or "'" in word or word in _EMPTY or word in _PALE:
        return 0.0
    common = max(zipf(word), zipf(word.replace("-", "")))
    return min(max((COMMON - common) / (COMMON - RARE), 0.0), 1.0)


@dataclass(frozen=True)
class Said:
    """Which terms stand in which texts.

    counts: csr float32[texts, terms], 1 where a term stands in a text. names: the terms as people mostly write
    them. stems: the same as they are counted. weights: float[terms], how much each says by itself.
    """

    counts: csr_matrix
    names: list[str]
    stems: list[str]
    weights: np.ndarray


def said(texts: Sequence[str], behind: np.ndarray) -> Said:
    """Count the terms that were said at least twice. behind: int[n], how often each text was said."""
    from scipy.sparse import csr_matrix

    columns: dict[str, int] = {}
    forms: dict[str, Counter[str]] = {}
    rows_at, cells = [0], []
    for text in texts:
        here = set()
        for term, begins, ends in terms(text):
            column = columns.setdefault(term, len(columns))
            here.add(column)
            form = " ".join(text[begins:ends].replace("’", "'").split()).removesuffix("'s")
            forms.setdefault(term, Counter())[form] += 1
        cells += sorted(here)
        rows_at.append(len(cells))
    shape = (len(texts), len(columns))
    counts = csr_matrix((np.ones(len(cells), np.float32), np.array(cells, int), np.array(rows_at)), shape)
    kept = np.flatnonzero(counts.T @ behind >= 2)
    stems = list(columns)
    # The order of the columns must not depend on which text came first.
    kept = np.array(sorted(kept, key=lambda at: stems[at]), dtype=int)
    names = [_written(forms[stems[at]]) for at in kept]
    weights = np.array([_pair_weight(name) for name in names])
    return Said(counts[:, kept].tocsr(), names, [stems[at] for at in kept], weights)


def _written(forms: Counter[str]) -> str:
    """How a term is mostly written: in small letters, unless that never happens."""
    most = max(forms.values())
    best = min((form for form in forms if forms[form] == most), key=lambda form: (form, len(form)))
    small = best.lower()
    return small if forms.get(small) or sum(forms.values()) < 3 else best


def _pair_weight(name: str) -> float:
    parts = [weight(part.casefold()) or 0.1 for part in name.split()]
    return float(np.sqrt(np.prod(parts)) if len(parts) > 1 else parts[0])


def key_terms(said: Said, groups: csr_matrix, most: int = KEPT_TERMS) -> list[list[int]]:
    """For each group of texts its terms, the best first, as columns of `said`.

    groups: csr[k, texts], how strongly a text is in a group, 0 to 1.

    A term is key where it stands in many of a group's texts and in few others: the share of the group's texts
    times the logarithm of how much larger that share is than elsewhere, times what the term says by being
    rare in English at large. (A weighing of c-TF-IDF, Grootendorst 2022, arXiv:2203.05794, by the log ratio of
    keyness, Hardie 2014.) A word that mostly stands in one pair gives way to the pair.
    """
    sizes = np.asarray(groups.sum(axis=1)).ravel()
    everywhere = np.asarray(said.counts.sum(axis=0)).ravel()
    texts = said.counts.shape[0]
    found = (groups @ said.counts).tocsr()
    answer: list[list[int]] = []
    for at, size in enumerate(sizes):
        columns = found.indices[found.indptr[at] : found.indptr[at + 1]]
        inside = found.data[found.indptr[at] : found.indptr[at + 1]].astype(float)
        outside = np.maximum(everywhere[columns] - inside, 0)
        share = inside / max(size, 1e-9)
        ratio = np.log((inside + 0.5) / (size + 1)) - np.log((outside + 0.5) / (max(texts - size, 0) + 1))
        score = np.sqrt(share) * np.maximum(ratio, 0) * said.weights[columns]
        score[inside < min(2, size)] = 0
        ranked = sorted(np.flatnonzero(score > 0), key=lambda one: (-score[one], said.stems[columns[one]]))
        answer.append(
            _without_parts(said, [(int(columns[one]), inside[one]) for one in ranked[: 4 * most]])[:most]
        )
    return answer


def _without_parts(said: Said, ranked: list[tuple[int, float]]) -> list[int]:
    """The terms without words that mostly stand in a pair which is there too, and without half-echoes."""
    inside = {said.stems[column]: count for column, count in ranked}
    pairs = [stem for stem in inside if " " in stem]
    given_way = set()
    for pair in pairs:
        one, two = pair.split(" ", 1)
        for part in (one, two):
            if part in inside and inside[pair] >= 0.6 * inside[part]:
                given_way.add(part)
        if not {one, two} & given_way and (one in inside or two in inside):
            given_way.add(pair)
    kept: list[int] = []
    parts: set[str] = set()
    for column, _count in ranked:
        stem_ = said.stems[column]
        mine = set(stem_.split(" "))
        if stem_ in given_way or (" " in stem_ and mine & parts):
            continue
        kept.append(column)
        parts |= mine
    return kept


def label(names: Sequence[str]) -> str:
    """What a theme is called until people name it: its own first terms."""
    return ", ".join(names[:SHOWN_TERMS])
