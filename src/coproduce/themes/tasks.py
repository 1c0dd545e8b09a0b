"""Work for later, safe to run twice: the machine looks through what was said in a hub and proposes themes; and much
work from another tool is taken in."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping

import numpy as np
from django.db.models import QuerySet
from django.utils import timezone
from django_tasks import TaskResultStatus, task
from django_tasks_db.models import DBTaskResult
from numpy.typing import NDArray

from coproduce.engine import themes as engine
from coproduce.people.models import Hub, hub_and_below
from coproduce.people.permissions import hubs_where
from coproduce.themes import bringing, meaning, proposing
from coproduce.themes.models import Brought, Finding, Meaning, Placement, Proposal, Theme, families, placed
from coproduce.voices.models import Voice

FEWEST = 4  # voices among which it is worth looking for themes
ENOUGH = 60  # of a theme's voices are enough to know it by: the latest
NEXT_TO = 3  # themes that one voice is looked at for
MOST_TOGETHER = 6  # themes told apart at once
FROM_EACH = 2  # voices of each other theme, to know what is none of these
ALL_OTHERS = "all others"
NOT_OFTENER = dt.timedelta(minutes=1)  # than this the machine looks at what is new
AFTER_FAILING = dt.timedelta(hours=1)
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


@task()
def look_at_what_is_new() -> None:
    """Propose what was said since the machine last looked into the themes there are, in each hub where it has looked.
    New themes are only looked for when somebody asks."""
    newest = _newest()
    for finding in _latest():
        new = to_look_through(finding).filter(pk__gt=newest)
        in_none = set(new.filter(~placed()).order_by().values_list("pk", flat=True))
        propose_for(finding, in_none, new)


def propose_what_is_new() -> None:
    """Put that in the queue where something new was said and nothing there would see to it. The worker asks often."""
    newest = _newest()
    if not any(to_look_through(finding).filter(pk__gt=newest).exists() for finding in _latest()):
        return
    known = DBTaskResult.objects.filter(task_path=look_at_what_is_new.module_path)
    waiting = known.exclude(status__in=[TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED])
    lately = known.filter(enqueued_at__gt=timezone.now() - NOT_OFTENER)
    failed = known.filter(status=TaskResultStatus.FAILED, enqueued_at__gt=timezone.now() - AFTER_FAILING)
    if not (waiting.exists() or lately.exists() or failed.exists()) and meaning.embedder() is not None:
        look_at_what_is_new.enqueue()


def _newest() -> int:
    """The number of the newest voice that the machine has read."""
    return Meaning.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _latest() -> list[Finding]:
    """For each hub the last time that the machine looked through it to the end."""
    done = Finding.objects.filter(step=Finding.Step.DONE).select_related("hub", "asked_by")
    return list({finding.hub_id: finding for finding in done.order_by("asked_at", "pk")}.values())


def look(finding: Finding) -> None:
    """What find_themes_in does."""
    voices = to_look_through(finding)
    drop_what_is_gone(voices)
    left = set(voices.filter(~placed()).order_by().values_list("pk", flat=True))
    left -= propose_for(finding, left, voices)
    propose_new_themes(finding, left, meaning.embedder())
    _note(finding, step=Finding.Step.DONE, finished_at=timezone.now())


def propose_for(finding: Finding, new: set[int], also: QuerySet[Voice] | None = None) -> set[int]:
    """Embed these voices (and `also` others, in the same go), and propose the new ones into the themes of the hub.
    Returns those that went somewhere. This is what adding one story costs, however many voices there are."""
    by = meaning.embedder()
    if by is None:
        return set()
    embed(finding, also if also is not None else Voice.objects.for_the_machine().filter(pk__in=new), by)
    _note(finding, step=Finding.Step.GROUPING, done=0, total=100)
    return propose_into_themes(finding.hub, new, by.name)


def to_look_through(finding: Finding) -> QuerySet[Voice]:
    """What is said in the hub, and in those below it where whoever asked reads everything said."""
    readable = hubs_where(finding.asked_by, "read everything said")
    below = set(hub_and_below(finding.hub).values_list("pk", flat=True)) & readable
    return Voice.objects.for_the_machine().filter(hub__in=below | {finding.hub_id})


def drop_what_is_gone(voices: QuerySet[Voice]) -> None:
    """Meanings of voices that nothing is allowed for any more."""
    here = Meaning.objects.filter(voice__hub__in=voices.order_by().values("hub"))
    here.exclude(voice__in=Voice.objects.for_the_machine().order_by().values("pk")).delete()


def embed(finding: Finding, voices: QuerySet[Voice], by: engine.Embedder) -> None:
    """Keep the meaning of each voice, a piece in each transaction: it can be stopped and run again."""
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
    inside: dict[int, list[int]] = {}
    for theme, voice in (
        Placement.objects.filter(theme__in=stands_for).order_by("-pk").values_list("theme", "voice")
    ):
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
    proposed = like(new, _matrices(inside, by), _matrices(refused, by))
    kept = [
        (voice, theme, strength)
        for voice, thought in zip(ids, proposed, strict=True)
        for theme, strength in thought
        if voice not in refused.get(theme, ())
    ]
    proposing.keep_proposals(kept, among=voices)
    return {voice for voice, _theme, _strength in kept}


def like(
    new: NDArray[np.float32],
    themes: Mapping[int, NDArray[np.float32]],
    refused: Mapping[int, NDArray[np.float32]],
) -> list[list[tuple[int, float]]]:
    """For each new voice (a row of float32[n, d]) the themes it is like, each with a strength from 0 to 1.

    Each theme is told apart only from those next to it and from a few voices of all the others: learning every theme
    against every other takes a minute where there are hundreds. So voices go together by the theme they are nearest to.
    """
    found: list[list[tuple[int, float]]] = [[] for _row in new]
    known = list(themes)
    if not known or not len(new):
        return found
    middles = np.stack([themes[theme].mean(axis=0) for theme in known])
    middles /= np.maximum(np.linalg.norm(middles, axis=1, keepdims=True), 1e-9)
    nearest = np.argsort(-(new @ middles.T), axis=1, kind="stable")[:, :NEXT_TO]
    for first in np.unique(nearest[:, 0]):
        rows = np.flatnonzero(nearest[:, 0] == first)
        often = Counter(int(at) for row in rows for at in nearest[row]).most_common(MOST_TOGETHER)
        near = {known[at] for at, _n in often}
        others = [themes[theme][:FROM_EACH] for theme in known if theme not in near]
        told_apart: dict[Hashable, NDArray[np.float32]] = {theme: themes[theme] for theme in sorted(near)}
        if others:
            told_apart[ALL_OTHERS] = np.concatenate(others)
        thoughts = engine.propose(
            new[rows], told_apart, refused={theme: refused[theme] for theme in near & set(refused)}
        )
        for row, thought in zip(rows, thoughts, strict=True):
            found[row] = [(one.theme, one.strength) for one in thought if isinstance(one.theme, int)]
    return found


def _matrices(voices: dict[int, list[int]], by: str) -> dict[int, NDArray[np.float32]]:
    """For each theme the meanings of its voices: float32[m, d]. Themes without any are left out."""
    ids, rows = meaning.vectors_of((voice for those in voices.values() for voice in those), by)
    place = {voice: at for at, voice in enumerate(ids)}
    found: dict[int, NDArray[np.float32]] = {}
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
    """How far it is. One that is over stays as it ended, whatever is added afterwards."""
    Finding.objects.filter(pk=finding.pk, finished_at__isnull=True).update(**how_far)


@task()
def take_in_brought(brought_id: int) -> None:
    """Take in what is not in yet: what is in is known, and is not taken in again."""
    brought = Brought.objects.select_related("hub", "brought_by").filter(pk=brought_id).first()
    if brought is not None and brought.file:
        bringing.go_on(brought)
