"""What can be done with many stories at once: bring them, say who told them, and take what they said as quotes.

One story and one quote are added in actions.py, on which all of this stands.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.engine import masking, transcript
from coproduce.engine.quotes import Span
from coproduce.engine.themes.statements import statements
from coproduce.people.actions import record, welcome
from coproduce.people.models import Act, Hub, Person
from coproduce.people.permissions import must
from coproduce.voices.actions import AT_ONCE, _hold, _must_be_all_there, _stood_on, add_story, name_speaker
from coproduce.voices.allowing import OUTSIDE, names_known_in, since_when, uses_of, withdrawn_alone
from coproduce.voices.models import Consent, Speaker, Story, StoryQuerySet, Turn, Voice

MOST_FILES = 50
"""So many files are brought in one go, and so many stories are looked at together."""

MOST_BYTES = 3 * transcript.MAX_BYTES
"""What the files of one go may have together."""

FEWEST_WORDS = 5
"""What is shorter says little on its own: "Yes, that's right." It can still be marked by hand."""

A_PIECE = 200  # quotes in one transaction


# Many stories come in


class AlreadyHere(ValidationError):
    """The same words are a story of this hub already."""


@transaction.atomic
def bring_story(
    by: Person,
    hub: Hub,
    title: str,
    gathered_on: dt.date,
    file_name: str,
    data: bytes,
    added_at: dt.datetime | None = None,
) -> Story:
    """add_story, for a file that somebody chose: what is in the hub already does not come in again.

    Raises AlreadyHere, with the title it has, or what add_story raises.
    """
    must(by, "work on stories", hub)
    Hub.objects.select_for_update().get(pk=hub.pk)  # two who press at once bring it once
    if (known := _same(hub, data)) is not None:
        raise AlreadyHere(
            _("These words are here already: “%(title)s”. They did not come in again.")
            % {"title": known.title}
        )
    return add_story(by, hub, title, gathered_on, file_name, data, added_at=added_at)


def _same(hub: Hub, data: bytes) -> Story | None:
    """The story of this hub with the same file, letter for letter. No sum of it is kept: that would outlive it."""
    for story in Story.objects.filter(hub=hub).exclude(file=""):
        try:
            if story.file.size == len(data):
                with story.file.open("rb") as given:
                    if given.read() == data:
                        return story
        except FileNotFoundError:  # it went when somebody took words back
            continue
    return None


@dataclass(frozen=True)
class Brought:
    """What became of files that came together: the stories, and of each other file its name and why not."""

    stories: list[Story]
    refused: list[tuple[str, str]]


def bring_stories(
    by: Person, hub: Hub, title: str, gathered_on: dt.date, files: Sequence[UploadedFile]
) -> Brought:
    """Each file becomes a story, in a transaction of its own: one that can't be read keeps none of the others out.

    Raises ValidationError where none of them could come in, whatever they hold.
    """
    must(by, "work on stories", hub)
    at = timezone.now()
    brought = Brought([], [])
    for file in files:
        name = str(file.name)
        try:
            data = file.read(transcript.MAX_BYTES + 1)
            brought.stories.append(
                bring_story(by, hub, _title_of(title, name), gathered_on, name, data, added_at=at)
            )
        except transcript.NotATranscript as wrong:
            brought.refused.append((name, str(wrong)))
        except AlreadyHere as wrong:
            brought.refused.append((name, " ".join(wrong.messages)))
    return brought


def _title_of(title: str, file_name: str) -> str:
    """The one title that was given, told apart by what the file is called."""
    name = file_name.rpartition(".")[0] or file_name
    room = int(Story._meta.get_field("title").max_length or 200)
    return f"{title[: room // 2]}: {name}"[:room]


# Who told them


def who_asks(stories: Iterable[Story]) -> set[int]:
    """In each story the speaker who asks the questions, as far as it can be told: whose turns hold a question most
    often, if nobody else's do as often, and who says less than half of it."""
    asked: dict[int, dict[int, tuple[int, int]]] = {}
    turns = Turn.objects.filter(story__in=stories, trimmed=False, speaker__isnull=False).order_by()
    for story, speaker, text in turns.values_list("story", "speaker", "text"):
        questions, words = asked.setdefault(story, {}).get(speaker or 0, (0, 0))
        asked[story][speaker or 0] = questions + ("?" in text), words + len(text.split())
    found = set()
    for of_story in asked.values():
        most = sorted(of_story, key=lambda speaker: of_story[speaker][0], reverse=True)
        if len(most) < 2 or of_story[most[0]][0] == of_story[most[1]][0]:
            continue
        if 2 * of_story[most[0]][1] < sum(words for _questions, words in of_story.values()):
            found.add(most[0])
    return found


