"""Telling everybody: updates, and the feedback that each person is owed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from functools import cached_property

from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from coproduce.agenda.models import Decision, Topic, voices_on, with_those_below
from coproduce.agenda.models import Stage as TopicStage
from coproduce.changes.models import Change, Review, Step
from coproduce.changes.models import Stage as ChangeStage
from coproduce.changes.thread import people_behind, people_on, topics_behind, voices_behind
from coproduce.glossary.explained import explanations_for
from coproduce.glossary.models import Term
from coproduce.people.counts import Said, said_to
from coproduce.people.models import Hub, Mandate, Person, Way, name_for
from coproduce.people.permissions import hubs_where
from coproduce.voices.models import Voice, VoiceQuerySet


class Update(models.Model):
    """One thing to tell about a change or a topic, in plain words. Writing it owes feedback to everyone behind it.

    What it tells is one of: how far a change has come (`step`), what was found when it was checked again (`review`),
    what the group decided (`decision`); or, with none of them, that people still wait, and why. A round's end will be
    another, once there are rounds: one more link here, and one more row in debt.py.

    Where a hub took up what hubs below it raised, its update goes on to each of them as one of their own
    (`from_above`), on their own topic: so everybody hears in their own hub, and once.
    """

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="+")  # whose change or topic it is
    change = models.ForeignKey(Change, models.CASCADE, null=True, related_name="updates")
    topic = models.ForeignKey(Topic, models.CASCADE, null=True, related_name="updates")
    step = models.ForeignKey(Step, models.CASCADE, null=True, related_name="updates")
    review = models.ForeignKey(Review, models.CASCADE, null=True, related_name="updates")
    decision = models.ForeignKey(Decision, models.CASCADE, null=True, related_name="updates")
    from_above = models.ForeignKey("self", models.CASCADE, null=True, related_name="passed_down")
    title = models.CharField(_("in one line"), max_length=160)
    text = models.TextField(_("what happened, in plain words"))
    quotes = models.ManyToManyField(Voice, related_name="quoted_in", blank=True)
    unchanged = models.TextField(_("what did not change, and why"), blank=True)
    following = models.TextField(_("what comes next"), blank=True)
    following_on = models.DateField(_("by when people hear again"), null=True, blank=True)
    ask = models.TextField(_("who to ask"), blank=True)
    written_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    written_at = models.DateTimeField(default=timezone.now)
    stopped_at = models.DateTimeField(
        null=True
    )  # then what is not gone yet stays, until somebody starts it again
    stopped_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-written_at", "-pk"]
        indexes = [
            models.Index(fields=["change", "-written_at", "-id"]),
            models.Index(fields=["topic", "-written_at", "-id"]),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(change__isnull=False, topic__isnull=True, decision__isnull=True)
                & (Q(step__isnull=True) | Q(review__isnull=True))
                | Q(change__isnull=True, topic__isnull=False, step__isnull=True, review__isnull=True),
                name="an_update_is_about_one_thing",
            ),
            models.UniqueConstraint(
                fields=["from_above", "topic"],
                condition=Q(from_above__isnull=False),
                name="passed_down_once_to_a_topic",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def begun(self) -> Update:
        """The update as it was written: itself, or the one of the hub above that it passes on."""
        return self.from_above or self

    @property
    def about(self) -> Change | Topic:
        """What people stand behind."""
        about = self.change or self.topic
        assert about is not None  # a constraint of the table
        return about

    @property
    def about_path(self) -> str:
        """The page of that, which anybody can read."""
        if self.change_id:
            return reverse("changes:change", args=[self.change_id])
        return reverse("agenda:topic", args=[self.topic_id])

    @property
    def owner(self) -> Person | None:
        """Who sees to it, where it is a change."""
        return self.begun.change.owner if self.begun.change else None

    @property
    def seen_to_by(self) -> Person | None:
        """Whom it concerns that something is not put right: who sees to the change, or whoever wrote it down."""
        begun = self.begun
        news = begun.step or begun.review or begun.decision
        return self.owner or (news.recorded_by if news else self.written_by)

    @property
    def still_waiting(self) -> bool:
        """Whether all it tells is that people still wait, and why."""
        begun = self.begun
        return not (begun.step_id or begun.review_id or begun.decision_id)

    @property
    def says_it_is_done(self) -> bool:
        """Whether it tells that something was put right, so that somebody may say: it is not."""
        begun = self.begun
        if begun.step is not None:
            return begun.step.stage in (ChangeStage.MADE, ChangeStage.PROVEN)
        if begun.review is not None:
            return begun.review.holds
        return begun.decision is not None and begun.decision.stage == TopicStage.DECIDED

    def parts(self) -> list[tuple[str, str]]:
        """All it says after its title, in order: each with its heading ("" for the first)."""
        following = self.following
        if self.following_on:
            when = _t("You will hear from us again by %(day)s.") % {
                "day": date_format(self.following_on, "j F Y")
            }
            following = f"{following}\n\n{when}" if following else when
        parts = [
            ("", self.text),
            (_t("What did not change, and why"), self.unchanged),
            (_t("What comes next"), following),
            (_t("Who to ask"), self.ask),
        ]
        return [(heading, words) for heading, words in parts if words.strip()]

    @cached_property
    def terms(self) -> list[Term]:
        """What its hub explains of the words in it: for the foot of what goes out. Pages explain where they stand."""
        return explanations_for(
            "\n\n".join([self.title, *(words for _heading, words in self.parts())]), self.hub
        )


def voices_behind_update(update: Update, among: Collection[int] | None = None) -> VoiceQuerySet:
    """Every voice behind what an update is about. `among`: only of these voices."""
    if update.change is not None:
        return voices_behind(update.change, among)
    behind = Voice.objects.filter(pk__in=voices_on([update.topic_id or 0]), disowned_at__isnull=True)
    return behind if among is None else behind.filter(pk__in=among)


def topics_behind_update(update: Update) -> list[int]:
    """The topics behind what an update is about, with those of hubs below that were taken up into them."""
    if update.change is not None:
        return topics_behind(update.change)
    return sorted(with_those_below([update.topic_id or 0]))


def people_behind_update(update: Update) -> QuerySet[Person]:
    """Everybody behind what an update is about: who said something that led there, who wants or voted on the topic."""
    return people_on([update.topic_id or 0]) if update.change is None else people_behind(update.change)


def not_owed_yet(update: Update) -> QuerySet[Person]:
    """Of those, whom it is not owed: neither as it was written, nor as it is told in any hub below."""
    begun = update.from_above_id or update.pk
    same = Q(update=begun) | Q(update__from_above=begun)
    known = Feedback.objects.filter(same, person=OuterRef("pk"))
    return people_behind_update(update).filter(~Exists(known), erasure__isnull=True)


def quotes_that_may_go(update: Update) -> VoiceQuerySet:
    """What was said that led there, of which anybody may read it: only that goes into other people's messages."""
    return Voice.objects.for_reading(None).filter(pk__in=voices_behind_update(update)).exclude(words="")


