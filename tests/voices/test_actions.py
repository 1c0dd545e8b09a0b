from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from coproduce.agenda.actions.topics import raise_topic
from coproduce.engine.quotes import Span, find
from coproduce.engine.transcript import NotATranscript
from coproduce.people.actions import end_mandate, make_mandate
from coproduce.people.models import Act, Person
from coproduce.people.permissions import NotAllowed
from coproduce.voices import actions
from coproduce.voices.models import Consent, Speaker, Story, Turn, Voice
from tests.conftest import make_person
from tests.voices.conftest import TOLD, TRANSCRIPT

pytestmark = pytest.mark.django_db


def allowed(of: Voice | Speaker) -> set[str]:
    return set(of.consents.filter(withdrawn_at__isnull=True).values_list("use", flat=True))


def mark(by: Person, turn: Turn, words: str) -> Voice:
    span = find(turn.text, words)
    assert span
    return actions.mark_quote(by, Turn.objects.get(pk=turn.pk), span)


# A story comes in


def test_a_story_keeps_its_file_as_given_under_a_name_that_says_nothing(story):
    assert story.file.read() == TRANSCRIPT.encode()
    assert "lee" not in story.file.name
    assert [speaker.label for speaker in story.speakers.all()] == ["Ify", "Lee"]
    assert [turn.speaker.label for turn in story.turns.all()] == ["Ify", "Lee", "Ify", "Lee", "Ify"]
    assert not story.is_coming_in


def test_what_is_no_transcript_leaves_nothing_behind(amina, town):
    with pytest.raises(NotATranscript):
        actions.add_story(amina, town, "Empty", TOLD, "empty.txt", b"")
    assert not Story.objects.exists()


def test_a_story_was_not_told_tomorrow(amina, town):
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    with pytest.raises(ValidationError, match="still to come"):
        actions.add_story(amina, town, "Lee", tomorrow, "lee.txt", b"Lee: Hello.")


def test_a_long_story_is_taken_in_by_the_worker_once(amina, town, work_the_queue):
    text = "".join(f"Lee: Thing {n}.\n\nIfy: And then {n}?\n\n" for n in range(actions.AT_ONCE))
    story = actions.add_story(amina, town, "Long", TOLD, "long.txt", text.encode())
    assert story.is_coming_in
    assert story.turns.count() == 0
    with pytest.raises(ValidationError, match="still being taken in"):
        turn = Turn.objects.create(story=story, position=0, text="Thing 0. And then.")
        actions.split_turn(amina, turn, 9)
    Turn.objects.all().delete()
    work_the_queue()
    assert story.turns.count() == 2 * actions.AT_ONCE
    from coproduce.voices.tasks import take_in_story

    take_in_story.enqueue(story.pk)
    take_in_story.enqueue(-1)
    work_the_queue()
    assert story.turns.count() == 2 * actions.AT_ONCE


# Trim


def test_trimming_leaves_out_the_ends_and_can_be_widened(amina, story):
    turns = list(story.turns.all())
    actions.trim_story(amina, story, turns[1], turns[3])
    assert list(story.turns.values_list("trimmed", flat=True)) == [True, False, False, False, True]
    actions.trim_story(amina, story, turns[0], turns[3])
    assert list(story.turns.values_list("trimmed", flat=True)) == [False] * 4 + [True]


def test_trimming_the_wrong_way_round_is_refused(amina, story):
    turns = list(story.turns.all())
    with pytest.raises(ValidationError, match="other way round"):
        actions.trim_story(amina, story, turns[3], turns[1])


def test_trimming_never_leaves_out_a_quote(amina, story, turn):
    mark(amina, turn, "She picked up the phone.")
    with pytest.raises(ValidationError, match="quote"):
        actions.trim_story(amina, story, story.turns.get(position=2), story.turns.get(position=4))
    assert not story.turns.filter(trimmed=True).exists()


