"""What words may be used for, beneath the verbs that say so: what stands, what is new, what is kept back.

actions.py and consent.py are who may say it; nothing here asks.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.engine import masking
from coproduce.people.models import Person
from coproduce.voices.models import Consent, Speaker, Use, Voice

OUTSIDE = {Use.SERVICES, Use.PUBLIC}


def default_uses(person: Person) -> dict[Use, dt.datetime] | None:
    """What a person allows for what they say from now on, each with since when; None if they never said."""
    known = list(person.consents.all())
    if not known:
        return None
    return {Use(consent.use): consent.given_at for consent in known if consent.withdrawn_at is None}


def must_not_exceed(person: Person, uses: set[Use]) -> None:
    """Who writes down for somebody may allow less than they set, and never more: for more they are asked first."""
    default = default_uses(person)
    if default is None or uses <= default.keys():
        return
    allowed = "; ".join(use.to_whom for use in Use if use in default) or _("nobody")
    raise ValidationError(
        _(
            "%(name)s allows for new words: %(allowed)s. Tick no more than that. "
            "If they say yes to more, change it afterwards, together."
        )
        % {"name": person.name, "allowed": allowed}
    )


def offered_for(voice: Voice) -> list[masking.Found]:
    """What in the words may tell who somebody is, and is offered for masking before they leave the group."""
    return masking.find(voice.words, names_known_in(voice.hub_id))


def mask_all(hub: int, words: str) -> str:
    """The words with all masked that is offered; empty where nothing is."""
    found = masking.find(words, names_known_in(hub))
    return masking.mask(words, found) if found else ""


def names_known_in(hub: int) -> list[str]:
    return list(
        Person.objects.filter(memberships__hub=hub).order_by().values_list("name", flat=True).distinct()
    )


def allow(
    by: Person | None,
    known: QuerySet[Consent],
    uses: Iterable[str],
    voice: Voice | None = None,
    speaker: Speaker | None = None,
    person: Person | None = None,
    alone: bool = False,
    since: dict[Use, dt.datetime] | None = None,
) -> None:
    """Make these the uses that stand. `since`: when what is new here was said, where that was earlier.

    Words that begin to leave the group leave it with everything masked that is offered, until a person decides.
    """
    wanted = {Use(use) for use in uses}
    standing = {Use(consent.use): consent for consent in known.filter(withdrawn_at__isnull=True)}
    now = timezone.now()
    for use in standing.keys() - wanted:
        withdrawn = standing[use]
        withdrawn.withdrawn_at, withdrawn.withdrawn_by, withdrawn.withdrawn_alone = now, by, alone
        withdrawn.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_alone"])
    Consent.objects.bulk_create(
        Consent(
            voice=voice,
            speaker=speaker,
            person=person,
            use=use,
            given_at=(since or {}).get(use, now),
            given_by=by,
        )
        for use in sorted(wanted - standing.keys())
    )
    if voice and wanted & OUTSIDE and not standing.keys() & OUTSIDE:
        voice.masked = mask_all(voice.hub_id, voice.words)
        voice.save(update_fields=["masked"])


def uses_of(allowing: Speaker | Voice | None) -> set[Use]:
    """What stands allowed now."""
    if allowing is None:
        return set()
    return {Use(consent.use) for consent in allowing.consents.filter(withdrawn_at__isnull=True)}


def since_when(speaker: Speaker | None) -> dict[Use, dt.datetime]:
    """When each use that stands for a speaker was allowed: a quote marked years later is no younger."""
    if speaker is None:
        return {}
    standing = speaker.consents.filter(withdrawn_at__isnull=True)
    return {Use(consent.use): consent.given_at for consent in standing}


def kept_back(voices: Iterable[Voice]) -> set[Use]:
    """What was withdrawn for one of these voices alone, and not given for it again."""
    return {Use(consent.use) for consent in withdrawn_alone().filter(voice__in=voices)}


def withdrawn_alone() -> QuerySet[Consent]:
    """What was withdrawn for one voice alone, and not given for it again."""
    given_again = Consent.objects.filter(voice=OuterRef("voice"), use=OuterRef("use"), pk__gt=OuterRef("pk"))
    return Consent.objects.filter(~Exists(given_again), withdrawn_alone=True)
