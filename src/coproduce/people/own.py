"""What this room holds of one person: to give it to them, and to take it out."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils import timezone

from coproduce.people.models import Account, Act, Mandate, Person


def export(person: Person) -> dict[str, Any]:
    """How they are called and reached, what they sign in with, their roles, and what they did here."""
    account = Account.objects.filter(person=person).first()
    return {
        "name": person.name,
        "added_at": person.added_at,
        "hears_at_most": str(person.get_at_most_display()),
        "organisation": person.organisation.name if person.organisation else None,
        "signs_in_with": account.email if account else None,
        "ways": [
            {
                "how": str(way.get_kind_display()),
                "where": way.address,
                "best": way.preferred,
                "others_may_read": way.others_may_read,
                "stopped_at": way.stopped_at,
            }
            for way in person.ways.all()
        ],
        "no_texts_and_calls_from": person.quiet_from,
        "no_texts_and_calls_until": person.quiet_until,
        "roles": [
            {
                "role": str(held.get_role_display()),
                "hub": held.hub.name,
                "since": held.since,
                "until": held.until,
            }
            for held in person.memberships.select_related("hub")
        ],
        "mandates": [
            {
                "person": mandate.person_id,
                "trusted_person": mandate.trusted_id,
                "what_for": [
                    str(words) for name, words in Mandate.PURPOSES.items() if getattr(mandate, name)
                ],
                "since": mandate.since,
                "until": mandate.until,
                "ended_at": mandate.ended_at,
            }
            for mandate in Mandate.objects.filter(Q(person=person) | Q(trusted=person))
        ],
        "acts": [
            {"at": act.at, "did": act.verb, "to": act.thing, "number": act.thing_id}
            for act in Act.objects.filter(by=person)
        ],
    }


def erase(person: Person, choice: str) -> list[str]:
    """Empty the person's row. It stays, so that "3 people said this" stays true."""
    Account.objects.filter(person=person).delete()  # with its addresses and all it signs in with
    person.ways.all().delete()
    person.memberships.current().update(until=timezone.localdate())
    Mandate.objects.filter(Q(person=person) | Q(trusted=person)).delete()
    Mandate.objects.filter(made_by=person).update(made_by=None)
    Act.objects.filter(by=person).update(by=None)
    Person.objects.filter(added_by=person).update(added_by=None)
    Person.objects.filter(pk=person.pk).update(
        name="Somebody", organisation=None, added_by=None, quiet_from=None, quiet_until=None
    )
    return []
