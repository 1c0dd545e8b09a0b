"""Times and numbers as people say them."""

from datetime import UTC, date, datetime, timedelta
from unittest import mock

import pytest
from django.core.paginator import Paginator

from coproduce.people.templatetags.plain import how_long, pages_near, people_count, said_when, voices_count

TODAY = date(2026, 11, 23)  # a Monday


@pytest.fixture(autouse=True)
def it_is_monday():
    with mock.patch("coproduce.people.templatetags.plain.timezone.localdate", return_value=TODAY):
        yield


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 11, 23), "today"),
        (date(2026, 11, 22), "yesterday"),
        (date(2026, 11, 24), "tomorrow"),
        (date(2026, 11, 17), "last Tuesday"),
        (date(2026, 11, 16), "16 November"),
        (date(2026, 11, 27), "Friday"),
        (date(2026, 11, 30), "30 November"),
        (date(2026, 3, 14), "14 March"),
        (date(2025, 3, 14), "March last year"),
        (date(2024, 3, 14), "March 2024"),
        (date(2027, 1, 5), "5 January 2027"),
        (None, ""),
        ("in spring", "in spring"),
    ],
)
def test_a_day_is_said_as_people_say_it(day, said):
    assert said_when(day) == said


def test_a_day_of_last_year_just_gone_keeps_its_number():
    with mock.patch("coproduce.people.templatetags.plain.timezone.localdate", return_value=date(2027, 1, 10)):
        assert said_when(date(2026, 12, 14)) == "14 December"


def test_a_moment_is_a_day_here_and_not_in_greenwich():
    assert said_when(datetime(2026, 8, 1, 23, 30, tzinfo=UTC)) == "2 August"  # summer time


@pytest.mark.parametrize(
    ("took", "said"),
    [
        (timedelta(hours=5), "less than a day"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=26), "26 days"),
        (timedelta(weeks=7, days=3), "7 weeks"),
        (timedelta(weeks=11), "11 weeks"),
        (timedelta(days=155), "5 months"),
        (timedelta(days=800), "2 years"),
        (TODAY - timedelta(weeks=7), "7 weeks"),
        (None, ""),
    ],
)
def test_how_long_it_took(took, said):
    assert how_long(took) == said


def test_people_and_voices_are_counted_in_words():
    assert [people_count(n) for n in (0, 1, 1200)] == ["nobody", "1 person", "1,200 people"]
    assert [voices_count(n) for n in (0, 1, 23)] == ["no voices", "1 voice", "23 voices"]


def test_far_pages_are_left_out():
    assert list(pages_near(Paginator(range(230), 10), 5)) == [1, None, 4, 5, 6, None, 23]
