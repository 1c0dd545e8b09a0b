"""Opinion groups and common ground: the same numbers as the published formulas, whatever the votes."""

import json
import math
import os
import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import silhouette_score

from coproduce.engine.consensus import BadVotes, Votes, analyse, next_statement
from coproduce.engine.consensus import groups as grouping
from coproduce.engine.consensus import statements as measures
from coproduce.engine.consensus import votes as keeping
from coproduce.engine.consensus.projection import project
from tests.engine import slow_consensus as slow

DATA = Path(os.environ.get("COPRODUCE_DATA", Path(__file__).parents[2] / "../shared/data")) / "consensus"
CONVERSATIONS = sorted(one.name for one in DATA.glob("*")) or ["(no real conversations here)"]

some_votes = st.dictionaries(
    st.tuples(st.integers(0, 12), st.integers(0, 8)), st.sampled_from([-1, 0, 1]), min_size=1, max_size=80
)


def votes_of(given: slow.Given) -> Votes:
    cast = list(given.items())
    random.Random(0).shuffle(cast)
    return Votes.from_arrays([p for (p, _), _ in cast], [s for (_, s), _ in cast], [v for _, v in cast])


def columns(cast: list[tuple[int, int, int]]) -> list[list[int]]:
    return [[one[at] for one in cast] for at in range(3)]


def given_of(votes: Votes) -> slow.Given:
    return {(p, s): v for p, s, v in zip(*(array.tolist() for array in votes.arrays()), strict=True)}


def real(name: str) -> Votes:
    if not (DATA / name).is_dir():
        pytest.skip(
            f"the real conversations are not in {DATA} (set COPRODUCE_DATA to the folder that holds them)"
        )
    return Votes.from_csv(DATA / name / "participants-votes.csv")


def camps(people: int, statements: int, sides: int, seed: int = 0, share: float = 0.6) -> Votes:
    """People in camps that vote against each other, each on a share of the statements, now and then otherwise."""
    rng = np.random.default_rng(seed)
    side = np.arange(people) % sides
    leaning = np.sign(rng.normal(size=(sides, statements)))
    vote = np.where(
        rng.random((people, statements)) < 0.85, leaning[side], rng.integers(-1, 2, (people, statements))
    )
    person, statement = np.nonzero(rng.random((people, statements)) < share)
    return Votes.from_arrays(person, statement, vote[person, statement].astype(int))


def same_places(one: np.ndarray, two: np.ndarray) -> float:
    """How far apart at most, the sign of each axis left open."""
    return float(
        max(min(np.abs(a - b).max(), np.abs(a + b).max()) for a, b in zip(one.T, two.T, strict=True))
    )


# The same numbers as the formulas


@settings(deadline=None)
@given(some_votes, st.sets(st.integers(0, 8), max_size=3))
def test_places_are_those_of_the_dense_matrix(cast, out):
    votes = votes_of(cast)
    found = project(votes, np.isin(votes.statements, list(out)))
    points, spots, mean, squares = slow.projected(cast, out)
    assert np.abs(found.mean - mean).max() < 1e-12
    assert np.abs(found.variances - np.where(squares[:2] > 1e-12 * squares[0], squares[:2], 0)).max() < 1e-9
    first_stands_out = squares[0] - squares[1] > 1e-3 * squares[0]
    second_stands_out = squares[1] - squares[2] > 1e-3 * squares[0]
    if first_stands_out:  # otherwise any turn of the axes is as good
        assert same_places(found.points[:, :1], points[:, :1]) < 1e-9
        assert same_places(found.statements[:, :1], spots[:, :1]) < 1e-9
    if first_stands_out and second_stands_out:
        assert same_places(found.points, points) < 1e-9
        assert np.abs(found.extremity - np.hypot(*spots.T)).max() < 1e-9


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_places_of_real_conversations(name):
    votes = real(name)
    out = set(votes.statements[::17].tolist())
    found = project(votes, np.isin(votes.statements, list(out)))
    points, spots, mean, _ = slow.projected(given_of(votes), out)
    assert np.abs(found.mean - mean).max() < 1e-12
    assert same_places(found.points, points) < 1e-9
    assert same_places(found.statements, spots) < 1e-9


