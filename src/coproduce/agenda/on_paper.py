"""What a meeting needs on paper: its agenda and its minutes, with the words explained that somebody explained."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from coproduce.agenda.models import Item, Meeting
from coproduce.glossary.explained import explanations_for
from coproduce.people.models import Hub
from coproduce.people.paper import to_pdf

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Timed:
    """One thing on the agenda, and from when to when."""

    item: Item
    begins: dt.datetime
    ends: dt.datetime


def timed(meeting: Meeting) -> list[Timed]:
    """The agenda in its order, each thing after the one before. One query."""
    rows, at = [], meeting.starts_at
    for item in meeting.items.select_related("topic"):
        ends = at + dt.timedelta(minutes=item.minutes)
        rows.append(Timed(item, at, ends))
        at = ends
    return rows


def agenda_on_paper(meeting: Meeting) -> bytes:
    """For the group: they know the place and what to ring."""
    rows = [
        {
            "time": date_format(timezone.localtime(row.begins), "H:i"),
            "title": str(row.item),
            "why": row.item.topic.why if row.item.topic else "",
            "kind": _("A service asked for five minutes") if row.item.kind == Item.Kind.FIVE_MINUTES else "",
        }
        for row in timed(meeting)
    ]
    facts = [
        (_("How to get there"), meeting.getting_there),
        (_("How to join from afar"), meeting.from_afar),
        (_("Food and drink"), meeting.lunch),
        (_("What makes it easier to come"), meeting.access),
    ]
    return to_pdf(
        HERE / "agenda.typ",
        {
            "paper": json.dumps(
                {
                    **_head(meeting),
                    "called_off": _("This meeting is called off.") if meeting.is_cancelled else "",
                    "rows": rows,
                    "facts": [[heading, said.splitlines()] for heading, said in facts if said],
                    "terms": terms_in(words_of_agenda(meeting), meeting.hub),
                }
            )
        },
    )


def words_of_agenda(meeting: Meeting) -> str:
    """All that its paper says, to look for words that somebody may stumble over. One query."""
    items = [
        f"{item}. {item.topic.why}" if item.topic else str(item)
        for item in meeting.items.select_related("topic")
    ]
    texts = (meeting.getting_there, meeting.from_afar, meeting.lunch, meeting.access)
    return "\n\n".join([*items, *filter(None, texts)])


def _head(meeting: Meeting) -> dict[str, Any]:
    return {
        "hub": meeting.hub.name,
        "title": meeting.name or _("Our meeting"),
        "when": _("%(day)s, from %(begins)s until %(ends)s")
        % {
            "day": date_format(meeting.on, "l j F Y"),
            "begins": f"{meeting.begins:%H:%M}",
            "ends": f"{meeting.ends:%H:%M}",
        },
        "place": meeting.place,
    }


def minutes_on_paper(meeting: Meeting, record: dict[str, Any]) -> bytes:
    """The minutes as their page shows them to the group: see minutes_pages.record_of."""
    return to_pdf(HERE / "minutes.typ", {"paper": json.dumps(_head(meeting) | record)})


def terms_in(text: str, hub: Hub) -> list[list[str]]:
    """The words in a text that the hub has explained, for the foot of a page."""
    return [[term.word, term.explanation] for term in explanations_for(text, hub)]
