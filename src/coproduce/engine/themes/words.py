"""The words of a text, as themes go by them: what is key in it, where it stands, what a theme is called.

Fillers ("um", "you know") and the words that everybody uses all the time are passed over. Nothing here
changes a text.
"""

from __future__ import annotations

import re
import tomllib
from array import array
from collections import Counter, defaultdict
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
_SAID = re.compile(
    rf"(?P<filler>(?i:{_FILLER.pattern.removeprefix('(?i)')}))|(?P<word>{_WORD.pattern})|(?P<stop>[.!?;:…()\"“”])"
)

_LISTS: dict[str, str] = tomllib.loads(files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))
_PALE, _EMPTY, _TELLING = (frozenset(_LISTS[name].split()) for name in ("pale", "empty", "telling"))
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


def says_something(text: str) -> bool:
    """Whether there is any word in it that may say something, fillers and words of every day left out."""
    return any(
        found.lastgroup == "word" and (form := _form(found[0])) is not None and not form[1]
        for found in _SAID.finditer(text)
    )


def words(text: str) -> list[Word]:
    """The words that may say something, in order; fillers and words of every day are left out."""
    return [word for run in _runs(text) for word in run if not word.pale]


def terms(text: str) -> list[tuple[str, int, int]]:
    """The words that may say something, and the pairs of words that stand side by side, each with its place: stem(s),
    begins, ends."""
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
    run: list[Word] = []
    for found in _SAID.finditer(text):
        if found.lastgroup != "word":
            if run:
                yield run
                run = []
        elif (form := _form(found[0])) is not None:
            run.append(Word(form[0], *found.span(), form[1]))
    if run:
        yield run


@lru_cache(maxsize=200_000)
def _form(written: str) -> tuple[str, bool] | None:
    """A word's stem, and whether it is pale; None where it says nothing."""
    word = written.replace("’", "'").casefold().removesuffix("'s")
    if len(word) > 2 and (word in _PALE or weight(word) > 0):
        return stem(word), word in _PALE
    return None


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
    return min(max((COMMON - common) / (COMMON - RARE), 1.0 if word in _TELLING else 0.0), 1.0)


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


def said(texts: Sequence[str], behind: np.ndarray, least: int = 2) -> Said:
    """Count the terms that were said in so many texts at least. behind: int[n], how often each text was said."""
    from scipy.sparse import csr_matrix

    columns: dict[str, int] = {}
    written: defaultdict[tuple[str, str], int] = defaultdict(int)
    rows_at, cells = [0], array("q")
    for text in texts:
        here = set()
        for term, begins, ends in terms(text):
            here.add(columns.setdefault(term, len(columns)))
            written[term, text[begins:ends]] += 1
        cells.extend(sorted(here))
        rows_at.append(len(cells))
    forms: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (term, form), often in written.items():
        forms[term][" ".join(form.replace("’", "'").split()).removesuffix("'s")] += often
    shape = (len(texts), len(columns))
    counts = csr_matrix((np.ones(len(cells), np.float32), np.array(cells), np.array(rows_at)), shape)
    kept = np.flatnonzero(counts.T @ behind >= least)
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


def key_terms(said: Said, groups: csr_matrix, behind: np.ndarray) -> list[list[int]]:
    """For each group of texts its terms, the best first, as columns of `said`.

    groups: csr[k, texts], above 0 where a text is in a group. behind: int[texts], how often each was said.

    A term is key where it stands in many of a group's texts and in few others: the share of the group's texts
    times the logarithm of how much larger that share is than elsewhere, times what the term says by being
    rare in English at large. (A weighing of c-TF-IDF, Grootendorst 2022, arXiv:2203.05794, by the log ratio of
    keyness, Hardie 2014.) A word that mostly stands in one pair gives way to the pair.
    """
    members = (groups > 0).multiply(behind[None, :]).tocsr()
    sizes = np.asarray(members.sum(axis=1)).ravel()
    everywhere = said.counts.T @ behind
    texts = behind.sum()
    found = (members @ said.counts).tocsr()
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
            without_parts(said, [(int(columns[one]), inside[one]) for one in ranked[: 4 * KEPT_TERMS]])[
                :KEPT_TERMS
            ]
        )
    return answer


def without_parts(said: Said, ranked: list[tuple[int, float]]) -> list[int]:
    """The terms without words that mostly stand in a pair which is there too, and without half-echoes."""
    inside = {said.stems[column]: count for column, count in ranked}
    pairs = [stem for stem in inside if " " in stem]
    given_way: set[str] = set()
    for pair in pairs:
        parts_there = [part for part in pair.split(" ") if part in inside]
        taken = [part for part in parts_there if inside[pair] >= max(2, 0.5 * inside[part])]
        given_way.update(taken)
        if parts_there and not taken:
            given_way.add(pair)
    kept: list[int] = []
    parts: set[str] = set()
    for column, _count in ranked:
        stem_ = said.stems[column]
        mine = set(stem_.split(" "))
        if stem_ in given_way or mine <= parts:
            continue
        kept.append(column)
        parts |= mine
    return kept


def label(names: Sequence[str]) -> str:
    """What a theme is called until people name it: its own first terms."""
    return ", ".join(names[:SHOWN_TERMS])