@settings(deadline=None)
@given(
    some_votes, st.sets(st.integers(0, 8), max_size=3), st.integers(1, 4), st.randoms(use_true_random=False)
)
def test_statistics_and_picks_are_those_of_the_formulas(cast, out, groups, by_chance):
    votes = votes_of(cast)
    group_of = {
        one: by_chance.randrange(groups) for one in votes.participants.tolist() if by_chance.random() < 0.9
    }
    labels = np.array([group_of.get(one, -1) for one in votes.participants.tolist()])
    check_statistics(votes, cast, labels, group_of, groups, out)


@pytest.mark.parametrize("name", ["london.youth.policing", "scoop-hivemind.freshwater", "brexit-consensus"])
def test_statistics_and_picks_of_real_conversations(name):
    votes = real(name)
    labels = analyse(votes).labels
    people = dict(zip(votes.participants.tolist(), labels.tolist(), strict=True))
    group_of = {one: label for one, label in people.items() if label >= 0}
    check_statistics(votes, given_of(votes), labels, group_of, int(labels.max()) + 1, set())


def check_statistics(votes, cast, labels, group_of, groups, out):
    taken_out = np.isin(votes.statements, list(out))
    tally = votes.tally_by(labels, groups)
    found = measures.statistics(tally)
    figures = slow.measured(cast, group_of, groups)
    for (group, statement), row in figures.items():
        place = int(np.searchsorted(votes.statements, statement))
        for name, figure in row.items():
            assert getattr(found, name)[group, place] == pytest.approx(figure, rel=1e-12, abs=1e-12)
    informed = measures.group_informed(found)[0]
    extremity = project(votes, taken_out).extremity
    priority = measures.priority(tally.sum(axis=0), extremity)
    for place, statement in enumerate(votes.statements.tolist()):
        product = math.prod(figures[group, statement]["p_agree"] for group in range(groups))
        assert informed[place] == pytest.approx(product, rel=1e-12)
        expected = slow.priority(cast, set(group_of), statement, extremity[place])
        assert priority[place] == pytest.approx(expected, rel=1e-12)
    for group, picks in enumerate(measures.representative(found, taken_out)):
        mine = [(votes.statements[pick.statement].item(), pick.agrees) for pick in picks]
        theirs = slow.chosen(figures, group, out)
        assert [slow.weight(figures[group, one]) for one, _ in mine] == pytest.approx(
            [slow.weight(figures[group, one]) for one, _ in theirs]
        )  # equal, but for ties
        assert all(
            pick.votes == figures[group, one]["agree" if yes else "disagree"]
            for pick, (one, yes) in zip(picks, mine, strict=True)
        )


def test_what_most_people_say_is_chosen_as_published():
    # 20 agree with 0, 18 with 1, half with 2, nobody with 3; 4 was taken out.
    cast = {(p, 0): 1 for p in range(20)} | {(p, 1): 1 if p < 18 else -1 for p in range(20)}
    cast |= {(p, 2): 1 if p % 2 else -1 for p in range(20)} | {(p, 3): -1 for p in range(20)}
    cast |= {(p, 4): 1 for p in range(20)}
    found = analyse(votes_of(cast), moderated_out=[4]).consensus
    assert [(pick.statement, pick.agrees, pick.votes, pick.seen) for pick in found] == [
        (0, True, 20, 20),
        (1, True, 18, 20),
        (3, False, 20, 20),
    ]
    assert found[0].p == 21 / 22 and found[0].z == pytest.approx(2 * math.sqrt(21) * 0.5)


def test_common_ground_is_what_every_group_says():
    cast = given_of(camps(60, 20, 2))
    cast |= {(p, 100): 1 for p in range(60)}  # everybody
    cast |= {(p, 101): 1 if p % 2 == 0 or p % 5 else -1 for p in range(60)}  # nearly everybody
    cast |= {(p, 102): 1 if p % 2 or p < 32 else -1 for p in range(60)}  # most, but half of one camp
    result = analyse(votes_of(cast))
    assert sorted(result.grouping.sizes.tolist()) == [30, 30]
    agreed = [result.votes.statements[pick.statement] for pick in result.common_ground if pick.agrees]
    assert agreed[0] == 100 and 101 in agreed and 102 not in agreed
    for pick in result.common_ground:
        p = result.statistics.p_agree if pick.agrees else result.statistics.p_disagree
        assert (p[:, pick.statement] > 0.5).all()


# Groups