def not_named_yet(stories: Iterable[Story]) -> list[Speaker]:
    """Who speaks in these stories and is nobody yet, without those who ask the questions."""
    stories = list(stories)
    asks = who_asks(stories)
    unknown = Speaker.objects.filter(
        story__in=stories, person__isnull=True, withdrawn_at__isnull=True, turns__trimmed=False
    )
    unknown = unknown.distinct().select_related("story__hub").order_by("story__title", "position")
    return [speaker for speaker in unknown if speaker.pk not in asks]


@transaction.atomic
def name_new(by: Person, named: Iterable[tuple[Speaker, str]], uses: Iterable[str]) -> int:
    """Each of these speakers is somebody new to the hub, called so, and all allow the same for their story.

    Whoever was named meanwhile is left as they are. Returns how many were named.
    """
    uses, done = list(uses), 0
    for speaker, name in named:
        must(by, "work on stories", speaker.story.hub_id)
        _hold(speaker.story)
        if Speaker.objects.filter(pk=speaker.pk, person__isnull=True).exists():
            name_speaker(by, speaker, welcome(by, speaker.story.hub, name, ""), uses)
            done += 1
    return done


# Quotes of whole stories


def to_take(text: str, kept: Iterable[Span]) -> list[Span]:
    """The statements of a turn that may become quotes: five words or more, at most
    `engine.themes.statements.LONGEST`, and nothing of them in a quote already."""
    kept = list(kept)
    return [
        span
        for span in statements(text)
        if len(text[span.begins : span.ends].split()) >= FEWEST_WORDS
        and not any(one.begins < span.ends and one.ends > span.begins for one in kept)
    ]


def _left(speakers: Iterable[Speaker | int]) -> dict[int, list[tuple[Turn, Span]]]:
    """What may be taken of what each of these speakers said, in order: speaker → places."""
    turns = Turn.objects.filter(speaker__in=speakers, trimmed=False).order_by("story", "position")
    found: dict[int, list[tuple[Turn, Span]]] = {}
    for turn in turns.prefetch_related("quotes"):
        kept = [quote.span for quote in turn.quotes.all()]
        for span in to_take(turn.text, kept):
            found.setdefault(turn.speaker_id or 0, []).append((turn, span))
    return found


@dataclass(frozen=True)
class Offered:
    """Somebody of whose words quotes may be taken: how many, and whether that is meant unless somebody says no."""

    speaker: Speaker
    quotes: int
    meant: bool


def offered(stories: StoryQuerySet, only_named: bool = False) -> list[Offered]:
    """Who has something to take in these stories. Meant are those who allow anything, and don't ask the questions.

    only_named: without those of whom nobody has said yet who they are, or what they allow.
    """
    asks = who_asks(stories)
    speakers = Speaker.objects.filter(story__in=stories, withdrawn_at__isnull=True)
    allowing = set(
        Consent.objects.standing().filter(speaker__in=speakers).order_by().values_list("speaker", flat=True)
    )
    if only_named:
        speakers = speakers.filter(Q(person__isnull=False) | Q(pk__in=allowing))
    left, found = _left(speakers.order_by().values("pk")), []  # type: ignore[arg-type]
    for speaker in speakers.select_related("story", "person").order_by("story__title", "position"):
        if number := len(left.get(speaker.pk, ())):
            found.append(Offered(speaker, number, speaker.pk in allowing and speaker.pk not in asks))
    return found


