"""What can be done with what was said: take in a story, put it right, mark quotes, write down, allow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.engine import quotes, transcript
from coproduce.engine.quotes import Span
from coproduce.people.actions import record, way_meant, welcome
from coproduce.people.models import Act, Hub, Mandate, Membership, Person
from coproduce.people.permissions import NotAllowed, may, must
from coproduce.voices.allowing import (
    OUTSIDE,
    allow,
    default_uses,
    kept_back,
    mask_all,
    must_not_exceed,
    since_when,
    uses_of,
)
from coproduce.voices.models import Consent, Incoming, Speaker, Story, Turn, Use, Voice

AT_ONCE = 500  # a longer story is taken in by the worker, with its progress shown


# A story comes in


def add_story(
    by: Person,
    hub: Hub,
    title: str,
    gathered_on: dt.date,
    file_name: str,
    data: bytes,
    gathered_by: Person | None = None,
    added_at: dt.datetime | None = None,
) -> Story:
    """Keep the file as given and take in its turns, at once or, if it is long, by the worker.

    Stories that came in one go have the same `added_at`.

    Raises transcript.NotATranscript, with what is wrong and what to do, before anything is kept.
    """
    must(by, "work on stories", hub)
    if gathered_on > timezone.localdate():
        raise ValidationError(_("That day is still to come. Write the day the story was told."))
    read = transcript.read(data, file_name)
    with transaction.atomic():
        story = Story(
            hub=hub,
            title=title,
            gathered_on=gathered_on,
            gathered_by=gathered_by or by,
            file_name=file_name,
            turns_expected=len(read.turns),
            added_by=by,
            added_at=added_at or timezone.now(),
        )
        story.file.save(file_name, ContentFile(data), save=False)
        story.save()
        Speaker.objects.bulk_create(
            Speaker(story=story, label=label[:120], position=position)
            for position, label in enumerate(read.speakers)
        )
        record(by, "add", story, hub)
        if len(read.turns) <= AT_ONCE:
            take_in_turns(story, read.turns)
        else:
            from coproduce.voices.tasks import take_in_story

            take_in_story.enqueue(story.pk)
    return story


def take_in_turns(story: Story, turns: tuple[transcript.Turn, ...], at_a_time: int = 2000) -> None:
    """Save the turns not saved yet, a piece in each transaction: it can be stopped and run again."""
    speakers = {speaker.label: speaker for speaker in story.speakers.all()}
    while True:
        with transaction.atomic():
            held = Story.objects.select_for_update().get(pk=story.pk)
            if not held.file:  # somebody who spoke in it was erased meanwhile
                return
            begin = story.turns.count()
            piece = turns[begin : begin + at_a_time]
            Turn.objects.bulk_create(
                Turn(
                    story=story,
                    position=begin + place,
                    speaker=speakers.get((turn.speaker or "")[:120]),
                    text=turn.text,
                    start_ms=turn.start_ms,
                    end_ms=turn.end_ms,
                )
                for place, turn in enumerate(piece)
            )
        if begin + len(piece) >= len(turns):
            return


# Who has read it is on record, for those who told it


def note_reading(by: Person, story: Story) -> None:
    """Leave a record that `by` read this story, at most once a day. Not for those who told it."""
    if story.speakers.filter(person=by).exists() or _read_today(by, story):
        return
    with transaction.atomic():
        _hold(story)
        if not _read_today(by, story):
            record(by, "read", story, story.hub_id)


def _read_today(by: Person, story: Story) -> bool:
    today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    acts = Act.objects.filter(thing=Story._meta.label_lower, thing_id=story.pk)
    return acts.filter(by=by, verb="read", at__gte=today).exists()


# The transcript is put right


def _hold(story: Story) -> None:
    """Keep the story to this transaction, so that two people who work on it at once don't undo each other."""
    Story.objects.select_for_update().get(pk=story.pk)


def _hold_turn(turn: Turn) -> None:
    """The same for a turn, as it stands now. Refused if its words are not those that were seen."""
    _hold(turn.story)
    text = turn.text
    turn.refresh_from_db(fields=["text", "position", "speaker", "trimmed"])
    if turn.text != text:
        raise ValidationError(_("Somebody mended this turn just now. Look at it again."))


def _must_be_all_there(story: Story) -> None:
    if story.turns.count() < story.turns_expected:
        raise ValidationError(_("This story is still being taken in. Wait until all of it is there."))