def test_camps_are_found_and_steady():
    for sides in (2, 3):
        votes = camps(300, 40, sides)
        result = analyse(votes)
        assert len(result.groups) == sides
        side = votes.participants % sides
        together = result.labels[:, None] == result.labels[None, :]
        assert (together == (side[:, None] == side[None, :])).mean() > 0.98
        assert result.stability.together > 0.95 and result.stability.apart > 0.95
        assert result.stability.same_number > 0.9


def test_groups_where_there_are_none_are_called_unsteady():
    rng = np.random.default_rng(5)
    person, statement = np.nonzero(rng.random((200, 30)) < 0.7)
    result = analyse(Votes.from_arrays(person, statement, rng.integers(-1, 2, len(person))))
    assert result.stability.together < 0.8


def test_no_group_is_smaller_than_said():
    # Three people vote against everybody else on everything.
    by_chance = random.Random(1)
    cast = {
        (p, s): (1 if by_chance.random() < 0.95 else 0) if p >= 3 else -1
        for p in range(100)
        for s in range(20)
    }
    votes = votes_of(cast)
    assert analyse(votes, smallest=1).grouping.sizes.tolist() == [97, 3]
    for smallest in (4, 5, 20, 60):
        sizes = analyse(votes, smallest=smallest).grouping.sizes
        assert sizes.min() >= smallest
    assert len(analyse(votes, smallest=60).groups) == 1


@given(st.integers(0, 1000), st.integers(2, 5))
@settings(max_examples=25, deadline=None)
def test_weighted_silhouette_is_that_of_everybody(seed, k):
    rng = np.random.default_rng(seed)
    places, weights, labels = rng.normal(size=(20, 2)), rng.integers(1, 5, 20), np.arange(20) % k
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    everybody = np.repeat(np.arange(20), weights)
    assert grouping.silhouette(apart, labels, weights.astype(float)) == pytest.approx(
        silhouette_score(places[everybody], labels[everybody]), abs=1e-6
    )


@pytest.mark.parametrize(
    "name", ["london.youth.policing", "scoop-hivemind.freshwater", "15-per-hour-seattle"]
)
def test_polis_mode_follows_the_published_rules(name):
    result = analyse(real(name), mode="polis")
    points = [tuple(one) for one in result.projection.points[result.counted].tolist()]
    base = slow.polis_kmeans(points, [1] * len(points), 100, 100)
    assert [set(np.flatnonzero(result.grouping.base == at).tolist()) for at in range(len(base))] == base
    middles = [tuple(one) for one in result.grouping.base_places.tolist()]
    best, scores = None, {}
    for k in range(2, min(5, 2 + len(base) // 12) + 1):
        groups = slow.polis_kmeans(middles, [len(one) for one in base], k, 20)
        label = [next(at for at, one in enumerate(groups) if member in one) for member in range(len(base))]
        scores[k] = silhouette_score(middles, label)
        if best is None or scores[k] > best[0]:
            best = (scores[k], [set().union(*(base[member] for member in one)) for one in groups])
    assert result.grouping.tried == pytest.approx(scores)
    assert [set(np.flatnonzero(result.grouping.labels == at).tolist()) for at in range(len(best[1]))] == best[
        1
    ]


def test_who_is_counted():
    # Seven votes are enough; where fewer than fifteen people are counted, those who voted most come in.
    counts = np.array([7] * 14 + [1, 3, 3, 2])
    assert np.flatnonzero(grouping.counted(counts, 50)).tolist() == [*range(14), 15]
    assert grouping.counted(np.array([6] * 20 + [7] * 15), 50).sum() == 15
    assert grouping.counted(np.array([3] * 20 + [2] * 20), 3).sum() == 20  # all that there are


# What may come in


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 9), st.integers(0, 6), st.sampled_from([-1, 0, 1])), max_size=120))
@pytest.mark.parametrize("at_once", [1 << 19, 8, 3])
@pytest.mark.parametrize("apart", [1, 3, 10**9])
def test_the_last_vote_wins_however_many_are_read_at_once(at_once, apart, cast):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeping, "_AT_ONCE", at_once)
        patch.setattr(keeping, "_DEALT", max(at_once - 1, 1))
        cast = [(p * apart, s * apart, v) for p, s, v in cast]
        votes = Votes.from_arrays(*columns(cast))
        last = {(p, s): v for p, s, v in cast}
        assert list(given_of(votes).items()) == sorted(last.items())
        assert votes.tally().sum() == len(votes) == len(last)
        assert votes.participants.tolist() == sorted({p for p, _ in last})
        for person in votes.participants.tolist():
            places, cast_by = votes.of(person)
            assert {
                (person, votes.statements[at]): v for at, v in zip(places, cast_by.tolist(), strict=True)
            } == {key: v for key, v in last.items() if key[0] == person}
        half = len(cast) // 2
        parts = [Votes.from_arrays(*columns(part)) for part in (cast[:half], cast[half:])]
        assert given_of(parts[0].plus(parts[1])) == last


