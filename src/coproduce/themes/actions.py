"""What can be done with themes: make, name, put voices in, move, split, merge, undo a merge."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from coproduce.people.actions import record
from coproduce.people.models import Hub, Person
from coproduce.people.permissions import NotAllowed, must
from coproduce.themes.models import Meaning, Placement, Proposal, ProposedTheme, Theme, with_merged
from coproduce.voices.models import Voice


@transaction.atomic
def make_theme(by: Person, hub: Hub, name: str, about: str = "", voices: Iterable[Voice] = ()) -> Theme:
    must(by, "make sense", hub)
    theme = Theme.objects.create(hub=hub, name=_named(name), about=about.strip(), made_by=by)
    record(by, "make", theme, hub)
    place(by, theme, voices)
    return theme


@transaction.atomic
def name_theme(by: Person, theme: Theme, name: str, about: str) -> None:
    must(by, "make sense", theme.hub_id)
    theme.name, theme.about = _named(name), about.strip()
    theme.save(update_fields=["name", "about"])
    record(by, "name", theme, theme.hub_id)


@transaction.atomic
def place(by: Person, theme: Theme, voices: Iterable[Voice]) -> None:
    """Put voices in a theme. A voice may stand in several; putting it in twice changes nothing."""
    must(by, "make sense", theme.hub_id)
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
def take_out(by: Person, theme: Theme, voices: Iterable[Voice]) -> set[int]:
    """Take voices out of a theme, also where a merge brought them. Returns the ids of those in it."""
    must(by, "make sense", theme.hub_id)
    placed = Placement.objects.filter(
        theme__in=with_merged([theme.pk]), voice__in=[voice.pk for voice in voices]
    )
    out = set(placed.order_by().values_list("voice", flat=True))
    placed.delete()
    record(by, "take voices out of", theme, theme.hub_id, voices=sorted(out))
    return out


@transaction.atomic
def move(by: Person, voices: Iterable[Voice], out_of: Theme, into: Theme) -> None:
    """Take voices out of one theme and put them in another. First out, then in: merges may join the two."""
    voices = list(voices)
    out = take_out(by, out_of, voices)
    place(by, into, [voice for voice in voices if voice.pk in out])


@transaction.atomic
def split(by: Person, theme: Theme, voices: Iterable[Voice], name: str, about: str = "") -> Theme:
    """Make a theme of its own out of some of a theme's voices."""
    voices = list(voices)
    if not voices:
        raise ValidationError(_("Choose the quotes that belong in the new theme."))
    new = make_theme(by, theme.hub, name, about)
    move(by, voices, theme, new)
    return new


@transaction.atomic
def merge(by: Person, theme: Theme, into: Theme) -> None:
    """Let `into` stand for `theme` as well. No voice moves, so it can be undone."""
    must(by, "make sense", theme.hub_id)
    must(by, "make sense", into.hub_id)
    _lock(theme, into)
    if into.pk in with_merged([theme.pk]):
        raise ValidationError(_("A theme can’t be merged into itself."))
    _standing(theme)
    _standing(into)
    theme.merged_into = into
    theme.save(update_fields=["merged_into"])
    record(by, "merge", theme, theme.hub_id, into=into.pk)


@transaction.atomic
def undo_merge(by: Person, theme: Theme) -> None:
    """Let the theme stand on its own again, with the voices that were put in it."""
    must(by, "make sense", theme.hub_id)
    _lock(theme)
    if theme.merged_into_id is None:
        raise ValidationError(_("This theme already stands on its own."))
    into = theme.merged_into_id
    theme.merged_into = None
    theme.save(update_fields=["merged_into"])
    record(by, "undo the merge of", theme, theme.hub_id, into=into)


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


def _lock(*themes: Theme) -> None:
    """Look at where these themes stand now, and let nobody merge them meanwhile: no circle comes about."""
    now = Theme.objects.select_for_update().order_by("pk").in_bulk([theme.pk for theme in themes])
    for theme in themes:
        theme.merged_into_id = now[theme.pk].merged_into_id


def _standing(theme: Theme) -> None:
    if theme.merged_into_id is not None:
        raise ValidationError(_("That theme was merged already. Look at the theme it went into."))


def _named(name: str) -> str:
    name = name.strip()
    if not name:
        raise ValidationError(_("Give the theme a name."))
    return name