def test_a_story_is_not_trimmed_at_a_turn_of_another(amina, story, town):
    other = actions.add_story(amina, town, "Other", TOLD, "o.txt", b"Tom: Hello there.")
    with pytest.raises(NotAllowed):
        actions.trim_story(amina, story, story.turns.get(position=0), other.turns.get())


def test_nothing_left_out_is_marked_as_a_quote(amina, story, turn):
    actions.trim_story(amina, story, story.turns.get(position=2), story.turns.get(position=4))
    with pytest.raises(ValidationError, match="left out"):
        mark(amina, turn, "Then Joan.")


# Who speaks


def test_a_speaker_needs_a_name_of_their_own(amina, story):
    with pytest.raises(ValidationError, match="Write a name"):
        actions.add_speaker(amina, story, "  ")
    with pytest.raises(ValidationError, match="already"):
        actions.add_speaker(amina, story, "lee ")
    assert actions.add_speaker(amina, story, " Joan ").label == "Joan"


def test_quotes_follow_whoever_spoke_them(amina, joan, story, turn):
    quote = mark(amina, turn, "Then Joan.")
    assert (quote.person.name, allowed(quote)) == ("Lee", {"group", "services"})
    speaker = actions.add_speaker(amina, story, "Joan")
    actions.name_speaker(amina, speaker, joan, ["group"])
    actions.assign_speaker(amina, [turn], speaker)
    quote.refresh_from_db()
    assert (quote.person.name, allowed(quote)) == ("Joan", {"group"})
    actions.assign_speaker(amina, [turn], None)
    quote.refresh_from_db()
    assert (quote.person, allowed(quote)) == (None, set())


def test_who_a_speaker_is_and_allows_holds_for_quotes_marked_before(amina, lee, story):
    quote = mark(amina, story.turns.get(position=1), "Then Joan.")
    assert allowed(quote) == set()
    actions.name_speaker(amina, story.speakers.get(label="Lee"), lee, ["group"])
    quote.refresh_from_db()
    assert (quote.person, allowed(quote)) == (lee, {"group"})


def test_many_turns_take_turns(amina, story):
    first, second = story.speakers.all()
    turns = list(story.turns.select_related("story"))
    actions.assign_speakers(amina, [(turn, None) for turn in turns])
    assert not story.turns.filter(speaker__isnull=False).exists()
    actions.assign_speakers(amina, [(turn, (second, first)[place % 2]) for place, turn in enumerate(turns)])
    assert [turn.speaker for turn in story.turns.all()] == [second, first, second, first, second]
    acts = Act.objects.filter(verb="assign turns of").count()
    actions.assign_speakers(amina, [(turns[0], second)])
    assert Act.objects.filter(verb="assign turns of").count() == acts  # nothing was changed
    actions.assign_speaker(amina, [], first)


def test_a_speaker_of_another_story_is_not_assigned(amina, story, town):
    other = actions.add_story(amina, town, "Other", TOLD, "o.txt", b"Tom: Hello there.\n\nSue: Hello Tom.")
    with pytest.raises(NotAllowed):
        actions.assign_speaker(amina, [story.turns.get(position=0)], other.speakers.first())
    with pytest.raises(NotAllowed):
        actions.assign_speaker(amina, [*story.turns.all(), *other.turns.all()], None)


# What is withdrawn stays withdrawn


def test_withdrawn_for_one_quote_stays_so_when_the_speaker_is_saved_again(amina, lee, lees, turn):
    quote, other = mark(amina, turn, "Then Joan."), mark(amina, turn, "Nobody else did.")
    actions.set_consent(lee, quote, ["group"])
    actions.name_speaker(amina, lees, lee, ["group", "services"])
    assert allowed(quote) == {"group"}
    actions.name_speaker(amina, lees, lee, ["group"])
    actions.name_speaker(amina, lees, lee, ["group", "services", "public"])
    assert allowed(quote) == {"group", "public"}
    assert allowed(other) == {"group", "services", "public"}