def test_ids_may_have_gaps_of_any_size():
    rng = np.random.default_rng(0)
    person, statement = np.divmod(rng.permutation(20_000), 100)
    vote = rng.integers(-1, 2, 20_000)
    plain = Votes.from_arrays(person, statement, vote)
    for wide in (7, 700, 7_000, 7 << 40):
        spread = Votes.from_arrays(person * wide - 5, statement * wide - 9, vote)
        assert (spread.cells == plain.cells).all() and (spread.begins == plain.begins).all()
        assert (spread.participants == np.arange(200) * wide - 5).all()
        assert (spread.statements == np.arange(100) * wide - 9).all()


def test_what_is_no_vote_is_none_and_what_is_unknown_is_named():
    votes = Votes.from_arrays([1, 1, 2], [1, 2, 1], [1, float("nan"), -1])
    assert given_of(votes) == {(1, 1): 1, (2, 1): -1}
    assert len(Votes.from_arrays(["a", "b"], ["x", "x"], [None, 1])) == 1
    for wrong, said in (
        (([1, 2], [1, 1], [1, 5]), "Vote 5 at place 1"),
        (([1, 2], [1, 1], [1, 0.5]), "Vote 0.5 at place 1"),
        (([1, 2], [1, 1], ["yes", "no"]), "'yes' is no number"),
        (([1], [1, 1], [1, 1]), "2 votes but 1 participants"),
        (([1, math.nan], [1, 1], [1, 1]), "participant nan at place 1"),
        (([1, "two"], [1, 1], [1, 1]), "participant"),
        (([1, 2], [1, True], [1, 1]), "statement"),
        (([1, 2], [None, None], [1, 1]), "statement None at place 0"),
    ):
        with pytest.raises(BadVotes, match=said):
            Votes.from_arrays(*wrong)


def test_text_ids_stand_in_the_order_people_count_in():
    votes = Votes.from_arrays(["10", "9", "2", "2"], ["b", "a", "a", "b"], [1, 1, 1, 0])
    assert votes.participants.tolist() == ["2", "9", "10"] and votes.statements.tolist() == ["a", "b"]
    assert [votes.of(one)[1].tolist() for one in ("2", "9", "10")] == [[1, 0], [1], [1]]
    assert analyse(votes).where_is("9").votes == 1 and analyse(votes).where_is("11") is None


ODD = {
    "nobody": {},
    "one vote": {(1, 1): 1},
    "one person": {(1, s): (-1) ** s for s in range(9)},
    "one statement": {(p, 1): (-1) ** p for p in range(30)},
    "all agree": {(p, s): 1 for p in range(30) for s in range(12)},
    "all pass": {(p, s): 0 for p in range(30) for s in range(40)},
    "two the same": {(p, s): 1 for p in range(2) for s in range(40)},
    "two opposed": {(p, s): 1 if p else -1 for p in range(2) for s in range(40)},
    "none in common": {(p, p): 1 for p in range(30)},
}


@pytest.mark.parametrize("cast", ODD.values(), ids=ODD)
@pytest.mark.parametrize("mode", ["exact", "polis"])
def test_every_conversation_has_a_result(cast, mode):
    result = analyse(votes_of(cast), mode=mode)
    whole = json.loads(result.to_json(people=True))
    assert whole["votes"] == len(cast) and len(whole["participants"]) == len({p for p, _ in cast})
    assert sum(group["size"] for group in whole["groups"]) == whole["counted"]
    assert np.isfinite(result.projection.points).all() and np.isfinite(result.statistics.more_agree_z).all()
    assert 0 <= result.stability.together <= 1
    if len(set(cast.values())) <= 1:
        assert (result.projection.points == 0).all() and len(result.groups) <= 1
    if not cast:
        assert result.groups == () and result.consensus == () and next_statement(result, 1) is None
    everything_out = analyse(votes_of(cast), mode=mode, moderated_out=range(40))
    assert (everything_out.projection.points == 0).all() and everything_out.consensus == ()
    assert next_statement(everything_out, 1) is None and all(
        not one.stands_for for one in everything_out.groups
    )


