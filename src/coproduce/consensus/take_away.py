"""A conversation as files to take away: in Polis's shape, as JSON, and the map as a picture.

Who is who goes by numbers that are drawn anew each time, so nobody can be followed from one of these to another. Votes
have the day on which they came, no time. Groups of fewer than eleven people are left out. Words go only where every
voice behind them is allowed for anybody. Who took what is on record.

The shape is that of Polis's "report export" (compdemocracy/polis, `server/src/routes/export.ts`; the same as
polis-community's "openData"): comments.csv, votes.csv, participants-votes.csv and summary.csv.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import typst
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.consensus.models import Conversation, Reckoned, Statement, Vote
from coproduce.consensus.picture import Map, draw
from coproduce.engine import consensus as engine
from coproduce.engine.exchange import tables
from coproduce.people.actions import record
from coproduce.people.counts import SMALL
from coproduce.people.models import Person
from coproduce.people.paper import FONTS
from coproduce.people.permissions import must
from coproduce.voices.consent import carry
from coproduce.voices.models import Carried, Use, Voice

HERE = Path(__file__).parent


@transaction.atomic
def take_away(by: Person, conversation: Conversation) -> bytes:
    """A ZIP with all of it."""
    must(by, "curate statements", conversation.topic.hub_id)
    statements = list(conversation.statements.exclude(words="").order_by("pk"))
    public = set(
        Statement.objects.filter(conversation=conversation).in_sight(Use.PUBLIC).values_list("pk", flat=True)
    )
    seen = set(
        Statement.objects.filter(conversation=conversation).in_sight(Use.GROUP).values_list("pk", flat=True)
    )
    here = Vote.objects.standing().filter(statement__conversation=conversation)
    votes = list(here.values_list("voter", "statement", "choice", "at"))
    number = _drawn_numbers({voter for voter, *_rest in votes})
    columns = [[number[voter] for voter, *_rest in votes], *([row[n] for row in votes] for n in (1, 2))]
    result = engine.analyse(
        engine.Votes.from_arrays(*columns) if votes else engine.Votes.from_arrays([], [], []),
        moderated_out=[one.pk for one in statements if one.pk not in seen],
    )
    label = {} if len(result.groups) < 2 else _labels(result)
    kept = Reckoned.objects.filter(conversation=conversation).values_list("shown", flat=True).first() or {}
    files: dict[str, bytes | str] = {
        "comments.csv": _comments(statements, seen, public, votes),
        "votes.csv": _votes(votes, number),
        "participants-votes.csv": _participants(result, label, [one.pk for one in statements]),
        "summary.csv": tables.to_csv(
            ["what", "is"],
            [
                ("topic", conversation.topic.title),
                ("conversation-description", conversation.about),
                ("voters", len(number)),
                ("comments", len(statements)),
                ("groups", len(result.groups)),
            ],
        ),
        "result.json": _without_small(result),
    }
    if picture := _map_of(kept):
        drawing = as_svg(picture)
        files |= {"map.svg": drawing, "map.png": as_png(drawing)}
    went = Voice.objects.filter(statements__in=public & seen).distinct()
    carry(
        Carried(
            voice=voice,
            kind=Carried.Kind.EXPORT,
            where=_("Statements on “%(topic)s”") % {"topic": conversation.topic.title},
            who_has_it=by.name,
        )
        for voice in went
    )
    record(by, "take away", conversation, conversation.topic.hub_id)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return out.getvalue()


def _drawn_numbers(voters: set[int]) -> dict[int, int]:
    drawn = list(range(len(voters)))
    random.SystemRandom().shuffle(drawn)
    return dict(zip(sorted(voters), drawn, strict=True))


def _comments(
    statements: list[Statement],
    seen: set[int],
    public: set[int],
    votes: list[tuple[int, int, int, dt.datetime]],
) -> bytes:
    agrees, disagrees = ({one.pk: 0 for one in statements} for _each in range(2))
    for _voter, pk, choice, _at in votes:
        if pk in agrees:
            agrees[pk] += choice == 1
            disagrees[pk] += choice == -1
    waits = (Statement.State.WAITING, Statement.State.WORDLESS)
    rows = []
    for one in statements:
        stamp, day = _day(one.written_at)
        moderated = 1 if one.pk in seen else 0 if one.state in waits else -1
        # Who wrote it is nobody's number: it would tie somebody's votes to their words.
        body = one.words if one.pk in public or (one.state in waits and not one.voices.exists()) else ""
        rows.append((stamp, day, one.pk, 0, agrees[one.pk], disagrees[one.pk], moderated, body))
    names = (
        "timestamp",
        "datetime",
        "comment-id",
        "author-id",
        "agrees",
        "disagrees",
        "moderated",
        "comment-body",
    )
    return tables.to_csv(names, rows)


def _votes(votes: list[tuple[int, int, int, dt.datetime]], number: dict[int, int]) -> bytes:
    rows = sorted((*_day(at), pk, number[voter], choice) for voter, pk, choice, at in votes)
    return tables.to_csv(("timestamp", "datetime", "comment-id", "voter-id", "vote"), rows)


def _day(at: dt.datetime) -> tuple[int, str]:
    """The day alone, as Polis writes a time: milliseconds since 1970, and in words."""
    day = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(day.timestamp() * 1000), day.strftime("%a %b %d %Y")


def _participants(result: engine.Result, label: dict[int, int], statements: list[int]) -> bytes:
    rows: list[tuple[Any, ...]] = []
    for person in result.votes.participants.tolist():
        places, choices = result.votes.of(person)
        voted = dict(zip(result.votes.statements[places].tolist(), choices.tolist(), strict=True))
        values = list(voted.values())
        cells = [voted.get(pk) for pk in statements]
        counts = (0, len(values), values.count(1), values.count(-1))
        rows.append((person, label.get(person), *counts, *cells))
    names = (
        "participant",
        "group-id",
        "n-comments",
        "n-votes",
        "n-agree",
        "n-disagree",
        *map(str, statements),
    )
    return tables.to_csv(names, rows)


def _labels(result: engine.Result) -> dict[int, int]:
    large = {group.number for group in result.groups if group.size >= SMALL}
    pairs = zip(result.votes.participants.tolist(), result.labels.tolist(), strict=True)
    return {person: group for person, group in pairs if group in large}


def _without_small(result: engine.Result) -> str:
    """The engine's own JSON, without the groups that are too small to show, and then without what would tell them."""
    plain = json.loads(result.to_json())
    large = [group for group in plain["groups"] if group["size"] >= SMALL]
    if len(large) < len(plain["groups"]):
        kept = {group["number"] for group in large}
        for group in large:
            del group["size"]
        for one in plain["statements"]:
            one["by_group"] = [
                {name: round(said[name], 2) for name in ("p_agree", "p_disagree")} if place in kept else None
                for place, said in enumerate(one["by_group"])
            ]
        plain["stability"].pop("groups", None)
        plain["left_out"] = "groups of fewer than 11 people, and numbers that would tell how many they are"
    plain["groups"] = large
    return json.dumps(plain, ensure_ascii=False, indent=1)


def _map_of(kept: dict[str, Any]) -> Map | None:
    groups = kept.get("groups") or []
    shown = [number for number, group in enumerate(groups) if group["size"] >= SMALL]
    return draw(groups, shown) if shown else None


def as_svg(picture: Map) -> str:
    """A file that stands alone, with its colours in it."""
    drawing = render_to_string("consensus/map.svg", {"map": picture, "alone": True})
    colours = (HERE / "map.css").read_text(encoding="utf-8")
    return drawing.replace("</title>", f"</title><style>{colours}</style>", 1)


def as_png(drawing: str) -> bytes:
    return typst.compile(
        str(HERE / "picture.typ"),
        sys_inputs={"drawing": drawing},
        font_paths=[str(FONTS)],
        format="png",
        ppi=200,
    )
