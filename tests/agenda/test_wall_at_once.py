"""Many phones at once against a real server: none is lost and each is shown once. bench/wall.py is the long form."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from coproduce.agenda.actions import meetings, wall
from coproduce.agenda.models import Item
from coproduce.agenda.wall_pages import screen_path
from coproduce.voices.models import Voice

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def bench():
    import sys

    file = Path(__file__).parents[2] / "bench" / "wall.py"
    spec = importlib.util.spec_from_file_location("bench_wall", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # a dataclass looks for its module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def test_many_phones_at_once_lose_nothing_and_nothing_is_shown_twice(
    bench, amina, today, topic, live_server, full, record_property
):
    meetings.put_on_agenda(amina, today, Item.Kind.TOPIC, 20, topic)
    wall.open_wall(amina, today)
    links = {"note": f"/n/{today.wall_key}/", "screen": screen_path(today) + "notes/"}
    notes, phones, seconds = (300, 60, 60) if full else (24, 8, 2)
    measured = bench.run(int(live_server.url.rpartition(":")[2]), links, notes, phones, seconds)
    assert (measured.said, measured.shown, measured.lost, measured.twice) == (notes, notes, 0, 0)
    assert measured.again > 0, "some were sent twice"
    assert Voice.objects.count() == notes
    assert topic.voices.count() == notes
    record_property(
        "figures", f"The wall, {notes} notes at once: until shown {bench.spread(measured.until_shown)}"
    )
