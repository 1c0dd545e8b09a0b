"""What people agree on: a conversation on a topic, its statements, who votes, and how.

`Conversation` is our word for what statements and votes stand in; it is called by its topic.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _

from coproduce.agenda.models import Decision, Topic
from coproduce.people.models import Hub, Person
from coproduce.people.permissions import hubs_where, may
from coproduce.voices.models import Use, Voice

LONGEST = 200  # characters of a statement: what is read at a glance on a phone
LETTERS = "abcdefghjkmnpqrstuvwxyz"  # that nobody takes for a number, or for one another


def new_key() -> str:
    """The secret part of a conversation's link: nobody guesses it, and it can be typed from paper."""
    return get_random_string(12, LETTERS)


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def visible_to(self, person: Person | None) -> ConversationQuerySet:
        """Those of one's groups; and everybody's, once the group gave it as its answer on the topic."""
        group = hubs_where(person, "read what the group may read")
        return self.filter(Q(topic__hub__in=group) | Q(decision__isnull=False))

    def opened_by_link(self, person: Person | None, key: str) -> ConversationQuerySet:
        """The one with this link: for anybody where the group said so, otherwise for whoever may see it anyway."""
        seen = self.visible_to(person).order_by().values("pk")
        return self.filter(Q(by_link=True) | Q(pk__in=seen), key=key)

    def running(self) -> ConversationQuerySet:
        return self.filter(closed_at__isnull=True)


class Conversation(models.Model):
    """Statements on a topic that people agree with, disagree with or pass on."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="conversations")
    about = models.TextField(_("what it is about"), blank=True)
    key = models.CharField(max_length=16, unique=True, default=new_key)
    by_link = models.BooleanField(_("anybody with the link may vote"), default=False)
    opened_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    opened_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)
    # What the group answered, once it is frozen. What was found stands in Reckoned and changes no more.
    decision = models.OneToOneField(Decision, models.SET_NULL, null=True, related_name="conversation")

    objects = ConversationQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-pk"]

    def __str__(self) -> str:
        return self.topic.title

    @property
    def hub(self) -> Hub:
        return self.topic.hub

    @property
    def is_frozen(self) -> bool:
        return self.decision_id is not None


def use_for(reader: Person | None, hub: Hub | int) -> Use:
    """What a voice behind a statement has to allow for this reader to see it."""
    if may(reader, "read what the group may read", hub):
        return Use.GROUP
    return Use.SERVICES if may(reader, "read what services may read", hub) else Use.PUBLIC


class StatementQuerySet(models.QuerySet["Statement"]):
    def visible_to(self, person: Person | None) -> StatementQuerySet:
        """All of them for whoever curates; of others, those that people vote on, and one's own."""
        curates = Q(conversation__topic__hub__in=hubs_where(person, "curate statements"))
        if person is None:
            return self.filter(pk__in=self.in_sight(Use.PUBLIC).values("pk"))
        group = Q(conversation__topic__hub__in=hubs_where(person, "read what the group may read"))
        seen = Q(group, pk__in=self.in_sight(Use.GROUP).order_by().values("pk"))
        return self.filter(curates | seen | Q(written_by=person))

    def in_sight(self, use: str) -> StatementQuerySet:
        """Those that people vote on, as far as every voice behind them allows this use now."""
        tied = Statement.voices.through.objects.filter(statement=OuterRef("pk"))
        not_allowed = tied.exclude(voice__in=Voice.objects.for_use(use).order_by().values("pk"))
        return self.filter(~Exists(not_allowed), state=Statement.State.ACCEPTED)

    def waiting(self) -> StatementQuerySet:
        """What a curator has to decide on: what is new, and what lost the words it stood on."""
        return self.filter(state__in=[Statement.State.WAITING, Statement.State.WORDLESS])