def test_a_wrong_key_and_back_does_not_bring_back_what_was_withdrawn(amina, lee, story, lees, turn):
    quote = mark(amina, turn, "Then Joan.")
    actions.set_consent(lee, quote, [])
    actions.assign_speaker(amina, [turn], story.speakers.get(label="Ify"))
    actions.assign_speaker(amina, [turn], lees)
    assert allowed(quote) == set()
    actions.set_consent(lee, quote, ["services"])
    actions.assign_speaker(amina, [turn], None)
    actions.assign_speaker(amina, [turn], lees)
    assert allowed(quote) == {"services"}


def test_words_that_were_withdrawn_are_not_opened_by_marking_more_of_them(amina, lee, turn):
    quote = mark(amina, turn, "Then Joan.")
    actions.set_consent(lee, quote, [])
    with pytest.raises(ValidationError, match="took back"):
        actions.remove_quote(amina, quote)
    assert allowed(mark(amina, turn, "Then Joan. She picked up the phone.")) == set()
    assert allowed(mark(amina, turn, "Nobody else did.")) == {"group", "services"}


def test_what_was_allowed_for_one_quote_alone_stays_when_the_speaker_is_saved_again(amina, lee, lees, turn):
    quote = mark(amina, turn, "Then Joan.")
    actions.set_consent(lee, quote, ["group", "services", "public"])
    actions.name_speaker(amina, lees, lee, ["group", "services"])
    assert allowed(quote) == {"group", "services", "public"}


def test_withdrawn_for_the_whole_story_is_withdrawn_everywhere(amina, lee, lees, turn):
    quote = mark(amina, turn, "Then Joan.")
    actions.set_consent(lee, quote, ["group", "services", "public"])
    actions.name_speaker(amina, lees, lee, [])
    assert allowed(quote) == allowed(lees) == set()


def test_somebody_else_s_consent_does_not_hold_for_who_it_really_was(amina, joan, lees, turn):
    quote = mark(amina, turn, "Then Joan.")
    actions.name_speaker(amina, lees, joan, ["public"])
    quote.refresh_from_db()
    assert (quote.person, allowed(quote)) == (joan, {"public"})


def test_consent_rows_are_never_rewritten(amina, lee, turn):
    quote = mark(amina, turn, "Then Joan.")
    actions.set_consent(lee, quote, [])
    actions.set_consent(lee, quote, ["group"])
    assert Consent.objects.filter(voice=quote).count() == 3
    assert Consent.objects.filter(voice=quote, use="group", withdrawn_by=lee).count() == 1


# Mend and split


def test_quotes_follow_mended_words(amina, turn):
    quote = mark(amina, turn, "She picked up the phone.")
    mended = turn.text.replace("I had", "Well,\r\nI had").replace("picked", "just picked")
    actions.mend_turn(amina, turn, mended)
    quote.refresh_from_db()
    turn.refresh_from_db()
    assert quote.words == "She just picked up the phone." == turn.text[quote.begins : quote.ends]
    assert "\r" not in turn.text


def test_mending_never_loses_a_quote_or_all_words(amina, turn):
    mark(amina, turn, "She picked up the phone.")
    text = turn.text
    with pytest.raises(ValidationError, match="would be gone: “She picked"):
        actions.mend_turn(amina, turn, "Something else entirely.")
    with pytest.raises(ValidationError, match="needs words"):
        actions.mend_turn(amina, turn, "  ")
    turn.refresh_from_db()
    assert turn.text == text


def test_saving_the_same_words_is_no_act(amina, turn):
    actions.mend_turn(amina, turn, turn.text)
    assert not Act.objects.filter(verb="mend a turn of").exists()


def test_words_that_changed_meanwhile_are_not_mended_marked_or_split_unseen(amina, turn):
    actions.mend_turn(amina, Turn.objects.get(pk=turn.pk), "Really: " + turn.text)
    seen = turn.text
    for act in (
        lambda: actions.mend_turn(amina, turn, "Mine."),
        lambda: actions.mark_quote(amina, turn, Span(0, 9)),
        lambda: actions.split_turn(amina, turn, 35),
    ):
        turn.text = seen
        with pytest.raises(ValidationError, match="just now"):
            act()