def with_quotes(feedback: Iterable[Feedback]) -> list[Feedback]:
    """Each with the quotes that go with it, all fetched together."""
    feedback = list(feedback)
    chosen = Voice.objects.for_reading(None).exclude(words="")
    links = Update.quotes.through.objects.filter(update__in={each.update_id for each in feedback})
    pairs = list(links.order_by("pk").values_list("update", "voice"))
    known = chosen.in_bulk({voice for _update, voice in pairs}) if pairs else {}
    with_it: dict[int, list[Voice]] = {}
    for update, quote in pairs:
        if quote in known:
            with_it.setdefault(update, []).append(known[quote])
    for each in feedback:
        quotes = with_it.get(each.update_id, [])
        each.quotes = [quote for quote in quotes if quote.person_id != each.person_id]
    return feedback


def quotes_with(feedback: Feedback) -> list[Voice]:
    """The quotes that go with it. Uses what was fetched."""
    if "quotes" in feedback.__dict__:
        return feedback.quotes
    return quotes_for(feedback.update, feedback.person_id)


def quotes_for(update: Update, person: int | None) -> list[Voice]:
    """The quotes that go with an update to this person: those still allowed. Not their own, which they get anyway."""
    if update.pk is None:
        return []
    chosen = Voice.objects.for_reading(None).filter(quoted_in=update).exclude(words="")
    return list(chosen.exclude(person=person) if person else chosen)