def in_hub(person: Person, hub: Hub) -> StoryQuerySet:
    """The stories of a hub in which somebody is named, those with the fewest quotes first: as many as go together."""
    named = Speaker.objects.filter(story__hub=hub, person__isnull=False, withdrawn_at__isnull=True)
    stories = Story.objects.to_work_on(person).filter(pk__in=named.order_by().values("story"))
    here: Any = stories.with_counts()
    all_there = here.filter(turns_in__gte=F("turns_expected")).values_list("quotes", "pk")
    few = sorted(all_there, key=lambda row: (row[0], -row[1]))[:MOST_FILES]
    return Story.objects.filter(pk__in=[pk for _quotes, pk in few])


def take_quotes(by: Person, speakers: Iterable[Speaker]) -> int | None:
    """What these speakers said becomes quotes: at once or, if that is many, by the worker.

    Returns how many there are now that were not there before; None where the worker takes them.
    """
    speakers = list(speakers)
    for speaker in speakers:
        must(by, "work on stories", speaker.story.hub_id)
        _must_be_all_there(speaker.story)
    if sum(len(places) for places in _left(speakers).values()) <= AT_ONCE:
        return sum(take_from(by, speaker) for speaker in speakers)
    from coproduce.voices import tasks

    tasks.take_quotes.enqueue(by.pk, [speaker.pk for speaker in speakers])
    return None


def take_from(by: Person, speaker: Speaker) -> int:
    """Take what one speaker said, a piece in each transaction: it can be stopped and run again."""
    taken = 0
    while piece := _take_piece(by, speaker):
        taken += piece
    return taken


@transaction.atomic
def _take_piece(by: Person, speaker: Speaker) -> int:
    """Mark the next of their statements as quotes, as mark_quote does with one."""
    story = speaker.story
    must(by, "work on stories", story.hub_id)
    _hold(story)
    _must_be_all_there(story)
    held = Speaker.objects.select_related("person").filter(pk=speaker.pk, withdrawn_at__isnull=True).first()
    piece = _left([held]).get(held.pk, [])[:A_PIECE] if held else []
    if held is None or not piece:
        return 0
    uses, since = uses_of(held), since_when(held)
    known = names_known_in(story.hub_id) if uses & OUTSIDE else []
    voices = []
    for turn, span in piece:
        words = turn.text[span.begins : span.ends]
        found = masking.find(words, known) if uses & OUTSIDE else []
        voices.append(
            Voice(
                hub_id=story.hub_id,
                person=held.person,
                came_by=Voice.Way.QUOTE,
                words=words,
                masked=masking.mask(words, found) if found else "",
                said_on=story.gathered_on,
                taken_by=by,
                turn=turn,
                begins=span.begins,
                ends=span.ends,
            )
        )
    Voice.objects.bulk_create(voices)
    Consent.objects.bulk_create(
        Consent(voice=voice, use=use, given_at=since[use], given_by=by)
        for voice in voices
        for use in sorted(uses)
    )
    record(by, TAKE, story, story.hub_id, speaker=held.pk, voices=[voice.pk for voice in voices])
    return len(voices)


TAKE = "take the quotes of"


def taken_in(stories: Iterable[Story]) -> set[int]:
    """The quotes of these stories, by number, that were taken in one go and are still there. The record knows which."""
    stories = list(stories)
    acts = Act.objects.filter(
        thing=Story._meta.label_lower, thing_id__in=[story.pk for story in stories], verb=TAKE
    )
    taken = {voice for act in acts for voice in act.detail["voices"]}
    return taken & set(Voice.objects.filter(turn__story__in=stories).values_list("pk", flat=True))


def take_off(by: Person, stories: Iterable[Story]) -> tuple[int, int]:
    """Unmark what was taken in one go in these stories, but nothing that anything stands on.

    Returns how many are no quotes any more, and how many stay.
    """
    gone = stay = 0
    for story in stories:
        with transaction.atomic():
            must(by, "work on stories", story.hub_id)
            _hold(story)
            taken = taken_in([story])
            # One for which something was taken back stays too, so that this is not forgotten.
            kept = _stood_on(taken) | {
                voice
                for voice in withdrawn_alone().filter(voice__in=taken).values_list("voice", flat=True)
                if voice is not None
            }
            if off := taken - kept:
                Voice.objects.filter(pk__in=off).delete()
                record(by, "take off the quotes of", story, story.hub_id, voices=len(off))
            gone, stay = gone + len(off), stay + len(kept)
    return gone, stay
