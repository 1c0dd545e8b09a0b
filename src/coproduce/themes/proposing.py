"""What the machine proposes, and what people say to it.

The machine looks (tasks.py) and keeps what it thinks here. It never puts a voice anywhere: people accept or refuse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.people.actions import record
from coproduce.people.models import Hub, Person
from coproduce.people.permissions import must
from coproduce.themes.actions import make_theme, place
from coproduce.themes.models import Finding, Meaning, Proposal, ProposedTheme, Theme
from coproduce.voices.models import Voice

SAME = 0.5  # of its voices that a refused proposal has to share with a new one to be the same again


@transaction.atomic
def look_for_themes(by: Person, hub: Hub) -> Finding:
    """Let the machine look through what was said in a hub. While it is still looking, that is the answer."""
    must(by, "make sense", hub)
    Hub.objects.select_for_update().get(pk=hub.pk)
    looking = Finding.objects.filter(hub=hub, finished_at__isnull=True).first()
    if looking is not None:
        return looking
    finding = Finding.objects.create(hub=hub, asked_by=by)
    record(by, "look for themes in", hub, hub)
    from coproduce.themes.tasks import find_themes_in

    find_themes_in.enqueue(finding.pk)
    return finding


# What the machine keeps. Nobody acts here but the worker, for whoever asked it to look.


@transaction.atomic
def keep_meanings(meanings: Sequence[Meaning]) -> None:
    """Keep these, and drop what was made of other words. One whose voice lost its words meanwhile is not kept."""
    voices = Voice.objects.select_for_update().for_the_machine()
    those = voices.filter(pk__in=[one.pk for one in meanings])
    now = {pk: (words, masked) for pk, words, masked in those.values_list("pk", "words", "masked")}
    Meaning.objects.bulk_create(
        [one for one in meanings if one.pk in now and one.is_of(*now[one.pk])],
        update_conflicts=True,
        unique_fields=["voice"],
        update_fields=["embedder", "words_sum", "vector", "masked_sum", "masked_vector", "made_at"],
    )


@dataclass(frozen=True)
class Thought:
    """A theme that the machine thinks there is: which voices, how strongly each belongs, which few stand for it."""

    label: str
    terms: Sequence[str]
    sureness: float
    strengths: Mapping[int, float]  # voice → 0 to 1
    stands_for_it: Iterable[int] = field(default=())


@transaction.atomic
def keep_thoughts(hub: Hub, thoughts: Iterable[Thought]) -> int:
    """Propose these themes instead of those proposed before that nobody has decided on. What people refused is not
    proposed again. Returns how many are new."""
    ProposedTheme.objects.filter(hub=hub).open().delete()
    refused = [
        set(voices)
        for voices in (
            Proposal.objects.filter(proposed=one).values_list("voice", flat=True)
            for one in ProposedTheme.objects.filter(hub=hub, refused_at__isnull=False)
        )
    ]
    kept = 0
    for thought in thoughts:
        voices = set(thought.strengths)
        if any(len(voices & no) >= SAME * min(len(voices), len(no)) > 0 for no in refused):
            continue
        proposed = ProposedTheme.objects.create(
            hub=hub, label=thought.label[:160], terms=list(thought.terms), sureness=thought.sureness
        )
        there = set(Voice.objects.for_the_machine().filter(pk__in=voices).values_list("pk", flat=True))
        stands = set(thought.stands_for_it)
        Proposal.objects.bulk_create(
            [
                Proposal(proposed=proposed, voice_id=voice, strength=strength, stands_for_it=voice in stands)
                for voice, strength in thought.strengths.items()
                if voice in there
            ],
            batch_size=2000,
        )
        kept += 1
    return kept


@transaction.atomic
def keep_proposals(proposals: Iterable[tuple[int, int, float]], among: Iterable[int]) -> None:
    """Propose voices into themes: (voice, theme, strength) each. What nobody decided on for the voices in `among`
    is replaced; what was refused stays refused."""
    among = list(among)
    Proposal.objects.open().filter(voice__in=among, theme__isnull=False).delete()
    there = set(Voice.objects.for_the_machine().filter(pk__in=among).values_list("pk", flat=True))
    Proposal.objects.bulk_create(
        [
            Proposal(voice_id=voice, theme_id=theme, strength=strength)
            for voice, theme, strength in proposals
            if voice in there
        ],
        batch_size=2000,
        ignore_conflicts=True,
    )


# What people say to it


@transaction.atomic
def accept(by: Person, proposals: Iterable[Proposal]) -> int:
    """Put these voices in the themes they were proposed into. Returns how many."""
    placed = 0
    for theme, wanted in _by_theme(by, proposals).items():
        place(by, theme, [proposal.voice for proposal in wanted])
        placed += len(wanted)
        Proposal.objects.filter(pk__in=[proposal.pk for proposal in wanted]).delete()
    return placed


@transaction.atomic
def refuse(by: Person, proposals: Iterable[Proposal]) -> int:
    """Say that these voices don't belong there. The machine learns from it and does not ask again."""
    refused = 0
    for theme, wanted in _by_theme(by, proposals).items():
        Proposal.objects.filter(pk__in=[proposal.pk for proposal in wanted]).update(
            refused_at=timezone.now(), refused_by=by
        )
        record(by, "refuse voices for", theme, theme.hub_id, voices=[one.voice_id for one in wanted])
        refused += len(wanted)
    return refused