class Letters(models.Model):
    """Letters made together: one PDF to print, then to post."""

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="+")
    made_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    pdf = models.FileField(upload_to="letters", blank=True)
    written = models.PositiveIntegerField(
        default=0
    )  # how many of them are ready for the page, while it is being made
    posted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at", "-pk"]
        verbose_name_plural = "letters"

    def __str__(self) -> str:
        return f"letters {self.pk}"


class State(models.TextChoices):
    OWED = "owed", _("Owed")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    HEARD = "heard", _("Heard")
    UNDELIVERABLE = "undeliverable", _("Did not arrive")
    UNCERTAIN = "uncertain", _("Not sure it went")


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    def visible_to(self, person: Person | None) -> FeedbackQuerySet:
        """One's own; and for those who tell people, what their hub's changes owe."""
        if person is None:
            return self.none()
        return self.filter(Q(person=person) | Q(update__hub__in=hubs_where(person, "tell people")))

    def named_for(self, reader: Person | None) -> FeedbackQuerySet:
        """Each with `who`: what this reader may call the person it is owed to."""
        return self.annotate(who=name_for(reader, "person"))

    def with_way(self) -> FeedbackQuerySet:
        """Each with `kind`: the way it went, or while it is owed, the way it is to go now ("" for none)."""
        preferred = Way.objects.best().filter(person=OuterRef("person")).values("kind")[:1]
        return self.annotate(
            kind=Coalesce(
                F("went_by"),
                F("next_way__kind"),
                Subquery(preferred),
                models.Value(""),
                output_field=models.CharField(),
            )
        )

    def owed_by(self, *kinds: str) -> FeedbackQuerySet:
        """What is to go by one of these ways now, and is not in a pile of letters yet, nor stopped."""
        best = Exists(Way.objects.best().filter(person=OuterRef("person"), kind__in=kinds))
        following = Exists(Way.objects.leading().filter(pk=OuterRef("next_way"), kind__in=kinds))
        return self.filter(
            Q(Q(next_way__isnull=True), best) | Q(Q(next_way__isnull=False), following),
            state=State.OWED,
            letters__isnull=True,
            update__stopped_at__isnull=True,
        )

    def owed_by_no_way(self) -> FeedbackQuerySet:
        """What is owed to people nobody knows how to reach. A person has to find out."""
        best = Exists(Way.objects.best().filter(person=OuterRef("person")))
        following = Exists(Way.objects.leading().filter(pk=OuterRef("next_way")))
        return self.filter(
            Q(Q(next_way__isnull=True), ~best) | Q(Q(next_way__isnull=False), ~following),
            state=State.OWED,
            update__stopped_at__isnull=True,
        )

    def due(self) -> FeedbackQuerySet:
        """Without what is to be tried again later, and what a person wants to hear no earlier: see Person.at_most."""
        again = Q(not_before__isnull=True) | Q(not_before__lte=timezone.now())
        late_enough = Q(person__at_most=Person.AtMost.AT_ONCE)
        for at_most, days in ((Person.AtMost.WEEK, 7), (Person.AtMost.MONTH, 30)):
            since = timezone.now() - dt.timedelta(days=days)
            lately = Feedback.objects.filter(person=OuterRef("person"), sent_at__gt=since)
            late_enough |= Q(Q(person__at_most=at_most), ~Exists(lately))
        return self.filter(again, late_enough)

    def not_in_quiet_hours(self) -> FeedbackQuerySet:
        """Without those whose person, or else whose hub, wants no texts and calls at this time of the day."""
        now = timezone.localtime().time()

        def quiet(start: str, end: str) -> Q:
            in_a_day = Q(**{f"{start}__lt": F(end), f"{start}__lte": now, f"{end}__gt": now})
            over_midnight = Q(**{f"{start}__gt": F(end)}) & (
                Q(**{f"{start}__lte": now}) | Q(**{f"{end}__gt": now})
            )
            return in_a_day | over_midnight

        hub, own = "update__hub__quiet", "person__quiet"
        as_the_hub = Q(**{f"{own}_from__isnull": True})
        return self.exclude(
            as_the_hub & quiet(f"{hub}_from", f"{hub}_until")
            | ~as_the_hub & quiet(f"{own}_from", f"{own}_until")
        )

    def owed_through(self, trusted: Person) -> FeedbackQuerySet:
        """What this trusted person is to pass on, while the mandate stands."""
        held = Mandate.objects.standing("hear").filter(person=OuterRef("person"), trusted=trusted)
        return self.owed_by(Way.Kind.TRUSTED_PERSON).filter(Exists(held))


