"""Counts outside the group: what is said, and what somebody can work out who asks twice."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from coproduce.people.counts import SMALL, Said, rounded, said_to, shift_of

SHIFTS = range(5)
MOST = 130


@given(st.integers(0, 100_000), st.sampled_from(SHIFTS))
def test_under_eleven_is_never_a_number_and_the_rest_is_near(number, shift):
    said = rounded(number, shift)
    if number < SMALL:
        assert str(said) == "fewer than 11"
    if said.number is None:
        assert number < SMALL + 4
    else:
        assert said.number % 5 == 0 and abs(said.number - number) <= 4
        assert str(said) == f"about {said.number:,}"


@pytest.mark.django_db
def test_who_is_of_the_group_gets_the_number_and_nobody_else(amina, lee, joan, marek, charlie, town, ward):
    for reader in (amina, lee, joan):
        assert said_to(reader, 3, town, "x") == Said(3, exact=True)
    for reader in (marek, charlie, None):
        assert str(said_to(reader, 3, town, "x")) == "fewer than 11"
        assert str(said_to(reader, 0, town, "x")) == "fewer than 11"
    assert str(said_to(lee, 3, ward, "x")) == "fewer than 11"  # another group than theirs
    assert said_to(marek, 40, town, "x") == said_to(charlie, 40, town, "x") == said_to(None, 40, town, "x")


def test_words_for_each():
    assert Said(None).people == "fewer than 11 people" and Said(20).voices == "about 20 voices"
    assert Said(1, exact=True).people == "1 person" and Said(0, exact=True).voices == "no voices"
    assert Said(1200, exact=True).voices == "1,200 voices" and Said(None).rank == 0


def test_the_secret_amount_lasts_and_is_spread_and_follows_the_key(settings):
    known = [shift_of(f"voices in theme {n}") for n in range(500)]
    assert known == [shift_of(f"voices in theme {n}") for n in range(500)]
    assert set(known) == set(SHIFTS) and all(known.count(shift) > 60 for shift in SHIFTS)
    settings.SECRET_KEY = "another"
    assert known != [shift_of(f"voices in theme {n}") for n in range(500)]


# The attacks. Whoever attacks knows all of counts.py but the key, and exactly who came or went between two looks. They
# may think of every number and every shift; what is left is what they know.


def left(looks: list[tuple[int, Said]]) -> set[int]:
    """Which numbers one count may have had at the first look: looks are (how many more since then, what was said)."""
    return {
        number
        for number, shift in product(range(MOST), SHIFTS)
        if all(number + more >= 0 and rounded(number + more, shift) == said for more, said in looks)
    }


def seen(number: int, shift: int, steps: list[int]) -> list[tuple[int, Said]]:
    return [(more, rounded(number + more, shift)) for more in steps if number + more >= 0]


@given(st.integers(0, 10), st.sampled_from(SHIFTS), st.integers(0, 30))
def test_one_count_asked_at_every_step_does_not_tell_a_small_one(number, shift, come):
    """Somebody watches as up to thirty people come, one by one, and looks each time."""
    may_be = left(seen(number, shift, list(range(come + 1))))
    assert number in may_be and (number == 0 or len(may_be) >= 2)  # that it was nobody is about nobody
    # When it turns, it had come to ten, or eleven, up to fourteen: every one of them stays possible.
    if come + number >= 15:
        turned = SMALL + shift - number
        assert may_be == {n for n in range(MOST) if SMALL <= n + turned <= SMALL + 4}


@given(st.data())
def test_taking_one_from_another_twice_does_not_tell_a_small_part(data):
    """A whole, all of it but a part, and the part itself; then one person comes or goes, anywhere; all asked again."""
    part, rest = data.draw(st.integers(0, 10)), data.draw(st.integers(0, 40))
    shifts = [data.draw(st.sampled_from(SHIFTS)) for _count in range(3)]
    by_part, by_rest = data.draw(
        st.sampled_from([(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1)])
    )
    assume(part + by_part >= 0 and rest + by_rest >= 0)
    of_part = left(seen(part, shifts[0], [0, by_part]))
    of_rest = left(seen(rest, shifts[1], [0, by_rest]))
    of_whole = left(seen(part + rest, shifts[2], [0, by_part + by_rest]))
    may_be = {one for one in of_part if any(one + other in of_whole for other in of_rest)}
    assert part in may_be and len(may_be) >= 2


@given(st.lists(st.integers(0, 25), min_size=3, max_size=4), st.data())
def test_all_subsets_that_pages_can_show_do_not_tell_a_small_one(parts, data):
    """Themes of a change overlap: parts, the whole, and the whole without each part; then one person more in one."""
    assume(any(part < SMALL for part in parts))
    sets = [{n} for n in range(len(parts))] + [set(range(len(parts)))]
    sets += [set(range(len(parts))) - {n} for n in range(len(parts))]
    shifts = [data.draw(st.sampled_from(SHIFTS)) for _set in sets]
    more_in = data.draw(st.sampled_from(range(len(parts))))
    known = [
        left(seen(sum(parts[n] for n in members), shift, [0, int(more_in in members)]))
        for members, shift in zip(sets, shifts, strict=True)
    ]
    for target, part in enumerate(parts):
        if part < SMALL:
            assert len(still_possible(parts, sets, known, target)) >= 2


def still_possible(parts: list[int], sets: list[set[int]], known: list[set[int]], target: int) -> set[int]:
    """What the target may be. Looks for all there is near the truth, where two possibilities are enough."""
    found: set[int] = set()
    near = [[n for n in sorted(known[place]) if abs(n - part) <= 4] for place, part in enumerate(parts)]
    for guess in product(*near):
        if guess[target] not in found and all(
            sum(guess[n] for n in members) in may_be for members, may_be in zip(sets, known, strict=True)
        ):
            found.add(guess[target])
            if len(found) > 1:
                break
    return found
