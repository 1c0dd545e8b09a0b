"""What the engine finds in a conversation's votes, kept so that more votes cost little.

Votes that were cast or changed since are marked as not counted. A worker takes them, adds them to the votes it kept
as arrays, and lets the engine go on from the components that it kept (`Result.update` does the same in one process).
Only where votes or statements were taken out is it all read anew. If it is killed, nothing has happened; run twice, it
finds the same.

What pages show is another matter. If it changed with each vote, whoever looks before and after somebody votes could
read off how. So it is renewed when the votes of FEWEST people came in, and when voting is over; nothing at all is
shown of fewer. (Differencing: ESSnet, "Handbook on Statistical Disclosure Control", chapter 5.)
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from django.db import transaction
from django.db.models import Count, F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from coproduce.consensus.models import Conversation, Reckoned, Statement, Vote, Voter
from coproduce.engine import consensus as engine
from coproduce.engine.consensus.groups import SMALLEST
from coproduce.people.models import Membership, hub_and_below
from coproduce.voices.models import Use

FEWEST = 5  # people
TRIES = 3  # while statements are taken out at the same time
SEED = 0


def reckon(conversation: Conversation) -> bool:
    """Bring what is found up to date. False where things changed all the while: then it is to be done again."""
    return any(_once(conversation) for _try in range(TRIES))


def to_reckon() -> list[int]:
    """The conversations with votes that are not counted yet, or with votes or statements taken out."""
    uncounted = Vote.objects.filter(counted=False).order_by().values("statement__conversation").distinct()
    stale = Reckoned.objects.exclude(wanted=F("made"))
    ids = {*uncounted.values_list("statement__conversation", flat=True)}
    return sorted(ids | {*stale.values_list("conversation", flat=True)})


def _once(conversation: Conversation) -> bool:
    with transaction.atomic():
        kept, _new = Reckoned.objects.get_or_create(conversation=conversation)
        wanted, anew = kept.wanted, not kept.votes
        closed = Conversation.objects.filter(pk=conversation.pk, closed_at__isnull=False).exists()
        here = Vote.objects.filter(statement__conversation=conversation)
        fresh = list(here.filter(counted=False).values_list("pk", "choice", "voter"))
        asked = here.standing() if anew else here.standing().filter(counted=False)
        later = list(asked.values_list("voter", "statement", "choice"))
        out = _out_of_sight(conversation)
    result = _result(kept, later, out)
    since = {*kept.since_shown, *(voter for _pk, _choice, voter in fresh)}
    changed = bool(fresh) or anew or kept.made != wanted
    renew = len(since) >= FEWEST or not kept.shown or (closed and changed)
    shown = _shown(conversation, result) if renew and len(result.votes.participants) >= FEWEST else None
    with transaction.atomic():
        held = Reckoned.objects.select_for_update().get(pk=kept.pk)
        if held.wanted != wanted:
            return False
        held.made, held.votes = wanted, _packed(result)
        held.priority = dict(
            zip(map(str, result.votes.statements.tolist()), result.priority.tolist(), strict=True)
        )
        held.since_shown = sorted(since)
        if renew and shown is None and anew:  # too few are left
            held.shown, held.places, held.shown_at = {}, b"", None
        elif shown is not None:
            held.shown, held.places, held.shown_at = shown, _places(result), timezone.now()
            held.since_shown = []
        held.save()
        _mark_counted(fresh)
    return True


def _out_of_sight(conversation: Conversation) -> list[int]:
    """Statements that somebody voted on and that count as a pass by everybody: taken out, or with no consent now."""
    seen = Statement.objects.in_sight(Use.GROUP).filter(conversation=conversation)
    voted_on = conversation.statements.exclude(pk__in=seen.order_by().values("pk"))
    return list(voted_on.values_list("pk", flat=True))


def _result(kept: Reckoned, later: list[tuple[int, int, int]], out: Iterable[int]) -> engine.Result:
    """As `engine.Result.update` does it, from what was kept of the votes before."""
    columns = [list(column) for column in zip(*later, strict=True)] if later else [[], [], []]
    more = engine.Votes.from_arrays(*(np.array(column, np.int64) for column in columns))
    if not kept.votes:
        return engine.analyse(more, moderated_out=out, seed=SEED)
    with np.load(io.BytesIO(bytes(kept.votes))) as arrays:
        before = engine.Votes(*(arrays[name] for name in ("participants", "statements", "begins", "cells")))
        components = arrays["components"]
    votes = before.plus(more)
    start = np.zeros((2, len(votes.statements)))
    start[:, np.isin(votes.statements, before.statements)] = components
    return engine.Result(votes, "exact", out, SEED, SMALLEST, start)


def _packed(result: engine.Result) -> bytes:
    votes = cast(engine.Votes, result.votes)
    return _npz(
        participants=votes.participants,
        statements=votes.statements,
        begins=votes.begins,
        cells=votes.cells,
        components=result.projection.components,
    )


def _npz(**arrays: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)  # type: ignore[arg-type]
    return out.getvalue()


def _mark_counted(fresh: list[tuple[int, int, int]]) -> None:
    """But not a vote that changed while we reckoned: that one is not counted yet."""
    for choice in Vote.Choice.values:
        those = [pk for pk, was, _voter in fresh if was == choice]
        for at in range(0, len(those), 500):
            Vote.objects.filter(pk__in=those[at : at + 500], choice=choice).update(counted=True)


# What pages show


def _shown(conversation: Conversation, result: engine.Result) -> dict[str, Any]:
    """All that a page about the result says, as plain numbers.

    people, counted, votes: how many. ways, hubs: how many people by each; known: those with a name here.
    statements: by id, `all` and for each group how many agreed, disagreed and voted at all.
    groups: size, place and how far apart its people are. stands_for, ground, most: [statement, agrees], the first for
    each group. together, same_number: see `engine.Stability`.
    """
    tally = result.votes.tally().reshape(-1, 3)
    statistics, stable = result.statistics, result.stability
    by_group = np.stack([statistics.agree, statistics.disagree, statistics.seen], axis=-1)
    several = len(result.groups) > 1
    points, labels = result.projection.points, result.labels
    ids = result.votes.statements.tolist()

    def picked(picks: Iterable[engine.Pick]) -> list[list[Any]]:
        return [[ids[pick.statement], pick.agrees] for pick in picks]

    groups = []
    for group in result.groups:
        inside = points[labels == group.number]
        apart = np.sqrt(((inside - inside.mean(axis=0)) ** 2).sum(axis=1).mean())
        groups.append({"size": group.size, "middle": list(group.middle), "apart": float(apart)})
    return {
        "people": len(result.votes.participants),
        "counted": int(result.counted.sum()),
        "votes": len(result.votes),
        **_who_came(conversation),
        "statements": {
            str(pk): {
                "all": [int(tally[place, 2]), int(tally[place, 0]), int(tally[place].sum())],
                "groups": by_group[:, place].tolist() if several else [],
                "shared": float(result.group_informed[place]),
            }
            for place, pk in enumerate(ids)
            if not result.taken_out[place]
        },
        "groups": groups if several else [],
        "stands_for": [picked(group.stands_for) for group in result.groups] if several else [],
        "ground": picked(result.common_ground),
        "most": picked(result.consensus),
        "together": stable.together,
        "same_number": stable.same_number,
    }


def _who_came(conversation: Conversation) -> dict[str, Any]:
    """How many voters by each way, of each hub, and with a name. Somebody who came by two ways counts for both."""
    here = Vote.objects.standing().filter(statement__conversation=conversation)
    ways = here.order_by().values_list("way").annotate(people=Count("voter", distinct=True))
    people = Voter.objects.filter(conversation=conversation, person__isnull=False, votes__isnull=False)
    hubs = Counter(
        Membership.objects.current()
        .filter(person__in=people.order_by().values("person"), hub__in=hub_and_below(conversation.topic.hub))
        .order_by()
        .values_list("hub", "person")
        .distinct()
        .values_list("hub", flat=True)
    )
    return {
        "ways": dict(ways),
        "hubs": {str(hub): number for hub, number in hubs.items()},
        "known": people.distinct().count(),
    }


def _places(result: engine.Result) -> bytes:
    return _npz(participants=result.votes.participants, points=result.projection.points, labels=result.labels)


@dataclass(frozen=True)
class Place:
    """Where one voter is on the map that is shown; group None: not counted, or there is only one."""

    x: float
    y: float
    group: int | None


def place_of(voter: Voter) -> Place | None:
    """For the voter alone. None where they came after what is shown was found."""
    kept = Reckoned.objects.filter(conversation=voter.conversation_id).exclude(places=b"").first()
    if kept is None:
        return None
    with np.load(io.BytesIO(bytes(kept.places))) as arrays:
        participants = arrays["participants"]
        at = int(np.searchsorted(participants, voter.pk))
        if at == len(participants) or participants[at] != voter.pk:
            return None
        (x, y), label = arrays["points"][at].tolist(), int(arrays["labels"][at])
    return Place(x, y, label if label >= 0 and kept.shown.get("groups") else None)


# What to ask next


class _Priorities:
    """What `engine.next_statement` asks of a result, of what was kept: no votes, only how much each would tell."""

    moderated_out = ()

    def __init__(self, kept: dict[str, float]) -> None:
        ids = np.array(sorted(map(int, kept)), np.int64)
        self.votes = engine.Votes(np.empty(0, np.int64), ids, np.zeros(1, np.int64), np.empty(0, np.uint16))
        self.priority = np.array([kept[str(pk)] for pk in ids.tolist()])


def next_of(
    conversation: Conversation, voter: Voter | None, open_: Iterable[int], voted: Iterable[int]
) -> int | None:
    """The id of the statement to show next, of those that are `open_` to this reader and not voted on yet.

    The draw is theirs, and the same until they vote again: who looks twice sees the same one.
    """
    open_, voted = list(open_), list(voted)
    kept = Reckoned.objects.filter(conversation=conversation).values_list("priority", flat=True).first() or {}
    kept = {pk: value for pk, value in kept.items() if int(pk) in set(open_)}
    whose = f"{conversation.pk}:{voter.pk if voter else 0}:{len(voted)}"
    draw = int.from_bytes(salted_hmac("coproduce.consensus.draw", whose).digest()[:6], "big") / 2**48
    known = cast(engine.Result, _Priorities(kept))
    return engine.next_statement(known, voter.pk if voter else 0, statements=open_, seen=voted, draw=draw)