class Feedback(models.Model):
    """An update owed to one person: owed → sending → sent → heard, or undeliverable, or uncertain.

    A worker claims it (`claimed_by`) before it sends. If the worker dies in between, nobody can know whether it
    went, so it becomes uncertain and a person decides; it is never silently sent again.
    """

    update = models.ForeignKey(Update, models.CASCADE, related_name="feedback")
    person = models.ForeignKey(Person, models.CASCADE, related_name="feedback")
    state = models.CharField(max_length=20, choices=State.choices, default=State.OWED)
    went_by = models.CharField(max_length=20, choices=Way.Kind.choices, null=True)  # noqa: DJ001 - null: not gone yet
    owed_at = models.DateTimeField(default=timezone.now)
    # Where the way they like best did not lead to them: the next they gave. See sending.did_not_arrive().
    next_way = models.ForeignKey(Way, models.SET_NULL, null=True, related_name="+")
    not_before = models.DateTimeField(null=True)  # when to ring again
    claimed_by = models.CharField(max_length=64, blank=True)
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    heard_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    problem = models.TextField(blank=True)  # why it did not arrive, as the other side put it
    letters = models.ForeignKey(Letters, models.SET_NULL, null=True, related_name="feedback")
    told_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    objects = FeedbackQuerySet.as_manager()
    who: str  # with named_for()
    quotes: list[Voice]  # with_quotes() fetches them
    said: list[Voice]  # with_their_words() fetches them

    class Meta:
        ordering = ["owed_at", "pk"]
        verbose_name_plural = "feedback"
        constraints = [models.UniqueConstraint(fields=["update", "person"], name="one_feedback_a_person")]
        indexes = [
            models.Index(fields=["update", "state"]),
            models.Index(
                fields=["state", "claimed_by"], condition=Q(state="sending"), name="claimed_feedback"
            ),
            # How long people waited: half of a year's worth is read from the index alone.
            models.Index(
                fields=["heard_at", "owed_at", "update"],
                condition=Q(heard_at__isnull=False),
                name="when_feedback_was_heard",
            ),
            models.Index(fields=["person", "sent_at"]),
            # What is to go, the longest owed first, without sorting a hundred thousand.
            models.Index(fields=["owed_at", "id"], condition=Q(state="owed"), name="owed_feedback"),
            models.Index(
                fields=["state"], condition=~Q(state__in=["heard", "sent"]), name="unfinished_feedback"
            ),
        ]

    def __str__(self) -> str:
        return f"update {self.update_id} to person {self.person_id}"

    @property
    def way(self) -> Way | None:
        """The way it is to go now: owed_by() for one. Uses what was prefetched."""
        return self.person.preferred_way if self.next_way is None else self.next_way


class Attempt(models.Model):
    """One try to reach somebody with one feedback: which way, when, what came of it. Never a word or an address.

    `reference` goes with it and is never used twice, so that the far side can say what became of it; where the far
    side gives it a name of its own, that is `theirs`.
    """

    class Outcome(models.TextChoices):
        READY = "ready", _("about to be sent")
        BEGUN = "begun", _("being sent")
        TAKEN = "taken", _("on its way")
        ARRIVED = "arrived", _("arrived")
        NOT_SENT = "not sent", _("could not be sent then")
        NOT_ARRIVED = "not arrived", _("did not arrive")
        UNCERTAIN = "uncertain", _("not sure it went")
        HEARD = "heard", _("told")
        NO_ANSWER = "no answer", _("no answer")

    feedback = models.ForeignKey(Feedback, models.CASCADE, related_name="attempts")
    way = models.ForeignKey(Way, models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=20, choices=Way.Kind.choices)
    by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")  # nobody: a worker
    at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=20, choices=Outcome.choices, default=Outcome.BEGUN)
    reference = models.CharField(max_length=64, blank=True, db_index=True)  # none where a person tried
    theirs = models.CharField(max_length=100, blank=True)
    went_with = models.ForeignKey(
        "self", models.SET_NULL, null=True, related_name="together"
    )  # in one message

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["kind", "at"]),
            models.Index(
                fields=["outcome", "kind"],
                condition=Q(outcome__in=["ready", "begun", "taken", "uncertain"]),
                name="open_attempts",
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.pk}"