def test_splitting_carries_later_quotes_along(amina, story, turn):
    before, after = mark(amina, turn, "Then Joan."), mark(amina, turn, "Nobody else did.")
    at = find(turn.text, "She picked").begins
    second = actions.split_turn(amina, turn, at, story.speakers.get(label="Ify"))
    assert [one.position for one in story.turns.all()] == list(range(6))
    assert second.text == "She picked up the phone. Nobody else did."
    for quote in (before, after):
        quote.refresh_from_db()
        assert quote.turn.text[quote.begins : quote.ends] == quote.words
    assert (after.turn, after.person, allowed(after)) == (second, None, set())
    assert before.turn == turn
    story.refresh_from_db()
    assert not story.is_coming_in


@pytest.mark.parametrize("at", [-3, 0, 10_000])
def test_a_turn_is_split_in_its_middle_only(amina, turn, at):
    with pytest.raises(ValidationError, match="middle"):
        actions.split_turn(amina, turn, at)


def test_a_turn_is_not_split_through_a_quote(amina, turn):
    quote = mark(amina, turn, "She picked up the phone.")
    with pytest.raises(ValidationError, match="quote runs across"):
        actions.split_turn(amina, turn, quote.begins + 3)


# Quotes


def test_a_quote_is_kept_to_the_letter_and_once(amina, turn):
    quote = actions.mark_quote(amina, turn, Span(35, 46))
    assert quote.words == turn.text[quote.begins : quote.ends] == "Then Joan."
    assert actions.mark_quote(amina, turn, Span(quote.begins, quote.ends)) == quote
    with pytest.raises(ValidationError, match="no words there"):
        actions.mark_quote(amina, turn, Span(5000, 6000))


def test_a_quote_that_something_stands_on_is_not_removed(amina, town, turn):
    quote = mark(amina, turn, "Then Joan.")
    topic = raise_topic(amina, town, "Who stays?", voices=[quote])
    with pytest.raises(ValidationError, match="stands on this quote"):
        actions.remove_quote(amina, quote)
    topic.voices.clear()
    actions.remove_quote(amina, quote)
    assert not Voice.objects.exists()


def test_only_a_quote_is_unmarked(amina, town):
    with pytest.raises(ValidationError, match="Only a quote"):
        actions.remove_quote(amina, actions.write_down(amina, town, "A note", "note"))


# Words written down


def test_what_somebody_said_is_written_down_as_they_said_it(joan, lee, town):
    voice = actions.write_down(joan, town, " Not\r\nanother new face \n", "trusted person", uses=["group"])
    assert (voice.words, voice.person, voice.taken_by, allowed(voice)) == (
        "Not\nanother new face", None, joan, {"group"},
    )  # fmt: skip
    assert actions.write_down(lee, town, "Mine", "form", lee).said_on == timezone.localdate()


def test_words_to_write_down_are_there_and_of_the_past(amina, town):
    with pytest.raises(ValidationError, match="Write what they said"):
        actions.write_down(amina, town, " \n", "note")
    with pytest.raises(ValidationError, match="still to come"):
        actions.write_down(amina, town, "Hm", "note", said_on=timezone.localdate() + dt.timedelta(days=2))


# Who may


def test_only_keepers_work_on_stories(lee, joan, marek, charlie, omar, town, story, lees, turn, amina):
    quote = mark(amina, turn, "Then Joan.")
    for person in (lee, joan, marek, charlie, omar):
        for act in (
            lambda by: actions.add_story(by, town, "A", TOLD, "a.txt", b"Tom: Hello."),
            lambda by: actions.trim_story(by, story, turn, turn),
            lambda by: actions.add_speaker(by, story, "X"),
            lambda by: actions.name_speaker(by, lees, None, []),
            lambda by: actions.assign_speaker(by, [turn], None),
            lambda by: actions.mend_turn(by, turn, "X"),
            lambda by: actions.split_turn(by, turn, 20),
            lambda by: actions.mark_quote(by, turn, Span(0, 9)),
            lambda by: actions.remove_quote(by, quote),
        ):
            with pytest.raises(NotAllowed):
                act(person)