@transaction.atomic
def trim_story(by: Person, story: Story, first: Turn, last: Turn) -> None:
    """Leave out what stands before `first` and after `last`, which nobody said. Can be widened again."""
    must(by, "work on stories", story.hub_id)
    if {first.story_id, last.story_id} != {story.pk}:
        raise NotAllowed("trim a story at a turn of another")
    _hold(story)
    _must_be_all_there(story)
    if first.position > last.position:
        raise ValidationError(_("The first turn stands after the last one. Choose them the other way round."))
    left_out = story.turns.exclude(position__range=(first.position, last.position))
    if Voice.objects.filter(turn__in=left_out).exists():
        raise ValidationError(_("There is a quote in what you would leave out. Remove the quote first."))
    left_out.update(trimmed=True)
    story.turns.filter(position__range=(first.position, last.position)).update(trimmed=False)
    Story.objects.filter(pk=story.pk).update(parts_at=None)
    record(by, "trim", story, story.hub_id)


@transaction.atomic
def add_speaker(by: Person, story: Story, label: str) -> Speaker:
    must(by, "work on stories", story.hub_id)
    _hold(story)
    label = label.strip()
    if not label:
        raise ValidationError(_("Write a name for this speaker."))
    if story.speakers.filter(label__iexact=label).exists():
        raise ValidationError(_("There is already a speaker with this name."))
    last = story.speakers.aggregate(last=Max("position"))["last"]
    speaker = Speaker.objects.create(story=story, label=label, position=0 if last is None else last + 1)
    record(by, "add a speaker to", story, story.hub_id)
    return speaker


@transaction.atomic
def name_speaker(by: Person, speaker: Speaker, person: Person | None, uses: Iterable[str]) -> None:
    """Say who a speaker is, and what they allow for what they said in this story. Their quotes follow.

    What was withdrawn for one quote alone stays withdrawn for it. What was given for one quote alone stays
    until something is taken back for the whole story.
    """
    must(by, "work on stories", speaker.story.hub_id)
    _hold(speaker.story)
    if Speaker.objects.filter(pk=speaker.pk, withdrawn_at__isnull=False).exists():
        raise ValidationError(_("They took their words in this story back. That can’t be undone here."))
    wanted, before = {Use(use) for use in uses}, set(uses_of(speaker))
    same_person = Speaker.objects.filter(pk=speaker.pk, person=person).exists()
    speaker.person = person
    speaker.save(update_fields=["person"])
    if person and by.pk != person.pk:
        must_not_exceed(person, wanted - (before if same_person else set()))
    record(by, "name a speaker of", speaker.story, speaker.story.hub_id, speaker=speaker.pk)
    allow(by, speaker.consents.all(), wanted, speaker=speaker)
    spoken = Voice.objects.filter(turn__speaker=speaker, withdrawn_at__isnull=True)
    spoken.update(person=person)
    for quote in spoken:
        stays = uses_of(quote) if same_person else set()
        if before - wanted:
            stays &= wanted
        new = wanted - before if same_person else wanted
        uses = stays | (new - kept_back([quote]))
        allow(by, quote.consents.all(), uses, voice=quote, since=since_when(speaker))


@transaction.atomic
def assign_speaker(by: Person, turns: Iterable[Turn], speaker: Speaker | None) -> None:
    """Say who spoke these turns, all of one story. Quotes in them become that speaker's words."""
    turns = list(turns)
    if not turns:
        return
    story = turns[0].story
    must(by, "work on stories", story.hub_id)
    if {turn.story_id for turn in turns} | ({speaker.story_id} if speaker else set()) != {story.pk}:
        raise NotAllowed("assign a speaker of another story")
    _hold(story)
    allowed = uses_of(speaker)
    assigned = 0
    for begin in range(0, len(turns), AT_ONCE):
        others = story.turns.filter(pk__in=[turn.pk for turn in turns[begin : begin + AT_ONCE]])
        others = others.exclude(speaker=speaker) if speaker else others.filter(speaker__isnull=False)
        for quote in list(Voice.objects.filter(turn__in=others, withdrawn_at__isnull=True)):
            quote.person = speaker.person if speaker else None
            quote.save(update_fields=["person"])
            uses = allowed - kept_back([quote])
            allow(by, quote.consents.all(), uses, voice=quote, since=since_when(speaker))
        assigned += others.update(speaker=speaker)
    for turn in turns:
        turn.speaker = speaker
    if assigned:
        record(by, "assign turns of", story, story.hub_id, turns=assigned, speaker=speaker and speaker.pk)


@transaction.atomic
def assign_speakers(by: Person, who: Iterable[tuple[Turn, Speaker | None]]) -> None:
    """Say of each of these turns, all of one story, who spoke it."""
    spoken: dict[Speaker | None, list[Turn]] = {}
    for turn, speaker in who:
        spoken.setdefault(speaker, []).append(turn)
    for speaker, turns in spoken.items():
        assign_speaker(by, turns, speaker)


