"""What was said: stories with their turns, voices (the atom of everything here), and what people allow."""

from __future__ import annotations

import calendar
import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import models
from django.db.models import BooleanField, Case, Count, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from coproduce.engine.quotes import Span
from coproduce.people.models import Act, Hub, Mandate, Membership, Person, name_for
from coproduce.people.permissions import hubs_where, may
from coproduce.voices import search


class StoryQuerySet(models.QuerySet["Story"]):
    def visible_to(self, person: Person | None) -> StoryQuerySet:
        """Whole stories are read by those who keep them, and by those who told them."""
        if person is None:
            return self.none()
        told = Speaker.objects.filter(story=OuterRef("pk"), person=person)
        return self.filter(Q(hub__in=hubs_where(person, "read everything said")) | Exists(told))

    def to_work_on(self, person: Person | None) -> StoryQuerySet:
        """Those that this person may put right and mark."""
        return self.visible_to(person).filter(hub__in=hubs_where(person, "work on stories"))

    def brought_with(self, story: Story) -> StoryQuerySet:
        """Those that came in the same go as this one, and it itself."""
        return self.filter(hub=story.hub_id, added_by=story.added_by_id, added_at=story.added_at)

    def with_counts(self) -> StoryQuerySet:
        """With `turns_in`, how many turns have been taken in so far, and `quotes`, how many are marked."""
        return self.annotate(
            turns_in=_count(Turn.objects.filter(story=OuterRef("pk")), "story"),
            quotes=_count(Voice.objects.filter(turn__story=OuterRef("pk")), "turn__story"),
        )


def _count(rows: models.QuerySet, by: str) -> Coalesce:
    counted = rows.order_by().values(by).annotate(how_many=Count("pk")).values("how_many")
    return Coalesce(Subquery(counted), 0)


def story_path(story: Story, name: str) -> str:
    """Files are kept under a name that says nothing about who told the story."""
    return f"stories/{uuid.uuid4().hex}"


class Story(models.Model):
    """A recorded conversation about lived experience, with its file as given and its transcript in turns."""

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="stories", verbose_name=_("hub"))
    title = models.CharField(_("title"), max_length=200)
    gathered_on = models.DateField(_("when it was told"))
    gathered_by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    file = models.FileField(_("file"), upload_to=story_path)
    file_name = models.CharField(max_length=255)
    turns_expected = models.PositiveIntegerField(default=0)
    added_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)
    parts_at = models.DateTimeField(
        null=True, db_index=True
    )  # parts were looked for; not since words changed: none

    objects = StoryQuerySet.as_manager()

    class Meta:
        ordering = ["-gathered_on", "-pk"]
        verbose_name_plural = "stories"

    def __str__(self) -> str:
        return self.title

    @property
    def is_coming_in(self) -> bool:
        """Whether turns are still being taken in. Uses with_counts() where there is one."""
        taken_in = self.__dict__.get("turns_in")
        return (self.turns.count() if taken_in is None else taken_in) < self.turns_expected


class Speaker(models.Model):
    """Somebody who speaks in a story: as the file names them, and who they are once a person says so."""

    story = models.ForeignKey(Story, models.CASCADE, related_name="speakers")
    label = models.CharField(_("name in the story"), max_length=120)
    person = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="speaks")
    position = models.PositiveSmallIntegerField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)  # words taken out, or kept nameless for good

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["story", "position"], name="one_speaker_a_position")]

    def __str__(self) -> str:
        return self.label


