"""Adding one story to a county with 100,000 voices: how long the machine takes to propose themes for its quotes.

    .venv/bin/python bench/propose.py TEXTS.csv                     a text and its theme in each row
    .venv/bin/python bench/propose.py TEXTS.csv --voices 10000

Some texts of each theme are embedded as they are; the rest of the 100,000 are copies with noise on their meaning,
so that making them takes no hours. Four in five stand in their theme, which people confirmed. The story has 20 texts
that are not among them. It is embedded and proposed by the code that the worker runs. CPU is this process's own time
with one thread, loading the model included. It also shows that no confirmed theme changed, and how many of the 20 were
proposed into the theme that the file names.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

A_THEME = 40  # texts of a theme that are embedded as they are; the rest are these with noise on their meaning
QUOTES = 20


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("texts", type=Path)
    parser.add_argument("--voices", type=int, default=100_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as var:
        os.environ |= {
            "COPRODUCE_VAR": var,
            "DJANGO_SETTINGS_MODULE": "coproduce.site.settings",
            "OMP_NUM_THREADS": "1",
        }
        os.environ.pop("DATABASE_URL", None)
        import django

        django.setup()
        measure(asked.texts, asked.voices)


def measure(file: Path, voices: int) -> None:
    import numpy as np
    from django.core.management import call_command

    from coproduce.engine.themes import meaning as engine_meaning
    from coproduce.people.models import Hub, Membership, Person
    from coproduce.themes import meaning, tasks
    from coproduce.themes.models import Finding, Meaning, Placement, Proposal, Theme
    from coproduce.voices.actions import write_down
    from coproduce.voices.models import Consent, Use, Voice

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    hub = Hub.objects.add_root({"name": "County"})
    ify = Person.objects.create(name="Ify")
    Membership.objects.create(person=ify, hub=hub, role=Membership.Role.FACILITATOR)
    by = meaning.default_embedder()
    if by is None:
        sys.exit("There is no model on this machine: pip install the packages that pyproject.toml names.")
    by_theme: dict[str, list[str]] = {}
    with file.open(encoding="utf-8", newline="") as rows_of_file:
        for text, label in list(csv.reader(rows_of_file))[1:]:
            by_theme.setdefault(label, []).append(text)
    dice, random_numbers = np.random.default_rng(7), random.Random(7)
    names = [name for name, texts in sorted(by_theme.items()) if len(texts) > A_THEME]
    story = [(by_theme[name][A_THEME], name) for name in random_numbers.sample(names, QUOTES)]
    texts = [(text, at) for at, name in enumerate(names) for text in by_theme[name][:A_THEME]]
    known = by.embed([text for text, _at in texts])

    began = time.monotonic()
    made = Voice.objects.bulk_create(
        (
            Voice(hub=hub, came_by="note", words=texts[number % len(texts)][0], said_on="2026-01-01")
            for number in range(voices)
        ),
        batch_size=2000,
    )
    Consent.objects.bulk_create((Consent(voice=voice, use=Use.GROUP) for voice in made), batch_size=5000)
    for begin in range(0, voices, 5000):
        piece = made[begin : begin + 5000]
        rows = known[[(begin + at) % len(texts) for at in range(len(piece))]]
        rows = rows + dice.normal(0, 0.02, rows.shape)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        Meaning.objects.bulk_create(
            meaning.made_of(voice, by.name, row) for voice, row in zip(piece, rows, strict=True)
        )
    standing = [
        Theme.objects.create(hub=hub, name=name, confirmed_by=ify, confirmed_at="2026-02-01T10:00Z")
        for name in names
    ]
    Placement.objects.bulk_create(
        (
            Placement(theme=standing[texts[number % len(texts)][1]], voice=voice, placed_by=ify)
            for number, voice in enumerate(made)
            if random_numbers.random() < 0.8
        ),
        batch_size=5000,
    )
    print(
        f"{voices:,} voices, {Placement.objects.count():,} of them in {len(names)} confirmed themes "
        f"(made in {time.monotonic() - began:.0f} s)"
    )

    def state() -> list[object]:
        return [
            list(Theme.objects.order_by("pk").values_list()),
            list(Placement.objects.order_by("pk").values_list("pk", "theme", "voice", "placed_by")),
        ]

    before = state()
    new = [write_down(ify, hub, words, "note") for words, _name in story]
    finding = Finding.objects.create(hub=hub, asked_by=ify)
    meaning.embedder.cache_clear()
    engine_meaning._embedder.cache_clear()
    began_cpu, began = time.process_time(), time.monotonic()
    tasks.propose_for(finding, {voice.pk for voice in new})
    cpu, took = time.process_time() - began_cpu, time.monotonic() - began
    assert state() == before, "a confirmed theme changed"
    found = Proposal.objects.filter(voice__in=[voice.pk for voice in new])
    print(
        f"One story of {len(new)} quotes: {cpu:.2f} s of CPU ({took:.2f} s on the clock), "
        f"{found.count()} proposals for {found.values('voice').distinct().count()} of its quotes"
    )
    print("No confirmed theme changed.")
    best = {
        voice.pk: found.filter(voice=voice)
        .order_by("-strength")
        .values_list("theme__name", flat=True)
        .first()
        for voice in new
    }
    right = sum(best[voice.pk] == name for voice, (_words, name) in zip(new, story, strict=True))
    print(f"{right} of {len(new)} proposed first into the theme that the file names.")


if __name__ == "__main__":
    main()