def test_who_may_write_down_and_who_may_allow(lee, joan, marek, charlie, omar, town, amina, ward):
    for person in (lee, marek, charlie, omar):
        with pytest.raises(NotAllowed):
            actions.write_down(person, town, "Hm", "note", joan)
    for person in (marek, charlie):
        with pytest.raises(NotAllowed):
            actions.write_down(person, town, "Hm", "form", person)
    with pytest.raises(NotAllowed):
        actions.write_down(amina, ward, "Hm", "note")  # she keeps the town, not the ward
    voice = actions.write_down(amina, town, "Mine", "call", lee)
    for person in (joan, marek, charlie, omar):
        with pytest.raises(NotAllowed):
            actions.set_consent(person, voice, ["public"])
    actions.set_consent(lee, voice, ["public"])
    actions.set_consent(amina, voice, [])


def test_the_record_holds_no_words(amina, lee, story, lees, turn):
    quote = mark(amina, turn, "Then Joan.")
    actions.set_consent(lee, quote, ["group"])
    actions.mend_turn(amina, turn, turn.text + " Really.")
    told = " ".join(str(act.detail) for act in Act.objects.all())
    assert "Joan" not in told
    assert "Really" not in told


# Through a trusted person


@pytest.fixture
def lees_mandate(lee, joan):
    return make_mandate(lee, lee, joan, ["speak"])


def test_a_trusted_person_writes_down_what_they_said_and_whether_it_was_read_back(
    joan, lee, lees_mandate, town
):
    voice = actions.write_down_for(
        joan, lees_mandate, town, " They never ring back ", True, uses=["services"]
    )
    assert (voice.words, voice.person, voice.through, voice.taken_by) == (
        "They never ring back",
        lee,
        joan,
        joan,
    )
    assert voice.came_by == Voice.Way.TRUSTED_PERSON and voice.read_back
    assert allowed(voice) == {"services"}


@pytest.mark.parametrize("wrong", ["another hub", "another person", "ended", "only to hear", "no words"])
def test_it_takes_a_mandate_to_speak_that_stands(wrong, joan, amina, lee, lees_mandate, town, ward):
    if wrong == "ended":
        end_mandate(lee, lees_mandate)
    if wrong == "only to hear":
        make_mandate(lee, lee, joan, ["hear"])
    by = amina if wrong == "another person" else joan
    hub = ward if wrong == "another hub" else town
    with pytest.raises(ValidationError if wrong == "no words" else NotAllowed):
        actions.write_down_for(by, lees_mandate, hub, "" if wrong == "no words" else "Words", True)


def test_the_trusted_person_reads_what_came_through_them_while_it_stands(joan, lee, lees_mandate, town):
    voice = actions.write_down_for(joan, lees_mandate, town, "They never ring back", True, uses=[])
    [read] = Voice.objects.for_reading(joan)
    assert read == voice and read.who == "Lee"
    end_mandate(lee, lees_mandate)
    assert not Voice.objects.visible_to(joan).exists()


def test_those_are_not_my_words(joan, amina, lee, lees_mandate, town):
    voice = actions.write_down_for(
        joan, lees_mandate, town, "They never ring back", False, uses=["group", "services", "public"]
    )
    for by in (joan, make_person("Sami", town)):
        with pytest.raises(NotAllowed):
            actions.disown(by, voice)
    actions.disown(lee, voice)
    voice.refresh_from_db()
    assert voice.disowned_at and allowed(voice) == set()
    assert voice.consents.count() == 3  # what was allowed when is kept
    with pytest.raises(ValidationError, match="not their words"):
        actions.set_consent(amina, voice, ["group"])


def test_only_what_somebody_else_wrote_down_is_disowned(lee, town):
    voice = actions.write_down(lee, town, "My own words", "form", lee)
    with pytest.raises(ValidationError):
        actions.disown(lee, voice)
