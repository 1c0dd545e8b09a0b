"""How a theme grew, and who is behind it: counts as the reader may know them, for a table and a small drawing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count
from django.db.models.functions import TruncMonth
from django.utils.formats import date_format

from coproduce.people.counts import Said, rounded, shift_of
from coproduce.people.models import Hub, Person
from coproduce.people.permissions import hubs_where
from coproduce.themes.models import Theme, voices_in
from coproduce.voices.models import Voice

MONTHS = 12  # that the drawing shows
WIDTH, HEIGHT, GAP = 480, 150, 6


@dataclass(frozen=True)
class Bar:
    """One month in the drawing: how many voices there were at its end, and where its bar stands."""

    label: str
    said: Said
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Behind:
    """Who is behind a theme, and how it grew."""

    ways: list[tuple[str, Said]]
    hubs: list[tuple[Hub, Said]]
    months: list[Bar]
    width: int = WIDTH
    height: int = HEIGHT


def behind(theme: Theme, reader: Person | None) -> Behind:
    """Counts under eleven are only for those who may read all these voices anyway; see people/counts.py."""
    voices = Voice.objects.filter(pk__in=voices_in([theme.pk])).order_by()
    hubs = dict(voices.values_list("hub").annotate(Count("pk")))
    keeps = set(hubs) <= hubs_where(reader, "read everything said")

    def said(number: int, what: str = "voices") -> Said:
        name = f"{what} in theme {theme.pk}"
        return Said(number, exact=True) if keeps else rounded(number, shift_of(name))

    ways = voices.values_list("came_by").annotate(Count("pk"))
    named = {way: said(number, f"voices by {way}") for way, number in ways}
    known = Hub.objects.in_bulk(hubs)
    return Behind(
        ways=[
            (str(Voice.Way(way).label), how_many)
            for way, how_many in sorted(named.items(), key=lambda each: (-each[1].rank, each[0]))
        ],
        hubs=sorted(
            ((known[hub], said(number, f"voices of hub {hub}")) for hub, number in hubs.items()),
            key=lambda each: (-each[1].rank, each[0].path),
        ),
        months=_bars(
            [
                (month, said(number))
                for month, number in _by_the_end_of(
                    dict(
                        voices.annotate(month=TruncMonth("said_on"))
                        .values_list("month")
                        .annotate(Count("pk"))
                    )
                )
            ]
        ),
    )


def _by_the_end_of(said: dict[dt.date, int]) -> list[tuple[dt.date, int]]:
    """For each of the latest months, also those in which nothing was said, how many there were by its end."""
    if not said:
        return []
    month, last, total = min(said), max(said), 0
    found = []
    while month <= last:
        total += said.get(month, 0)
        found.append((month, total))
        month = (month.replace(day=28) + dt.timedelta(days=7)).replace(day=1)
    return found[-MONTHS:]


def _bars(months: list[tuple[dt.date, Said]]) -> list[Bar]:
    most = max((said.rank for _month, said in months), default=0) or 1
    wide = (WIDTH + GAP) / max(len(months), 6) - GAP
    bars = []
    for place, (month, said) in enumerate(months):
        height = max(HEIGHT * said.rank / most, 2)
        bars.append(
            Bar(
                label=date_format(month, "M Y"),
                said=said,
                x=round(place * (wide + GAP), 1),
                y=round(HEIGHT - height, 1),
                width=round(wide, 1),
                height=round(height, 1),
            )
        )
    return bars
