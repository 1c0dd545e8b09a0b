"""What can be done with themes: make, name, put voices in, move, split, merge, confirm, discard, and undo.

Two people may work on the same themes at once. Each action takes `seen`, the number of the last act on the theme that
the page showed; if somebody else did something since, it is refused, and says who did what.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.people.actions import record
from coproduce.people.models import Act, Hub, Person
from coproduce.people.permissions import NotAllowed, must
from coproduce.themes.models import (
    MOVED_OUT,
    Meaning,
    Placement,
    Proposal,
    ProposedTheme,
    Theme,
    acts_on,
    told_act,
    undone,
    with_merged,
)
from coproduce.voices.models import Voice


@transaction.atomic
def make_theme(
    by: Person,
    hub: Hub,
    name: str,
    about: str = "",
    voices: Iterable[Voice] = (),
    terms: Iterable[str] = (),
) -> Theme:
    """`terms`: the words by which the machine proposed it, where it did."""
    must(by, "make sense", hub)
    theme = Theme.objects.create(
        hub=hub, name=_named(name), about=about.strip(), made_by=by, terms=list(terms)
    )
    record(by, "make", theme, hub)
    place(by, theme, voices)
    return theme


@transaction.atomic
def name_theme(by: Person, theme: Theme, name: str, about: str, seen: int | None = None) -> None:
    must(by, "make sense", theme.hub_id)
    _hold(by, theme, seen=seen)
    theme.name, theme.about = _named(name), about.strip()
    theme.save(update_fields=["name", "about"])
    record(by, "name", theme, theme.hub_id)


@transaction.atomic
def confirm(by: Person, theme: Theme, seen: int | None = None) -> None:
    """Say that this is a theme of the group. The machine may only propose into it from then on."""
    must(by, "make sense", theme.hub_id)
    _hold(by, theme, seen=seen)
    _standing(theme)
    if theme.confirmed_at is None:
        theme.confirmed_at, theme.confirmed_by = timezone.now(), by
        theme.save(update_fields=["confirmed_at", "confirmed_by"])
        record(by, "confirm", theme, theme.hub_id)


@transaction.atomic
def open_again(by: Person, theme: Theme, seen: int | None = None) -> None:
    """Say that it is not settled after all."""
    must(by, "make sense", theme.hub_id)
    _hold(by, theme, seen=seen)
    if theme.confirmed_at is not None:
        theme.confirmed_at = theme.confirmed_by = None
        theme.save(update_fields=["confirmed_at", "confirmed_by"])
        record(by, "open again", theme, theme.hub_id)


# Voices in and out


@transaction.atomic
def place(by: Person, theme: Theme, voices: Iterable[Voice]) -> None:
    """Put voices in a theme. A voice may stand in several; putting it in twice changes nothing."""
    must(by, "make sense", theme.hub_id)
    _hold(by, theme)
    _standing(theme)
    wanted = {voice.pk for voice in voices}
    if wanted - set(Voice.objects.visible_to(by).filter(pk__in=wanted).values_list("pk", flat=True)):
        raise NotAllowed("place a voice")
    known = set(
        Placement.objects.filter(theme__in=with_merged([theme.pk]), voice__in=wanted).values_list(
            "voice", flat=True
        )
    )
    Placement.objects.bulk_create(
        Placement(theme=theme, voice_id=voice, placed_by=by) for voice in sorted(wanted - known)
    )
    record(by, "place voices in", theme, theme.hub_id, voices=sorted(wanted - known))


@transaction.atomic
def take_out(
    by: Person, theme: Theme, voices: Iterable[Voice], seen: int | None = None, into: Theme | None = None
) -> set[int]:
    """Take voices out of a theme, also where a merge brought them. Returns the ids of those in it.

    The record keeps where each stood, so that it can be undone. `into`: where they go, if they are moved.
    """
    must(by, "make sense", theme.hub_id)
    _hold(by, theme, seen=seen)
    placed = Placement.objects.filter(
        theme__in=with_merged([theme.pk]), voice__in=[voice.pk for voice in voices]
    )
    stood: dict[int, list[int]] = {}
    for where, voice in placed.order_by("voice").values_list("theme", "voice"):
        stood.setdefault(where, []).append(voice)
    placed.delete()
    out = {voice for those in stood.values() for voice in those}
    record(by, MOVED_OUT, theme, theme.hub_id, stood=stood, into=into and into.pk)
    return out


@transaction.atomic
def move(by: Person, voices: Iterable[Voice], out_of: Theme, into: Theme, seen: int | None = None) -> None:
    """Take voices out of one theme and put them in another. First out, then in: merges may join the two."""
    voices = list(voices)
    out = take_out(by, out_of, voices, seen, into)
    place(by, into, [voice for voice in voices if voice.pk in out])


@transaction.atomic
def split(
    by: Person,
    theme: Theme,
    voices: Iterable[Voice],
    name: str,
    about: str = "",
    seen: int | None = None,
) -> Theme:
    """Make a theme of its own out of some of a theme's voices."""
    voices = list(voices)
    if not voices:
        raise ValidationError(_("Choose the quotes that belong in the new theme."))
    _hold(by, theme, seen=seen)
    new = make_theme(by, theme.hub, name, about)
    move(by, voices, theme, new)
    return new


