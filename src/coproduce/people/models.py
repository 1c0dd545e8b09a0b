"""Who: the people who take part, the hubs and organisations they belong to, and how each is reached."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Concat
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from treebeard.mp_tree import MP_Node

if TYPE_CHECKING:
    from django.db.models import QuerySet


class Hub(MP_Node):
    """A group that works on what is local to it. Hubs form a tree: ward, city, county."""

    name = models.CharField(_("name"), max_length=120)
    about = models.TextField(_("what this hub is for"), blank=True)
    consent_months = models.PositiveSmallIntegerField(
        _("after how long people are asked again what they allow"),
        choices=[
            (6, _("6 months")),
            (12, _("1 year")),
            (24, _("2 years")),
            (36, _("3 years")),
            (60, _("5 years")),
        ],
        default=24,
    )
    quiet_from = models.TimeField(_("no texts and calls from"), default=dt.time(21))
    quiet_until = models.TimeField(_("until"), default=dt.time(8))
    still_waiting_months = models.PositiveSmallIntegerField(
        _("after how long people hear that they still wait, and why"),
        choices=[
            (1, _("1 month")),
            (2, _("2 months")),
            (3, _("3 months")),
            (6, _("6 months")),
            (12, _("1 year")),
        ],
        default=3,
    )

    steplen = 5  # room for 60 million hubs below each hub
    node_order_by: ClassVar[list[str]] = []

    class Meta:
        ordering = ["path"]

    def __str__(self) -> str:
        return self.name


class Organisation(models.Model):
    """A service, charity or council."""

    class Kind(models.TextChoices):
        COUNCIL = "council", _("council")
        CHARITY = "charity", _("charity")
        HEALTH = "health", _("health service")
        HOUSING = "housing", _("housing provider")
        OTHER = "other", _("something else")

    name = models.CharField(_("name"), max_length=160, unique=True)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, default=Kind.OTHER)
    about = models.TextField(_("what it does"), blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class PersonQuerySet(models.QuerySet["Person"]):
    def visible_to(self, person: Person | None) -> PersonQuerySet:
        """Whom this person may see by name: themselves, and the people of hubs whose people they look after.

        Who has left every hub is still looked after by the hubs they were in: they may be owed an answer.
        """
        from coproduce.people.permissions import hubs_where

        if person is None:
            return self.none()
        own = Q(pk=person.pk)
        looked_after = hubs_where(person, "look after people")
        here = self.filter(erasure__isnull=True)
        if not looked_after:
            return here.filter(own)
        current = Membership.objects.current().filter(person=OuterRef("pk"))
        was_here = Membership.objects.filter(person=OuterRef("pk"), hub__in=looked_after)
        nowhere = ~Exists(current)
        return here.filter(
            own
            | Exists(current.filter(hub__in=looked_after))
            | (nowhere & (Exists(was_here) | Q(added_by=person)))
        )

    def named_for(self, reader: Person | None) -> PersonQuerySet:
        """Each with `shown`: what this reader may call them."""
        return self.annotate(shown=name_for(reader))

    def out_of_reach(self) -> PersonQuerySet:
        """People nobody knows how to reach: no way that still leads to them, or only a page that they can't
        sign in to."""
        ways = Way.objects.filter(person=OuterRef("pk"), stopped_at__isnull=True)
        can_sign_in = Exists(Account.objects.filter(person=OuterRef("pk")))
        hears = Exists(Mandate.objects.standing("hear").filter(person=OuterRef("pk")))
        return (
            self.exclude(Exists(ways.exclude(kind__in=[Way.Kind.PAGE, Way.Kind.TRUSTED_PERSON])))
            .exclude(Exists(ways.filter(kind=Way.Kind.TRUSTED_PERSON)), hears)
            .exclude(Exists(ways.filter(kind=Way.Kind.PAGE)), can_sign_in)
        )


def name_for(reader: Person | None, person: str = "", unknown: str | None = None) -> Case:
    """What this reader may call a person, as an expression for .annotate(); `person` is the path to them.

    Nearly everybody goes by the name they like to be called. Whom nobody but a trusted person knows goes by the
    name they gave only to that trusted person, to themselves, and while the mandate stands; to who looks after
    people there, by "Somebody Joan supports"; to anybody else by `unknown`. Their name is not in Person.name at
    all, so a page that forgets to ask shows nothing it should not.
    """
    way = f"{person}__" if person else ""
    may_know: list[Subquery] = []
    if reader is not None:
        theirs = Mandate.objects.filter(person=OuterRef(person or "pk")).exclude(called="")
        own = theirs.filter(person=reader).order_by("-pk")
        supported = theirs.standing().filter(trusted=reader)
        through = Mandate.objects.standing().filter(
            person=OuterRef(person or "pk"),
            trusted=F("person__known_through"),
            person__in=Person.objects.visible_to(reader),
        )
        before, after = _t("Somebody %(name)s supports").split("%(name)s")
        somebody = Concat(Value(before), F("trusted__name"), Value(after), output_field=models.CharField())
        may_know = [
            Subquery(own.values("called")[:1]),
            Subquery(supported.values("called")[:1]),
            Subquery(through.values_list(somebody)[:1]),
        ]
    nobody = Value(_t("Somebody") if unknown is None else unknown)
    return Case(
        When(**{f"{way}known_through__isnull": True}, then=F(f"{way}name")),
        default=Coalesce(*may_know, nobody) if may_know else nobody,
        output_field=models.CharField(),
    )


class Person(models.Model):
    """Anybody who takes part. Most never sign in: a person without an account is as real as one with."""

    class AtMost(models.TextChoices):
        """How often somebody wants to hear from us, at most."""

        AT_ONCE = "at once", _("as soon as there is news")
        WEEK = "week", _("once a week, all together")
        MONTH = "month", _("once a month, all together")

    name = models.CharField(_("what they like to be called"), max_length=120)
    at_most = models.CharField(
        _("how often they want to hear"), max_length=10, choices=AtMost.choices, default=AtMost.AT_ONCE
    )
    organisation = models.ForeignKey(
        Organisation,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="people",
        verbose_name=_("organisation"),
    )
    added_by = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)
    # Nobody but this trusted person knows who they are: then `name` says nothing, and what they like to be called
    # stands on the mandate between the two. See name_for().
    known_through = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    # When they want no texts and calls. Both empty: as their hub has it.
    quiet_from = models.TimeField(_("no texts and calls from"), null=True, blank=True)
    quiet_until = models.TimeField(_("until"), null=True, blank=True)

    objects = PersonQuerySet.as_manager()
    shown: str  # with named_for()

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    def name_for(self, reader: Person | None) -> str:
        """What this reader may call them."""
        if self.known_through_id is None:
            return self.name
        return Person.objects.named_for(reader).get(pk=self.pk).shown

    @property
    def is_known_only_through(self) -> bool:
        """Whether only a trusted person knows them, and their mandate stands: then all goes through that one."""
        known = self.known_through_id is not None
        return (
            known and Mandate.objects.standing().filter(person=self, trusted=self.known_through_id).exists()
        )

    @property
    def preferred_way(self) -> Way | None:
        """best() for one person: the way they like best, of those that still lead to them. Uses what was
        prefetched."""
        leading = [
            way
            for way in self.ways.all()
            if way.stopped_at is None and (way.kind != Way.Kind.TRUSTED_PERSON or self.hears_through_somebody)
        ]
        return min(leading, key=lambda way: (not way.preferred, way.pk), default=None)

    @property
    def hears_through_somebody(self) -> bool:
        return any(
            mandate.hear and mandate.stands and hasattr(mandate.trusted, "account")
            for mandate in self.mandates.all()
        )

    @property
    def is_out_of_reach(self) -> bool:
        """out_of_reach() for one person whose ways, mandates and account were fetched with them."""
        kinds = {way.kind for way in self.ways.all() if way.stopped_at is None}
        if Way.Kind.TRUSTED_PERSON in kinds and not self.hears_through_somebody:
            kinds -= {Way.Kind.TRUSTED_PERSON}
        return not (kinds - {Way.Kind.PAGE} or (kinds and hasattr(self, "account")))


class MandateQuerySet(models.QuerySet["Mandate"]):
    def standing(self, purpose: str = "") -> MandateQuerySet:
        """Those not ended and not past their day; for one purpose (speak, vote, hear) where one is named.

        Who can't sign in can't read the news, so it is not for them to pass on.
        """
        standing = self.filter(
            Q(until__isnull=True) | Q(until__gte=timezone.localdate()), ended_at__isnull=True
        )
        if purpose == "hear":
            standing = standing.filter(trusted__account__isnull=False)
        return standing.filter(**{purpose: True}) if purpose else standing

    def visible_to(self, person: Person | None) -> MandateQuerySet:
        """Those that stand, for the two of them and for who looks after the person. An ended one shows to nobody."""
        if person is None:
            return self.none()
        return self.standing().filter(
            Q(trusted=person) | Q(person=person) | Q(person__in=Person.objects.visible_to(person))
        )


class Mandate(models.Model):
    """That a person takes part through somebody they trust: what for, from when, until when.

    It is theirs to make and end. Whether it stands is asked anew each time, so an end holds at the next request.
    """

    PURPOSES: ClassVar = {
        "speak": _("write down what they say"),
        "vote": _("vote for them"),
        "hear": _("tell them what happened"),
    }

    person = models.ForeignKey(Person, models.CASCADE, related_name="mandates")
    trusted = models.ForeignKey(Person, models.CASCADE, related_name="mandates_held")
    speak = models.BooleanField(default=False)
    vote = models.BooleanField(default=False)
    hear = models.BooleanField(default=False)
    since = models.DateField(default=timezone.localdate)
    until = models.DateField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    made_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    with_them_present = models.BooleanField(default=False)
    called = models.CharField(
        max_length=120, blank=True
    )  # what they like to be called, where only `trusted` knows

    objects = MandateQuerySet.as_manager()

    class Meta:
        ordering = ["since", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "trusted"],
                condition=Q(ended_at__isnull=True),
                name="one_standing_mandate_a_pair",
            ),
            models.CheckConstraint(condition=~Q(person=F("trusted")), name="a_mandate_is_between_two"),
            models.CheckConstraint(
                condition=Q(speak=True) | Q(vote=True) | Q(hear=True), name="a_mandate_is_for_something"
            ),
        ]

    def __str__(self) -> str:
        return f"mandate {self.pk}"

    @property
    def stands(self) -> bool:
        """standing() for one."""
        return self.ended_at is None and (self.until is None or self.until >= timezone.localdate())

    @property
    def purposes(self) -> list[str]:
        return [purpose for purpose in self.PURPOSES if getattr(self, purpose)]

    @property
    def what_for(self) -> str:
        """In words: "write down what they say, tell them what happened"."""
        return ", ".join(str(self.PURPOSES[purpose]) for purpose in self.purposes)


class WayQuerySet(models.QuerySet["Way"]):
    def leading(self) -> WayQuerySet:
        """Those that still lead to the person: they did not stop it, and who is to pass news on may do so."""
        hears = Mandate.objects.standing("hear").filter(person=OuterRef("person"))
        return self.filter(~Q(kind=Way.Kind.TRUSTED_PERSON) | Exists(hears), stopped_at__isnull=True)

    def best(self) -> WayQuerySet:
        """The one way each person hears by now: the one they like best.

        Where that leads to them no more, it is the next they gave.
        """
        theirs = Way.objects.leading().filter(person=OuterRef("person"))
        better = theirs.filter(Q(preferred=True) | Q(pk__lt=OuterRef("pk")))
        return self.leading().filter(Q(preferred=True) | ~Exists(better))


class Way(models.Model):
    """One way of reaching a person. Each person prefers one."""

    class Kind(models.TextChoices):
        PAGE = "page", _("on their page here")
        EMAIL = "email", _("email")
        TEXT = "text", _("text message")
        LETTER = "letter", _("letter")
        PHONE = "phone", _("phone call")
        FACE_TO_FACE = "face_to_face", _("face to face")
        TRUSTED_PERSON = "trusted_person", _("through the person they trust")

    person = models.ForeignKey(Person, models.CASCADE, related_name="ways")
    kind = models.CharField(_("how"), max_length=20, choices=Kind.choices)
    address = models.TextField(
        _("where"), blank=True, help_text=_("Email, phone number, postal address or place.")
    )
    preferred = models.BooleanField(_("the way they like best"), default=False)
    others_may_read = models.BooleanField(_("others may read this"), default=False)  # a shared phone, say
    stopped_at = models.DateTimeField(null=True, blank=True)  # they said: nothing more this way

    objects = WayQuerySet.as_manager()

    class Meta:
        ordering = ["-preferred", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["person"], condition=Q(preferred=True), name="one_preferred_way"),
        ]
        indexes = [
            models.Index(fields=["kind", "person"], condition=Q(preferred=True), name="preferred_ways")
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class MembershipQuerySet(models.QuerySet["Membership"]):
    def current(self) -> MembershipQuerySet:
        return self.filter(until__isnull=True)


class Membership(models.Model):
    """A person in a hub, in a role, from a day until a day."""

    class Role(models.TextChoices):
        MEMBER = "member", _("member")
        TRUSTED_PERSON = "trusted person", _("trusted person")
        CHAMPION = "champion", _("champion")
        CURATOR = "curator", _("curator")
        FACILITATOR = "facilitator", _("facilitator")
        COMMISSIONER = "commissioner", _("commissioner")
        COORDINATOR = "coordinator", _("coordinator")

    person = models.ForeignKey(Person, models.CASCADE, related_name="memberships")
    hub = models.ForeignKey(Hub, models.CASCADE, related_name="memberships", verbose_name=_("hub"))
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.MEMBER)
    since = models.DateField(default=timezone.localdate)
    until = models.DateField(null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["hub__path", "role"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "hub", "role"],
                condition=Q(until__isnull=True),
                name="one_membership_a_role",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()}, {self.hub}"


class AccountManager(BaseUserManager["Account"]):
    def get_by_natural_key(self, username: str | None) -> Account:
        return self.get(email__iexact=username)


class Account(AbstractBaseUser):
    """What a person signs in with: an email address that gets a code. There are no passwords."""

    email = models.EmailField(_("email"), unique=True)
    person = models.OneToOneField(Person, models.CASCADE, related_name="account")
    is_active = models.BooleanField(default=True)
    is_administrator = models.BooleanField(
        default=False
    )  # keeps the installation running; reads nobody's words
    session_epoch = models.PositiveIntegerField(default=0)  # one more, and every session of before has ended

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    objects = AccountManager()

    def has_usable_password(self) -> bool:
        return False

    def check_password(self, raw_password: str | None) -> bool:
        return False

    def _get_session_auth_hash(self, secret: str | bytes | None = None) -> str:
        """What a session has to match at each request. Django takes the password; here there is none."""
        signed_in = f"{self.pk}:{self.email}:{self.session_epoch}"
        return salted_hmac("coproduce.session", signed_in, secret=secret, algorithm="sha256").hexdigest()

    def __str__(self) -> str:
        return f"account {self.pk}"


class Act(models.Model):
    """Who did what to what, when; never a copy of the words themselves."""

    by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="acts")
    verb = models.CharField(max_length=60)
    thing = models.CharField(max_length=60)
    thing_id = models.BigIntegerField(null=True)
    hub = models.ForeignKey(Hub, models.SET_NULL, null=True, related_name="+")
    detail = models.JSONField(default=dict)  # ids and settings only
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["thing", "thing_id"])]

    def __str__(self) -> str:
        return f"{self.verb} {self.thing} {self.thing_id}"


class Erasure(models.Model):
    """That a person was erased: when, who asked and what they chose; never a name or a word of theirs.

    The rows are emptied in the transaction that writes this. What stands outside them (files, emails kept as
    files, what a database keeps of deleted rows) is cleaned after it, and `cleaned_at` says that it is done.
    The person's row stays, emptied, so that counts stay true.
    """

    class Choice(models.TextChoices):
        TAKE_OUT = "take out", _("Take my words out")
        NAMELESS = "nameless", _("Keep my words, without my name")

    class AskedBy(models.TextChoices):
        THEMSELVES = "themselves", _("themselves")
        WHO_LOOKS_AFTER_THEM = "who looks after them", _("somebody who looks after them")
        WHO_RUNS_IT = "who runs it", _("somebody who runs this installation")

    person = models.OneToOneField(Person, models.PROTECT, related_name="erasure")
    at = models.DateTimeField(default=timezone.now)
    asked_by = models.CharField(max_length=20, choices=AskedBy.choices)
    choice = models.CharField(max_length=20, choices=Choice.choices, default=Choice.TAKE_OUT)
    to_clean = models.JSONField(default=dict)  # names of files, ids and sums only; empty once it is clean
    cleaned_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"erasure of person {self.person_id}"


def hub_and_below(hub: Hub) -> QuerySet[Hub]:
    """This hub and every hub under it."""
    return Hub.objects.filter(path__startswith=hub.path)