@transaction.atomic
def mend_turn(by: Person, turn: Turn, text: str) -> None:
    """Put right what the machine misheard. Quotes in the turn follow the mended words."""
    must(by, "work on stories", turn.story.hub_id)
    _hold_turn(turn)
    text = _as_written(text)
    if not text:
        raise ValidationError(_("A turn needs words. To leave it out, trim the story."))
    if text == turn.text:
        return
    for quote in turn.quotes.all():
        span = quotes.carry(turn.text, text, quote.span)
        if span is None:
            raise ValidationError(
                _("The words of a quote would be gone: “%(words)s”. Keep them, or remove the quote first.")
                % {"words": quote.words[:120]}
            )
        mended = text[span.begins : span.ends]
        if quote.words != mended and (quote.masked or uses_of(quote) & OUTSIDE):
            quote.masked = mask_all(quote.hub_id, mended)
        quote.begins, quote.ends, quote.words = span.begins, span.ends, mended
        quote.save(update_fields=["begins", "ends", "words", "masked"])
    turn.text = text
    turn.save(update_fields=["text"])
    Story.objects.filter(pk=turn.story_id).update(parts_at=None)
    record(by, "mend a turn of", turn.story, turn.story.hub_id, turn=turn.pk)


@transaction.atomic
def split_turn(by: Person, turn: Turn, at: int, speaker: Speaker | None = None) -> Turn:
    """Cut a turn in two where somebody else begins: `at` is a character offset. Returns the second part."""
    must(by, "work on stories", turn.story.hub_id)
    _hold_turn(turn)
    _must_be_all_there(turn.story)
    first, second = turn.text[:at].rstrip(), turn.text[at:].lstrip()
    if at < 0 or not first or not second:
        raise ValidationError(_("Choose a sentence in the middle of the turn."))
    if turn.quotes.filter(begins__lt=at, ends__gt=at).exists():
        raise ValidationError(_("A quote runs across that place. Remove the quote first."))
    begins = len(turn.text) - len(second)
    turn.story.turns.filter(position__gt=turn.position).update(position=F("position") + 1)
    following = Turn.objects.create(
        story=turn.story,
        position=turn.position + 1,
        speaker=turn.speaker,
        text=second,
        trimmed=turn.trimmed,
    )
    later = turn.quotes.filter(begins__gte=at)
    later.update(turn=following, begins=F("begins") - begins, ends=F("ends") - begins)
    turn.text, turn.end_ms = first, None  # when the first part ended, the file does not say
    turn.save(update_fields=["text", "end_ms"])
    Story.objects.filter(pk=turn.story_id).update(turns_expected=F("turns_expected") + 1, parts_at=None)
    record(by, "split a turn of", turn.story, turn.story.hub_id, turn=turn.pk)
    if speaker:
        assign_speaker(by, [following], speaker)
    return following


# Voices


@transaction.atomic
def mark_quote(by: Person, turn: Turn, span: Span) -> Voice:
    """Keep a span of a turn as a quote, to the letter, with what its speaker allowed for this story.

    Marking the same words twice gives the quote that is there already. What was withdrawn for a quote that
    shares words with this one is not allowed here either.
    """
    story = turn.story
    must(by, "work on stories", story.hub_id)
    _hold_turn(turn)
    if turn.trimmed:
        raise ValidationError(_("This turn is left out of the story. Take it in again first."))
    tidy = quotes.trim(turn.text, span)
    if tidy is None:
        raise ValidationError(_("There are no words there. Choose at least one sentence."))
    if known := turn.quotes.filter(begins=tidy.begins, ends=tidy.ends).first():
        return known
    overlapping = turn.quotes.filter(begins__lt=tidy.ends, ends__gt=tidy.begins)
    voice = Voice.objects.create(
        hub_id=story.hub_id,
        person=turn.speaker.person if turn.speaker else None,
        came_by=Voice.Way.QUOTE,
        words=turn.text[tidy.begins : tidy.ends],
        said_on=story.gathered_on,
        taken_by=by,
        turn=turn,
        begins=tidy.begins,
        ends=tidy.ends,
    )
    uses = uses_of(turn.speaker) - kept_back(overlapping)
    allow(by, voice.consents.all(), uses, voice=voice, since=since_when(turn.speaker))
    record(by, "mark", voice, story.hub_id)
    return voice


