from __future__ import annotations

import datetime as dt

import pytest

from coproduce.people.models import Membership
from coproduce.voices.actions import add_story, name_speaker
from coproduce.voices.models import Story
from tests.conftest import make_person

TOLD = dt.date(2026, 3, 3)
TRANSCRIPT = """Ify: Right, that is on. Where do you want to start?

Lee: I had eleven workers in two years. Then Joan. She picked up the phone. Nobody else did.

Ify: What did she do?

Lee: She rang back. 😀 That was all it took.

Ify: Thank you.
"""


@pytest.fixture
def story(amina, town) -> Story:
    """Five turns, Ify and Lee by turns; nobody knows yet who they are."""
    return add_story(amina, town, "Lee’s story", TOLD, "lee.txt", TRANSCRIPT.encode())


@pytest.fixture
def lees(amina, lee, story):
    """The speaker Lee, who is Lee, and lets the group and services read what he said."""
    speaker = story.speakers.get(label="Lee")
    name_speaker(amina, speaker, lee, ["group", "services"])
    return speaker


@pytest.fixture
def turn(story, lees):
    """What Lee says first."""
    return story.turns.select_related("speaker__person", "story").get(position=1)


@pytest.fixture
def nadia(town):
    return make_person("Nadia", town, Membership.Role.CURATOR)


@pytest.fixture
def omar(town):
    return make_person("Omar", town, Membership.Role.COORDINATOR)