def went_together_with(feedback: Feedback) -> list[Feedback]:
    """What else was in the message that this came in: whoever opens one of its links may open all of them."""
    own = Attempt.objects.filter(feedback=feedback).values("pk")
    with_it = Q(went_with__in=own) | Q(together__in=own)
    first = Attempt.objects.filter(together__in=own).values("pk")
    attempts = Attempt.objects.filter(with_it | Q(went_with__in=first)).exclude(feedback=feedback)
    known = Feedback.objects.filter(pk__in=attempts.values("feedback"), person=feedback.person_id)
    return list(known.select_related("update"))


class Answer(models.Model):
    """What a person said to "did that answer you?". Words they add are a new voice.

    `answered` is None where they wrote back and did not say: what they ask is open until somebody tells them.
    """

    feedback = models.OneToOneField(Feedback, models.CASCADE, related_name="answer")
    answered = models.BooleanField(_("did that answer you?"), null=True)
    not_fixed = models.BooleanField(_("they say it is not put right"), default=False)
    voice = models.ForeignKey(Voice, models.SET_NULL, null=True, blank=True, related_name="answers")
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"answer to {self.feedback}"


class ReplyQuerySet(models.QuerySet["Reply"]):
    def waiting(self) -> ReplyQuerySet:
        """Those that nobody could match: a person has to say what they belong to."""
        return self.filter(outcome="")

    def visible_to(self, person: Person | None) -> ReplyQuerySet:
        """Who tells people reads what came back: from somebody their hub knows, or from an address nobody knows.

        Of the latter nobody can say which hub it is for, so only whoever leads where nothing is above sees it.
        """
        hubs = hubs_where(person, "tell people")
        top = Hub.objects.filter(depth=1, pk__in=hubs)
        return self.filter(Q(hub__in=hubs) | (Q(hub__isnull=True) & Q(Exists(top))))


class Reply(models.Model):
    """What somebody wrote back to a message of ours, as it came and as it was taken.

    `words` is what they wrote, without our message quoted beneath and without a signature; `original` is all of it,
    in case too much was cut off, and goes with them. What could be matched has its feedback; the rest waits for a
    person, and once put aside is forgotten after some months.
    """

    class Outcome(models.TextChoices):
        TAKEN = "taken", _("taken as an answer")
        PUT_ASIDE = "put aside", _("put aside")
        STOPPED = "stopped", _("they want no more this way")

    KEPT_ASIDE = dt.timedelta(days=90)

    came_by = models.CharField(max_length=20, choices=Way.Kind.choices)
    number = models.CharField(
        max_length=64, unique=True
    )  # of the message as its carrier names it, hashed: once is once
    sender = models.CharField(_("who from"), max_length=320)
    original = models.TextField()
    words = models.TextField(_("what they said, in their own words"))
    at = models.DateTimeField(default=timezone.now)
    hub = models.ForeignKey(Hub, models.SET_NULL, null=True, related_name="+")
    person = models.ForeignKey(
        Person, models.SET_NULL, null=True, related_name="+"
    )  # whose address it seems to be
    feedback = models.ForeignKey(Feedback, models.SET_NULL, null=True, related_name="replies")
    voice = models.ForeignKey(Voice, models.SET_NULL, null=True, related_name="+")
    outcome = models.CharField(max_length=20, choices=Outcome.choices, blank=True)
    taken_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    said_back_at = models.DateTimeField(
        null=True
    )  # claimed before it goes, so that nothing is said back twice

    objects = ReplyQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name_plural = "replies"
        indexes = [models.Index(fields=["at"], condition=Q(outcome=""), name="waiting_replies")]

    def __str__(self) -> str:
        return f"reply {self.pk}"


class EnclosedQuerySet(models.QuerySet["Enclosed"]):
    def visible_to(self, person: Person | None) -> EnclosedQuerySet:
        return self.filter(reply__in=Reply.objects.visible_to(person))


