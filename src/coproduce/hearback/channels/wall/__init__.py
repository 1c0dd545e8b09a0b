"""A notice for a wall: "You said, we did together". For those behind a change whom nobody can name.

Anybody may read a wall. So it shows only words that anybody may read, without who said them, and counts as anybody
may know them.
"""

from __future__ import annotations

import json
from pathlib import Path

from django.utils.text import capfirst

from coproduce.hearback.models import Update, people_behind_update, quotes_that_may_go
from coproduce.hearback.news import parts_for_paper
from coproduce.people.counts import said_to
from coproduce.people.paper import to_pdf
from coproduce.voices.models import Voice, VoiceQuerySet

HERE = Path(__file__).parent
MOST = 4  # bubbles that fit on one page and are read in passing


def words_for(update: Update) -> VoiceQuerySet:
    """What was said behind the change that anybody may read, the latest first."""
    words = quotes_that_may_go(update).filter(withdrawn_at__isnull=True)
    return words.order_by("-said_on", "-pk")


def on_paper(update: Update, voices: list[Voice]) -> bytes:
    """The notice as PDF, with these words on it."""
    people = people_behind_update(update).count()
    kind = "change" if update.change_id else "topic"
    count = said_to(None, people, update.hub_id, f"people behind {kind} {update.about.pk}")
    notice = {
        "title": update.title,
        "parts": parts_for_paper(update),
        "hub": update.hub.name,
        "people": capfirst(count.people) if count.number else "",
        "words": [voice.shown for voice in voices],
    }
    return to_pdf(HERE / "wall.typ", {"notice": json.dumps(notice)})