class Turn(models.Model):
    """Who spoke, from when to when, and what. `start_ms`/`end_ms` count from the recording's start."""

    story = models.ForeignKey(Story, models.CASCADE, related_name="turns")
    position = models.PositiveIntegerField()
    speaker = models.ForeignKey(Speaker, models.SET_NULL, null=True, blank=True, related_name="turns")
    text = models.TextField()
    start_ms = models.PositiveBigIntegerField(null=True, blank=True)
    end_ms = models.PositiveBigIntegerField(null=True, blank=True)
    trimmed = models.BooleanField(default=False)  # page furniture that nobody said; the file keeps it
    begins_part = models.BooleanField(default=False)  # the talk turns here, as far as the machine sees

    class Meta:
        ordering = ["position"]
        indexes = [models.Index(fields=["story", "position"])]

    def __str__(self) -> str:
        return f"turn {self.position} of story {self.story_id}"

    @property
    def began(self) -> str:
        """From when, as on a player: "0:41", "1:02:03"."""
        if self.start_ms is None:
            return ""
        minutes, seconds = divmod(self.start_ms // 1000, 60)
        hours, minutes = divmod(minutes, 60)
        return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

    @property
    def seen(self) -> str:
        """Changes when the words change: a page sends it back, so that nobody mends words they never saw."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    def pieces(self) -> list[Piece]:
        """The words cut where quotes begin and end. Uses prefetched quotes where there are any."""
        return cut(self.text, [quote.span for quote in self.quotes.all()])


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words that is all of it kept in quotes, or none of it."""

    text: str
    kept: bool


def cut(text: str, spans: Iterable[Span]) -> list[Piece]:
    """The text in pieces, those in one of the spans apart from the rest. Joined, they are the text."""
    pieces: list[Piece] = []
    at = 0
    for span in sorted(spans, key=lambda span: (span.begins, -span.ends)):
        if span.begins > at:
            pieces.append(Piece(text[at : span.begins], kept=False))
        if span.ends > at:
            pieces.append(Piece(text[max(at, span.begins) : span.ends], kept=True))
            at = span.ends
    if at < len(text):
        pieces.append(Piece(text[at:], kept=False))
    return pieces


def readings_of(person: Person) -> models.QuerySet[Act]:
    """Who has read the stories that this person told, latest first."""
    told = Speaker.objects.filter(person=person).order_by().values("story")
    read = Act.objects.filter(thing=Story._meta.label_lower, verb="read", thing_id__in=told)
    return read.exclude(by=person).filter(by__isnull=False).select_related("by")


def who_may_be_named(by: Person, hub: Hub) -> models.QuerySet[Person]:
    """Whom `by` may name as having spoken: anybody in a hub whose people they know; otherwise themselves."""
    in_hub = Membership.objects.current().filter(
        person=OuterRef("pk"), person__known_through__isnull=True, hub=hub
    )
    if may(by, "read everything said", hub) or may(by, "look after people", hub):
        return Person.objects.filter(Q(pk=by.pk) | Exists(in_hub))
    return Person.objects.filter(pk=by.pk)


class Use(models.TextChoices):
    """What words may be used for."""

    GROUP = "group", _("The group may read them")
    SERVICES = "services", _("Services may read them, without the name")
    PUBLIC = "public", _("Anybody may read them, with the name")

    @property
    def to_whom(self) -> str:
        """Who that is, for a line that names what is allowed."""
        return {
            Use.GROUP: _t("the group"),
            Use.SERVICES: _t("services, without the name"),
            Use.PUBLIC: _t("anybody, with the name"),
        }[self]


class VoiceQuerySet(models.QuerySet["Voice"]):
    def visible_to(self, person: Person | None) -> VoiceQuerySet:
        """What this person may read: their own words, what they keep, and what consent opens to them."""
        may_read = Q(_allowed(Use.PUBLIC))
        if person is not None:
            may_read |= Q(person=person) | Q(hub__in=hubs_where(person, "read everything said"))
            may_read |= Q(through=person, disowned_at__isnull=True) & Q(_stands_between("through"))
            if group := hubs_where(person, "read what the group may read"):
                may_read |= Q(hub__in=group) & Q(_allowed(Use.GROUP))
            if services := hubs_where(person, "read what services may read"):
                may_read |= Q(hub__in=services) & Q(_allowed(Use.SERVICES))
        return self.filter(may_read)

    def for_reading(self, person: Person | None) -> VoiceQuerySet:
        """visible_to, with what a bubble shows: the words as this reader gets them, who said it, how and when.

        Outside the group the words are the masked ones. Who takes part as a service never learns who said it, and
        of what is kept nameless nobody does.
        """
        inside, named = Q(pk__in=[]), Q(_allowed(Use.PUBLIC))
        if person is not None:
            own = Q(person=person)
            inside = own | Q(hub__in=hubs_where(person, "read everything said"))
            inside |= Q(through=person) & Q(_stands_between("through"))
            inside |= Q(hub__in=hubs_where(person, "read what the group may read")) & Q(_allowed(Use.GROUP))
            named &= ~Q(hub__in=hubs_where(person, "read what services may read"))
            named = own | ((inside | named) & Q(withdrawn_at__isnull=True))
        else:
            named &= Q(withdrawn_at__isnull=True)
        return (
            self.visible_to(person)
            .annotate(  # type: ignore[no-redef]
                names_who=Case(When(named, Value(True)), default=False, output_field=BooleanField()),
                who_known=name_for(person, "person", unknown=""),
                words_shown=Case(
                    When(inside, then=F("words")),
                    When(masked="", then=F("words")),
                    default=F("masked"),
                    output_field=models.TextField(),
                ),
            )
            .select_related("person", "hub", "turn__story")
        )

    def for_use(self, use: str) -> VoiceQuerySet:
        """Those whose words are there and allowed for this use now."""
        return self.exclude(words="").filter(_allowed(Use(use)), disowned_at__isnull=True)

    def for_the_machine(self) -> VoiceQuerySet:
        """What may be computed with, whoever reads it afterwards: words that are allowed for anything at all."""
        allowed = Q(_allowed(Use.GROUP)) | Q(_allowed(Use.SERVICES)) | Q(_allowed(Use.PUBLIC))
        return self.exclude(words="").filter(allowed, disowned_at__isnull=True)

    def to_the_letter(self) -> VoiceQuerySet:
        """Of for_reading(), those whose words this reader gets with nothing masked."""
        return self.filter(words_shown=F("words"))

    def partly_masked(self) -> VoiceQuerySet:
        """Of for_reading(), the others."""
        return self.exclude(words_shown=F("words"))

    def saying(self, words: str) -> VoiceQuerySet:
        """Of for_reading(), those with each of these words, as this reader gets them: what is masked can't be found."""
        if not search.terms(words):
            return self.none()
        whole = Q(pk__in=search.having(words, "words"), words_shown=F("words"))
        return self.exclude(words="").filter(
            whole | Q(pk__in=search.having(words, "masked"), words_shown=F("masked"))
        )

    def naming_who(self) -> VoiceQuerySet:
        """Of for_reading(), those of which this reader may know who said them."""
        return self.filter(names_who=True)


def _stands_between(trusted: str) -> Exists:
    """That a mandate to speak stands between who said it and who wrote it down for them."""
    held = Mandate.objects.standing("speak")
    return Exists(held.filter(person=OuterRef("person"), trusted=OuterRef(trusted)))


def _allowed(use: Use) -> Exists:
    return Exists(Consent.objects.filter(voice=OuterRef("pk"), use=use).obeyed(use))


GRACE = 3  # months in which a yes that is due for asking again still counts


def months_ago(months: int) -> dt.datetime:
    """This moment so many months ago; on the last day of a month that is shorter."""
    now = timezone.now()
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return now.replace(year=year, month=month + 1, day=min(now.day, last))


def _limit(grace: int = 0) -> Case:
    """Since when a yes must have been given to be no older than its hub's limit: in one expression, without a query."""
    months = [months for months, _label in Hub._meta.get_field("consent_months").choices or ()]
    return Case(
        *(
            When(voice__hub__consent_months=each, then=Value(months_ago(each + grace)))
            for each in sorted(months)[:-1]
        ),
        default=Value(months_ago(max(months) + grace)),
        output_field=models.DateTimeField(),
    )


class ConsentQuerySet(models.QuerySet["Consent"]):
    def standing(self) -> ConsentQuerySet:
        """Given and not taken back, however long ago."""
        return self.filter(withdrawn_at__isnull=True)

    def obeyed(self, use: str) -> ConsentQuerySet:
        """What opens a voice for this use now. Outside the group a yes lapses some months after the hub's limit."""
        if use == Use.GROUP:
            return self.standing()
        return self.standing().filter(given_at__gt=_limit(GRACE))

    def to_ask_again(self) -> ConsentQuerySet:
        """Yeses for services and for anybody that are older than the hub's limit."""
        outside = self.standing().filter(voice__isnull=False, use__in=[Use.SERVICES, Use.PUBLIC])
        return outside.exclude(voice__words="").filter(given_at__lte=_limit())


class Voice(models.Model):
    """One thing somebody said, in their own words, with how it came.

    A quote is a voice that is a span of a turn: `words == turn.text[begins:ends]`, to the letter.

    One that its person took back has `withdrawn_at`. Either its words are gone and its row keeps the place on the
    thread, so that counts stay true; or its words are kept nameless.
    """

    class Way(models.TextChoices):
        QUOTE = "quote", _("in a story")
        NOTE = "note", _("on the wall of notes")
        CALL = "call", _("by phone")
        EMAIL = "email", _("by email")
        FORM = "form", _("on a form")
        TRUSTED_PERSON = "trusted person", _("through a trusted person")
        MEETING = "meeting", _("at a meeting")
        ANSWER = "answer", _("in answer to us")

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="voices", verbose_name=_("hub"))
    person = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="voices")
    came_by = models.CharField(_("how it came"), max_length=20, choices=Way.choices)
    words = models.TextField(_("what they said, in their own words"))
    masked = models.TextField(_("the words as they leave the group"), blank=True)  # empty: as they are
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    said_on = models.DateField(_("when they said it"))
    taken_by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    taken_at = models.DateTimeField(default=timezone.now)
    through = models.ForeignKey(
        Person, models.SET_NULL, null=True, blank=True, related_name="+"
    )  # who was trusted
    read_back = models.BooleanField(default=False)  # to who said it, by whom they came through
    disowned_at = models.DateTimeField(null=True, blank=True)  # who was to have said it: not my words
    turn = models.ForeignKey(Turn, models.CASCADE, null=True, blank=True, related_name="quotes")
    begins = models.PositiveIntegerField(null=True, blank=True)
    ends = models.PositiveIntegerField(null=True, blank=True)

    objects = VoiceQuerySet.as_manager()
    names_who = False  # for_reading() says otherwise where the reader may know
    words_shown: str  # for_reading() fetches it
    who_known = ""  # and what this reader may call them

    class Meta:
        ordering = ["-said_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(turn__isnull=True, begins__isnull=True, ends__isnull=True)
                | Q(turn__isnull=False, begins__isnull=False, ends__gt=models.F("begins")),
                name="a_quote_has_its_place",
            )
        ]

    def __str__(self) -> str:
        return f"voice {self.pk}"

    @property
    def is_taken_out(self) -> bool:
        """Their words are gone, at their wish. That something was said stays, so that counts stay true."""
        return not self.words

    @property
    def is_nameless(self) -> bool:
        """Kept for good without who said it."""
        return bool(self.words) and self.withdrawn_at is not None

    @property
    def shown(self) -> str:
        """The words as the reader gets them that for_reading() was asked for; else as they leave the group."""
        known: str | None = self.__dict__.get("words_shown")
        return (self.masked or self.words) if known is None else known

    @property
    def who(self) -> str:
        """Who said it, as far as the reader may know."""
        if self.names_who and self.who_known:
            return self.who_known
        return _t("Somebody in %(hub)s") % {"hub": self.hub.name}

    @property
    def span(self) -> Span:
        """Where a quote stands in its turn."""
        if self.begins is None or self.ends is None:
            raise ValueError("only a quote stands in a turn")
        return Span(self.begins, self.ends)


