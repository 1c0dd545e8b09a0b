"""Merging, moving and splitting keep every voice where it can be found: by example, then by trying all."""

from __future__ import annotations

from collections import Counter

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from coproduce.people.models import Act, Hub, Membership
from coproduce.people.permissions import NotAllowed
from coproduce.themes import actions
from coproduce.themes.models import (
    Placement,
    Theme,
    came_with,
    families,
    in_no_theme,
    lines_of_merging,
    some_voices,
    voice_counts,
    voices_in,
    with_merged,
)
from coproduce.voices.actions import write_down
from coproduce.voices.models import Voice
from tests.conftest import make_person


@pytest.fixture
def say(amina, lee, town):
    """A function: something Lee said, written down by Amina."""
    return lambda words="Just one person to ring", uses=("group",): write_down(
        amina, town, words, "note", lee, uses=uses
    )


def inside(theme: Theme) -> set[int]:
    return set(voices_in([theme.pk]).values_list("voice", flat=True))


@pytest.mark.django_db
class TestOneByOne:
    def test_a_theme_is_made_of_voices(self, amina, town, say):
        one, two = say(), say()
        theme = actions.make_theme(amina, town, " One person ", voices=[one, two])
        assert theme.name == "One person"
        assert inside(theme) == {one.pk, two.pk}
        assert {placement.placed_by for placement in theme.placements.all()} == {amina}

    def test_a_theme_needs_a_name(self, amina, town):
        with pytest.raises(ValidationError):
            actions.make_theme(amina, town, "  ")

    @pytest.mark.parametrize("cast", ["lee", "joan", "marek", "charlie"])
    def test_only_who_makes_sense_may(self, cast, request, amina, town, say):
        by = request.getfixturevalue(cast)
        voice = say()
        theme, other = (
            actions.make_theme(amina, town, "A", voices=[voice]),
            actions.make_theme(amina, town, "B"),
        )
        for attempt in (
            lambda: actions.make_theme(by, town, "Mine"),
            lambda: actions.name_theme(by, theme, "Mine", ""),
            lambda: actions.place(by, theme, [voice]),
            lambda: actions.take_out(by, theme, [voice]),
            lambda: actions.move(by, [voice], theme, other),
            lambda: actions.split(by, theme, [voice], "Mine"),
            lambda: actions.merge(by, theme, other),
            lambda: actions.undo_merge(by, theme),
        ):
            with pytest.raises(NotAllowed):
                attempt()
        assert inside(theme) == {voice.pk}

    def test_nobody_places_a_voice_they_may_not_read(self, amina, town, ward):
        omar = make_person("Omar", ward, Membership.Role.CURATOR)
        secret = write_down(omar, ward, "Only for Millbank", "note", omar, uses=[])
        with pytest.raises(NotAllowed):
            actions.make_theme(amina, town, "Mine", voices=[secret])
        assert not Theme.objects.exists()

    def test_a_theme_of_another_hub_is_out_of_reach(self, amina, town, ward, say):
        omar = make_person("Omar", ward, Membership.Role.CURATOR)
        theirs = actions.make_theme(omar, ward, "Theirs")
        ours = actions.make_theme(amina, town, "Ours")
        for attempt in (
            lambda: actions.merge(amina, ours, theirs),
            lambda: actions.merge(amina, theirs, ours),
        ):
            with pytest.raises(NotAllowed):
                attempt()

    def test_a_merge_is_undone_to_the_letter(self, amina, town, say):
        one, both, two = say(), say(), say()
        letters = actions.make_theme(amina, town, "Letters", voices=[one, both])
        paper = actions.make_theme(amina, town, "Paper", voices=[both, two])
        before = set(Placement.objects.values_list("theme", "voice", "placed_by", "placed_at"))
        actions.merge(amina, letters, paper)
        assert inside(paper) == {one.pk, both.pk, two.pk}
        assert voice_counts([paper.pk]) == {paper.pk: 3}
        assert {voice: theme.name for voice, theme in came_with(paper, inside(paper)).items()} == {
            one.pk: "Letters"
        }
        actions.undo_merge(amina, letters)
        assert set(Placement.objects.values_list("theme", "voice", "placed_by", "placed_at")) == before
        assert inside(paper) == {both.pk, two.pk}

    def test_no_circle_of_merges_even_from_pages_opened_earlier(self, amina, town):
        a, b, c = (actions.make_theme(amina, town, name) for name in "ABC")
        stale_a, stale_b, stale_c = (Theme.objects.get(pk=theme.pk) for theme in (a, b, c))
        actions.merge(amina, a, b)
        for theme, into in ((stale_b, stale_a), (stale_a, stale_c), (stale_c, stale_a), (stale_b, stale_b)):
            with pytest.raises(ValidationError):
                actions.merge(amina, theme, into)
        actions.merge(amina, b, c)
        assert lines_of_merging([a.pk])[a.pk] == [a.pk, b.pk, c.pk]

    def test_undoing_what_was_not_merged_says_so(self, amina, town):
        with pytest.raises(ValidationError):
            actions.undo_merge(amina, actions.make_theme(amina, town, "A"))

    def test_moving_to_where_it_is_already_loses_nothing(self, amina, town, say):
        voice = say()
        theme = actions.make_theme(amina, town, "A", voices=[voice])
        actions.move(amina, [voice], theme, theme)
        assert inside(theme) == {voice.pk}

    def test_moving_into_a_theme_that_was_merged_is_refused_and_nothing_moves(self, amina, town, say):
        voice = say()
        a = actions.make_theme(amina, town, "A", voices=[voice])
        b, c = actions.make_theme(amina, town, "B"), actions.make_theme(amina, town, "C")
        actions.merge(amina, b, c)
        with pytest.raises(ValidationError):
            actions.move(amina, [voice], a, b)
        assert inside(a) == {voice.pk}

    def test_only_what_is_in_a_theme_moves_out_of_it(self, amina, town, say):
        inside_a, elsewhere = say(), say()
        a, b = actions.make_theme(amina, town, "A", voices=[inside_a]), actions.make_theme(amina, town, "B")
        actions.move(amina, [inside_a, elsewhere], a, b)
        assert inside(b) == {inside_a.pk}

    def test_splitting_needs_quotes(self, amina, town):
        with pytest.raises(ValidationError):
            actions.split(amina, actions.make_theme(amina, town, "A"), [], "B")

    def test_what_is_in_no_theme_is_waiting(self, amina, lee, town, say):
        one, two = say(), say()
        theme = actions.make_theme(amina, town, "A", voices=[one])
        assert set(in_no_theme(amina)) == {two}
        assert not in_no_theme(lee).exists()
        actions.take_out(amina, theme, [one])
        assert set(in_no_theme(amina)) == {one, two}

    def test_the_record_says_what_was_done_and_not_what_was_said(self, amina, town, say):
        voice = say("Just one person to ring")
        theme = actions.make_theme(amina, town, "A", voices=[voice])
        actions.take_out(amina, theme, [voice])
        assert Act.objects.filter(thing="themes.theme").count() == 3
        assert "ring" not in str(list(Act.objects.values()))

    def test_a_board_shows_the_newest_that_the_reader_may_read(self, amina, lee, joan, town, say):
        hidden = say("Hidden", uses=())
        told = [say(f"Number {number}") for number in range(5)]
        theme = actions.make_theme(amina, town, "A", voices=[hidden, *told])
        assert [voice.words for voice in some_voices([theme.pk], joan)[theme.pk]] == [
            "Number 4",
            "Number 3",
            "Number 2",
        ]
        late = say("Later, and hidden", uses=())
        actions.place(amina, theme, [late])
        assert some_voices([theme.pk], amina)[theme.pk][0] == late
        assert late not in some_voices([theme.pk], joan)[theme.pk]

    def test_a_voice_that_two_merged_themes_share_is_shown_once(self, amina, town, say):
        voices = [say() for _ in range(3)]
        a, b = (actions.make_theme(amina, town, name, voices=voices) for name in "AB")
        actions.merge(amina, a, b)
        assert [voice.pk for voice in some_voices([b.pk], amina)[b.pk]] == sorted(
            (voice.pk for voice in voices), reverse=True
        )

    def test_counts_and_quotes_take_as_many_queries_for_many_themes_as_for_one(
        self, amina, town, say, django_assert_max_num_queries
    ):
        themes = [actions.make_theme(amina, town, f"T{number}", voices=[say()]) for number in range(12)]
        for number in range(0, 8, 2):
            actions.merge(amina, themes[number], themes[number + 1])
        standing = [theme.pk for theme in Theme.objects.standing()]
        with django_assert_max_num_queries(4):
            assert sum(voice_counts(standing).values()) == 12
        merged = themes[1].pk
        with django_assert_max_num_queries(4):
            voice_counts([merged])