def _by_theme(by: Person, proposals: Iterable[Proposal]) -> dict[Theme, list[Proposal]]:
    """Those still open, by theme; each theme is one that they may sort."""
    wanted = Proposal.objects.select_for_update().open().filter(pk__in=[one.pk for one in proposals])
    found: dict[Theme, list[Proposal]] = {}
    for proposal in wanted.filter(theme__isnull=False).order_by("theme", "pk"):
        assert proposal.theme is not None
        found.setdefault(proposal.theme, []).append(proposal)
    for theme in found:
        must(by, "make sense", theme.hub_id)
    return found


@transaction.atomic
def accept_theme(
    by: Person, proposed: ProposedTheme, name: str, voices: Iterable[Voice], about: str = ""
) -> Theme:
    """Make a theme of what the machine proposed: with the name that people give it, of those voices they leave in."""
    held = _undecided(by, proposed)
    voices = list(voices)
    if not voices:
        raise ValidationError({"voices": _("Leave at least one voice in.")})
    theme = make_theme(by, held.hub, name, about, voices, held.terms)
    held.became = theme
    held.save(update_fields=["became"])
    record(by, "accept", held, held.hub_id, theme=theme.pk)
    return theme


@transaction.atomic
def accept_into(by: Person, proposed: ProposedTheme, theme: Theme, voices: Iterable[Voice]) -> None:
    """These voices belong in a theme that is there already."""
    held = _undecided(by, proposed)
    voices = list(voices)
    if not voices:
        raise ValidationError({"voices": _("Leave at least one voice in.")})
    place(by, theme, voices)
    held.became = theme
    held.save(update_fields=["became"])
    record(by, "accept", held, held.hub_id, theme=theme.pk)


@transaction.atomic
def refuse_theme(by: Person, proposed: ProposedTheme) -> None:
    """Say that this is no theme. The machine does not propose it again."""
    held = _undecided(by, proposed)
    held.refused_at, held.refused_by = timezone.now(), by
    held.save(update_fields=["refused_at", "refused_by"])
    record(by, "refuse", held, held.hub_id)


@transaction.atomic
def undo_refusal(by: Person, proposed: ProposedTheme) -> None:
    must(by, "make sense", proposed.hub_id)
    ProposedTheme.objects.filter(pk=proposed.pk).update(refused_at=None, refused_by=None)
    record(by, "undo the refusal of", proposed, proposed.hub_id)


def _undecided(by: Person, proposed: ProposedTheme) -> ProposedTheme:
    """As it stands now. Refused if somebody decided on it meanwhile, with what they decided."""
    must(by, "make sense", proposed.hub_id)
    held = ProposedTheme.objects.select_for_update().select_related("hub").filter(pk=proposed.pk).first()
    if held is None:
        raise ValidationError(_("The machine has looked again meanwhile. Go back to what it proposes now."))
    if held.became_id is not None:
        raise ValidationError(
            _("Somebody else was faster: it is in the theme ‘%(theme)s’ now.") % {"theme": held.became}
        )
    if held.refused_at is not None:
        raise ValidationError(_("Somebody else said just now that this is no theme."))
    return held
