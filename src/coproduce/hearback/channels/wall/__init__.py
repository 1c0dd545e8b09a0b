"""A notice for a wall: "You said, we did together". For those behind a change whom nobody can name.

Anybody may read a wall. So it shows only words that anybody may read, without who said them, and counts as anybody
may know them.
"""

from __future__ import annotations

import json
from pathlib import Path

from coproduce.changes.thread import people_behind, voices_behind
from coproduce.hearback.models import Update
from coproduce.people.counts import said_to
from coproduce.people.paper import to_pdf
from coproduce.voices.models import Voice, VoiceQuerySet

HERE = Path(__file__).parent
MOST = 4  # bubbles that fit on one page and are read in passing


def words_for(update: Update) -> VoiceQuerySet:
    """What was said behind the change that anybody may read, the latest first."""
    behind = voices_behind(update.change).values("pk")
    words = Voice.objects.for_reading(None).filter(pk__in=behind, withdrawn_at__isnull=True).exclude(words="")
    return words.order_by("-said_on", "-pk")


def on_paper(update: Update, voices: list[Voice]) -> bytes:
    """The notice as PDF, with these words on it."""
    change = update.change
    count = said_to(None, people_behind(change).count(), change.hub_id, f"people behind change {change.pk}")
    notice = {
        "title": update.title,
        "text": [part.strip() for part in update.text.split("\n\n") if part.strip()],
        "hub": change.hub.name,
        "people": count.people if count.number else "",
        "words": [voice.shown for voice in voices],
    }
    return to_pdf(HERE / "wall.typ", {"notice": json.dumps(notice)})