class Sorting(RuleBasedStateMachine):
    """Whatever people do with themes, in whatever order, every voice is where the plain model says it is.

    The model: for each theme the voices put in it by hand, and which theme it was merged into.
    """

    def __init__(self) -> None:
        super().__init__()
        self.put: dict[int, set[int]] = {}
        self.into: dict[int, int | None] = {}

    @initialize()
    def a_group_and_what_it_said(self) -> None:
        Theme.objects.update(merged_into=None)
        for model in (Placement, Theme, Voice, Act):
            model.objects.all().delete()
        self.hub = Hub.objects.first() or Hub.objects.add_root({"name": "Eastmoor"})
        held = Membership.objects.select_related("person").filter(role="curator").first()
        self.by = held.person if held else make_person("Kay", self.hub, "curator")
        self.voices = [write_down(self.by, self.hub, f"Voice {number}", "note").pk for number in range(5)]

    def pick(self, data: st.DataObject, standing: bool = False) -> int:
        return self.one_of([pk for pk in self.put if not standing or self.into[pk] is None], data)

    def one_of(self, themes: list[int], data: st.DataObject) -> int:
        """By its place, not its id: hypothesis replays steps against other ids."""
        return themes[data.draw(st.integers(0, len(themes) - 1))]

    def some(self, data: st.DataObject, smallest: int = 0) -> set[int]:
        places = data.draw(st.sets(st.integers(0, len(self.voices) - 1), min_size=smallest))
        return {self.voices[place] for place in places}

    def members(self, theme: int) -> set[int]:
        found = {theme}
        while more := {pk for pk, into in self.into.items() if into in found} - found:
            found |= more
        return found

    def voices_of(self, theme: int) -> set[int]:
        return set().union(*(self.put[member] for member in self.members(theme)))

    def those(self, pks: set[int]) -> list[Voice]:
        return list(Voice.objects.filter(pk__in=pks))

    @precondition(lambda self: len(self.put) < 6)
    @rule(data=st.data())
    def make(self, data: st.DataObject) -> None:
        chosen = self.some(data)
        theme = actions.make_theme(self.by, self.hub, "Theme", voices=self.those(chosen))
        self.put[theme.pk], self.into[theme.pk] = chosen, None

    @precondition(lambda self: self.put)
    @rule(data=st.data())
    def place(self, data: st.DataObject) -> None:
        theme, chosen = self.pick(data, standing=True), self.some(data)
        new = chosen - self.voices_of(theme)
        actions.place(self.by, Theme.objects.get(pk=theme), self.those(chosen))
        self.put[theme] |= new

    @precondition(lambda self: self.put)
    @rule(data=st.data())
    def take_out(self, data: st.DataObject) -> None:
        theme, chosen = self.pick(data), self.some(data)
        actions.take_out(self.by, Theme.objects.get(pk=theme), self.those(chosen))
        for member in self.members(theme):
            self.put[member] -= chosen

    @precondition(lambda self: self.put)
    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        out_of, into, chosen = self.pick(data), self.pick(data, standing=True), self.some(data)
        moving = chosen & self.voices_of(out_of)
        actions.move(self.by, self.those(chosen), Theme.objects.get(pk=out_of), Theme.objects.get(pk=into))
        for member in self.members(out_of):
            self.put[member] -= moving
        self.put[into] |= moving - self.voices_of(into)
        assert moving <= self.voices_of(into), "nothing is lost on the way"

    @precondition(lambda self: 0 < len(self.put) < 6)
    @rule(data=st.data())
    def split(self, data: st.DataObject) -> None:
        theme, chosen = self.pick(data), self.some(data, smallest=1)
        moving = chosen & self.voices_of(theme)
        new = actions.split(self.by, Theme.objects.get(pk=theme), self.those(chosen), "Split")
        for member in self.members(theme):
            self.put[member] -= moving
        self.put[new.pk], self.into[new.pk] = moving, None

    @precondition(lambda self: self.put)
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        theme, into = self.pick(data), self.pick(data)
        refused = self.into[theme] is not None or self.into[into] is not None or theme == into
        try:
            actions.merge(self.by, Theme.objects.get(pk=theme), Theme.objects.get(pk=into))
        except ValidationError:
            assert refused
        else:
            assert not refused
            self.into[theme] = into

    @precondition(lambda self: any(self.into.values()))
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        theme = self.one_of([pk for pk, into in self.into.items() if into], data)
        actions.undo_merge(self.by, Theme.objects.get(pk=theme))
        self.into[theme] = None

    @invariant()
    def every_voice_is_where_it_was_put(self) -> None:
        rows = Counter(Placement.objects.values_list("theme", "voice"))
        assert set(rows) == {(theme, voice) for theme, voices in self.put.items() for voice in voices}
        assert set(rows.values()) <= {1}, "no voice twice in a theme"
        assert dict(Theme.objects.values_list("pk", "merged_into")) == self.into
        assert Voice.objects.count() == len(getattr(self, "voices", []))

    @invariant()
    def what_is_read_agrees(self) -> None:
        if not self.put:
            return
        expected = {theme: self.voices_of(theme) for theme in self.put}
        assert families(self.put) == {theme: self.members(theme) for theme in self.put}
        assert voice_counts(self.put) == {theme: len(voices) for theme, voices in expected.items()}
        for theme, voices in expected.items():
            assert with_merged([theme]) == self.members(theme)
            assert set(voices_in([theme]).values_list("voice", flat=True)) == voices
        standing = [theme for theme in self.put if self.into[theme] is None]
        assert {
            theme: [voice.pk for voice in shown] for theme, shown in some_voices(standing, self.by).items()
        } == {theme: sorted(expected[theme], reverse=True)[:3] for theme in standing}
        placed = set().union(*expected.values())
        assert {voice.pk for voice in in_no_theme(self.by)} == set(self.voices) - placed
        for theme in standing:
            origins = {
                voice: origin.pk
                for voice, origin in came_with(Theme.objects.get(pk=theme), self.voices).items()
            }
            assert set(origins) == expected[theme] - self.put[theme]
            assert all(voice in self.put[origin] for voice, origin in origins.items())


class TestSorting(TestCase, Sorting.TestCase):  # type: ignore[misc]
    settings = settings(
        max_examples=25, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
    )
