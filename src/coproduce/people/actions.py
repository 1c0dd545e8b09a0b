"""What can be done with people. Each verb checks, writes in one transaction and leaves its record."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.people.models import Account, Act, Hub, Mandate, Membership, Organisation, Person, Way
from coproduce.people.permissions import TABLE, NotAllowed, forget, hubs_where, must, must_give

NEEDS_ADDRESS = {Way.Kind.EMAIL, Way.Kind.TEXT, Way.Kind.LETTER, Way.Kind.PHONE}
LEADS = TABLE["look after people"]


def record(
    by: Person | None, verb: str, thing: models.Model, hub: Hub | int | None = None, **detail: Any
) -> Act:
    """Leave the record of who did what. Every action of every room calls this in its own transaction."""
    return Act.objects.create(
        by=by,
        verb=verb,
        thing=thing._meta.label_lower,
        thing_id=thing.pk,
        hub_id=hub.pk if isinstance(hub, Hub) else hub,
        detail=detail,
    )


@transaction.atomic
def set_up(hub_name: str, about: str, name: str, email: str) -> Person:
    """The first hub and the first person, who coordinates and facilitates it. Only where nobody is yet."""
    if Person.objects.exists() or Hub.objects.exists():
        raise NotAllowed("This group is already set up.")
    hub: Hub = Hub.objects.add_root({"name": hub_name, "about": about})
    person = Person.objects.create(name=name)
    Account.objects.create(email=email.strip().lower(), person=person)
    Way.objects.create(person=person, kind=Way.Kind.EMAIL, address=email.strip().lower(), preferred=True)
    for role in (Membership.Role.COORDINATOR, Membership.Role.FACILITATOR):
        Membership.objects.create(person=person, hub=hub, role=role)
    record(person, "set up", hub, hub)
    return person


@transaction.atomic
def add_hub(by: Person, under: Hub, name: str, about: str = "") -> Hub:
    must(by, "shape hubs", under)
    under.refresh_from_db()
    hub: Hub = Hub.objects.add_child(under, {"name": _named(name), "about": about.strip()})
    record(by, "add", hub, under)
    forget(by)
    return hub


@transaction.atomic
def add_person(
    by: Person,
    hub: Hub,
    name: str,
    role: str = Membership.Role.MEMBER,
    organisation: Organisation | None = None,
    way: str = "",
    address: str = "",
    email: str = "",
    others_may_read: bool = False,
) -> Person:
    """Add somebody in a role, with the way they like best, and the email they sign in with if they do."""
    must_give(by, role, hub)
    person = Person.objects.create(name=_named(name), organisation=organisation, added_by=by)
    Membership.objects.create(person=person, hub=hub, role=role)
    record(by, "add", person, hub, role=str(role))
    if way:
        add_way(by, person, way, address, others_may_read=others_may_read)
    if email:
        give_account(by, person, email)
    return person


@transaction.atomic
def welcome(by: Person, hub: Hub, name: str, where: str) -> Person:
    """Somebody who came to a hub by themselves, with what they like to be called and where they said we find them."""
    must(by, "take in what strangers say", hub)
    person = Person.objects.create(name=name or _("Somebody who wrote to us"), added_by=by)
    Membership.objects.create(person=person, hub=hub, role=Membership.Role.MEMBER)
    record(by, "welcome", person, hub)
    if where:
        kind, address = way_meant(where)
        Way.objects.create(person=person, kind=kind, address=address, preferred=True)
    return person


def way_meant(where: str) -> tuple[Way.Kind, str]:
    """What somebody wrote in one line, as a way: an email, a phone number, or a place where they are found."""
    if "@" in where:
        return Way.Kind.EMAIL, check_address(Way.Kind.EMAIL, where)
    marks = where.replace(" ", "")
    if sum(mark.isdigit() for mark in marks) > len(marks) / 2:
        return Way.Kind.PHONE, check_address(Way.Kind.PHONE, where)
    return Way.Kind.FACE_TO_FACE, where.strip()


@transaction.atomic
def change_name(by: Person, person: Person, name: str) -> None:
    """Say what somebody likes to be called. Whom only a trusted person knew is known by that name from then on."""
    _must_know(by, person)
    person.name, person.known_through = _named(name), None
    person.save(update_fields=["name", "known_through"])
    record(by, "change the name of", person)


@transaction.atomic
def join(by: Person, person: Person, hub: Hub, role: str) -> Membership:
    """Give the person a role in a hub. Doing it twice changes nothing."""
    must_give(by, role, hub)
    membership, new = Membership.objects.current().get_or_create(
        person=person, hub=hub, role=role, until=None, defaults={"since": timezone.localdate()}
    )
    if new:
        record(by, "join", person, hub, role=str(role))
        forget(by, person)
    return membership


@transaction.atomic
def leave(by: Person, membership: Membership) -> None:
    """End a role. A hub is not left with nobody to look after its people."""
    if by.pk != membership.person_id:
        must_give(by, membership.role, membership.hub_id)
    if membership.until is not None:
        return
    if membership.role in LEADS and not _others_lead(membership):
        raise ValidationError(
            _("Nobody else looks after the people here. Give somebody else this role first.")
        )
    membership.until = timezone.localdate()
    membership.save(update_fields=["until"])
    record(by, "leave", membership.person, membership.hub_id, role=membership.role)
    end_sessions(membership.person)
    forget(by, membership.person)


def end_sessions(person: Person) -> None:
    """Whoever is signed in as this person is a visitor again at the next request, on every device."""
    Account.objects.filter(person=person).update(session_epoch=F("session_epoch") + 1)


def check_address(kind: str, address: str) -> str:
    """The address made tidy, or a ValidationError that says what to do."""
    address = address.strip()
    if kind in NEEDS_ADDRESS and not address:
        raise ValidationError(_("Write the email, number or address for this way."))
    if kind == Way.Kind.EMAIL:
        try:
            validate_email(address)
        except ValidationError:
            raise ValidationError(_("Write an email address like name@example.org.")) from None
        return address.lower()
    if kind == Way.Kind.PHONE and sum(letter.isdigit() for letter in address) < 7:
        raise ValidationError(_("Write the phone number in full, with its area code."))
    if kind == Way.Kind.TEXT and not re.fullmatch(r"\+?[\d\s().-]{10,24}", address):
        raise ValidationError(_("Write the mobile number in full, like 07700 900123, and nothing else."))
    return address


@transaction.atomic
def add_way(
    by: Person,
    person: Person,
    kind: str,
    address: str = "",
    preferred: bool = False,
    others_may_read: bool = False,
) -> Way:
    """Add a way of reaching somebody. The first of all is the preferred one; twice the same is one."""
    _must_know(by, person)
    address = check_address(kind, address)
    if kind == Way.Kind.TRUSTED_PERSON:
        address = ""
        if not Mandate.objects.standing("hear").filter(person=person).exists():
            raise ValidationError(_("First say who the trusted person is, and that they pass on the news."))
    return _keep_way(by, person, kind, address, preferred, others_may_read)


def _keep_way(
    by: Person,
    person: Person,
    kind: str,
    address: str = "",
    preferred: bool = False,
    others_may_read: bool = False,
) -> Way:
    if known := person.ways.filter(kind=kind, address=address).first():
        if others_may_read:
            share_way(by, known, True)
        if preferred:
            _prefer_way(by, known)
            known.refresh_from_db()
        return known
    if not person.ways.filter(preferred=True).exists():
        preferred = True
    if preferred:
        person.ways.filter(preferred=True).update(preferred=False)
    way = Way.objects.create(
        person=person, kind=kind, address=address, preferred=preferred, others_may_read=others_may_read
    )
    record(by, "add a way to reach", person, kind=str(kind), preferred=preferred)
    return way


@transaction.atomic
def prefer_way(by: Person, way: Way) -> None:
    _must_know(by, way.person)
    _prefer_way(by, way)


def _prefer_way(by: Person, way: Way) -> None:
    way.person.ways.filter(preferred=True).update(preferred=False)
    Way.objects.filter(pk=way.pk).update(preferred=True)
    record(by, "prefer a way to reach", way.person, kind=way.kind)


@transaction.atomic
def share_way(by: Person, way: Way, others_may_read: bool) -> None:
    """Say whether others may read what comes this way. Then nothing that matters is written there."""
    _must_look_after(by, way.person)
    Way.objects.filter(pk=way.pk).update(others_may_read=others_may_read)
    record(by, "say who may read a way to reach", way.person, kind=way.kind, others_may_read=others_may_read)


@transaction.atomic
def stop_way(by: Person, way: Way) -> None:
    """Nothing more goes this way: it was stopped from inside a message, without signing in, or here.

    What is owed goes by the next way they gave; where there is none, who looks after them sees that.
    """
    _must_know(by, way.person)
    if Way.objects.filter(pk=way.pk, stopped_at__isnull=True).update(stopped_at=timezone.now()):
        record(by, "stop a way to reach", way.person, kind=way.kind)


@transaction.atomic
def start_way(by: Person, way: Way) -> None:
    """What was stopped may be used again."""
    _must_know(by, way.person)
    if Way.objects.filter(pk=way.pk, stopped_at__isnull=False).update(stopped_at=None):
        record(by, "start a way to reach", way.person, kind=way.kind)


@transaction.atomic
def keep_quiet(by: Person, person: Person, start: dt.time | None, end: dt.time | None) -> None:
    """Between these times they get no text and no call. None and None: as their hub has it."""
    _must_know(by, person)
    _both_or_none(start, end)
    Person.objects.filter(pk=person.pk).update(quiet_from=start, quiet_until=end)
    record(by, "set quiet hours of", person)


@transaction.atomic
def keep_hub_quiet(by: Person, hub: Hub, start: dt.time, end: dt.time) -> None:
    """Between these times nobody in this hub gets a text or a call, unless they asked for other times."""
    must(by, "look after people", hub)
    Hub.objects.filter(pk=hub.pk).update(quiet_from=start, quiet_until=end)
    record(by, "set quiet hours of", hub, hub)


def _both_or_none(start: dt.time | None, end: dt.time | None) -> None:
    if (start is None) != (end is None):
        raise ValidationError(_("Write both times, or leave both empty."))


@transaction.atomic
def hear_at_most(by: Person, person: Person, at_most: str) -> None:
    """Say how often somebody wants to hear, at most. What is owed meanwhile waits, and goes together."""
    _must_know(by, person)
    Person.objects.filter(pk=person.pk).update(at_most=Person.AtMost(at_most))
    record(by, "set how often to tell", person, at_most=at_most)


@transaction.atomic
def remove_way(by: Person, way: Way) -> None:
    """Take a way away. If it was the preferred one, the next one they gave takes its place."""
    _must_know(by, way.person)
    person, kind, preferred = way.person, way.kind, way.preferred
    way.delete()
    if preferred and (following := person.ways.order_by("pk").first()):
        Way.objects.filter(pk=following.pk).update(preferred=True)
    record(by, "remove a way to reach", person, kind=kind)


@transaction.atomic
def give_account(by: Person, person: Person, email: str) -> Account:
    """Let the person sign in with a code sent to this address, and with no other.

    Whoever reads that address can do all that the person may. So it takes who could give them each role.
    """
    must_look_after_account(by, person)
    email = check_address(Way.Kind.EMAIL, email)
    if Account.objects.filter(email__iexact=email).exclude(person=person).exists():
        raise ValidationError(
            {"email": _("Somebody already signs in with this email address. Write another one.")}
        )
    account, _new = Account.objects.update_or_create(person=person, defaults={"email": email})
    EmailAddress.objects.filter(user=account).exclude(email__iexact=email).delete()
    record(by, "give an account to", person)
    return account


# Mandates: somebody takes part through a person they trust


@transaction.atomic
def make_mandate(
    by: Person,
    person: Person,
    trusted: Person,
    purposes: Iterable[str],
    until: dt.date | None = None,
    with_them_present: bool = False,
    best_way: bool = False,
) -> Mandate:
    """Let `trusted` do these things for `person`. Made by the person, or with them present by who looks after them.

    `best_way` makes it the way they like best to hear. For two who have one already, it is changed.
    """
    _must_look_after(by, person)
    if by.pk != person.pk and not with_them_present:
        raise ValidationError(_("Do this only when they are with you. Then tick that they are."))
    if trusted.pk == person.pk:
        raise ValidationError(_("Choose somebody else. Nobody needs leave to speak for themselves."))
    if not who_may_be_trusted(by, person).filter(pk=trusted.pk).exists():
        raise NotAllowed("trust somebody they may not see")
    mandate = _make_mandate(by, person, trusted, purposes, until, with_them_present)
    if best_way and mandate.hear:
        _keep_way(by, person, Way.Kind.TRUSTED_PERSON, preferred=True)
    return mandate


def _make_mandate(
    by: Person,
    person: Person,
    trusted: Person,
    purposes: Iterable[str],
    until: dt.date | None = None,
    with_them_present: bool = False,
    called: str = "",
) -> Mandate:
    chosen = _what_for(purposes, trusted, until)
    pair = Mandate.objects.select_for_update().filter(person=person, trusted=trusted)
    if known := pair.standing().first():
        _set_what_for(by, known, chosen, until)
        return known
    pair.filter(ended_at__isnull=True).update(ended_at=timezone.now())  # past its day
    if person.known_through_id == trusted.pk and not called:
        called = pair.exclude(called="").values_list("called", flat=True).last() or ""
    mandate = Mandate.objects.create(
        person=person,
        trusted=trusted,
        until=until,
        made_by=by,
        with_them_present=with_them_present,
        called=called,
        **chosen,
    )
    record(by, "make", mandate, purposes=mandate.purposes, with_them_present=with_them_present)
    return mandate


@transaction.atomic
def change_what_for(
    by: Person,
    mandate: Mandate,
    purposes: Iterable[str],
    until: dt.date | None = None,
    with_them_present: bool = False,
) -> None:
    """Change what a mandate is for, and until when. It takes whom it takes to make one."""
    _must_look_after(by, mandate.person)
    if by.pk != mandate.person_id and not with_them_present:
        raise ValidationError(_("Do this only when they are with you. Then tick that they are."))
    held = Mandate.objects.standing().select_for_update().filter(pk=mandate.pk).first()
    if held is None:
        raise NotAllowed("change a mandate that has ended")
    _set_what_for(by, held, _what_for(purposes, mandate.trusted, until), until)


def _set_what_for(by: Person, mandate: Mandate, chosen: dict[str, bool], until: dt.date | None) -> None:
    Mandate.objects.filter(pk=mandate.pk).update(until=until, **chosen)
    mandate.refresh_from_db()
    record(by, "change what is for", mandate, purposes=mandate.purposes)


def _what_for(purposes: Iterable[str], trusted: Person, until: dt.date | None) -> dict[str, bool]:
    chosen = {purpose: purpose in set(purposes) for purpose in Mandate.PURPOSES}
    if not any(chosen.values()):
        raise ValidationError(_("Say what for. Tick at least one."))
    if until and until < timezone.localdate():
        raise ValidationError(_("That day is over. Write a day to come, or none."))
    if chosen["hear"] and not Account.objects.filter(person=trusted).exists():
        raise ValidationError(
            _(
                "Who passes on the news has to sign in to read it. Let them sign in first, or leave out the news."
            )
        )
    return chosen


@transaction.atomic
def end_mandate(by: Person, mandate: Mandate, with_them_present: bool = False) -> None:
    """End it: it holds at once, and nobody is told. By either of the two, or by who looks after the person."""
    if by.pk not in (mandate.person_id, mandate.trusted_id):
        _must_look_after(by, mandate.person)
    if Mandate.objects.filter(pk=mandate.pk, ended_at__isnull=True).update(ended_at=timezone.now()):
        record(by, "end", mandate, with_them_present=with_them_present)


@transaction.atomic
def bring_in(by: Person, hub: Hub, name: str, only_i_know: bool) -> Person:
    """A trusted person brings somebody who takes part through them. If only they know the name, nobody else sees it."""
    must(by, "bring somebody in", hub)
    name = _named(name)
    person = Person.objects.create(
        name=_("Somebody") if only_i_know else name, known_through=by if only_i_know else None, added_by=by
    )
    Membership.objects.create(person=person, hub=hub, role=Membership.Role.MEMBER)
    record(by, "bring in", person, hub, only_i_know=only_i_know)
    purposes = ["speak", "vote", *(["hear"] if hasattr(by, "account") else [])]
    mandate = _make_mandate(
        by, person, by, purposes, with_them_present=True, called=name if only_i_know else ""
    )
    if mandate.hear:
        _keep_way(by, person, Way.Kind.TRUSTED_PERSON, preferred=True)
    return person


def who_may_be_trusted(by: Person, person: Person) -> models.QuerySet[Person]:
    """Whom `by` may name as somebody's trusted person: who takes that on in a hub of theirs, and whom `by` knows."""
    theirs = Membership.objects.current().filter(person=person).values("hub")
    take_it_on = Membership.objects.current().filter(
        hub__in=theirs, role__in=[Membership.Role.TRUSTED_PERSON, Membership.Role.CHAMPION]
    )
    return (
        Person.objects.filter(Q(pk__in=take_it_on.values("person")) | Q(pk__in=Person.objects.visible_to(by)))
        .filter(known_through__isnull=True)
        .exclude(pk=person.pk)
    )


