from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coproduce.engine.quotes import Span
from coproduce.people.models import Membership, Person
from coproduce.people.permissions import BELOW, TABLE
from coproduce.voices.actions import mark_quote, name_speaker, set_consent, write_down
from coproduce.voices.models import Speaker, Story, Turn, Use, Voice, cut, who_may_be_named
from tests.conftest import make_person

pytestmark = pytest.mark.django_db
Role = Membership.Role


def reads(person: Person | None, voice: Voice) -> bool:
    return Voice.objects.visible_to(person).filter(pk=voice.pk).exists()


def fresh(person: Person) -> Person:
    """As the next request would see them."""
    return Person.objects.get(pk=person.pk)


@pytest.mark.parametrize(
    ("uses", "readers"),
    [
        ([], {"amina", "nadia", "lee"}),
        (["group"], {"amina", "nadia", "lee", "joan", "omar"}),
        (["services"], {"amina", "nadia", "lee", "marek"}),
        (["public"], {"amina", "nadia", "lee", "joan", "omar", "marek", "charlie", "visitor"}),
    ],
)
def test_who_reads_lee_s_words(uses, readers, amina, nadia, lee, joan, omar, marek, charlie, town):
    voice = write_down(amina, town, "Just one person to ring", "call", lee, uses=uses)
    cast = {person.name.lower(): person for person in (amina, nadia, lee, joan, omar, marek, charlie)}
    assert {name for name, person in {**cast, "visitor": None}.items() if reads(person, voice)} == readers


@pytest.mark.parametrize(
    ("uses", "knowing"),
    [
        (["services"], {"amina", "lee"}),
        (["group", "services"], {"amina", "lee", "joan"}),
        (["public"], {"amina", "lee", "joan", "visitor"}),  # a service never learns who, even so
    ],
)
def test_who_learns_that_it_was_lee(uses, knowing, amina, lee, joan, marek, town):
    write_down(amina, town, "Just one person to ring", "call", lee, uses=uses)
    cast = {"amina": amina, "lee": lee, "joan": joan, "marek": marek, "visitor": None}
    told = {name: voice.who for name, reader in cast.items() for voice in Voice.objects.for_reading(reader)}
    assert {name for name, who in told.items() if who == "Lee"} == knowing
    assert {who for name, who in told.items() if name not in knowing} <= {"Somebody in Eastmoor"}


def test_who_left_reads_no_more(amina, lee, joan, town):
    voice = write_down(amina, town, "Hello", "call", lee, uses=["group"])
    assert reads(joan, voice)
    joan.memberships.update(until="2026-01-01")
    assert not reads(fresh(joan), voice)


@pytest.fixture
def everywhere(amina, lee, town, ward):
    """A keeper for each hub, one voice in each, and somebody to give roles to."""
    keepers = {hub: make_person(f"Keeper {hub}", hub, Role.CURATOR) for hub in (town, ward)}
    voices = {hub: write_down(keepers[hub], hub, "Hello", "note", None, uses=[]) for hub in keepers}
    return make_person("Reader"), keepers, voices


def opens(roles: dict, hub, uses: set[str], below: dict) -> bool:
    """What the table and consent open, said once more in the plainest way."""
    held = [(role, where) for where, several in roles.items() for role in several]

    def may(verb: str) -> bool:
        reach = TABLE[verb]
        return any(
            role in reach and (where == hub or (reach[role] == BELOW and hub in below[where]))
            for role, where in held
        )

    return (
        "public" in uses
        or may("read everything said")
        or ("group" in uses and may("read what the group may read"))
        or ("services" in uses and may("read what services may read"))
    )


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(
    in_town=st.sets(st.sampled_from(Role.values)),
    in_ward=st.sets(st.sampled_from(Role.values)),
    uses=st.sets(st.sampled_from(Use.values)),
    withdrawn=st.sets(st.sampled_from(Use.values)),
)
def test_nobody_reads_what_the_table_and_consent_do_not_open(
    everywhere, town, ward, in_town, in_ward, uses, withdrawn
):
    reader, keepers, voices = everywhere
    reader.memberships.all().delete()
    roles = {town: in_town, ward: in_ward}
    for hub, several in roles.items():
        for role in several:
            Membership.objects.create(person=reader, hub=hub, role=role)
    for hub, voice in voices.items():
        set_consent(keepers[hub], voice, uses)
        set_consent(keepers[hub], voice, uses - withdrawn)
        opened = opens(roles, hub, uses - withdrawn, below={town: [town, ward], ward: [ward]})
        assert reads(fresh(reader), voice) == opened
        if not opened:
            assert not Voice.objects.for_reading(fresh(reader)).filter(pk=voice.pk).exists()
        assert reads(None, voice) == ("public" in uses - withdrawn)


