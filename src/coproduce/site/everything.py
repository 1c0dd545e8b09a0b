"""Everything that is kept here about one person, for themselves: as data, and as a page to read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.template.loader import render_to_string
from django.utils import timezone

from coproduce.agenda import own as agenda
from coproduce.changes import own as changes
from coproduce.consensus import own as consensus
from coproduce.glossary import own as glossary
from coproduce.hearback import own as hearback
from coproduce.people import own as people
from coproduce.people.models import Person
from coproduce.themes import own as themes
from coproduce.voices import own as voices

ROOMS = (people, glossary, voices, themes, agenda, consensus, changes, hearback)


def export_person(person: Person) -> dict[str, Any]:
    """What each room holds of them, in the order of the house."""
    everything: dict[str, Any] = {"person": person.pk, "written_at": timezone.now()}
    for room in ROOMS:
        everything |= room.export(person)
    return everything


def as_json(everything: dict[str, Any]) -> str:
    return json.dumps(everything, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)


def as_page(everything: dict[str, Any]) -> str:
    """One file that any browser opens, also without a network."""
    return render_to_string("site/everything_file.html", {"all": everything})


def write_person(person: Person, folder: Path) -> list[Path]:
    """Write both into a folder. Nobody else on this machine can read them."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    everything = export_person(person)
    written = []
    for name, content in (("everything.json", as_json(everything)), ("everything.html", as_page(everything))):
        file = folder / name
        file.unlink(missing_ok=True)
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(content)
        written.append(file)
    return written
