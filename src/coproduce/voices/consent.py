"""What can be done with what people allow: set it for all they say, say yes again, mask, take back, and recall.

One use of one voice is given and taken back in actions.py (`set_consent`), on which all of this stands.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coproduce.engine import masking
from coproduce.people.actions import record
from coproduce.people.models import Act, Hub, Person
from coproduce.people.permissions import NotAllowed, hubs_where, must
from coproduce.voices.actions import _hold, set_consent
from coproduce.voices.allowing import allow, offered_for
from coproduce.voices.models import Carried, Consent, Speaker, Story, Turn, Use, Voice, VoiceQuerySet

GONE = "…"  # stands in a turn where a quote was taken out


class Choice(models.TextChoices):
    """What somebody wants who takes words back."""

    TAKE_OUT = "take out", gettext_lazy("Take my words out")
    NAMELESS = "nameless", gettext_lazy("Keep my words, without my name")


def may_speak_for(by: Person, person: Person) -> bool:
    """Whether `by` may say what this person allows: they themselves, and who looks after them, asked by them."""
    return by.pk == person.pk or Person.objects.visible_to(by).filter(pk=person.pk).exists()


def may_take_back(by: Person, voice: Voice) -> bool:
    """The person themselves, who keeps what is said in the hub, and who looks after the person."""
    if by.pk == voice.person_id or voice.hub_id in hubs_where(by, "work on stories"):
        return True
    return voice.person is not None and may_speak_for(by, voice.person)


def said_by(person: Person, reader: Person) -> VoiceQuerySet:
    """What a person said, as far as this reader may read it and know that it was them; theirs is all of it."""
    said = Voice.objects.for_reading(reader).filter(person=person)
    return said if reader.pk == person.pk else said.naming_who()


# Setting it for more than one voice


@transaction.atomic
def set_default(by: Person, person: Person, uses: Iterable[str]) -> None:
    """Set what a person allows for what they say from now on. What they said before stays as it is."""
    if not may_speak_for(by, person):
        raise NotAllowed("set what somebody allows")
    Person.objects.select_for_update().get(pk=person.pk)
    wanted = {Use(use) for use in uses}
    first = not person.consents.exists()
    allow(by, person.consents.all(), wanted, person=person)
    if first and not wanted:
        # That they said "nothing" is kept as the group's yes, given and taken back in the same moment.
        now = timezone.now()
        Consent.objects.create(
            person=person, use=Use.GROUP, given_at=now, given_by=by, withdrawn_at=now, withdrawn_by=by
        )
    record(by, "set consent by default for", person, uses=sorted(wanted))


@transaction.atomic
def set_many(by: Person, wanted: Mapping[Voice, Iterable[str]]) -> int:
    """Allow exactly these uses of each of these voices from now on. Returns how many of them changed."""
    changed = 0
    for voice, uses in wanted.items():
        standing = set(voice.consents.standing().values_list("use", flat=True))
        if standing != {str(use) for use in uses}:
            set_consent(by, voice, uses)
            changed += 1
    return changed


# Asking again


def to_ask_again(person: Person) -> VoiceQuerySet:
    """The voices with a yes older than their group's limit, of the hubs where this person keeps what is said."""
    due = Consent.objects.to_ask_again().filter(voice__hub__in=hubs_where(person, "work on stories"))
    return (
        Voice.objects.for_reading(person)
        .filter(pk__in=due.order_by().values("voice"))
        .order_by("said_on", "pk")
    )


@transaction.atomic
def still_yes(by: Person, voice: Voice) -> None:
    """They were asked again and still say yes to all that is allowed: it counts anew from today."""
    if by.pk != voice.person_id:
        must(by, "work on stories", voice.hub_id)
    Voice.objects.select_for_update().get(pk=voice.pk)
    now = timezone.now()
    old = list(voice.consents.standing())
    for consent in old:
        consent.withdrawn_at, consent.withdrawn_by, consent.renewed = now, by, True
        consent.save(update_fields=["withdrawn_at", "withdrawn_by", "renewed"])
    Consent.objects.bulk_create(Consent(voice=voice, use=each.use, given_at=now, given_by=by) for each in old)
    record(by, "renew consent for", voice, voice.hub_id, uses=sorted(each.use for each in old))