class Consent(models.Model):
    """That somebody allows one use of one voice, of all they said in a story, or of what they say from now on.

    A row without `withdrawn_at` stands now. Rows are never rewritten, so what was allowed when can be told. One that
    ended because somebody was asked again and still said yes is `renewed`: the next row goes on from it.
    """

    voice = models.ForeignKey(Voice, models.CASCADE, null=True, related_name="consents")
    speaker = models.ForeignKey(Speaker, models.CASCADE, null=True, related_name="consents")
    person = models.ForeignKey(Person, models.CASCADE, null=True, related_name="consents")
    use = models.CharField(max_length=20, choices=Use.choices)
    given_at = models.DateTimeField(default=timezone.now)
    given_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    withdrawn_alone = models.BooleanField(default=False)  # for this one voice: then it stays so
    renewed = models.BooleanField(default=False)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        ordering = ["given_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(voice__isnull=False, speaker__isnull=True, person__isnull=True)
                | Q(voice__isnull=True, speaker__isnull=False, person__isnull=True)
                | Q(voice__isnull=True, speaker__isnull=True, person__isnull=False),
                name="consent_is_for_one_thing",
            ),
            models.UniqueConstraint(
                fields=["person", "use"],
                condition=Q(withdrawn_at__isnull=True),
                name="one_standing_consent_a_person",
            ),
            models.UniqueConstraint(
                fields=["voice", "use"],
                condition=Q(withdrawn_at__isnull=True),
                name="one_standing_consent_a_voice",
            ),
            models.UniqueConstraint(
                fields=["speaker", "use"],
                condition=Q(withdrawn_at__isnull=True),
                name="one_standing_consent_a_speaker",
            ),
        ]

    def __str__(self) -> str:
        things = {"voice": self.voice_id, "speaker": self.speaker_id, "person": self.person_id}
        return f"{self.use} for " + "".join(f"{name} {pk}" for name, pk in things.items() if pk)

    @property
    def to_whom(self) -> str:
        return Use(self.use).to_whom


