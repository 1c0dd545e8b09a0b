"""Work for later, safe to run twice: the machine looks through what was said in a hub and proposes themes; and much
work from another tool is taken in."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

import numpy as np
from django.db.models import QuerySet
from django.utils import timezone
from django_tasks import task
from numpy.typing import NDArray

from coproduce.engine import themes as engine
from coproduce.people.models import Hub, hub_and_below
from coproduce.people.permissions import hubs_where
from coproduce.themes import bringing, meaning, proposing
from coproduce.themes.models import Brought, Finding, Meaning, Placement, Proposal, Theme, families, placed
from coproduce.voices.models import Voice

FEWEST = 4  # voices among which it is worth looking for themes
ENOUGH = 200  # of a theme's voices are enough to know it by: the latest
SAY_EVERY = 1.0  # seconds between two notes of how far it is


@task()
def find_themes_in(finding_id: int) -> None:
    """Embed what is new, propose it into the themes there are, and new themes for what is left."""
    finding = Finding.objects.select_related("hub", "asked_by").filter(pk=finding_id).first()
    if finding is None or finding.is_over:
        return
    try:
        look(finding)
    except Exception:
        _note(finding, step=Finding.Step.FAILED, finished_at=timezone.now())
        raise


def look(finding: Finding) -> None:
    """What find_themes_in does."""
    voices = to_look_through(finding)
    by = meaning.embedder()
    if by is not None:
        embed(finding, voices, by)
    left = set(voices.filter(~placed()).order_by().values_list("pk", flat=True))
    _note(finding, step=Finding.Step.GROUPING, done=0, total=100)
    if by is not None:
        left -= propose_into_themes(finding.hub, left, by.name)
    propose_new_themes(finding, left, by)
    _note(finding, step=Finding.Step.DONE, finished_at=timezone.now())


def to_look_through(finding: Finding) -> QuerySet[Voice]:
    """What is said in the hub, and in those below it where whoever asked reads everything said."""
    readable = hubs_where(finding.asked_by, "read everything said")
    below = set(hub_and_below(finding.hub).values_list("pk", flat=True)) & readable
    return Voice.objects.for_the_machine().filter(hub__in=below | {finding.hub_id})


def embed(finding: Finding, voices: QuerySet[Voice], by: engine.Embedder) -> None:
    """Keep the meaning of each voice, a piece in each transaction: it can be stopped and run again."""
    Meaning.objects.filter(voice__hub__in=voices.order_by().values("hub")).exclude(
        voice__in=Voice.objects.for_the_machine()
    ).delete()
    for made, done, total in meaning.embed_what_is_missing(voices, by):
        proposing.keep_meanings(made)
        _note(finding, step=Finding.Step.READING, done=done, total=total)


def propose_into_themes(hub: Hub, voices: set[int], by: str) -> set[int]:
    """Propose each of these voices into the themes of the hub that it is like. Returns those that went somewhere.

    No theme changes: what people decided stays, whatever the machine thinks.
    """
    themes = list(Theme.objects.standing().filter(hub=hub).order_by("pk").values_list("pk", flat=True))
    family = families(themes)
    stands_for = {member: theme for theme, members in family.items() for member in members}
    placements = Placement.objects.filter(theme__in=stands_for).order_by("-pk")
    inside: dict[int, list[int]] = {}
    for theme, voice in placements.values_list("theme", "voice").iterator(chunk_size=5000):
        known = inside.setdefault(stands_for[theme], [])
        if len(known) < ENOUGH:
            known.append(voice)
    if not inside or not voices:
        return set()
    refused: dict[int, list[int]] = {}
    for theme, voice in Proposal.objects.filter(theme__in=inside, refused_at__isnull=False).values_list(
        "theme", "voice"
    ):
        refused.setdefault(theme, []).append(voice)
    ids, new = meaning.vectors_of(voices, by)
    proposed = engine.propose(new, _matrices(inside, by), refused=_matrices(refused, by))
    proposing.keep_proposals(
        [
            (voice, theme, one.strength)
            for voice, thought in zip(ids, proposed, strict=True)
            for one in thought
            if voice not in refused.get(theme := int(str(one.theme)), ())
        ],
        among=voices,
    )
    return {voice for voice, thought in zip(ids, proposed, strict=True) if thought}


def _matrices(voices: dict[int, list[int]], by: str) -> dict[Hashable, NDArray[np.float32]]:
    """For each theme the meanings of its voices: float32[m, d]. Themes without any are left out."""
    ids, rows = meaning.vectors_of((voice for those in voices.values() for voice in those), by)
    place = {voice: at for at, voice in enumerate(ids)}
    found: dict[Hashable, NDArray[np.float32]] = {}
    for theme, those in voices.items():
        if at := [place[voice] for voice in those if voice in place]:
            found[theme] = rows[at]
    return found


def propose_new_themes(finding: Finding, voices: set[int], by: engine.Embedder | None) -> None:
    """Look for themes among these voices."""
    wanted = sorted(voices)
    rows: list[tuple[int, str, int | None]] = []
    for begin in range(0, len(wanted), meaning.IN_ONE_QUERY):
        piece = Voice.objects.for_the_machine().filter(pk__in=wanted[begin : begin + meaning.IN_ONE_QUERY])
        rows += piece.order_by("pk").values_list("pk", "words", "turn__story")
    vectors = None
    if by is not None:
        ids, vectors = meaning.vectors_of(voices, by.name)
        known = {voice: at for at, voice in enumerate(ids)}
        rows = [row for row in rows if row[0] in known]
        vectors = vectors[[known[pk] for pk, _words, _story in rows]]
    if len(rows) < FEWEST:
        proposing.keep_thoughts(finding.hub, [])
        return
    found = engine.find_themes(
        [words for _pk, words, _story in rows],
        sources=[("story", story) if story else ("voice", pk) for pk, _words, story in rows],
        embedder=by,
        vectors=vectors,
        progress=_progress(finding),
    )
    _note(finding, way=found.way, meaning=found.meaning)
    proposing.keep_thoughts(
        finding.hub,
        [
            proposing.Thought(
                label=theme.label,
                terms=theme.terms,
                sureness=float(theme.sureness),
                strengths={
                    rows[member][0]: float(strength)
                    for member, strength in zip(theme.members, theme.strengths, strict=True)
                },
                stands_for_it=[rows[quote][0] for quote in theme.quotes],
            )
            for theme in found.themes
        ],
    )


def _progress(finding: Finding) -> Callable[[str, float], None]:
    last = [0.0]

    def tell(_what: str, share: float) -> None:
        if time.monotonic() - last[0] >= SAY_EVERY:
            last[0] = time.monotonic()
            _note(finding, done=round(100 * share), total=100)

    return tell


def _note(finding: Finding, **how_far: object) -> None:
    Finding.objects.filter(pk=finding.pk).update(**how_far)


@task()
def take_in_brought(brought_id: int) -> None:
    """Take in what is not in yet: what is in is known, and is not taken in again."""
    brought = Brought.objects.select_related("hub", "brought_by").filter(pk=brought_id).first()
    if brought is not None and brought.file:
        bringing.go_on(brought)