def test_whole_stories_are_read_by_keepers_and_tellers(
    amina, nadia, lee, joan, marek, charlie, omar, story, lees
):
    for reader, sees, works in [
        (amina, 1, 1), (nadia, 1, 1), (lee, 1, 0), (joan, 0, 0), (marek, 0, 0),
        (charlie, 0, 0), (omar, 0, 0), (None, 0, 0),
    ]:  # fmt: skip
        assert Story.objects.visible_to(reader).count() == sees
        assert Story.objects.to_work_on(reader).count() == works


def test_a_teller_who_turns_out_to_be_somebody_else_reads_no_more(amina, lee, joan, story, lees):
    name_speaker(amina, lees, joan, [])
    assert not Story.objects.visible_to(lee).exists()
    assert Story.objects.visible_to(joan).exists()


def test_counts_come_with_the_story(amina, turn, story):
    mark_quote(amina, turn, Span(0, 34))
    [counted] = Story.objects.with_counts()
    assert (counted.turns_in, counted.quotes, counted.is_coming_in) == (5, 1, False)


def test_whom_one_may_name(amina, nadia, lee, joan, marek, charlie, omar, town):
    for knows in (amina, nadia, omar):
        assert {person.name for person in who_may_be_named(knows, town)} >= {"Lee", "Joan", "Marek"}
        assert charlie not in who_may_be_named(knows, town)
    for own in (lee, joan, marek, charlie):
        assert list(who_may_be_named(own, town)) == [own]


@given(
    text=st.text(max_size=60), places=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=5)
)
def test_a_turn_in_pieces_is_the_turn(text, places):
    spans = [Span(begins, min(begins + length, len(text))) for begins, length in places if begins < len(text)]
    pieces = cut(text, spans)
    assert "".join(piece.text for piece in pieces) == text
    kept = {place for span in spans for place in range(span.begins, span.ends)}
    at = 0
    for piece in pieces:
        assert piece.text
        assert all((place in kept) == piece.kept for place in range(at, at + len(piece.text)))
        at += len(piece.text)


@pytest.mark.parametrize(
    ("ms", "told"),
    [(None, ""), (0, "0:00"), (41_900, "0:41"), (3_723_000, "1:02:03"), (36_000_000, "10:00:00")],
)
def test_when_a_turn_began_is_told_as_on_a_player(ms, told):
    assert Turn(start_ms=ms).began == told


def test_each_says_what_it_is(story, lees, turn, amina, lee):
    quote = mark_quote(amina, turn, Span(0, 34))
    assert str(turn) == f"turn 1 of story {story.pk}"
    assert (str(story), str(lees), str(quote)) == ("Lee’s story", "Lee", f"voice {quote.pk}")
    assert {str(consent) for consent in quote.consents.all()} == {
        f"group for voice {quote.pk}",
        f"services for voice {quote.pk}",
    }
    assert str(Speaker.objects.get(label="Lee").consents.first()).endswith(f"for speaker {lees.pk}")
    with pytest.raises(ValueError, match="only a quote"):
        _ = write_down(amina, story.hub, "A note", "note").span
