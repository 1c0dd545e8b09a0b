"""Who: the people who take part, the hubs and organisations they belong to, and how each is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from treebeard.mp_tree import MP_Node

if TYPE_CHECKING:
    from django.db.models import QuerySet


class Hub(MP_Node):
    """A group that works on what is local to it. Hubs form a tree: ward, city, county."""

    name = models.CharField(_("name"), max_length=120)
    about = models.TextField(_("what this hub is for"), blank=True)

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
        if not looked_after:
            return self.filter(own)
        current = Membership.objects.current().filter(person=OuterRef("pk"))
        was_here = Membership.objects.filter(person=OuterRef("pk"), hub__in=looked_after)
        nowhere = ~Exists(current)
        return self.filter(
            own
            | Exists(current.filter(hub__in=looked_after))
            | (nowhere & (Exists(was_here) | Q(added_by=person)))
        )

    def out_of_reach(self) -> PersonQuerySet:
        """People nobody knows how to reach: no way at all, or only a page that they can't sign in to."""
        ways = Way.objects.filter(person=OuterRef("pk"))
        can_sign_in = Exists(Account.objects.filter(person=OuterRef("pk")))
        return self.exclude(Exists(ways.exclude(kind=Way.Kind.PAGE))).exclude(
            Exists(ways.filter(kind=Way.Kind.PAGE)), can_sign_in
        )


class Person(models.Model):
    """Anybody who takes part. Most never sign in: a person without an account is as real as one with."""

    name = models.CharField(_("what they like to be called"), max_length=120)
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

    objects = PersonQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def preferred_way(self) -> Way | None:
        """The way they like best. Uses prefetched ways where there are any."""
        return next((way for way in self.ways.all() if way.preferred), None)

    @property
    def is_out_of_reach(self) -> bool:
        """out_of_reach() for one person whose ways and account were fetched with them."""
        kinds = {way.kind for way in self.ways.all()}
        return not (kinds - {Way.Kind.PAGE} or (kinds and hasattr(self, "account")))


class Way(models.Model):
    """One way of reaching a person. Each person prefers one."""

    class Kind(models.TextChoices):
        PAGE = "page", _("on their page here")
        EMAIL = "email", _("email")
        LETTER = "letter", _("letter")
        PHONE = "phone", _("phone call")
        FACE_TO_FACE = "face_to_face", _("face to face")

    person = models.ForeignKey(Person, models.CASCADE, related_name="ways")
    kind = models.CharField(_("how"), max_length=20, choices=Kind.choices)
    address = models.TextField(
        _("where"), blank=True, help_text=_("Email, phone number, postal address or place.")
    )
    preferred = models.BooleanField(_("the way they like best"), default=False)

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


def hub_and_below(hub: Hub) -> QuerySet[Hub]:
    """This hub and every hub under it."""
    return Hub.objects.filter(path__startswith=hub.path)