@transaction.atomic
def set_limit(by: Person, hub: Hub, months: int) -> None:
    """Say after how many months people of a hub are asked again."""
    must(by, "decide on a topic", hub)
    Hub.objects.filter(pk=hub.pk).update(consent_months=months)
    record(by, "set the limit of consent of", hub, hub, months=months)


# Masking


@transaction.atomic
def mask_words(by: Person, voice: Voice, ticked: Iterable[int]) -> None:
    """Say which of what is offered is masked when the words leave the group: by its place in offered_for()."""
    if by.pk != voice.person_id:
        must(by, "work on stories", voice.hub_id)
    voice.masked = masked_with(voice, offered_for(voice), ticked)
    voice.save(update_fields=["masked"])
    record(by, "mask", voice, voice.hub_id)


def masked_now(voice: Voice, offered: list[masking.Found]) -> list[int]:
    """The places of what is masked now: all of it, some, or where nobody decided yet, all of it."""
    if not voice.masked:
        standing = voice.consents.standing().exclude(use=Use.GROUP).exists()
        return [] if standing else list(range(len(offered)))
    # What was left as it is stands in the masked words to the letter. Try each alone.
    chosen, at = [], 0
    for place, each in enumerate(offered):
        before = voice.words[offered[place - 1].ends if place else 0 : each.begins]
        at += len(before)
        if voice.masked.startswith(each.offered, at):
            chosen.append(place)
            at += len(each.offered)
        else:
            at += each.ends - each.begins
    return chosen


def masked_with(voice: Voice, offered: list[masking.Found], ticked: Iterable[int]) -> str:
    chosen = [offered[place] for place in sorted(set(ticked)) if 0 <= place < len(offered)]
    return masking.mask(voice.words, chosen) if chosen else ""


# Recall


def carry(rows: Iterable[Carried]) -> None:
    """Write down that something carried voices out of the group. A second time changes nothing."""
    Carried.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)


def public_since(voices: Iterable[int]) -> dict[int, dt.datetime]:
    """Of these voices those that anybody may read, or could once, each with since when."""
    given = Consent.objects.filter(voice__in=list(voices), use=Use.PUBLIC).order_by("-given_at", "-pk")
    return {pk: at for pk, at in given.values_list("voice", "given_at") if pk is not None}


def on_page(voice: int, title: str, path: str, since: dt.datetime) -> Carried:
    """A page of ours that anybody can read showed it."""
    who = _("anybody who opened it")
    return Carried(voice_id=voice, kind=Carried.Kind.PAGE, where=title, path=path, who_has_it=who, at=since)


@transaction.atomic
def asked_to_take_down(by: Person, carried: Carried, done: bool) -> None:
    """Tick off that whoever has it was asked to take it down; or take the tick away."""
    if not may_recall(by, carried):
        raise NotAllowed("recall")
    carried.asked_at, carried.asked_by = (timezone.now(), by) if done else (None, None)
    carried.save(update_fields=["asked_at", "asked_by"])
    thing = carried.voice or carried.speaker.story  # type: ignore[union-attr]
    record(by, "recall", thing, thing.hub_id, carried=carried.pk, done=done)


def may_recall(by: Person, carried: Carried) -> bool:
    """Whoever may take back what it carried."""
    if carried.speaker is not None:
        return may_take_back_story(by, carried.speaker)
    return carried.voice is not None and may_take_back(by, carried.voice)


def to_recall(person: Person) -> VoiceQuerySet:
    """Voices that were taken back and that somebody outside still has, where this person keeps what is said."""
    left = _left_to_ask().filter(voice__isnull=False)
    return (
        Voice.objects.visible_to(person)
        .filter(withdrawn_at__isnull=False, hub__in=hubs_where(person, "work on stories"))
        .filter(pk__in=left.order_by().values("voice"))
    )