@transaction.atomic
def undo_move(by: Person, act: Act) -> Theme:
    """Put voices back where they stood before somebody moved them or took them out. Returns the theme.

    Those that have left the theme they were moved into are left where they are now.
    """
    if act.thing != Theme._meta.label_lower or act.verb != MOVED_OUT:
        raise ValidationError(_("This can’t be undone."))
    theme = Theme.objects.select_related("hub").get(pk=act.thing_id or 0)
    must(by, "make sense", theme.hub_id)
    _hold(by, theme)
    if act.pk in undone(theme):
        raise ValidationError(_("This was undone already."))
    stood = {int(where): set(voices) for where, voices in act.detail["stood"].items()}
    back = {voice for those in stood.values() for voice in those}
    back &= set(Voice.objects.visible_to(by).filter(pk__in=back).values_list("pk", flat=True))
    if into := act.detail.get("into"):
        there = Placement.objects.filter(theme__in=with_merged([into]), voice__in=back)
        back = set(there.values_list("voice", flat=True))
        there.delete()
        if moved_into := Theme.objects.filter(pk=into).first():
            record(by, "give voices back from", moved_into, moved_into.hub_id, voices=sorted(back))
    Placement.objects.bulk_create(
        (
            Placement(theme_id=where, voice_id=voice, placed_by=by)
            for where, voices in stood.items()
            for voice in sorted(voices & back)
        ),
        ignore_conflicts=True,
    )
    record(by, "undo a move out of", theme, theme.hub_id, act=act.pk, voices=sorted(back))
    return theme


# Merging


@transaction.atomic
def merge(by: Person, theme: Theme, into: Theme, seen: int | None = None) -> None:
    """Let `into` stand for `theme` as well. No voice moves, so it can be undone."""
    must(by, "make sense", theme.hub_id)
    must(by, "make sense", into.hub_id)
    _hold(by, theme, into, seen=seen)
    if into.pk in with_merged([theme.pk]):
        raise ValidationError(_("A theme can’t be merged into itself."))
    _standing(theme)
    _standing(into)
    theme.merged_into = into
    theme.save(update_fields=["merged_into"])
    record(by, "merge", theme, theme.hub_id, into=into.pk)
    record(by, "merge another into", into, into.hub_id, theme=theme.pk)


@transaction.atomic
def undo_merge(by: Person, theme: Theme) -> None:
    """Let the theme stand on its own again, with the voices that were put in it."""
    must(by, "make sense", theme.hub_id)
    _hold(by, theme)
    into = theme.merged_into
    if into is None:
        raise ValidationError(_("This theme already stands on its own."))
    Theme.objects.filter(pk__in=with_merged([theme.pk])).update(discarded_at=None, discarded_by=None)
    theme.merged_into, theme.discarded_at, theme.discarded_by = None, None, None
    theme.save(update_fields=["merged_into"])
    record(by, "undo the merge of", theme, theme.hub_id, into=into.pk)
    record(by, "give a theme back from", into, into.hub_id, theme=theme.pk)