@transaction.atomic
def make_administrator(email: str, name: str = "") -> Person:
    """Let somebody see how the installation is. Done by who sits at the machine: no page does this.

    It opens nobody's words. Somebody who is not here yet is added, as a person in no hub.
    """
    email = check_address(Way.Kind.EMAIL, email)
    account = Account.objects.filter(email__iexact=email).select_related("person").first()
    if account is None:
        if not Hub.objects.exists():
            raise ValidationError(_("Set up the group first."))
        person = Person.objects.create(name=_named(name or email.partition("@")[0]))
        account = Account.objects.create(email=email, person=person)
    account.is_administrator = True
    account.save(update_fields=["is_administrator"])
    record(None, "make an administrator of", account.person)
    return account.person


@transaction.atomic
def end_administrator(email: str) -> Person:
    """They see it no more, from the next request on."""
    administrators = Account.objects.filter(is_administrator=True).select_related("person")
    account = administrators.filter(email__iexact=email.strip()).first()
    if account is None:
        raise ValidationError(_("No administrator signs in with this address."))
    account.is_administrator = False
    account.save(update_fields=["is_administrator"])
    end_sessions(account.person)
    record(None, "end being an administrator of", account.person)
    return account.person


@transaction.atomic
def take_account_away(by: Person, person: Person) -> None:
    """They don't sign in any more, from their next request on. What they said, and their roles, stay theirs."""
    must_look_after_account(by, person)
    if Account.objects.filter(person=person, is_administrator=True).exists():
        raise ValidationError(
            _("They keep this installation running. That has to end first, on the machine itself.")
        )
    Account.objects.filter(person=person).delete()
    record(by, "take the account away from", person)