def stories_to_recall(person: Person) -> QuerySet[Speaker]:
    """The same, of whole stories: who spoke in them and took that back."""
    left = _left_to_ask().filter(speaker__isnull=False)
    return Speaker.objects.filter(
        withdrawn_at__isnull=False,
        story__in=Story.objects.visible_to(person).filter(hub__in=hubs_where(person, "work on stories")),
        pk__in=left.order_by().values("speaker"),
    )


def _left_to_ask() -> QuerySet[Carried]:
    return Carried.objects.filter(asked_at__isnull=True).exclude(kind__in=OWN_COPIES)


# What went only to those who said it, or stood on a page of ours that followed at once, needs no asking.
OWN_COPIES = (Carried.Kind.EMAIL, Carried.Kind.LETTER)


# Taking back. First choose: take the words out, or keep them nameless. It holds at once, on every page.


@transaction.atomic
def take_back(
    by: Person, voices: Iterable[Voice], speakers: Iterable[Speaker], choice: str, hear: bool = False
) -> None:
    """Take back single voices, and all that speakers said in their stories.

    Take out: the words are gone from the voice, from the turn that they were a span of (quotes that share words with
    it go with it) and with the story's file as given. The voice's row stays, so that counts stay true.

    Nameless: the words stay for what is still allowed, and who said them is cut from them: in the voice, in what was
    allowed by whom, and in the record. A quote leaves its turn as well, so that the story does not tell who said it;
    of a whole story the speaker becomes "Somebody". Then nobody can be told any more what came of the words. Who
    still wants to hear (`hear`) stays known to the machine for that, and no page shows it.
    """
    choice = Choice(choice)
    voices, speakers = list(voices), list(speakers)
    for voice in voices:
        if not may_take_back(by, voice):
            raise NotAllowed("take back a voice")
    for speaker in speakers:
        if not may_take_back_story(by, speaker):
            raise NotAllowed("take back a story")
    stories = {speaker.story_id for speaker in speakers}
    stories |= {voice.turn.story_id for voice in voices if voice.turn}
    for story in Story.objects.select_for_update().filter(pk__in=stories).order_by("pk"):
        if story.is_coming_in:
            raise ValidationError(_("This story is still being taken in. Try again in a minute."))
    files = set(stories)
    taken: set[int] = set()
    for speaker in speakers:
        taken |= _take_back_speaker(by, speaker, choice, hear)
    for voice in voices:
        if voice.pk not in taken and voice.words:
            taken |= _take_back_voice(by, voice, choice, hear)
    _drop_files(files)


def may_take_back_story(by: Person, speaker: Speaker) -> bool:
    if by.pk == speaker.person_id or speaker.story.hub_id in hubs_where(by, "work on stories"):
        return True
    return speaker.person is not None and may_speak_for(by, speaker.person)


def goes_with(voice: Voice) -> QuerySet[Voice]:
    """Other quotes that share words with this one, and so go with it."""
    if voice.turn_id is None:
        return Voice.objects.none()
    return Voice.objects.filter(turn=voice.turn_id, begins__lt=voice.ends, ends__gt=voice.begins).exclude(
        pk=voice.pk
    )


def _take_back_voice(by: Person, voice: Voice, choice: Choice, hear: bool) -> set[int]:
    together = [voice]
    if voice.turn is not None:
        _hold(voice.turn.story)
        voice.refresh_from_db(fields=["begins", "ends", "words"])
        while found := Voice.objects.filter(
            Q(*(Q(begins__lt=each.ends, ends__gt=each.begins) for each in together), _connector=Q.OR),
            turn=voice.turn,
        ).exclude(pk__in=[each.pk for each in together]):
            together += list(found)
        _cut_out(voice.turn, together)
    for each in together:
        _empty_or_cut(by, each, choice, hear)
    return {each.pk for each in together}


def _cut_out(turn: Turn, gone: list[Voice]) -> None:
    """Put "…" where these quotes of a turn stood, and let the others follow. They share no words with them."""
    turn.refresh_from_db(fields=["text"])
    begins, ends = min(each.span.begins for each in gone), max(each.span.ends for each in gone)
    shift = len(GONE) - (ends - begins)
    Voice.objects.filter(pk__in=[each.pk for each in gone]).update(turn=None, begins=None, ends=None)
    later = turn.quotes.filter(begins__gte=ends)
    later.update(begins=models.F("begins") + shift, ends=models.F("ends") + shift)
    turn.text = turn.text[:begins] + GONE + turn.text[ends:]
    turn.save(update_fields=["text"])
    for each in gone:
        each.turn = each.begins = each.ends = None