def test_an_unknown_mode_is_named():
    with pytest.raises(ValueError, match="'precise'"):
        analyse(votes_of({(1, 1): 1}), mode="precise")


# More votes, the next statement, oneself


@given(some_votes, some_votes, st.sets(st.integers(0, 8), max_size=2))
@settings(max_examples=40, deadline=None)
def test_an_update_is_the_same_as_starting_anew(first, later, out):
    whole = analyse(votes_of(first | later), moderated_out=out)
    updated = analyse(votes_of(first), moderated_out=out).update(votes_of(later))
    assert given_of(updated.votes) == first | later
    assert np.abs(updated.projection.variances - whole.projection.variances).max() < 1e-9
    assert np.array_equal(updated.statistics.seen.sum(axis=0), whole.statistics.seen.sum(axis=0))
    assert updated.consensus == whole.consensus


@pytest.mark.parametrize(
    "name", ["vtaiwan.uberx", "bg2050-volunteers", "austria-climate.7z7ejpbmv5.2022-08-08"]
)
def test_an_update_of_a_real_conversation_is_the_same_as_starting_anew(name):
    votes = real(name)
    participant, statement, vote = votes.arrays()
    order = np.random.default_rng(0).permutation(len(votes))
    cuts = [0, len(votes) // 2, len(votes) - 100, len(votes)]
    parts = [
        Votes.from_arrays(participant[order[a:b]], statement[order[a:b]], vote[order[a:b]])
        for a, b in pairwise(cuts)
    ]
    updated = analyse(parts[0]).update(parts[1]).update(parts[2])
    whole = analyse(votes)
    assert np.abs(updated.projection.points - whole.projection.points).max() < 1e-9
    assert (updated.labels == whole.labels).all()
    assert updated.consensus == whole.consensus
    assert [group.stands_for for group in updated.groups] == [group.stands_for for group in whole.groups]


def test_the_order_of_votes_and_the_run_change_nothing():
    votes = camps(120, 30, 3, seed=4)
    again = Votes.from_arrays(*(array[::-1] for array in votes.arrays()))
    one, two = (json.loads(analyse(each).to_json(people=True)) for each in (votes, again))
    assert one == two


def test_somebody_is_asked_what_tells_most_and_never_twice():
    result = analyse(camps(60, 12, 2, share=0.4))
    asked: list[int] = []
    while (statement := next_statement(result, 5, seen=asked)) is not None:
        asked.append(statement)
    voted = set(result.votes.statements[result.votes.of(5)[0]].tolist())
    assert sorted([*asked, *voted]) == result.votes.statements.tolist()
    by_priority = dict(zip(result.votes.statements.tolist(), result.priority.tolist(), strict=True))
    assert [by_priority[one] for one in asked] == sorted((by_priority[one] for one in asked), reverse=True)
    assert len(set(asked)) == len(asked)
    stranger = [next_statement(result, "nobody", draw=at / 1000) for at in range(1000)]
    share = by_priority[asked[0]] / sum(by_priority.values())
    assert stranger.count(asked[0]) / 1000 == pytest.approx(share, abs=0.002)
    with pytest.raises(ValueError, match=r"1\.5"):
        next_statement(result, 5, draw=1.5)


def test_a_new_statement_is_shown_and_a_closed_one_never():
    result = analyse(camps(60, 12, 2, share=0.4), moderated_out=[3])
    assert next_statement(result, 5, statements=[*range(12), 77], seen=range(12)) == 77
    assert measures.priority(np.zeros(3), np.zeros(1))[0] == measures.UNSEEN
    assert next_statement(result, 5, statements=[3]) is None
    assert next_statement(analyse(votes_of({})), 5, statements=[8, 2, 9], seen=[2]) == 8


def test_where_somebody_is():
    votes = camps(60, 12, 2)
    result = analyse(votes)
    here = result.where_is(7)
    assert here.counted and here.group == result.labels[7] and here.votes == len(votes.of(7)[0])
    assert (here.x, here.y) == tuple(result.projection.points[7])
    assert result.where_is(10_000) is None
    few = votes.plus(Votes.from_arrays([99], [0], [1]))
    assert analyse(few).where_is(99).group is None


def test_others_are_not_in_the_json_unless_asked_for():
    result = analyse(camps(30, 12, 2))
    assert "participants" not in json.loads(result.to_json())
