from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from coproduce.agenda.actions import topics as actions
from coproduce.agenda.models import Stage, Topic, voices_on
from coproduce.people.models import Act, Membership
from coproduce.people.permissions import NotAllowed
from coproduce.themes.actions import make_theme, merge
from coproduce.voices.actions import write_down
from tests.conftest import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def voice(amina, lee, town):
    return write_down(amina, town, "Just one person to ring", "call", lee)


@pytest.fixture
def topic(lee, town):
    return actions.raise_topic(lee, town, "Who stays?", "I had eleven workers")


def stage_of(topic: Topic) -> str:
    return Topic.objects.with_stage().get(pk=topic.pk).stage


# Raising


@pytest.mark.parametrize("cast", ["amina", "lee", "joan"])
def test_everybody_in_the_group_raises_a_topic(cast, request, town):
    by = request.getfixturevalue(cast)
    topic = actions.raise_topic(by, town, "  Who stays? ")
    assert (topic.title, topic.raised_by, stage_of(topic)) == ("Who stays?", by, Stage.OPEN)
    assert Act.objects.get(verb="raise").thing_id == topic.pk


@pytest.mark.parametrize("cast", ["marek", "charlie"])
def test_others_do_not(cast, request, town):
    with pytest.raises(NotAllowed):
        actions.raise_topic(request.getfixturevalue(cast), town, "Mine")


def test_a_topic_needs_a_title(lee, town):
    with pytest.raises(ValidationError):
        actions.raise_topic(lee, town, "  ")


def test_from_a_theme_every_voice_in_it_stands_behind_the_topic(amina, lee, town, voice):
    letters = make_theme(amina, town, "Letters", voices=[voice])
    other = write_down(amina, town, "Wrong address", "note", lee)
    merge(amina, make_theme(amina, town, "Addresses", voices=[other]), letters)
    topic = actions.raise_topic(lee, town, "Post", themes=[letters])
    assert set(voices_on([topic.pk]).values_list("pk", flat=True)) == {voice.pk, other.pk}


# What it grew from


def test_whoever_raised_it_ties_it_and_so_does_who_ties_the_thread(amina, lee, joan, town, topic, voice):
    theme = make_theme(amina, town, "One person")
    actions.ground(lee, topic, themes=[theme])
    actions.ground(amina, topic, voices=[voice])
    with pytest.raises(NotAllowed):
        actions.ground(joan, topic, voices=[voice])
    with pytest.raises(NotAllowed):
        actions.untie(joan, topic, voice)
    assert list(topic.themes.all()) == [theme] and list(topic.voices.all()) == [voice]


def test_nobody_ties_what_they_may_not_see(amina, lee, town, ward, topic):
    omar = make_person("Omar", ward, Membership.Role.FACILITATOR)
    theirs = make_theme(omar, ward, "Theirs")
    kept = write_down(amina, town, "Kept to myself", "note", amina, uses=[])
    for wrong in ({"themes": [theirs]}, {"voices": [kept]}):
        with pytest.raises(NotAllowed):
            actions.ground(lee, topic, **wrong)
        with pytest.raises(NotAllowed):
            actions.raise_topic(lee, town, "Another", **wrong)
    assert not topic.themes.exists() and not topic.voices.exists()
    assert Topic.objects.count() == 1


def test_what_was_tied_by_mistake_is_taken_off(amina, town, topic, voice):
    theme = make_theme(amina, town, "One person")
    actions.ground(amina, topic, [theme], [voice])
    actions.untie(amina, topic, theme)
    actions.untie(amina, topic, voice)
    assert not topic.themes.exists() and not topic.voices.exists()
    assert Act.objects.filter(verb="untie").count() == 2


# Deciding


def test_the_latest_decision_says_where_a_topic_stands(amina, topic):
    today = timezone.localdate()
    actions.decide(amina, topic, Stage.DECIDED, "One worker each", today)
    actions.decide(amina, topic, Stage.WORKING, on=today - dt.timedelta(days=9))
    assert stage_of(topic) == Stage.DECIDED
    actions.decide(amina, topic, Stage.OPEN, on=today)
    assert stage_of(topic) == Stage.OPEN


def test_putting_aside_needs_its_reason(amina, topic):
    with pytest.raises(ValidationError):
        actions.decide(amina, topic, Stage.PUT_ASIDE, "  ")
    actions.decide(amina, topic, Stage.PUT_ASIDE, "The council has no say in it")
    assert stage_of(topic) == Stage.PUT_ASIDE


def test_nothing_was_decided_tomorrow(amina, topic):
    with pytest.raises(ValidationError):
        actions.decide(amina, topic, Stage.DECIDED, on=timezone.localdate() + dt.timedelta(days=1))


@pytest.mark.parametrize("cast", ["lee", "joan", "marek", "charlie"])
def test_only_who_leads_writes_down_decisions(cast, request, topic):
    with pytest.raises(NotAllowed):
        actions.decide(request.getfixturevalue(cast), topic, Stage.DECIDED)


def test_topics_stand_in_the_order_of_their_stage(amina, lee, town):
    stages = [Stage.PUT_ASIDE, Stage.DECIDED, Stage.OPEN, Stage.WORKING]
    for stage in stages:
        actions.decide(amina, actions.raise_topic(lee, town, stage.label), stage, "Because")
    actions.raise_topic(lee, town, "New")
    assert [topic.title for topic in Topic.objects.by_stage()] == [
        "Being worked on",
        "New",
        "Open",
        "Decided",
        "Put aside",
    ]
