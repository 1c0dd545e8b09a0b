"""How the thread holds up: a county with 1,000,000 voices, and one change that 50,000 people stand behind.

    .venv/bin/python bench/thread.py            both sizes, a tenth and the whole, and how each figure grows
    .venv/bin/python bench/thread.py --tenth    the tenth only

Each size is measured in a process of its own on a SQLite file of its own, as the installation sets SQLite up.
CPU is this process's own time in seconds, the middle one of five where a thing can be done again. Memory is how much
the process's peak grew while doing it, in MiB.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WHOLE = {"voices": 1_000_000, "people": 200_000, "themes": 5_000, "changes": 2_000, "behind": 50_000}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tenth", action="store_true", help="only a tenth of the whole")
    parser.add_argument("--one", type=float, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one is not None:
        print(json.dumps(measure({name: int(number * asked.one) for name, number in WHOLE.items()})))
        return
    results = {}
    for share in (0.1,) if asked.tenth else (0.1, 1.0):
        with tempfile.TemporaryDirectory() as var:
            run = subprocess.run(
                [sys.executable, __file__, "--one", str(share)],
                env=os.environ
                | {
                    "COPRODUCE_VAR": var,
                    "PYTHONPATH": str(ROOT / "src"),
                    "DATABASE_URL": f"sqlite:///{var}/t.db",
                },
                stdout=subprocess.PIPE,
                check=True,
            )
        results[share] = json.loads(run.stdout)
    report(results)


def report(results: dict[float, dict[str, tuple[float, float]]]) -> None:
    names = list(results[0.1])
    print(f"{'':44}{'a tenth':>20}{'the whole':>20}{'growth':>10}")
    for name in names:
        cells = "".join(
            f"{results[share][name][0]:>12.3f} s {results[share][name][1]:>4.0f} M" for share in results
        )
        growth = (
            f"{results[1.0][name][0] / max(results[0.1][name][0], 1e-4):>9.1f}x" if 1.0 in results else ""
        )
        print(f"{name:44}{cells}{growth}")


def measure(size: dict[str, int]) -> dict[str, tuple[float, float]]:
    os.environ["DJANGO_SETTINGS_MODULE"] = "coproduce.site.settings"
    import django

    django.setup()
    from django.core.management import call_command
    from django.db.models import F
    from django.test import Client
    from django.test.utils import override_settings

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    amina, change = build(size)

    from coproduce.changes.thread import people_behind, voices_behind
    from coproduce.hearback import actions, debt
    from coproduce.hearback.models import Feedback

    def everybody_heard() -> None:
        Feedback.objects.update(state="heard", heard_at=F("owed_at") + dt.timedelta(days=9))

    from coproduce.people.models import Account

    def page(client: Client) -> Callable[[], Any]:
        def draw() -> None:
            answer = client.get(f"/changes/{change.pk}/")
            assert answer.status_code == 200, answer.status_code

        return draw

    facilitator, visitor = Client(), Client()
    Account.objects.create(person=amina, email="amina@example.org")
    facilitator.force_login(amina.account, backend="django.contrib.auth.backends.ModelBackend")
    results = {
        "list who is owed": of(
            lambda: list(people_behind(change).order_by().values_list("pk", flat=True)), 5
        ),
        "list the voices (ids)": of(
            lambda: list(voices_behind(change).order_by().values_list("pk", flat=True)), 5
        ),
        "record the update": of(
            lambda: actions.write_update(amina, change, "It is made", "You choose one worker."), 1
        ),
    }
    owed = change.updates.get().feedback.count()
    assert owed == size["behind"], owed
    with override_settings(
        STORAGES={"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}},
        ALLOWED_HOSTS=["*"],
        SECOND_FACTOR_FOR_STAFF=False,
    ):
        page(visitor)()  # templates are read once
        results["draw its page, facilitator"] = of(page(facilitator), 5)
        results["draw its page, visitor"] = of(page(visitor), 5)
        results["the words behind it, first page, facilitator"] = of(
            lambda: facilitator.get(f"/changes/{change.pk}/words/"), 5
        )
        everybody_heard()
        hubs = [change.hub_id]
        results["how long people waited, six months"] = of(lambda: debt.waits(hubs), 5)
        results["what is owed and not written"] = of(lambda: debt.owed_in(hubs), 5)
        results["the same with people, 20 of them"] = of(lambda: debt.with_people(debt.owed_in(hubs)[:20]), 5)
        results["the page of what is owed"] = of(lambda: facilitator.get("/who-has-heard/owed/"), 3)
        results["the page of every voice"] = of(lambda: facilitator.get("/who-has-heard/voices/"), 3)
    return results


def of(do: Callable[[], Any], times: int) -> tuple[float, float]:
    """CPU seconds (the middle one) and MiB by which the peak grew."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    spent = []
    for _time in range(times):
        begin = time.process_time()
        do()
        spent.append(time.process_time() - begin)
    return statistics.median(spent), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def build(size: dict[str, int]) -> tuple[Any, Any]:
    """The county, by plain inserts: 50,000 people with one or two voices each in two themes of one topic."""
    from django.db import connection, transaction

    from coproduce.agenda.models import Topic
    from coproduce.changes.models import Change, Step
    from coproduce.people.models import Hub, Membership, Person, Way
    from coproduce.themes.models import Placement, Theme
    from coproduce.voices.models import Consent, Voice

    chance = random.Random(7)
    county = Hub.objects.add_root({"name": "County"})
    hubs = [county, *(Hub.objects.add_child(county, {"name": f"Ward {n}"}) for n in range(9))]

    def insert(model: Any, columns: list[str], rows: Any) -> None:
        """Rows with these columns; every other that may not be empty gets what its field begins with."""
        rest = [
            field
            for field in model._meta.concrete_fields
            if field.column not in columns and not field.null and not field.primary_key
        ]
        begins = [field.get_db_prep_save(field.get_default(), connection) for field in rest]
        columns = [*columns, *(field.column for field in rest)]
        marks = ", ".join("%s" for _column in columns)
        sql = f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) VALUES ({marks})"
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(sql, ([*row, *begins] for row in rows))

    now, people = "2026-01-05 10:00:00", range(1, size["people"] + 1)
    insert(Person, ["id", "name", "added_at"], ((pk, f"Person {pk}", now) for pk in people))
    kinds = ["email", "page", "letter", "phone", "face_to_face"]
    insert(
        Way,
        ["person_id", "kind", "address", "preferred"],
        ((pk, chance.choice(kinds), f"p{pk}@example.org", True) for pk in people),
    )
    # The first `behind` people speak in the two themes behind the change; everybody else everywhere else.
    behind = size["behind"]
    first = [pk for person in range(1, behind + 1) for pk in [person] * chance.choice([1, 1, 1, 2])]
    rest = [chance.randint(1, size["people"]) for _voice in range(size["voices"] - len(first))]
    insert(
        Voice,
        ["id", "hub_id", "person_id", "came_by", "words", "said_on", "taken_at"],
        (
            (
                pk,
                chance.choice(hubs).pk,
                person,
                "note",
                f"What person {person} said, in words of their own.",
                "2026-01-05",
                now,
            )
            for pk, person in enumerate(first + rest, start=1)
        ),
    )
    insert(
        Consent,
        ["voice_id", "use", "given_at", "withdrawn_alone"],
        (
            (pk, use, now, False)
            for pk in range(1, size["voices"] + 1)
            for use in (["group", "public"] if pk % 10 == 0 else ["group"])
        ),
    )
    insert(
        Theme,
        ["id", "hub_id", "name", "about", "made_at"],
        ((pk, county.pk, f"Theme {pk}", "", now) for pk in range(1, size["themes"] + 1)),
    )
    insert(
        Placement,
        ["theme_id", "voice_id", "placed_at"],
        (
            (chance.choice([1, 2]) if pk <= len(first) else chance.randint(3, size["themes"]), pk, now)
            for pk in range(1, size["voices"] + 1)
        ),
    )
    Topic.objects.bulk_create(Topic(hub=county, title=f"Topic {n}") for n in range(size["changes"]))
    Change.objects.bulk_create(
        Change(hub=county, title=f"Change {n}", summary="Something.", kind="service")
        for n in range(size["changes"])
    )
    topics, changes = list(Topic.objects.order_by("pk")), list(Change.objects.order_by("pk"))
    Step.objects.bulk_create(Step(change=change, stage="made") for change in changes)
    for place, (topic, change) in enumerate(zip(topics, changes, strict=True)):
        topic.themes.add(*([1, 2] if place == 0 else [chance.randint(3, size["themes"])]))
        change.topics.add(topic)
    amina = Person.objects.create(name="Amina")
    for hub in hubs:
        Membership.objects.create(person=amina, hub=hub, role=Membership.Role.FACILITATOR)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return amina, changes[0]


if __name__ == "__main__":
    main()