class IncomingQuerySet(models.QuerySet["Incoming"]):
    def visible_to(self, person: Person | None) -> IncomingQuerySet:
        """Only who keeps what is said in that hub. Consent comes later: nobody has read this yet."""
        return self.filter(hub__in=hubs_where(person, "take in what strangers say"))

    def waiting(self) -> IncomingQuerySet:
        return self.filter(outcome="")

    def put_aside(self) -> IncomingQuerySet:
        return self.filter(outcome=Incoming.Outcome.PUT_ASIDE)


class Incoming(models.Model):
    """What a visitor said through the public form, until somebody takes it in or puts it aside.

    Once it is taken in, the words, the name and the way live on as a voice and a person, and no longer here.
    """

    class Outcome(models.TextChoices):
        TAKEN_IN = "taken in", _("taken in")
        PUT_ASIDE = "put aside", _("put aside")

    MOST = 5000  # characters, about two pages
    KEPT_ASIDE = dt.timedelta(days=90)

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="incoming", verbose_name=_("hub"))
    words = models.TextField(_("what they said, in their own words"))
    name = models.CharField(_("what they like to be called"), max_length=120, blank=True)
    way = models.CharField(_("how to reach them"), max_length=200, blank=True)
    uses = models.JSONField(_("what they allow"), default=list)
    checked = models.BooleanField(_("a person, as far as a machine can tell"), default=False)
    at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=20, choices=Outcome.choices, blank=True)
    reason = models.CharField(_("why it was put aside"), max_length=200, blank=True)
    taken_by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    voice = models.ForeignKey(Voice, models.SET_NULL, null=True, blank=True, related_name="came_as")

    objects = IncomingQuerySet.as_manager()

    class Meta:
        ordering = ["-checked", "at"]

    def __str__(self) -> str:
        return f"incoming {self.pk}"

    @property
    def to_whom(self) -> list[str]:
        return [Use(use).to_whom for use in self.uses]


