"""Adding one story to a county with 100,000 voices: how long the machine takes to propose themes for its quotes.

    .venv/bin/python bench/propose.py                 100,000 voices in 200 confirmed themes, one story of 20 quotes
    .venv/bin/python bench/propose.py --voices 10000 --themes 50

The 100,000 are made of a few sentences with noise on their meaning, so that making them takes no hours; the story is
embedded and proposed by the code that the worker runs. CPU is this process's own time, the model's loading included.
It also shows that no confirmed theme changed.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

WHO = [
    "my worker",
    "the council",
    "the doctor",
    "the hostel",
    "my landlord",
    "the drop-in",
    "the school",
    "the bus",
]
WHAT = [
    "never rings back",
    "closes at five",
    "sends letters nobody can read",
    "asks the same question every time",
    "is too far to walk",
    "costs more than I have",
    "treats us like numbers",
    "listened to me",
    "moved us again",
    "lost my papers",
    "has no room for a pram",
    "shut down in the winter",
    "wants a phone number I don't have",
    "gave me a key of my own",
    "told me to wait outside",
    "never writes anything down",
    "is cold and damp",
    "helped me fill in the form",
    "promised and did not come",
    "knows my name",
    "has a queue round the block",
    "stopped my money",
    "makes good soup",
    "let the dog come in",
    "talks over my head",
]
STORY = [
    "They said somebody would ring me back on Monday. That was in March.",
    "By the time I get off the bus the office is shut.",
    "I had the letter read to me by the girl in the chip shop.",
    "I have told it so often that I don't feel it any more.",
    "It is an hour on foot, and I do it with a stick.",
    "You need a tenner before you have even got there.",
    "I was a number on a screen. Ninety-four.",
    "She put her pen down and listened. I nearly cried.",
    "Three times we packed in one year.",
    "My birth certificate went in there and never came out.",
    "I left the buggy in the rain because of the stairs.",
    "In the winter, when you want it, it is shut.",
    "They wanted a mobile number and would not go on without.",
    "When I got my own key I slept for two days.",
    "I waited on the step like a parcel.",
    "Nobody ever wrote it down, so I said it again.",
    "There is black mould behind the bed.",
    "He sat with me and we did the form together.",
    "Promises. I could paper the wall with them.",
    "They know my name in there, and how I take my tea.",
]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--voices", type=int, default=100_000)
    parser.add_argument("--themes", type=int, default=200)
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
        measure(asked.voices, asked.themes)


def measure(voices: int, themes: int) -> None:
    import numpy as np
    from django.core.management import call_command

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
    sentences = [f"{who} {what}" for who in WHO for what in WHAT]
    middles = by.embed(sentences[:themes])
    dice, random_numbers = np.random.default_rng(7), random.Random(7)

    began = time.monotonic()
    made = Voice.objects.bulk_create(
        (
            Voice(hub=hub, came_by="note", words=sentences[number % themes], said_on="2026-01-01")
            for number in range(voices)
        ),
        batch_size=2000,
    )
    Consent.objects.bulk_create((Consent(voice=voice, use=Use.GROUP) for voice in made), batch_size=5000)
    for begin in range(0, voices, 5000):
        piece = made[begin : begin + 5000]
        rows = middles[[(begin + at) % themes for at in range(len(piece))]]
        rows = rows + dice.normal(0, 0.04, rows.shape)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        Meaning.objects.bulk_create(
            meaning.made_of(voice, by.name, row) for voice, row in zip(piece, rows, strict=True)
        )
    standing = [
        Theme.objects.create(hub=hub, name=sentences[at], confirmed_by=ify, confirmed_at="2026-02-01T10:00Z")
        for at in range(themes)
    ]
    Placement.objects.bulk_create(
        (
            Placement(theme=standing[number % themes], voice=voice, placed_by=ify)
            for number, voice in enumerate(made)
            if random_numbers.random() < 0.8
        ),
        batch_size=5000,
    )
    print(
        f"{voices:,} voices, {Placement.objects.count():,} of them in {themes} confirmed themes "
        f"(made in {time.monotonic() - began:.0f} s)"
    )

    def state() -> list[object]:
        return [
            list(Theme.objects.order_by("pk").values_list()),
            list(Placement.objects.order_by("pk").values_list("pk", "theme", "voice", "placed_by")),
        ]

    before = state()
    new = [write_down(ify, hub, words, "note") for words in STORY]
    finding = Finding.objects.create(hub=hub, asked_by=ify)
    meaning.embedder.cache_clear()
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
    for proposal in found.select_related("voice", "theme").order_by("voice", "-strength")[:12]:
        print(f"  {proposal.strength:.2f}  {proposal.voice.words}  →  {proposal.theme}")


if __name__ == "__main__":
    main()
