"""The whole table, walked: every role × verb × here, below, above, elsewhere; and against a naive reading."""

from __future__ import annotations

from types import SimpleNamespace
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coproduce.people import permissions
from coproduce.people.actions import add_hub, join, leave
from coproduce.people.models import Hub, Membership, Person
from coproduce.people.permissions import BELOW, HERE, TABLE, NotAllowed, hubs_where, may, may_give, must
from tests.conftest import make_person

Role = Membership.Role

# What each role may do, written down a second time, the other way round: role → (here, here and below).
READ_AND_RAISE = {
    "read what the group may read",
    "raise a topic",
    "support a topic",
    "say what a word means",
}
KEEP = {
    "read everything said",
    "add words",
    "take in what strangers say",
    "work on stories",
    "make sense",
    "explain words",
    "curate statements",
    "record votes",
}
LEAD = {
    "decide on a topic",
    "answer an ask",
    "open a conversation",
    "lead a meeting",
    "record a change",
    "tie the thread",
    "write an update",
    "tell people",
    "look after people",
}
EXPECTED: dict[str, tuple[set[str], set[str]]] = {
    "member": (READ_AND_RAISE, set()),
    "trusted person": (READ_AND_RAISE | {"add words", "bring somebody in"}, set()),
    "champion": (READ_AND_RAISE | {"add words", "bring somebody in"}, set()),
    "curator": (READ_AND_RAISE | KEEP, set()),
    "facilitator": (READ_AND_RAISE | KEEP | LEAD, set()),
    "commissioner": (set(), {"read what services may read", "record a change", "write an update"}),
    "coordinator": (set(), READ_AND_RAISE | LEAD | {"shape hubs", "explain words"}),
}


@pytest.fixture
def hubs(db):
    """Where a hub may stand to the one in which somebody holds a role."""
    county = Hub.objects.add_root({"name": "County"})
    town = Hub.objects.add_child(county, {"name": "Eastmoor"})
    ward = Hub.objects.add_child(town, {"name": "Millbank"})
    sister = Hub.objects.add_child(county, {"name": "Westmoor"})
    return {"here": town, "below": ward, "above": county, "elsewhere": sister}


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("verb", TABLE)
@pytest.mark.parametrize("where", ["here", "below", "above", "elsewhere"])
def test_every_role_may_do_exactly_what_the_table_says(role, verb, where, hubs):
    here, below = EXPECTED[role]
    expected = verb in below if where == "below" else (verb in here | below and where == "here")
    somebody = make_person("Somebody", hubs["here"], role)
    assert may(somebody, verb, hubs[where]) is expected
    if expected:
        must(somebody, verb, hubs[where].pk)
    else:
        with pytest.raises(NotAllowed):
            must(somebody, verb, hubs[where])


def test_the_expectation_names_every_role_and_every_verb():
    assert set(EXPECTED) == set(Role.values)
    assert {verb for here, below in EXPECTED.values() for verb in here | below} == set(TABLE)


@pytest.mark.django_db
def test_who_belongs_nowhere_and_who_is_nobody_may_do_nothing(town, charlie):
    for verb in TABLE:
        assert not may(charlie, verb, town)
        assert not may(None, verb, town)


@pytest.mark.django_db
def test_an_unknown_verb_is_an_error_and_not_a_no(town, amina):
    with pytest.raises(KeyError):
        may(amina, "juggle", town)


@pytest.mark.django_db
def test_a_role_that_has_ended_allows_nothing(town, amina, lee):
    held = lee.memberships.get()
    leave(amina, held)
    assert not may(Person.objects.get(pk=lee.pk), "raise a topic", town)


@pytest.mark.django_db
def test_two_queries_for_a_person_whatever_is_asked(town, amina, django_assert_num_queries):
    with django_assert_num_queries(2):
        for verb in TABLE:
            may(amina, verb, town)


@pytest.mark.django_db
def test_what_an_action_changed_is_known_at_once(town, amina, lee):
    root = make_person("Rosa", town, Role.COORDINATOR)
    assert not may(lee, "add words", town)
    join(amina, lee, town, Role.CHAMPION)
    assert may(lee, "add words", town)
    assert hubs_where(root, "shape hubs") == {town.pk}
    assert may(root, "shape hubs", add_hub(root, town, "Millbank"))


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role.values)
def test_a_facilitator_gives_every_role_but_the_one_that_reaches_further_than_theirs(role, town, amina):
    rosa = make_person("Rosa", town, Role.COORDINATOR)
    assert may_give(amina, role, town) is (role != Role.COORDINATOR)
    assert may_give(rosa, role, town)


# Random trees and memberships, without a database: the same code, fed by hand.


@st.composite
def trees(draw):
    """A tree of hubs, as (pk, path) with paths of five letters a step, and who holds which roles where."""
    paths = ["00001"]
    for step in range(draw(st.integers(0, 7))):
        parent = draw(st.sampled_from(["", *paths]))
        paths.append(f"{parent}{step + 2:05d}")
    hubs = list(enumerate(paths, start=1))
    held = draw(st.lists(st.tuples(st.sampled_from(hubs), st.sampled_from(Role.values)), max_size=6))
    return hubs, held


@given(trees())
def test_hubs_where_agrees_with_a_naive_reading_of_the_table(tree):
    hubs, held = tree
    memberships = [
        SimpleNamespace(hub_id=pk, hub=SimpleNamespace(path=path), role=role) for (pk, path), role in held
    ]
    current = mock.Mock()
    current.filter.return_value.select_related.return_value = memberships
    person = Person(pk=1)
    with (
        mock.patch.object(permissions.Membership.objects, "current", return_value=current),
        mock.patch.object(permissions.Hub.objects, "values_list", return_value=hubs),
    ):
        for verb, roles in TABLE.items():
            naive = set()
            for pk, path in hubs:
                ancestors_and_self = {path[: end * 5] for end in range(1, len(path) // 5 + 1)}
                for (held_in, held_path), role in held:
                    reach = roles.get(role)
                    if (reach == HERE and held_in == pk) or (
                        reach == BELOW and held_path in ancestors_and_self
                    ):
                        naive.add(pk)
            assert hubs_where(person, verb) == naive