class Statement(models.Model):
    """A short sentence that people vote on.

    From a voice it is the curator's wording, shown only while that voice allows it. When the voice is taken out, the
    words go too; a curator then writes it anew in words of their own, or leaves it out.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waits for a curator")
        ACCEPTED = "accepted", _("People vote on it")
        JOINED = "joined", _("Joined to another one")
        REFUSED = "refused", _("Not taken, and why")
        TAKEN_OUT = "taken out", _("Taken out, and why")
        WORDLESS = "wordless", _("Needs new words")  # those that it stood on were taken back

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="statements")
    words = models.CharField(_("the statement"), max_length=LONGEST)
    state = models.CharField(max_length=20, choices=State.choices, default=State.WAITING)
    reason = models.CharField(_("why"), max_length=300, blank=True)
    joined_to = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="joined")
    voices = models.ManyToManyField(
        Voice, related_name="statements", blank=True, db_table="consensus_statement_from_voice"
    )
    written_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    # Who wrote it while voting by the link, with no account: they read there what became of it.
    writer = models.ForeignKey("Voter", models.SET_NULL, null=True, related_name="statements")
    written_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    objects = StatementQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"statement {self.pk}"


class Voter(models.Model):
    """Whose votes belong together in one conversation: a person's, or those of somebody nobody here knows.

    key: with no person, the hash of a secret that only their browser has, or of the line of a table that was brought.
    number: of a sheet of paper that was typed in, to be written on it.
    """

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="voters")
    person = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    key = models.CharField(max_length=64, blank=True)
    number = models.PositiveIntegerField(null=True)
    began_at = models.DateTimeField(default=timezone.now)

    open_to_them: list[
        int
    ]  # once they voted: the ids of what they may vote on, asked for in the same transaction

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "person"], name="one_voter_a_person"),
            models.UniqueConstraint(
                fields=["conversation", "key"], condition=~Q(key=""), name="one_voter_a_key"
            ),
            models.UniqueConstraint(fields=["conversation", "number"], name="one_voter_a_sheet"),
        ]

    def __str__(self) -> str:
        return f"voter {self.pk}"


class VoteQuerySet(models.QuerySet["Vote"]):
    def standing(self) -> VoteQuerySet:
        """What counts: what people vote themselves stands before what was recorded for them."""
        themselves = Vote.objects.filter(voter=OuterRef("voter"), statement=OuterRef("statement"), own=True)
        return self.filter(Q(own=True) | ~Exists(themselves))


class Vote(models.Model):
    """One vote, with how it came, when, and who recorded it: it is its own record.

    Of each kind, their own and what was recorded for them, the last one is kept.
    """

    class Choice(models.IntegerChoices):
        AGREE = 1, _("Agree")
        DISAGREE = -1, _("Disagree")
        PASS = 0, _("Pass")

    class Way(models.TextChoices):
        SCREEN = "screen", _("on their own screen")
        PAPER = "paper", _("on paper")
        PHONE = "phone", _("by phone")
        TRUSTED_PERSON = "trusted person", _("through a trusted person")

    voter = models.ForeignKey(Voter, models.CASCADE, related_name="votes")
    statement = models.ForeignKey(Statement, models.CASCADE, related_name="votes")
    choice = models.SmallIntegerField(choices=Choice.choices)
    way = models.CharField(max_length=20, choices=Way.choices)
    own = models.BooleanField()  # on their own screen: nobody stood between
    recorded_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    counted = models.BooleanField(default=False)  # whether what is found reckons with it: see reckoning.py

    objects = VoteQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["voter", "statement", "own"], name="one_vote_of_each_kind"),
            models.CheckConstraint(condition=Q(choice__in=[-1, 0, 1]), name="a_vote_is_one_of_three"),
            models.CheckConstraint(
                condition=Q(own=True, way="screen") | (Q(own=False) & ~Q(way="screen")),
                name="own_votes_come_by_screen",
            ),
        ]
        indexes = [models.Index(fields=["statement"], condition=Q(counted=False), name="votes_not_counted")]

    def __str__(self) -> str:
        return f"vote {self.pk}"


def new_code() -> str:
    """Of a sheet: no vowels, so that it is no word."""
    return get_random_string(4, "BCDFGHJKMNPRTVWXZ")


class Sheet(models.Model):
    """A sheet to vote on paper, as it was printed: its statements in order. Copies of it have the same code."""

    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="sheets")
    code = models.CharField(max_length=8, default=new_code)
    statements = models.JSONField(default=list)  # their ids
    made_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-made_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["conversation", "code"], name="one_sheet_a_code")]

    def __str__(self) -> str:
        return f"sheet {self.pk}"


class Why(models.Model):
    """Why somebody voted as they did, in their words: a voice; from a visitor what came in, until it is taken in."""

    statement = models.ForeignKey(Statement, models.CASCADE, related_name="whys")
    voice = models.ForeignKey(Voice, models.SET_NULL, null=True, related_name="why")
    incoming = models.ForeignKey("voices.Incoming", models.SET_NULL, null=True, related_name="why")

    def __str__(self) -> str:
        return f"why {self.pk}"


class Reckoned(models.Model):
    """What was found in a conversation's votes, kept so that more votes cost little. See reckoning.py.

    shown: what pages show, renewed only when several people's votes came in, so that nobody's vote can be read off
        the difference. places: where each voter is in it, for that voter alone.
    """

    conversation = models.OneToOneField(Conversation, models.CASCADE, related_name="reckoned")
    votes = models.BinaryField(default=bytes)  # those that are counted, and the components
    priority = models.JSONField(default=dict)  # by statement: what to ask next
    shown = models.JSONField(default=dict)
    shown_at = models.DateTimeField(null=True)
    places = models.BinaryField(default=bytes)
    since_shown = models.JSONField(default=list)  # voters whose votes changed since
    wanted = models.PositiveIntegerField(default=1)  # one more when statements or votes were taken out
    made = models.PositiveIntegerField(default=0)  # what `wanted` was when this was reckoned

    def __str__(self) -> str:
        return f"what was found in conversation {self.conversation_id}"


def people_who_voted(topics: Iterable[int]) -> QuerySet[Voter, Any]:
    """The ids of the people who voted in conversations on these topics: they stand behind them as who spoke does."""
    voters = Voter.objects.filter(conversation__topic__in=list(topics), person__isnull=False)
    return voters.order_by().values("person")