def _take_back_speaker(by: Person, speaker: Speaker, choice: Choice, hear: bool) -> set[int]:
    _hold(speaker.story)
    quotes = list(Voice.objects.filter(turn__speaker=speaker))
    now = timezone.now()
    if choice == Choice.TAKE_OUT:
        Voice.objects.filter(pk__in=[each.pk for each in quotes]).update(turn=None, begins=None, ends=None)
        speaker.turns.update(text="")
        speaker.consents.standing().update(withdrawn_at=now, withdrawn_by=by)
    person = speaker.person
    for each in quotes:
        if choice == Choice.TAKE_OUT:
            each.turn = each.begins = each.ends = None
        _empty_or_cut(by, each, choice, hear, on_record=False)
    if choice == Choice.NAMELESS:
        if person is not None:
            _forget_who(person, speaker.consents.all())
            if person.name.casefold() in speaker.story.title.casefold():
                speaker.story.title = _("A story from %(month)s") % {
                    "month": date_format(speaker.story.gathered_on, "F Y")
                }
                speaker.story.save(update_fields=["title"])
        speaker.person, speaker.label = None, _somebody(speaker)
    speaker.withdrawn_at = now
    speaker.save(update_fields=["person", "label", "withdrawn_at"])
    _record(by, choice, hear, person, speaker.story, speaker.story.hub_id)
    return {each.pk for each in quotes}


def _somebody(speaker: Speaker) -> str:
    known = set(speaker.story.speakers.exclude(pk=speaker.pk).values_list("label", flat=True))
    label, number = _("Somebody"), 2
    while label in known:
        label, number = _("Somebody %(n)d") % {"n": number}, number + 1
    return label


def _empty_or_cut(by: Person, voice: Voice, choice: Choice, hear: bool, on_record: bool = True) -> None:
    person, voice.withdrawn_at = voice.person, timezone.now()
    if choice == Choice.TAKE_OUT:
        voice.words = voice.masked = ""
        allow(by, voice.consents.all(), (), voice=voice, alone=True)
    elif person is not None and not hear:
        _forget_who(person, voice.consents.all())
        if voice.taken_by_id == person.pk:
            voice.taken_by = None
        Act.objects.filter(by=person, thing=Voice._meta.label_lower, thing_id=voice.pk).update(by=None)
        for (
            relation
        ) in voice._meta.related_objects:  # what later rooms tie to it, such as "this was their answer"
            if relation.field.null and relation.related_model not in (Consent, Carried):
                relation.related_model._default_manager.filter(**{relation.field.name: voice}).update(
                    **{relation.field.name: None}
                )
        voice.person = None
    voice.save()
    if on_record:
        _record(by, choice, hear, person, voice, voice.hub_id)


def _forget_who(person: Person, consents: QuerySet[Consent]) -> None:
    """What was allowed when stays; that it was this person who said so does not."""
    consents.filter(given_by=person).update(given_by=None)
    consents.filter(withdrawn_by=person).update(withdrawn_by=None)


def _record(
    by: Person, choice: Choice, hear: bool, person: Person | None, thing: models.Model, hub: int
) -> None:
    """That words became nameless is on record without whose they were; all else as ever."""
    cut = choice == Choice.NAMELESS and not hear
    record(
        None if cut and person is not None and by.pk == person.pk else by, f"take back ({choice})", thing, hub
    )


def _drop_files(stories: set[int]) -> None:
    """The file as given holds the words too. What it said is in the turns; so the file goes.

    It goes before the transaction ends: if that fails now, the words stay in their rows and can be taken back again.
    """
    for story in Story.objects.filter(pk__in=stories).exclude(file=""):
        Story.objects.filter(pk=story.pk).update(file="", file_name="")
        story.file.delete(save=False)
