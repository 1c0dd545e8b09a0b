"""A meeting of the town, on this day and an hour long, and one that is still to come."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from coproduce.agenda.actions import meetings
from coproduce.agenda.actions.topics import raise_topic
from coproduce.agenda.models import Meeting


def plan(begins_in: dt.timedelta, **rest: str) -> meetings.Plan:
    begins = timezone.now() + begins_in
    return meetings.Plan(begins, begins + dt.timedelta(hours=2), **rest)


WEEK = dt.timedelta(days=7)


@pytest.fixture
def today(amina, town) -> Meeting:
    """It has begun, on whatever day this is."""
    return meetings.plan_meeting(amina, town, plan(dt.timedelta(0), place="The library"))


@pytest.fixture
def coming(amina, town) -> Meeting:
    return meetings.plan_meeting(amina, town, plan(WEEK, place="The library", from_afar="Ring 01632 960123"))


@pytest.fixture
def topic(lee, town):
    return raise_topic(lee, town, "Who stays?", "I had eleven workers")