# Discarding


@transaction.atomic
def discard(by: Person, theme: Theme, seen: int | None = None) -> None:
    """Say that this is no theme. Its voices wait to be sorted again; all of it can be taken back."""
    must(by, "make sense", theme.hub_id)
    _hold(by, theme, seen=seen)
    _standing(theme)
    now = timezone.now()
    Theme.objects.filter(pk__in=with_merged([theme.pk])).update(discarded_at=now, discarded_by=by)
    theme.discarded_at, theme.discarded_by = now, by
    record(by, "discard", theme, theme.hub_id)


@transaction.atomic
def undo_discard(by: Person, theme: Theme) -> None:
    """Let a discarded theme stand again, with its voices and what was merged into it."""
    must(by, "make sense", theme.hub_id)
    _hold(by, theme)
    if theme.discarded_at is None or theme.merged_into_id is not None:
        raise ValidationError(_("This theme was not discarded."))
    Theme.objects.filter(pk__in=with_merged([theme.pk])).update(discarded_at=None, discarded_by=None)
    theme.discarded_at = theme.discarded_by = None
    record(by, "undo the discarding of", theme, theme.hub_id)


# When somebody takes their words out


@transaction.atomic
def let_go(voices: Iterable[int]) -> None:
    """Drop what the machine made of these voices, and of key terms those that nobody else said. Their place in
    themes and under key messages stays, so that counts stay true. Part of taking back, which asks who may."""
    gone = list(voices)
    Meaning.objects.filter(voice__in=gone).delete()
    known: QuerySet[Any] = ProposedTheme.objects.filter(proposals__voice__in=gone).distinct()
    for proposed in list(known):
        others = Voice.objects.filter(proposals__proposed=proposed).exclude(pk__in=gone)
        proposed.terms = _still_said(proposed.terms, others)
        proposed.label = ", ".join(proposed.terms)[:160]
        if proposed.terms:
            proposed.save(update_fields=["terms", "label"])
        else:
            proposed.delete()
    for theme in Theme.objects.filter(placements__voice__in=gone).exclude(terms=[]).distinct():
        others = Voice.objects.filter(placements__theme=theme).exclude(pk__in=gone)
        theme.terms = _still_said(theme.terms, others)
        theme.save(update_fields=["terms"])
    Proposal.objects.filter(voice__in=gone).delete()


def _still_said(terms: list[str], voices: QuerySet[Voice]) -> list[str]:
    return [term for term in terms if voices.filter(words__icontains=term).exists()]


def _hold(by: Person, *themes: Theme, seen: int | None = None) -> None:
    """Keep these themes to this transaction, as they stand now. Refused if somebody else did something with the
    first of them after the act `seen`; the refusal says what."""
    now = Theme.objects.select_for_update().order_by("pk").in_bulk([theme.pk for theme in themes])
    for theme in themes:
        held = now[theme.pk]
        for field in ("name", "about", "merged_into_id", "discarded_at", "confirmed_at"):
            setattr(theme, field, getattr(held, field))
    if seen is None:
        return
    since = list(acts_on(themes[0]).filter(pk__gt=seen).exclude(by=by).select_related("by")[:3])
    if since:
        told = " ".join(told_act(act, by) for act in reversed(since))
        raise ValidationError(
            _("Somebody else worked on this meanwhile. %(what)s Look again, then press once more.")
            % {"what": told},
            code="meanwhile",
        )


def _standing(theme: Theme) -> None:
    if theme.merged_into_id is not None:
        raise ValidationError(_("That theme was merged already. Look at the theme it went into."))
    if theme.discarded_at is not None:
        raise ValidationError(_("That theme was discarded. Take it back first."))


def _named(name: str) -> str:
    name = name.strip()
    if not name:
        raise ValidationError(_("Give the theme a name."))
    return name