@transaction.atomic
def take_second_step_away(by: Person | None, person: Person) -> None:
    """For who lost their phone and their spare codes: they sign in by email alone once, and choose a new one.

    `by` is None for who sits at the machine.
    """
    if by is not None:
        must_look_after_account(by, person)
        if by.pk == person.pk:
            raise NotAllowed("take away one's own second step")
    Authenticator.objects.filter(user__person=person).delete()
    end_sessions(person)
    record(by, "take the second step away from", person)


@transaction.atomic
def add_organisation(by: Person, name: str, kind: str, about: str = "") -> Organisation:
    if not hubs_where(by, "look after people"):
        raise NotAllowed("add an organisation")
    name = _named(name)
    if Organisation.objects.filter(name__iexact=name).exists():
        raise ValidationError({"name": _("This organisation is here already. Choose it from the list.")})
    organisation = Organisation.objects.create(name=name, kind=kind, about=about.strip())
    record(by, "add", organisation)
    return organisation


def _must_look_after(by: Person, person: Person) -> None:
    """A person looks after themselves; otherwise whoever looks after people in a hub of theirs."""
    if by.pk != person.pk and not Person.objects.visible_to(by).filter(pk=person.pk).exists():
        raise NotAllowed("look after people")


def must_look_after_account(by: Person, person: Person) -> None:
    """Whoever decides how somebody signs in could do all that they may. So it takes who could give them each role."""
    _must_know(by, person)
    if by.pk != person.pk:
        if Account.objects.filter(person=person, is_administrator=True).exists():
            raise NotAllowed("look after an administrator")
        for membership in person.memberships.current():
            must_give(by, membership.role, membership.hub_id)


def _must_know(by: Person, person: Person) -> None:
    """The same for their name and the ways to them: whom only a trusted person knows keeps those to the two of them."""
    _must_look_after(by, person)
    if by.pk != person.pk and person.is_known_only_through:
        raise NotAllowed("know who somebody is")


def _others_lead(membership: Membership) -> bool:
    """Whether somebody would still look after the hub's people if this membership ended."""
    path = membership.hub.path
    here_and_above = [path[:end] for end in range(Hub.steplen, len(path) + 1, Hub.steplen)]
    return (
        Membership.objects.current()
        .exclude(pk=membership.pk)
        .filter(
            Q(role=Membership.Role.COORDINATOR, hub__path__in=here_and_above)
            | Q(role=membership.role, hub=membership.hub_id)
        )
        .exists()
    )


def _named(name: str) -> str:
    name = name.strip()
    if not name:
        raise ValidationError(_("Write a name."))
    return name