class Enclosed(models.Model):
    """A file that came with what somebody wrote back. Without `file` it was not kept: somebody has to ask for it."""

    reply = models.ForeignKey(Reply, models.CASCADE, related_name="enclosed")
    name = models.CharField(max_length=100, blank=True)
    kind = models.CharField(max_length=40, blank=True)  # by its content, not by what it calls itself
    size = models.PositiveIntegerField()  # bytes
    file = models.FileField(upload_to="enclosed", blank=True)
    seen_at = models.DateTimeField(null=True)
    seen_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    objects = EnclosedQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "enclosed"
        indexes = [models.Index(fields=["reply"], condition=Q(seen_at=None), name="enclosed_to_look_at")]

    def __str__(self) -> str:
        return f"enclosed {self.pk}"

    @property
    def what(self) -> str:
        """What it is, as people say it."""
        kinds = {"image": _t("A picture"), "audio": _t("Sound")}
        return kinds.get(self.kind.partition("/")[0], _t("A PDF file"))


class Notice(models.Model):
    """That somebody got word of an update: it says that there is something to see, and no more.

    Either it is a trusted person who is to pass the update on, or who sees to it: somebody says it is not put right.

    It is written when it is claimed and not before. So nothing waits in a queue that an ended mandate must stop,
    and nobody gets it twice. Without `sent_at` nobody knows whether it went.
    """

    class Why(models.TextChoices):
        PASS_ON = "pass on", _("to pass on")
        NOT_FIXED = "not fixed", _("not put right")

    update = models.ForeignKey(Update, models.CASCADE, related_name="notices")
    why = models.CharField(max_length=20, choices=Why.choices, default=Why.PASS_ON)
    trusted = models.ForeignKey(Person, models.CASCADE, related_name="+")
    claimed_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["update", "trusted", "why"], name="one_notice_an_update")
        ]

    def __str__(self) -> str:
        return f"notice of update {self.update_id} to person {self.trusted_id}"


def tally(update: Update) -> dict[str, int]:
    """How many people stand in each state of this update; every state is there. One query on an index."""
    rows = Feedback.objects.filter(update=update).order_by().values_list("state").annotate(Count("pk"))
    return dict.fromkeys(State.values, 0) | dict(rows)


def heard_as_said_to(reader: Person | None, update: Update, heard: int) -> Said:
    """How many have heard an update, as this reader may know it."""
    return said_to(reader, heard, update.hub_id, f"people who heard update {update.pk}")


def latecomers(update: Update) -> int:
    """How many people stand behind it now who are not owed this update yet."""
    return not_owed_yet(update).count()


def their_words(feedback: Feedback) -> list[Voice]:
    """What this person said that led to it, oldest first. Their own words are always theirs to read.

    Not what they took back: whoever makes the letter or the call would see whose it was. Uses what was fetched.
    """
    if "said" in feedback.__dict__:
        return feedback.said
    return list(_their_words(feedback))


def with_their_words(feedback: Iterable[Feedback]) -> list[Feedback]:
    """Each with what its person said that led to it, all fetched together."""
    feedback = list(feedback)
    people = {each.person_id for each in feedback}
    said = Voice.objects.filter(person__in=people, withdrawn_at__isnull=True).exclude(words="")
    theirs = list(said.order_by().values_list("pk", flat=True))
    behind: dict[tuple[int, int | None], list[Voice]] = {}
    for update in {each.update_id: each.update for each in feedback}.values():
        for voice in voices_behind_update(update, theirs).order_by("said_on", "pk"):
            behind.setdefault((update.pk, voice.person_id), []).append(voice)
    for each in feedback:
        each.said = behind.get((each.update_id, each.person_id), [])
    return feedback


def their_words_for(trusted: Person, feedback: Feedback) -> list[Voice]:
    """Of those, what the trusted person wrote down for them or may read anyway. What they told others stays there."""
    may_read = Voice.objects.visible_to(trusted).values("pk")
    return list(_their_words(feedback).filter(Q(through=trusted) | Q(pk__in=may_read)))


def what_they_wanted(feedback: Feedback) -> list[Topic]:
    """The topics that this person wants, of those that led to it."""
    topics = Topic.objects.filter(pk__in=topics_behind_update(feedback.update))
    return list(topics.filter(support__person=feedback.person_id).order_by("pk"))


def _their_words(feedback: Feedback) -> VoiceQuerySet:
    said = Voice.objects.filter(person=feedback.person_id, withdrawn_at__isnull=True).exclude(words="")
    theirs = list(said.order_by().values_list("pk", flat=True))
    return voices_behind_update(feedback.update, theirs).order_by("said_on", "pk")
