"""What people agree on, together: sense-making sessions, and the key messages that come of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.people.actions import record
from coproduce.people.models import Hub, Person
from coproduce.people.permissions import NotAllowed, must
from coproduce.themes.actions import confirm, discard, name_theme, undo_discard
from coproduce.themes.models import (
    Invited,
    KeyMessage,
    KeyMessageQuote,
    Outcome,
    SenseMaking,
    Theme,
    acts_on,
    voices_in,
)
from coproduce.voices.models import Speaker, Story, Use, Voice

# A session


@transaction.atomic
def plan_session(
    by: Person,
    hub: Hub,
    name: str,
    on: dt.date,
    place: str = "",
    themes: Iterable[Theme] = (),
    stories: Iterable[Story] = (),
) -> SenseMaking:
    """A day on which those who told the stories say whether the themes are right. Who told these stories and is
    known is invited from the start."""
    must(by, "make sense", hub)
    session = SenseMaking.objects.create(
        hub=hub,
        name=_needed(name, "name", _("Give the session a name.")),
        on=on,
        place=place.strip(),
        made_by=by,
    )
    record(by, "plan", session, hub)
    _set(by, session, themes, stories)
    invite(by, session, tellers(by, session))
    return session


@transaction.atomic
def change_session(
    by: Person,
    session: SenseMaking,
    name: str,
    on: dt.date,
    place: str = "",
    themes: Iterable[Theme] = (),
    stories: Iterable[Story] = (),
) -> None:
    must(by, "make sense", session.hub_id)
    session.name = _needed(name, "name", _("Give the session a name."))
    session.on, session.place = on, place.strip()
    session.save(update_fields=["name", "on", "place"])
    record(by, "change", session, session.hub_id)
    _set(by, session, themes, stories)


def _set(by: Person, session: SenseMaking, themes: Iterable[Theme], stories: Iterable[Story]) -> None:
    """Themes that something was said about already stay on the session."""
    themes, stories = list(themes), list(stories)
    seen = Theme.objects.visible_to(by).filter(pk__in=[theme.pk for theme in themes]).count()
    heard = Story.objects.visible_to(by).filter(pk__in=[story.pk for story in stories]).count()
    if seen < len(themes) or heard < len(stories):
        raise NotAllowed("put on a session what they may not see")
    spoken_about = Theme.objects.filter(outcomes__session=session)
    session.themes.set([*themes, *spoken_about])
    session.stories.set(stories)


def tellers(by: Person, session: SenseMaking) -> list[Person]:
    """Who told the stories of a session, as far as they are named and did not take their words back. Who only gathered
    a story and asked the questions did not tell it."""
    speaks = Speaker.objects.filter(
        story__in=session.stories.all(), person=OuterRef("pk"), withdrawn_at__isnull=True
    ).exclude(story__gathered_by=OuterRef("pk"))
    return list(Person.objects.filter(Exists(speaks), erasure__isnull=True).exclude(pk=by.pk))


@transaction.atomic
def invite(by: Person, session: SenseMaking, people: Iterable[Person]) -> int:
    """Put people on the list. Who is on it already stays as they are. Returns how many are new."""
    must(by, "make sense", session.hub_id)
    wanted = {person.pk for person in people}
    new = wanted - set(session.invited.values_list("person", flat=True))
    Invited.objects.bulk_create(Invited(session=session, person_id=person) for person in sorted(new))
    record(by, "invite to", session, session.hub_id, people=sorted(new))
    return len(new)


@transaction.atomic
def take_off_the_list(by: Person, invited: Invited) -> None:
    must(by, "make sense", invited.session.hub_id)
    record(by, "take off the list of", invited.session, invited.session.hub_id, person=invited.person_id)
    invited.delete()


@transaction.atomic
def told_about_it(by: Person, invited: Invited, done: bool) -> None:
    """Tick off that somebody was told about the session, by the way that suits them; or take the tick away."""
    must(by, "make sense", invited.session.hub_id)
    invited.told_at = timezone.now() if done else None
    invited.save(update_fields=["told_at"])
    record(by, "tell about", invited.session, invited.session.hub_id, person=invited.person_id, done=done)


@transaction.atomic
def note_who_came(by: Person, session: SenseMaking, came: Iterable[Invited]) -> None:
    """Of those on the list, exactly these came."""
    must(by, "make sense", session.hub_id)
    there = [invited.pk for invited in came]
    session.invited.filter(pk__in=there).update(came=True)
    session.invited.exclude(pk__in=there).update(came=False)
    record(by, "note who came to", session, session.hub_id)


@transaction.atomic
def write_outcome(
    by: Person,
    session: SenseMaking,
    theme: Theme,
    kind: str,
    name: str = "",
    note: str = "",
    seen: int | None = None,
) -> Outcome:
    """Write down what the people said about a theme, and do it: agreed confirms it, renamed gives it their name
    and confirms it, refused discards it. Writing down another outcome later takes the first one's place."""
    must(by, "make sense", session.hub_id)
    must(by, "make sense", theme.hub_id)
    kind = Outcome.Kind(kind)
    if not session.themes.filter(pk=theme.pk).exists():
        raise ValidationError(_("This theme is not on the list of the session."))
    if kind == Outcome.Kind.RENAMED and name.strip() in ("", theme.name):
        raise ValidationError({"name": _("Write the name that the people gave it.")})
    before = theme.name
    if theme.discarded_at is not None and kind != Outcome.Kind.REFUSED:
        undo_discard(by, theme)
    if kind == Outcome.Kind.RENAMED:
        name_theme(by, theme, name, theme.about, seen)
    if kind == Outcome.Kind.REFUSED:
        if theme.discarded_at is None:
            discard(by, theme, seen)
    else:
        confirm(by, theme, None if kind == Outcome.Kind.RENAMED else seen)
    outcome, _new = Outcome.objects.update_or_create(
        session=session,
        theme=theme,
        defaults={
            "kind": kind,
            "name_before": before if kind == Outcome.Kind.RENAMED else "",
            "note": note.strip(),
            "recorded_by": by,
            "recorded_at": timezone.now(),
        },
    )
    record(by, "agree on", theme, theme.hub_id, session=session.pk, outcome=str(kind))
    return outcome