@transaction.atomic
def remove_quote(by: Person, voice: Voice) -> None:
    """Unmark a quote that nothing stands on yet. The turn keeps its words."""
    must(by, "work on stories", voice.hub_id)
    if voice.turn_id is None:
        raise ValidationError(_("Only a quote can be unmarked."))
    if _stood_on([voice.pk]):
        raise ValidationError(
            _("A theme, a topic or a change stands on this quote. Take it out of there first.")
        )
    if kept_back([voice]):
        raise ValidationError(
            _("Somebody took back what this quote may be used for. It stays, so that this is not forgotten.")
        )
    record(by, "remove", voice, voice.hub_id)
    voice.delete()


def _stood_on(quotes: Iterable[int]) -> set[int]:
    """Those of these quotes, by number, that a theme, a topic, a change or anything else people make stands on."""
    quotes, found = list(quotes), set[int]()
    for relation in Voice._meta.related_objects:
        by: Any = relation.related_model
        if by is Consent or getattr(by, "only_what_a_machine_thinks", False):
            continue
        name = relation.field.name
        found.update(by._base_manager.filter(**{f"{name}__in": quotes}).values_list(name, flat=True))
    return found


@transaction.atomic
def write_down(
    by: Person,
    hub: Hub,
    words: str,
    came_by: str,
    person: Person | None = None,
    said_on: dt.date | None = None,
    uses: Iterable[str] | None = None,
) -> Voice:
    """Write down what somebody said: a note, a call, at a meeting. `person` None is nobody we know.

    Without `uses`, what the person set for what they say from now on; the group, if they set nothing.
    """
    if by != person:
        must(by, "add words", hub)
    elif not may(by, "read what the group may read", hub):
        raise NotAllowed("add words")
    words = _as_written(words)
    if not words:
        raise ValidationError(_("Write what they said."))
    if said_on and said_on > timezone.localdate():
        raise ValidationError(_("That day is still to come. Write the day they said it."))
    voice = Voice.objects.create(
        hub=hub,
        person=person,
        came_by=came_by,
        words=words,
        said_on=said_on or timezone.localdate(),
        taken_by=by,
    )
    if uses is None:
        start_with_default(by, voice)
    else:
        if person and by != person:
            must_not_exceed(person, {Use(use) for use in uses})
        allow(by, voice.consents.all(), uses, voice=voice)
    record(by, "write down", voice, hub)
    return voice


@transaction.atomic
def write_down_for(
    by: Person,
    mandate: Mandate,
    hub: Hub,
    words: str,
    read_back: bool,
    said_on: dt.date | None = None,
    uses: Iterable[str] = (Use.GROUP,),
) -> Voice:
    """A trusted person writes down what somebody said, and whether it was read back to them."""
    held = Mandate.objects.standing("speak").select_for_update().filter(pk=mandate.pk, trusted=by).first()
    if held is None or not Membership.objects.current().filter(person=held.person, hub=hub).exists():
        raise NotAllowed("write down what somebody said")
    words = _as_written(words)
    if not words:
        raise ValidationError(_("Write what they said."))
    if said_on and said_on > timezone.localdate():
        raise ValidationError(_("That day is still to come. Write the day they said it."))
    voice = Voice.objects.create(
        hub=hub,
        person=held.person,
        came_by=Voice.Way.TRUSTED_PERSON,
        words=words,
        said_on=said_on or timezone.localdate(),
        taken_by=by,
        through=by,
        read_back=read_back,
    )
    allow(by, voice.consents.all(), uses, voice=voice)
    record(by, "write down", voice, hub, mandate=held.pk, read_back=read_back)
    return voice


@transaction.atomic
def disown(by: Person, voice: Voice) -> None:
    """These are not my words, says the person they were written down for. Nobody may use them from now on."""
    if by.pk != voice.person_id:
        must(by, "work on stories", voice.hub_id)
    if voice.through_id is None:
        raise ValidationError(_("Nobody wrote this down for you. You can say what it may be used for."))
    held = Voice.objects.select_for_update().get(pk=voice.pk)
    if held.disowned_at:
        return
    allow(by, held.consents.all(), (), voice=held, alone=True)
    Voice.objects.filter(pk=voice.pk).update(disowned_at=timezone.now())
    record(by, "disown", voice, voice.hub_id)


def _as_written(text: str) -> str:
    """A browser ends lines with two signs; one is kept, so that places in a text stay what they are."""
    return text.replace("\r\n", "\n").strip()


# What strangers say


