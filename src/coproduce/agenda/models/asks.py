"""What services ask of the group, and what the group answers."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.core.signing import BadSignature, Signer
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from coproduce.agenda.models.topics import Topic
from coproduce.people.models import Hub, Person
from coproduce.people.permissions import hubs_where

if TYPE_CHECKING:
    from coproduce.agenda.models.meetings import Meeting


class Answer(models.TextChoices):
    TAKE_IT_ON = "take it on", _("We take it on")
    FIVE_MINUTES = "five minutes", _("Five minutes at our next meeting")
    NOT_FOR_US = "not for us", _("Not for us")


class AskQuerySet(models.QuerySet["Ask"]):
    def visible_to(self, person: Person | None) -> AskQuerySet:
        """The group reads what it is asked, once whoever asked has shown that the address is theirs."""
        return self.filter(
            hub__in=hubs_where(person, "read what the group may read"), confirmed_at__isnull=False
        )

    def waiting(self) -> AskQuerySet:
        """Those that the group has not answered yet."""
        return self.filter(answer="")

    def to_place(self) -> AskQuerySet:
        """Those that the group gave five minutes, and that are on no agenda yet. The longest answered first."""
        return self.filter(answer=Answer.FIVE_MINUTES, agenda_items__isnull=True).order_by(
            "answered_on", "pk"
        )

    def from_the_same(self, ask: Ask) -> AskQuerySet:
        """All that was asked from the same address, and this one."""
        same = Q(email=ask.email, confirmed_at__isnull=False) if ask.email else Q(pk__in=[])
        return self.filter(Q(pk=ask.pk) | same)


class Ask(models.Model):
    """What a service wants from the group, and what the group answered.

    It comes through a form without an account. Until the email address is confirmed nobody in the group sees it.
    """

    UNCONFIRMED_FOR = dt.timedelta(days=7)  # then it is deleted

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="asks", verbose_name=_("who is asked"))
    organisation = models.CharField(_("which service or organisation it is"), max_length=160)
    wants = models.CharField(_("what it wants"), max_length=200)
    why = models.TextField(_("why"))
    by_when = models.DateField(_("by when"), null=True)
    decided = models.TextField(_("what is already decided"))
    pays = models.TextField(_("what it pays for people’s time"))
    will_do = models.TextField(_("what it will do with the answer"))
    name = models.CharField(_("who to speak to"), max_length=120)
    email = models.EmailField(_("email"), blank=True)  # in small letters; empty once its person was erased
    checked = models.BooleanField(_("a person, as far as a machine can tell"), default=False)
    sent_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True)

    answer = models.CharField(_("what the group says"), max_length=20, choices=Answer.choices, blank=True)
    reason = models.TextField(_("why, in the group’s own words"), blank=True)
    answered_on = models.DateField(null=True)
    answered_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")  # who wrote it down
    topic = models.OneToOneField(
        Topic, models.SET_NULL, null=True, related_name="ask"
    )  # that the group made of it

    objects = AskQuerySet.as_manager()
    meeting: Meeting | None  # on whose agenda it is, where a page fetched that

    class Meta:
        ordering = ["-confirmed_at", "-pk"]
        indexes = [models.Index(fields=["email"])]

    def __str__(self) -> str:
        return self.wants

    @property
    def said_at(self) -> str:
        """In one line, as it stands on an agenda: who comes, and with what."""
        return Truncator(f"{self.organisation}: {self.wants}").chars(200)

    @property
    def is_late(self) -> bool:
        """Whether the day by which they want to know has passed, and they wait still."""
        return not self.answer and self.by_when is not None and self.by_when < timezone.localdate()


class AskEmail(models.Model):
    """One email that a service is owed about its ask: the link that confirms the address, or the group's answer.

    It is written in the transaction that owes it. A worker claims it before it sends; if it dies in between, nobody
    can know whether it went, and it is never silently sent again: a person decides.
    """

    class What(models.TextChoices):
        CONFIRM = "confirm", _("the link to confirm the address")
        ANSWER = "answer", _("what the group says")

    SENDING_FOR = dt.timedelta(minutes=5)  # longer than any far side is waited for

    ask = models.ForeignKey(Ask, models.CASCADE, related_name="emails")
    what = models.CharField(max_length=20, choices=What.choices)
    owed_at = models.DateTimeField(default=timezone.now)
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=300, blank=True)  # what the far side said of the address

    class Meta:
        ordering = ["owed_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["ask", "what"], name="one_email_of_a_kind_an_ask")]
        indexes = [
            models.Index(fields=["owed_at"], condition=Q(claimed_at__isnull=True), name="ask_emails_to_send")
        ]

    def __str__(self) -> str:
        return f"{self.what} for ask {self.ask_id}"

    @property
    def is_unsure(self) -> bool:
        """Whether nobody can tell if it went: who was to send it did not come back."""
        if self.sent_at is not None or self.claimed_at is None or self.problem:
            return False
        return self.claimed_at < timezone.now() - self.SENDING_FOR


# The link in those emails. It opens this service's own page and nothing else, and looking changes nothing.

_signer = Signer(salt="agenda.ask")


def link_of(ask: Ask) -> str:
    return reverse("agenda:your_ask", args=[_signer.sign(str(ask.pk))])


def ask_of(token: str) -> Ask | None:
    """The ask that a link is for, or None if it is not one of ours or the ask is gone."""
    try:
        pk = int(_signer.unsign(token))
    except (BadSignature, ValueError):
        return None
    return Ask.objects.select_related("hub").filter(pk=pk).first()
