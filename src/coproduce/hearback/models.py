"""Telling everybody: updates, and the feedback that each person is owed."""

from __future__ import annotations

from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coproduce.changes.models import Change
from coproduce.changes.thread import voices_behind
from coproduce.people.counts import Said, said_to
from coproduce.people.models import Hub, Mandate, Person, Way, name_for
from coproduce.people.permissions import hubs_where
from coproduce.voices.models import Voice, VoiceQuerySet


class Update(models.Model):
    """One thing to tell about a change, in plain words. Writing it owes feedback to everyone behind the change."""

    change = models.ForeignKey(Change, models.CASCADE, related_name="updates")
    title = models.CharField(_("in one line"), max_length=160)
    text = models.TextField(_("what happened, in plain words"))
    written_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    written_at = models.DateTimeField(default=timezone.now)
    stopped_at = models.DateTimeField(
        null=True
    )  # then what is not gone yet stays, until somebody starts it again
    stopped_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-written_at", "-pk"]
        indexes = [models.Index(fields=["change", "-written_at", "-id"])]

    def __str__(self) -> str:
        return self.title


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
        return self.filter(Q(person=person) | Q(update__change__hub__in=hubs_where(person, "tell people")))

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
        """Without what is to be tried again later."""
        return self.filter(Q(not_before__isnull=True) | Q(not_before__lte=timezone.now()))

    def not_in_quiet_hours(self) -> FeedbackQuerySet:
        """Without those whose person, or else whose hub, wants no texts and calls at this time of the day."""
        now = timezone.localtime().time()

        def quiet(start: str, end: str) -> Q:
            in_a_day = Q(**{f"{start}__lt": F(end), f"{start}__lte": now, f"{end}__gt": now})
            over_midnight = Q(**{f"{start}__gt": F(end)}) & (
                Q(**{f"{start}__lte": now}) | Q(**{f"{end}__gt": now})
            )
            return in_a_day | over_midnight

        hub, own = "update__change__hub__quiet", "person__quiet"
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

    class Meta:
        ordering = ["owed_at", "pk"]
        verbose_name_plural = "feedback"
        constraints = [models.UniqueConstraint(fields=["update", "person"], name="one_feedback_a_person")]
        indexes = [
            models.Index(fields=["update", "state"]),
            models.Index(
                fields=["state", "claimed_by"], condition=Q(state="sending"), name="claimed_feedback"
            ),
            models.Index(
                fields=["state"], condition=~Q(state__in=["heard", "sent"]), name="unfinished_feedback"
            ),
        ]

    def __str__(self) -> str:
        return f"update {self.update_id} to person {self.person_id}"

    @property
    def way(self) -> Way | None:
        """The way it is to go now."""
        return self.next_way or self.person.preferred_way


class Attempt(models.Model):
    """One try to reach somebody with one feedback: which way, when, what came of it. Never a word or an address.

    `reference` goes with it and is never used twice, so that the far side can say what became of it; where the far
    side gives it a name of its own, that is `theirs`.
    """

    class Outcome(models.TextChoices):
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

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["kind", "at"]),
            models.Index(
                fields=["outcome", "kind"],
                condition=Q(outcome__in=["begun", "taken", "uncertain"]),
                name="open_attempts",
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.pk}"


class Answer(models.Model):
    """What a person said to "did that answer you?". Words they add are a new voice."""

    feedback = models.OneToOneField(Feedback, models.CASCADE, related_name="answer")
    answered = models.BooleanField(_("did that answer you?"))
    voice = models.ForeignKey(Voice, models.SET_NULL, null=True, blank=True, related_name="answers")
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"answer to {self.feedback}"


class Notice(models.Model):
    """That a trusted person was sent an email about an update they are to pass on. It says no more than that.

    It is written when it is claimed and not before. So nothing waits in a queue that an ended mandate must stop,
    and nobody gets it twice. Without `sent_at` nobody knows whether it went.
    """

    update = models.ForeignKey(Update, models.CASCADE, related_name="notices")
    trusted = models.ForeignKey(Person, models.CASCADE, related_name="+")
    claimed_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["update", "trusted"], name="one_notice_an_update")]

    def __str__(self) -> str:
        return f"notice of update {self.update_id} to person {self.trusted_id}"


def owed_notices(update: int | None = None, trusted: int | None = None) -> list[tuple[int, int]]:
    """The (update, trusted person) of each notice to send now; of those, only for this update or person.

    That is whoever likes email best, has something to pass on under a mandate that stands, and got no email about it.
    """
    by_email = Way.objects.best().filter(person=OuterRef("trusted"), kind=Way.Kind.EMAIL)
    held = Mandate.objects.standing("hear").filter(Exists(by_email))
    if trusted is not None:
        held = held.filter(trusted=trusted)
    owed = Feedback.objects.owed_by(Way.Kind.TRUSTED_PERSON).filter(person__in=held.values("person"))
    if update is not None:
        owed = owed.filter(update=update)
    through: dict[int, list[int]] = {}
    for person, by in held.filter(person__in=owed.values("person")).values_list("person", "trusted"):
        through.setdefault(person, []).append(by)
    pairs = {
        (of, by) for of, person in owed.values_list("update", "person") for by in through.get(person, ())
    }
    told = Notice.objects.filter(update__in={of for of, _by in pairs}).values_list("update", "trusted")
    return sorted(pairs - set(told))


def tally(update: Update) -> dict[str, int]:
    """How many people stand in each state of this update; every state is there. One query on an index."""
    rows = Feedback.objects.filter(update=update).order_by().values_list("state").annotate(Count("pk"))
    return dict.fromkeys(State.values, 0) | dict(rows)


def heard_as_said_to(reader: Person | None, update: Update, heard: int) -> Said:
    """How many have heard an update, as this reader may know it."""
    return said_to(reader, heard, update.change.hub_id, f"people who heard update {update.pk}")


def latecomers(update: Update) -> int:
    """How many people stand behind the change now who are not owed this update yet."""
    known = Feedback.objects.filter(update=update).values("person")
    return (
        voices_behind(update.change)
        .filter(person__isnull=False, person__erasure__isnull=True)
        .exclude(person__in=known)
        .order_by()
        .values("person")
        .distinct()
        .count()
    )


def their_words(feedback: Feedback) -> list[Voice]:
    """What this person said that led to the change, oldest first. Their own words are always theirs to read.

    Not what they took back: whoever makes the letter or the call would see whose it was.
    """
    return list(_their_words(feedback))


def their_words_for(trusted: Person, feedback: Feedback) -> list[Voice]:
    """Of those, what the trusted person wrote down for them or may read anyway. What they told others stays there."""
    may_read = Voice.objects.visible_to(trusted).values("pk")
    return list(_their_words(feedback).filter(Q(through=trusted) | Q(pk__in=may_read)))


def _their_words(feedback: Feedback) -> VoiceQuerySet:
    said = voices_behind(feedback.update.change).filter(person=feedback.person_id, withdrawn_at__isnull=True)
    return said.exclude(words="").order_by("said_on", "pk")