@transaction.atomic
def receive(hub: Hub, words: str, name: str, way: str, uses: Iterable[str], checked: bool) -> Incoming:
    """Keep what a visitor said, until somebody opens it. Everybody may; so nobody is asked who they are."""
    words = _as_written(words)
    if not words:
        raise ValidationError({"words": _("Write what you want to say.")})
    if way.strip():
        try:
            way_meant(way)
        except ValidationError as wrong:
            raise ValidationError({"way": wrong.messages}) from None
    incoming = Incoming.objects.create(
        hub=hub,
        words=words,
        name=name.strip(),
        way=way.strip(),
        uses=sorted(Use(use) for use in uses),
        checked=checked,
    )
    record(None, "receive", incoming, hub)
    return incoming


@transaction.atomic
def receive_note(hub: Hub, words: str, uses: Iterable[str], person: Person | None = None) -> Voice:
    """Keep a note that somebody with the link of a meeting's wall wrote. It is a voice at once: they are in the room.

    Whoever calls it has asked whether that wall takes notes, and that `person`, where there is one, is who writes.
    """
    words = _as_written(words)
    if not words:
        raise ValidationError({"words": _("Write what you want to say.")})
    voice = Voice.objects.create(
        hub=hub,
        person=person,
        came_by=Voice.Way.NOTE,
        words=words,
        said_on=timezone.localdate(),
        taken_by=person,
    )
    allow(person, voice.consents.all(), uses, voice=voice)
    record(person, "receive", voice, hub)
    return voice


@transaction.atomic
def take_in(by: Person, incoming: Incoming, person: Person | None = None) -> Voice:
    """Make it a voice: said by `person`, by somebody new if they left a name or a way, or by nobody we know."""
    held = _held(by, incoming)
    if person is None and (held.name or held.way):
        person = welcome(by, held.hub, held.name, held.way)
    said_on = timezone.localdate(held.at)
    # Anybody can write any name on the open form. So it opens no more than the person it turns out to be set.
    default = default_uses(person) if person else None
    uses = [use for use in held.uses if default is None or use in default]
    voice = write_down(by, held.hub, held.words, Voice.Way.FORM, person, said_on, uses)
    held.outcome, held.taken_by, held.voice, held.reason = Incoming.Outcome.TAKEN_IN, by, voice, ""
    held.words = held.name = held.way = ""
    held.save()
    record(by, "take in", held, held.hub_id)
    return voice


@transaction.atomic
def put_aside(by: Person, incoming: Incoming, reason: str) -> None:
    """Not for this group. It stays where it is, with the reason, and can still be taken in."""
    held = _held(by, incoming)
    reason = reason.strip()
    if not reason:
        raise ValidationError({"reason": _("Write why. A few words are enough.")})
    held.outcome, held.taken_by, held.reason = Incoming.Outcome.PUT_ASIDE, by, reason
    held.save()
    record(by, "put aside", held, held.hub_id)


def forget_what_was_put_aside() -> int:
    """What nobody took in for three months after it came is deleted: strangers’ words are not kept for nothing."""
    late = timezone.now() - Incoming.KEPT_ASIDE
    return Incoming.objects.put_aside().filter(at__lt=late).delete()[0]


def _held(by: Person, incoming: Incoming) -> Incoming:
    """As it stands now, and nobody else's until we are done."""
    must(by, "take in what strangers say", incoming.hub_id)
    held = Incoming.objects.select_for_update().select_related("hub").get(pk=incoming.pk)
    if held.outcome == Incoming.Outcome.TAKEN_IN:
        raise ValidationError(_("Somebody has taken this in already."))
    return held


# Consent


@transaction.atomic
def set_consent(by: Person, voice: Voice, uses: Iterable[str]) -> None:
    """Allow exactly these uses of a voice from now on: what is new is given, what is missing is withdrawn."""
    if by.pk != voice.person_id:
        must(by, "work on stories", voice.hub_id)
    wanted = {Use(use) for use in uses}
    locked = Voice.objects.select_for_update().get(pk=voice.pk)
    if not locked.words:
        raise ValidationError(_("These words were taken out."))
    if locked.disowned_at:
        raise ValidationError(_("Somebody said that these are not their words. Nobody may use them."))
    allow(by, voice.consents.all(), wanted, voice=voice, alone=True)
    record(by, "set consent for", voice, voice.hub_id, uses=sorted(wanted))


def start_with_default(by: Person, voice: Voice) -> None:
    """Allow for a new voice what its person set, or the group where they never said. It keeps the day they said so."""
    since = default_uses(voice.person) if voice.person else None
    uses: Iterable[str] = (Use.GROUP,) if since is None else since
    allow(by, voice.consents.all(), uses, voice=voice, since=since)
