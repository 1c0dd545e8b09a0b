"""What two people do to the same themes at once, and that everything done can be undone."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from coproduce.people.models import Act, Membership
from coproduce.people.permissions import NotAllowed
from coproduce.themes import actions
from coproduce.themes.models import (
    MOVED_OUT,
    Placement,
    Theme,
    acts_on,
    in_no_theme,
    last_act,
    turns_around,
    voices_in,
)
from coproduce.themes.picture import behind
from coproduce.voices.actions import add_story, mark_quote, name_speaker, write_down
from coproduce.voices.models import Voice
from tests.conftest import make_person
from tests.voices.conftest import TOLD, TRANSCRIPT

pytestmark = pytest.mark.django_db


def inside(theme: Theme) -> set[int]:
    return set(voices_in([theme.pk]).values_list("voice", flat=True))


@pytest.fixture
def ify(town):
    return make_person("Ify", town, Membership.Role.CURATOR)


@pytest.fixture
def say(amina, lee, town):
    return lambda words="Just one person to ring", uses=("group",), hub=None: write_down(
        amina, hub or town, words, "note", lee, uses=uses
    )


@pytest.fixture
def letters(amina, town, say):
    return actions.make_theme(amina, town, "Letters", voices=[say("No letter came"), say("Wrong address")])


@pytest.fixture
def paper(amina, town, say):
    return actions.make_theme(amina, town, "Paper", voices=[say("I lost the form")])


# Two at once


def test_what_somebody_else_did_meanwhile_is_told_and_nothing_is_done(amina, ify, letters, paper):
    seen = last_act(letters)
    actions.move(ify, list(letters.voices.all()[:1]), letters, paper)
    actions.confirm(ify, letters)
    before = inside(letters)
    for attempt in (
        lambda: actions.name_theme(amina, letters, "Post", "", seen),
        lambda: actions.merge(amina, letters, paper, seen),
        lambda: actions.discard(amina, letters, seen),
        lambda: actions.move(amina, list(letters.voices.all()), letters, paper, seen),
        lambda: actions.split(amina, letters, list(letters.voices.all()), "New", seen=seen),
        lambda: actions.open_again(amina, letters, seen),
    ):
        with pytest.raises(ValidationError, match=r"Ify moved 1 voice to another theme .*Ify confirmed it"):
            attempt()
    letters.refresh_from_db()
    assert (letters.name, letters.merged_into, letters.discarded_at) == ("Letters", None, None)
    assert inside(letters) == before and Theme.objects.count() == 2
    actions.name_theme(amina, letters, "Post", "", last_act(letters))
    assert Theme.objects.get(pk=letters.pk).name == "Post"


def test_ones_own_acts_are_no_surprise(amina, letters):
    seen = last_act(letters)
    actions.confirm(amina, letters, seen)
    actions.name_theme(amina, letters, "Post", "", seen)
    assert Theme.objects.get(pk=letters.pk).confirmed_at


def test_the_page_says_who_did_what_and_keeps_what_was_typed(signed_in, amina, ify, letters):
    url = reverse("themes:rename", args=[letters.pk])
    seen = last_act(letters)
    actions.name_theme(ify, letters, "Nothing arrives", "")
    page = signed_in(amina).post(url, {"name": "Post", "about": "By us", "seen": seen}).content.decode()
    assert "Ify changed its words" in page and "It is called ‘Nothing arrives’ now." in page
    assert 'value="Post"' in page and "By us" in page
    assert f'name="seen" value="{last_act(letters)}"' in page, "pressed once more, it goes through"


# Undoing


def test_a_move_is_undone_to_where_each_voice_stood(amina, letters, paper, say, town):
    merged = actions.make_theme(amina, town, "Post", voices=[say("From the merged one")])
    actions.merge(amina, merged, letters)
    before = set(Placement.objects.values_list("theme", "voice"))
    actions.move(amina, list(Voice.objects.filter(pk__in=inside(letters))), letters, paper)
    assert inside(letters) == set()
    act = acts_on(letters).filter(verb=MOVED_OUT).get()
    actions.undo_move(amina, act)
    assert set(Placement.objects.values_list("theme", "voice")) == before, "also which theme it came with"
    with pytest.raises(ValidationError, match="undone already"):
        actions.undo_move(amina, act)


def test_what_left_the_other_theme_meanwhile_stays_where_it_is_now(amina, letters, paper, town):
    first, second = letters.voices.order_by("pk")
    actions.move(amina, [first, second], letters, paper)
    third = actions.make_theme(amina, town, "Third")
    actions.move(amina, [second], paper, third)
    actions.undo_move(amina, acts_on(letters).get(verb=MOVED_OUT))
    assert inside(letters) == {first.pk} and inside(third) == {second.pk}


def test_taking_out_is_undone(amina, letters):
    before = inside(letters)
    actions.take_out(amina, letters, list(letters.voices.all()))
    actions.undo_move(amina, acts_on(letters).get(verb=MOVED_OUT))
    assert inside(letters) == before


def test_only_an_act_of_moving_is_undone_that_way(amina, letters):
    with pytest.raises(ValidationError, match="can’t be undone"):
        actions.undo_move(amina, Act.objects.filter(verb="make").latest("pk"))


def test_a_discarded_theme_gives_its_voices_back_to_the_pool_and_takes_them_again(amina, letters, paper):
    actions.merge(amina, paper, letters)
    everything = inside(letters)
    actions.discard(amina, letters)
    assert set(in_no_theme(amina).values_list("pk", flat=True)) == everything, "those of merged themes too"
    assert not Theme.objects.standing().exists()
    with pytest.raises(ValidationError, match="discarded"):
        actions.place(amina, letters, [])
    actions.undo_discard(amina, letters)
    assert not in_no_theme(amina).exists() and inside(letters) == everything
    assert [theme.name for theme in Theme.objects.standing()] == ["Letters"]


def test_a_theme_merged_into_a_discarded_one_stands_again_by_itself(amina, letters, paper):
    actions.merge(amina, paper, letters)
    actions.discard(amina, letters)
    actions.undo_merge(amina, paper)
    assert [theme.name for theme in Theme.objects.standing()] == ["Paper"]
    assert inside(paper) & set(in_no_theme(amina).values_list("pk", flat=True)) == set()


def test_confirming_and_discarding_are_for_who_makes_sense(lee, marek, letters):
    for person in (lee, marek):
        for act in (actions.confirm, actions.open_again, actions.discard, actions.undo_discard):
            with pytest.raises(NotAllowed):
                act(person, letters)


def test_undo_by_the_page(signed_in, amina, letters, paper):
    client, before = signed_in(amina), inside(letters)
    url = reverse("themes:theme", args=[letters.pk])
    client.post(url, {"do": "take out", "voices": list(before)})
    act = acts_on(letters).get(verb=MOVED_OUT)
    page = client.get(url).content.decode()
    assert "Amina took 2 voices out" in page
    client.post(reverse("themes:undo_move", args=[letters.pk]), {"act": act.pk})
    assert inside(letters) == before
    assert client.post(reverse("themes:undo_move", args=[paper.pk]), {"act": act.pk}).status_code == 404


# In context


@pytest.fixture
def quote(amina, lee, town):
    story = add_story(amina, town, "Lee’s story", TOLD, "lee.txt", TRANSCRIPT.encode())
    name_speaker(amina, story.speakers.get(label="Lee"), lee, ["group"])
    turn = story.turns.select_related("speaker__person", "story").get(position=1)
    from coproduce.engine.quotes import Span

    return mark_quote(amina, turn, Span(0, len(turn.text)))


def test_a_quote_is_shown_with_what_was_said_around_it_to_those_who_may_read_the_story(
    signed_in, amina, lee, joan, town, quote
):
    theme = actions.make_theme(amina, town, "Somebody to ring", voices=[quote])
    before = quote.turn.story.turns.get(position=0).text
    for person, reads in ((amina, True), (lee, True), (joan, False)):
        page = signed_in(person).get(reverse("themes:theme", args=[theme.pk])).content.decode()
        assert ("What was said around it" in page) is reads
        assert (before[:40] in page) is reads
    assert turns_around([quote], None) == {}


def test_small_numbers_are_for_those_who_may_read_all_of_it(amina, lee, letters):
    assert [str(said) for _way, said in behind(letters, amina).ways] == ["2"]
    for counts in (behind(letters, lee).ways, behind(letters, lee).hubs):
        assert [str(said) for _what, said in counts] == ["fewer than 11"]
    assert {str(bar.said) for bar in behind(letters, lee).months} == {"fewer than 11"}
    assert {bar.height for bar in behind(letters, lee).months} == {2}, "nor by the height of a line"


def test_how_it_grew_counts_the_months_in_which_nothing_was_said(amina, town, say):
    theme = actions.make_theme(amina, town, "A", voices=[say(), say(), say()])
    for pk, day in zip(sorted(inside(theme)), ("2026-01-30", "2026-01-31", "2026-04-01"), strict=True):
        Voice.objects.filter(pk=pk).update(said_on=day)
    assert [(bar.label, bar.said.number) for bar in behind(theme, amina).months] == [
        ("Jan 2026", 2),
        ("Feb 2026", 2),
        ("Mar 2026", 2),
        ("Apr 2026", 3),
    ]


# Many


def test_with_many_themes_one_types_a_name(signed_in, amina, town, letters, say):
    Theme.objects.bulk_create(Theme(hub=town, name=f"Number {number:03}") for number in range(70))
    client, url = signed_in(amina), reverse("themes:theme", args=[letters.pk])
    page = client.get(url).content.decode()
    assert "<select" not in page and "Write its name" in page
    chosen = sorted(inside(letters))[:1]
    for typed, says in (
        ("Number", "Several themes have these words"),
        ("Nowhere", "No theme is called ‘Nowhere’"),
    ):
        answer = client.post(url, {"do": "move", "voices": chosen, "into": typed}).content.decode()
        assert says in answer and f'value="{typed}"' in answer
    client.post(url, {"do": "move", "voices": chosen, "into": "number 042"})
    assert inside(Theme.objects.get(name="Number 042")) == set(chosen)
    board = client.get(reverse("themes:themes"), {"q": "042"}).content.decode()
    assert "Number 042" in board and "Number 041" not in board
    merge = client.get(reverse("themes:merge", args=[letters.pk]), {"q": "042"}).content.decode()
    assert "Number 042" in merge and "Number 041" not in merge