# Key messages


@transaction.atomic
def write_key_message(by: Person, theme: Theme, words: str, use: str, voices: Iterable[Voice]) -> KeyMessage:
    """One sentence that a theme says, standing on quotes of the theme that are allowed for `use`."""
    must(by, "make sense", theme.hub_id)
    message = KeyMessage.objects.create(
        hub_id=theme.hub_id, theme=theme, words=_one_sentence(words), use=Use(use), made_by=by
    )
    _stand_on(by, message, voices)
    record(by, "write", message, message.hub_id, theme=theme.pk)
    return message


@transaction.atomic
def change_key_message(
    by: Person, message: KeyMessage, words: str, use: str, voices: Iterable[Voice], seen: int | None = None
) -> None:
    """Other words are no longer what the group agreed on: then it has to be agreed on anew."""
    must(by, "make sense", message.hub_id)
    held = _hold(by, message, seen)
    words = _one_sentence(words)
    if words != held.words:
        held.agreed_on = held.agreed_at = None
    held.words, held.use = words, Use(use)
    held.save(update_fields=["words", "use", "agreed_on", "agreed_at"])
    _stand_on(by, held, voices)
    record(by, "change", held, held.hub_id)


def _stand_on(by: Person, message: KeyMessage, voices: Iterable[Voice]) -> None:
    """Make these the quotes it stands on. Those it stood on whose words were taken out meanwhile stay counted."""
    wanted = {voice.pk for voice in voices}
    there = set(
        Voice.objects.visible_to(by)
        .for_use(message.use)
        .filter(pk__in=voices_in([message.theme_id]))
        .filter(pk__in=wanted)
        .values_list("pk", flat=True)
    )
    if not wanted:
        raise ValidationError({"voices": _("Choose at least one quote that it stands on.")})
    if wanted - there:
        raise ValidationError(
            {
                "voices": _(
                    "A quote that you chose may not be used for that any more. Look at the quotes again."
                )
            }
        )
    message.stands_on.exclude(voice__in=wanted).exclude(voice__words="").delete()
    known = set(message.stands_on.values_list("voice", flat=True))
    KeyMessageQuote.objects.bulk_create(
        KeyMessageQuote(key_message=message, voice_id=voice, chosen_by=by) for voice in sorted(wanted - known)
    )


@transaction.atomic
def agree(
    by: Person,
    message: KeyMessage,
    on: dt.date,
    session: SenseMaking | None = None,
    seen: int | None = None,
) -> None:
    """Write down that the group agreed on it: on a day, and at which session if it was at one."""
    must(by, "make sense", message.hub_id)
    held = _hold(by, message, seen)
    if on > timezone.localdate():
        raise ValidationError({"on": _("That day is still to come. Write the day the group agreed.")})
    held.agreed_on, held.agreed_at = on, session
    held.save(update_fields=["agreed_on", "agreed_at"])
    record(by, "agree on", held, held.hub_id)


@transaction.atomic
def no_longer_agreed(by: Person, message: KeyMessage) -> None:
    must(by, "make sense", message.hub_id)
    held = _hold(by, message, None)
    held.agreed_on = held.agreed_at = None
    held.save(update_fields=["agreed_on", "agreed_at"])
    record(by, "open again", held, held.hub_id)


@transaction.atomic
def remove_key_message(by: Person, message: KeyMessage) -> None:
    """Take a key message away that the group did not agree on. Its quotes stay in the theme."""
    must(by, "make sense", message.hub_id)
    held = _hold(by, message, None)
    if held.agreed_on is not None:
        raise ValidationError(_("The group agreed on this. Say first that it is no longer agreed."))
    record(by, "remove", held, held.hub_id)
    held.delete()


def _hold(by: Person, message: KeyMessage, seen: int | None) -> KeyMessage:
    """As it stands now. Refused if somebody else did something with it after the act `seen`."""
    held = KeyMessage.objects.select_for_update().filter(pk=message.pk).first()
    if held is None:
        raise ValidationError(_("Somebody took this key message away meanwhile."))
    since = acts_on(held).filter(pk__gt=seen).exclude(by=by).first() if seen is not None else None
    if since is not None:
        raise ValidationError(
            _(
                "%(who)s changed this key message meanwhile. It reads now: “%(words)s”. "
                "Look again, then press once more."
            )
            % {"who": since.by.name_for(by) if since.by else _("Somebody"), "words": held.words}
        )
    return held


def _one_sentence(words: str) -> str:
    words = " ".join(words.split())
    return _needed(words, "words", _("Write the key message, in one sentence."))


def _needed(words: str, field: str, says: str) -> str:
    words = words.strip()
    if not words:
        raise ValidationError({field: says})
    return words
