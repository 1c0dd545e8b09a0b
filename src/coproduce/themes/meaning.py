"""Voices as numbers, kept for each and read back to find what is alike. Only this file knows how they are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from coproduce.engine.themes import Embedder, default_embedder, nearest
from coproduce.people.models import Person
from coproduce.themes.models import Meaning, sum_of
from coproduce.voices.models import Voice

AT_A_TIME = 256  # voices embedded before they are kept: what is lost if the worker is killed
IN_ONE_QUERY = 10_000  # below the number of values that SQLite takes
ALIKE = 0.25  # cosine from which a voice is worth showing as near in meaning


@cache
def embedder() -> Embedder | None:
    """The one of this machine; None where there is none. Loading it takes a moment, so each process does it once."""
    return default_embedder()


def made_of(
    voice: Voice, by: str, vector: NDArray[np.float32], masked: NDArray[np.float32] | None = None
) -> Meaning:
    """masked: of the words as they leave the group, where some are masked."""
    return Meaning(
        voice=voice,
        embedder=by,
        words_sum=sum_of(voice.words),
        vector=vector.astype("<f2").tobytes(),
        masked_sum=sum_of(voice.masked) if masked is not None else "",
        masked_vector=None if masked is None else masked.astype("<f2").tobytes(),
    )


def embed_what_is_missing(voices: QuerySet[Voice], by: Embedder) -> Iterator[tuple[list[Meaning], int, int]]:
    """For those of these voices without a meaning of their words as they are now: their meanings, so many at a time,
    with how many are done and how many there are to do."""
    meanings = Meaning.objects.filter(voice__in=voices.order_by().values("pk"), embedder=by.name)
    known = {pk: sums for pk, *sums in meanings.values_list("voice", "words_sum", "masked_sum")}
    said = voices.order_by("pk").values_list("pk", "words", "masked")
    missing = [
        pk
        for pk, words, masked in said.iterator(chunk_size=2000)
        if known.get(pk) != [sum_of(words), sum_of(masked) if masked else ""]
    ]
    for begin in range(0, len(missing), AT_A_TIME):
        piece = list(Voice.objects.for_the_machine().filter(pk__in=missing[begin : begin + AT_A_TIME]))
        vectors = by.embed([voice.words for voice in piece])
        hiding = [voice for voice in piece if voice.masked]
        masked = dict(zip(hiding, by.embed([voice.masked for voice in hiding]), strict=True))
        made = [
            made_of(voice, by.name, vector, masked.get(voice))
            for voice, vector in zip(piece, vectors, strict=True)
        ]
        yield made, min(begin + AT_A_TIME, len(missing)), len(missing)


def vectors_of(voices: Iterable[int], by: str) -> tuple[list[int], NDArray[np.float32]]:
    """The ids of those of these voices that have a meaning by this embedder, and a row for each: float32[n, d]."""
    wanted = sorted(set(voices))
    ids: list[int] = []
    rows: list[bytes] = []
    for begin in range(0, len(wanted), IN_ONE_QUERY):
        known = Meaning.objects.filter(pk__in=wanted[begin : begin + IN_ONE_QUERY], embedder=by)
        for pk, vector in known.order_by().values_list("pk", "vector"):
            ids.append(pk)
            rows.append(bytes(vector))
    return ids, _as_rows(rows)


def _as_rows(rows: Sequence[bytes]) -> NDArray[np.float32]:
    if not rows:
        return np.zeros((0, 1), np.float32)
    return np.frombuffer(b"".join(rows), "<f2").reshape(len(rows), -1).astype(np.float32)


def near(person: Person | None, words: str, count: int = 20) -> list[int]:
    """The ids of the voices nearest in meaning to these words, nearest first, of those that this person may read.

    Of what they get with words masked, the meaning is that of the masked words: what is hidden draws nothing near.
    Where the masking changed since the machine read it, it is left out until the machine has read it again. Empty
    where no embedder is on this machine.
    """
    by = embedder()
    if by is None or not words.strip():
        return []
    readable = Voice.objects.for_reading(person).for_the_machine()
    to_the_letter = readable.to_the_letter().order_by().values("pk")
    known = Meaning.objects.filter(voice__in=to_the_letter, embedder=by.name)
    ids, rows = [], []
    for pk, vector in known.order_by().values_list("pk", "vector").iterator(chunk_size=5000):
        ids.append(pk)
        rows.append(bytes(vector))
    only_masked = readable.partly_masked().order_by().values("pk")
    hiding = Meaning.objects.filter(voice__in=only_masked, embedder=by.name, masked_vector__isnull=False)
    for pk, of_masked, seen, masked in hiding.order_by().values_list(
        "pk", "masked_vector", "masked_sum", "voice__masked"
    ):
        if of_masked is not None and seen == sum_of(masked):
            ids.append(pk)
            rows.append(bytes(of_masked))
    if not ids:
        return []
    [query] = by.embed([words])
    places, cosines = nearest(query, _as_rows(rows), count)
    return [ids[place] for place, cosine in zip(places, cosines, strict=True) if cosine >= ALIKE]