class Carried(models.Model):
    """Something that carried a voice out of the group, or all that a speaker said in a story, once: where to, since
    when, and what was done to recall it.

    Emails and letters are written down when they go, exports when they are made. Public pages follow from consent
    and thread, so nobody writes at each look: `carried()` of each room that has such pages adds the missing rows
    whenever somebody opens the list, and before anything is taken back.
    """

    class Kind(models.TextChoices):
        PAGE = "page", _("page that anybody can read")
        EMAIL = "email", _("email")
        LETTER = "letter", _("letter")
        EXPORT = "export", _("file that somebody took away")
        REPORT = "report", _("report")

    voice = models.ForeignKey(Voice, models.CASCADE, null=True, related_name="carried")
    speaker = models.ForeignKey(Speaker, models.CASCADE, null=True, related_name="carried")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    where = models.CharField(max_length=300)  # a title, or the address of a page here
    path = models.CharField(max_length=200, blank=True)
    who_has_it = models.CharField(max_length=200)
    at = models.DateTimeField(default=timezone.now)
    asked_at = models.DateTimeField(null=True, blank=True)  # when somebody asked them to take it down
    asked_by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["at", "pk"]
        verbose_name_plural = "carried"
        constraints = [
            models.UniqueConstraint(
                fields=["voice", "kind", "where", "path"], name="carried_once_to_a_place"
            ),
            models.UniqueConstraint(
                fields=["speaker", "kind", "where", "path"], name="carried_a_story_once_to_a_place"
            ),
            models.CheckConstraint(
                condition=Q(voice__isnull=False, speaker__isnull=True)
                | Q(voice__isnull=True, speaker__isnull=False),
                name="carried_is_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} with " + (
            f"voice {self.voice_id}" if self.voice_id else f"all of speaker {self.speaker_id}"
        )
