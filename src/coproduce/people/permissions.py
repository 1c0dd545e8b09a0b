"""Who may do what: one table. Pages, actions and exports ask it and nothing else.

Read a row as: who holds one of these roles *in a hub* may do this *there* (HERE), or there and in every hub
below it (BELOW). What a person said, and the ways of reaching them, are always theirs to see and change; that
needs no row. Nor does what somebody does for a person who trusts them: that stands on their mandate.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied

from coproduce.people.models import Hub, Mandate, Membership, Person

Role = Membership.Role
HERE, BELOW = "here", "below"

_GROUP = {
    Role.MEMBER: HERE,
    Role.TRUSTED_PERSON: HERE,
    Role.CHAMPION: HERE,
    Role.CURATOR: HERE,
    Role.FACILITATOR: HERE,
    Role.COORDINATOR: BELOW,
}
_KEEPERS = {Role.CURATOR: HERE, Role.FACILITATOR: HERE}
_LEADS = {Role.FACILITATOR: HERE, Role.COORDINATOR: BELOW}

TABLE: dict[str, dict[Role, str]] = {
    # what may be seen
    "read what the group may read": _GROUP,
    "read what services may read": {Role.COMMISSIONER: BELOW},
    "read everything said": _KEEPERS,
    # what people say
    "add words": {**_KEEPERS, Role.TRUSTED_PERSON: HERE, Role.CHAMPION: HERE},
    "take in what strangers say": _KEEPERS,
    "bring somebody in": {Role.TRUSTED_PERSON: HERE, Role.CHAMPION: HERE},
    "work on stories": _KEEPERS,
    "make sense": _KEEPERS,
    # what words mean
    "say what a word means": _GROUP,
    "explain words": {**_KEEPERS, Role.COORDINATOR: BELOW},
    # what the group works on, and what becomes of it
    "raise a topic": _GROUP,
    "support a topic": _GROUP,
    "decide on a topic": _LEADS,
    "answer an ask": _LEADS,
    "open a conversation": _LEADS,
    "curate statements": _KEEPERS,
    "record votes": _KEEPERS,
    "lead a meeting": _LEADS,
    "record a change": {**_LEADS, Role.COMMISSIONER: BELOW},
    "tie the thread": _LEADS,
    "write an update": {**_LEADS, Role.COMMISSIONER: BELOW},
    "tell people": _LEADS,
    # the people themselves
    "look after people": _LEADS,
    "shape hubs": {Role.COORDINATOR: BELOW},
}


class NotAllowed(PermissionDenied):
    """The person may not do this. Answered exactly as if the thing did not exist."""


def hubs_where(person: Person | None, verb: str) -> frozenset[int]:
    """The ids of the hubs where this person may do `verb`.

    Two queries for a person, whatever is asked; the answer lives as long as the object, which is one request.
    """
    if person is None:
        return frozenset()
    known: dict[str, frozenset[int]] | None = person.__dict__.get("_hubs_where")
    if known is None:
        held = list(Membership.objects.current().filter(person=person).select_related("hub"))
        hubs = list(Hub.objects.values_list("pk", "path")) if held else []
        known = {
            row: frozenset(
                pk
                for membership in held
                for pk, path in hubs
                if (reach := roles.get(Role(membership.role)))
                and (pk == membership.hub_id or (reach == BELOW and path.startswith(membership.hub.path)))
            )
            for row, roles in TABLE.items()
        }
        person.__dict__["_hubs_where"] = known
    return known[verb]


def may(person: Person | None, verb: str, hub: Hub | int) -> bool:
    """Whether the person may do `verb` in this hub. An unknown verb is a KeyError: the table is complete."""
    return (hub if isinstance(hub, int) else hub.pk) in hubs_where(person, verb)


def looks_after_others(person: Person | None) -> bool:
    """Whether they hold a role that opens what others said, or who they are. Such a role takes a second step."""
    opens = ("read everything said", "look after people", "read what services may read")
    return any(hubs_where(person, verb) for verb in opens)


def must(person: Person | None, verb: str, hub: Hub | int) -> None:
    """Raise NotAllowed unless the person may."""
    if not may(person, verb, hub):
        raise NotAllowed(verb)


def may_give(person: Person | None, role: str, hub: Hub | int) -> bool:
    """Whether the person may give, and end, this role in this hub.

    A coordinator reaches into every hub below. So who makes one must reach there too: a facilitator does not.
    """
    return may(person, "shape hubs" if role == Role.COORDINATOR else "look after people", hub)


def must_give(person: Person | None, role: str, hub: Hub | int) -> None:
    """Raise NotAllowed unless the person may give this role there."""
    if not may_give(person, role, hub):
        raise NotAllowed("give a role")


def supports_somebody(person: Person) -> bool:
    """Whether others take part through this person, or may be brought in by them."""
    if hubs_where(person, "bring somebody in"):
        return True
    return Mandate.objects.standing().filter(trusted=person).exists()


def forget(*people: Person | None) -> None:
    """Ask the table anew about these people: hubs or memberships have changed."""
    for person in people:
        if person is not None:
            person.__dict__.pop("_hubs_where", None)
