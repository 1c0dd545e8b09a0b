"""What it means: themes with the voices that each is about, what the machine proposes, and what groups agreed on."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
    Window,
)
from django.db.models.functions import DenseRank
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from coproduce.people.models import Act, Hub, Person
from coproduce.people.permissions import hubs_where
from coproduce.voices.models import Story, Turn, Use, Voice, VoiceQuerySet


class ThemeQuerySet(models.QuerySet["Theme"]):
    def visible_to(self, person: Person | None) -> ThemeQuerySet:
        """Themes are the group's: everybody in the hub reads their names, and their quotes by consent."""
        return self.filter(hub__in=hubs_where(person, "read what the group may read"))

    def standing(self) -> ThemeQuerySet:
        """Themes that were not merged into another and not discarded."""
        return self.filter(merged_into__isnull=True, discarded_at__isnull=True)

    def discarded(self) -> ThemeQuerySet:
        return self.filter(discarded_at__isnull=False)


class Theme(models.Model):
    """What many voices are about, shown by their quotes.

    Merging A into B sets A.merged_into and moves nothing: the voices stay where people put them, so it can be
    told, and undone, which came from where. B's voices are its own and those of every theme merged into it.
    Discarding moves nothing either: its voices count as being in no theme until somebody takes it back.

    The machine writes no row here. What it thinks stands in ProposedTheme and Proposal until people decide.
    """

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="themes", verbose_name=_("hub"))
    name = models.CharField(_("name"), max_length=160)
    about = models.TextField(_("what it says, in a sentence"), blank=True)
    made_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="merged")
    confirmed_at = models.DateTimeField(null=True, blank=True)  # people said: yes, this is a theme of ours
    confirmed_by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    discarded_at = models.DateTimeField(null=True, blank=True)
    discarded_by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    terms = models.JSONField(default=list, blank=True)  # the words that made the machine think so
    voices = models.ManyToManyField(Voice, through="Placement", related_name="themes")

    objects = ThemeQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(merged_into=F("pk")), name="no_theme_is_merged_into_itself")
        ]

    def __str__(self) -> str:
        return self.name


class Placement(models.Model):
    """A voice in a theme, with who put it there."""

    theme = models.ForeignKey(Theme, models.CASCADE, related_name="placements")
    voice = models.ForeignKey(Voice, models.CASCADE, related_name="placements")
    placed_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    placed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["theme", "voice"], name="a_voice_once_in_a_theme")]

    def __str__(self) -> str:
        return f"voice {self.voice_id} in theme {self.theme_id}"


# What people did with a theme: the acts on record, told in words


MOVED_OUT = "take voices out of"


def acts_on(thing: models.Model) -> QuerySet[Act]:
    """What was done with a theme or a key message, latest first."""
    return Act.objects.filter(thing=thing._meta.label_lower, thing_id=thing.pk)


def last_act(theme: models.Model) -> int:
    """The number of the latest; 0 where there is none. A page sends it back, so that nobody undoes unseen what
    somebody else just did."""
    return acts_on(theme).values_list("pk", flat=True).first() or 0


def undone(theme: Theme) -> set[int]:
    """The numbers of the acts on it that were undone."""
    undoing = acts_on(theme).filter(verb="undo a move out of")
    return {detail["act"] for detail in undoing.values_list("detail", flat=True)}


def told_act(act: Act, reader: Person) -> str:
    """One act in a sentence: "Ify put 3 voices in, at 10:14." """
    who = act.by.name_for(reader) if act.by else _t("Somebody")
    stood = act.detail.get("stood", {})
    n = len(act.detail.get("voices", ())) or sum(len(voices) for voices in stood.values())
    said = {
        "make": _t("%(who)s made the theme"),
        "name": _t("%(who)s changed its words"),
        "confirm": _t("%(who)s confirmed it"),
        "open again": _t("%(who)s opened it again"),
        "place voices in": ngettext("%(who)s put %(n)d voice in", "%(who)s put %(n)d voices in", n),
        MOVED_OUT: ngettext(
            "%(who)s moved %(n)d voice to another theme", "%(who)s moved %(n)d voices to another theme", n
        )
        if act.detail.get("into")
        else ngettext("%(who)s took %(n)d voice out", "%(who)s took %(n)d voices out", n),
        "give voices back from": ngettext(
            "%(who)s moved %(n)d voice back", "%(who)s moved %(n)d voices back", n
        ),
        "undo a move out of": ngettext("%(who)s put %(n)d voice back", "%(who)s put %(n)d voices back", n),
        "merge": _t("%(who)s merged it into another theme"),
        "merge another into": _t("%(who)s merged another theme into it"),
        "undo the merge of": _t("%(who)s undid a merge"),
        "give a theme back from": _t("%(who)s let a merged theme stand on its own again"),
        "discard": _t("%(who)s discarded it"),
        "undo the discarding of": _t("%(who)s took it back"),
        "agree on": _t("%(who)s wrote down what a session said about it"),
    }.get(act.verb, _t("%(who)s changed something"))
    at = timezone.localtime(act.at)
    when = date_format(at, "H:i") if at.date() == timezone.localdate() else date_format(at, "j F")
    return _t("%(what)s (%(when)s).") % {"what": said % {"who": who, "n": n}, "when": when}


# What the machine thinks, apart from what people decided


def sum_of(words: str) -> str:
    """Tells whether words have changed, without being them."""
    return hashlib.sha256(words.encode()).hexdigest()[:32]


class Meaning(models.Model):
    """A voice as numbers by which the machine tells what is alike. Good only for the words it was made of."""

    voice = models.OneToOneField(Voice, models.CASCADE, related_name="meaning", primary_key=True)
    embedder = models.CharField(max_length=120)
    words_sum = models.CharField(max_length=32)  # sum_of() the words
    vector = models.BinaryField()  # float16, little-endian, of length one
    masked_sum = models.CharField(max_length=32, blank=True)  # the same of the words as they leave the group,
    masked_vector = models.BinaryField(null=True)  # where those are others
    made_at = models.DateTimeField(default=timezone.now)

    only_what_a_machine_thinks = True  # so a quote can still be unmarked

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"meaning of voice {self.pk}"

    def is_of(self, words: str, masked: str) -> bool:
        """Whether it was made of these words, and of these as they leave the group."""
        return (self.words_sum, self.masked_sum) == (sum_of(words), sum_of(masked) if masked else "")


class FindingQuerySet(models.QuerySet["Finding"]):
    def visible_to(self, person: Person | None) -> FindingQuerySet:
        return self.filter(hub__in=hubs_where(person, "make sense"))


class Finding(models.Model):
    """One time that the machine looks for themes in what was said in a hub, and how far it has come."""

    class Step(models.TextChoices):
        WAITING = "waiting", _("Waiting for its turn")
        READING = "reading", _("Reading what people said")
        GROUPING = "grouping", _("Looking for what is alike")
        DONE = "done", _("Done")
        FAILED = "failed", _("It did not work")

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="findings")
    asked_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    step = models.CharField(max_length=20, choices=Step.choices, default=Step.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    way = models.CharField(max_length=40, blank=True)  # how it grouped, and by which embedder
    meaning = models.CharField(max_length=120, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = FindingQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_at", "-pk"]

    def __str__(self) -> str:
        return f"finding {self.pk}"

    @property
    def is_over(self) -> bool:
        return self.finished_at is not None


class ProposedThemeQuerySet(models.QuerySet["ProposedTheme"]):
    def visible_to(self, person: Person | None) -> ProposedThemeQuerySet:
        """What the machine thinks is for those who make sense of it, and who may read all that it is made of: its
        key terms are their words. The group reads what people decided."""
        beyond = Proposal.objects.filter(proposed=OuterRef("pk")).exclude(
            voice__hub__in=hubs_where(person, "read everything said")
        )
        return self.filter(~Exists(beyond), hub__in=hubs_where(person, "make sense"))

    def open(self) -> ProposedThemeQuerySet:
        return self.filter(became__isnull=True, refused_at__isnull=True)


class ProposedTheme(models.Model):
    """Voices that the machine thinks are about the same. People make a theme of them, or say that it is none."""

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="proposed_themes")
    label = models.CharField(max_length=160)  # its key terms; people give it a name
    terms = models.JSONField(default=list)
    sureness = models.FloatField(default=0)  # 0 to 1: what remains of it when a tenth is left out
    made_at = models.DateTimeField(default=timezone.now)
    became = models.ForeignKey(Theme, models.SET_NULL, null=True, blank=True, related_name="proposed_as")
    refused_at = models.DateTimeField(null=True, blank=True)
    refused_by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = ProposedThemeQuerySet.as_manager()

    class Meta:
        ordering = ["-sureness", "pk"]

    def __str__(self) -> str:
        return self.label


class ProposalQuerySet(models.QuerySet["Proposal"]):
    def visible_to(self, person: Person | None) -> ProposalQuerySet:
        readable = hubs_where(person, "read everything said")
        sorts = hubs_where(person, "make sense")
        return self.filter(Q(theme__hub__in=sorts) | Q(proposed__hub__in=sorts), voice__hub__in=readable)

    def open(self) -> ProposalQuerySet:
        """Those that nobody has decided on: not refused, and the voice is not in the theme by now."""
        there = Placement.objects.filter(theme=OuterRef("theme"), voice=OuterRef("voice"))
        return self.filter(~Exists(there), refused_at__isnull=True).exclude(voice__words="")


class Proposal(models.Model):
    """That the machine thinks a voice belongs in a theme, or in a proposed one. A refused one is not made again."""

    voice = models.ForeignKey(Voice, models.CASCADE, related_name="proposals")
    theme = models.ForeignKey(Theme, models.CASCADE, null=True, blank=True, related_name="proposals")
    proposed = models.ForeignKey(
        ProposedTheme, models.CASCADE, null=True, blank=True, related_name="proposals"
    )
    strength = models.FloatField()  # 0 to 1
    stands_for_it = models.BooleanField(default=False)  # one of the few that show a proposed theme
    made_at = models.DateTimeField(default=timezone.now)
    refused_at = models.DateTimeField(null=True, blank=True)
    refused_by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = ProposalQuerySet.as_manager()
    only_what_a_machine_thinks = True

    class Meta:
        ordering = ["-strength", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(theme__isnull=False, proposed__isnull=True)
                | Q(theme__isnull=True, proposed__isnull=False),
                name="proposed_into_one_thing",
            ),
            models.UniqueConstraint(fields=["voice", "theme"], name="proposed_once_into_a_theme"),
            models.UniqueConstraint(fields=["voice", "proposed"], name="proposed_once_into_a_proposed_theme"),
        ]

    def __str__(self) -> str:
        return f"proposal of voice {self.voice_id}"


# What people agreed on, together


class SenseMakingQuerySet(models.QuerySet["SenseMaking"]):
    def visible_to(self, person: Person | None) -> SenseMakingQuerySet:
        """A session and what came of it are the group's."""
        return self.filter(hub__in=hubs_where(person, "read what the group may read"))


class SenseMaking(models.Model):
    """A session in which those who told the stories say whether the themes are right."""

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="sense_makings", verbose_name=_("hub"))
    name = models.CharField(_("name"), max_length=160)
    on = models.DateField(_("day"))
    place = models.CharField(_("time and place"), max_length=200, blank=True)
    stories = models.ManyToManyField(Story, related_name="sense_makings", blank=True)
    themes = models.ManyToManyField(Theme, related_name="sense_makings", blank=True)
    made_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)

    objects = SenseMakingQuerySet.as_manager()

    class Meta:
        ordering = ["-on", "-pk"]

    def __str__(self) -> str:
        return self.name


class Invited(models.Model):
    """That somebody is invited to a session: when they were told, and whether they came."""

    session = models.ForeignKey(SenseMaking, models.CASCADE, related_name="invited")
    person = models.ForeignKey(Person, models.CASCADE, related_name="invited_to")
    told_at = models.DateTimeField(null=True, blank=True)
    came = models.BooleanField(default=False)

    class Meta:
        ordering = ["person__name", "pk"]
        constraints = [models.UniqueConstraint(fields=["session", "person"], name="invited_once")]

    def __str__(self) -> str:
        return f"person {self.person_id} invited to session {self.session_id}"


class Outcome(models.Model):
    """What the people at a session said about one theme."""

    class Kind(models.TextChoices):
        AGREED = "agreed", _("Agreed")
        RENAMED = "renamed", _("Renamed")
        REFUSED = "refused", _("Refused")

    session = models.ForeignKey(SenseMaking, models.CASCADE, related_name="outcomes")
    theme = models.ForeignKey(Theme, models.CASCADE, related_name="outcomes")
    kind = models.CharField(_("what they said"), max_length=20, choices=Kind.choices)
    name_before = models.CharField(max_length=160, blank=True)  # where it was renamed
    note = models.TextField(_("in their own words"), blank=True)
    recorded_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["recorded_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["session", "theme"], name="one_outcome_a_theme")]

    def __str__(self) -> str:
        return f"{self.kind}: theme {self.theme_id} at session {self.session_id}"


class KeyMessageQuerySet(models.QuerySet["KeyMessage"]):
    def visible_to(self, person: Person | None) -> KeyMessageQuerySet:
        """A key message is the group's; its quotes are read by consent."""
        return self.filter(hub__in=hubs_where(person, "read what the group may read"))

    def agreed(self) -> KeyMessageQuerySet:
        return self.filter(agreed_on__isnull=False)


class KeyMessage(models.Model):
    """One sentence that the group agrees a theme says, standing on named quotes."""

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="key_messages", verbose_name=_("hub"))
    theme = models.ForeignKey(Theme, models.CASCADE, related_name="key_messages")
    words = models.CharField(_("what it says, in one sentence"), max_length=300)
    use = models.CharField(_("who it is for"), max_length=20, choices=Use.choices, default=Use.GROUP)
    quotes = models.ManyToManyField(Voice, through="KeyMessageQuote", related_name="key_messages")
    agreed_on = models.DateField(_("when the group agreed"), null=True, blank=True)
    agreed_at = models.ForeignKey(
        SenseMaking, models.SET_NULL, null=True, blank=True, related_name="key_messages"
    )  # the session, where it was at one
    made_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)

    objects = KeyMessageQuerySet.as_manager()

    class Meta:
        ordering = ["theme__name", "pk"]

    def __str__(self) -> str:
        return self.words


class KeyMessageQuote(models.Model):
    """A quote that a key message stands on. It was allowed for the message's use when it was chosen; whether it
    still is, ask `for_use()`."""

    key_message = models.ForeignKey(KeyMessage, models.CASCADE, related_name="stands_on")
    voice = models.ForeignKey(Voice, models.CASCADE, related_name="stood_on")
    chosen_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    chosen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["key_message", "voice"], name="a_quote_once_a_message")
        ]

    def __str__(self) -> str:
        return f"voice {self.voice_id} under key message {self.key_message_id}"


# The thread from voices to themes. Each room answers for its own stretch of it.


def with_merged(themes: Iterable[int]) -> set[int]:
    """These themes and all that was merged into them. One query for each level of merging."""
    all_themes = level = set(themes)
    while level:
        level = set(Theme.objects.filter(merged_into__in=level).values_list("pk", flat=True)) - all_themes
        all_themes = all_themes | level
    return all_themes


def lines_of_merging(themes: Iterable[int]) -> dict[int, list[int]]:
    """For each theme the way that merging took it: itself first, the theme that stands for it now last."""
    lines = {pk: [pk] for pk in themes}
    level = set(lines)
    while level:
        merged = _merged_into(pk__in=level)
        for line in lines.values():
            if line[-1] in merged:
                line.append(merged[line[-1]])
        level = set(merged.values())
    return lines


def _merged_into(**which: Any) -> dict[int, int]:
    pairs = (
        Theme.objects.filter(merged_into__isnull=False, **which).order_by().values_list("pk", "merged_into")
    )
    return {pk: into for pk, into in pairs if into is not None}


def voices_in(themes: Iterable[int]) -> QuerySet[Placement, Any]:
    """The ids of the voices in these themes, merged ones included, for use in `voice id in (…)`."""
    return Placement.objects.filter(theme__in=with_merged(themes)).order_by().values("voice")


def families(themes: Iterable[int]) -> dict[int, set[int]]:
    """For each theme itself and all that was merged into it. One query for each level of merging."""
    found = {pk: {pk} for pk in themes}
    holds: dict[int, set[int]] = {pk: {pk} for pk in found}  # theme → which of the wanted it belongs to
    level = set(found)
    while level:
        merged = _merged_into(merged_into__in=level)
        level = set()
        for pk, into in merged.items():
            belongs = holds[into] - holds.get(pk, set())
            if belongs:
                holds[pk] = holds.get(pk, set()) | belongs
                level.add(pk)
                for wanted in belongs:
                    found[wanted].add(pk)
    return found


def voice_counts(themes: Iterable[int]) -> dict[int, int]:
    """How many voices each theme has, merged ones included. As many queries for many as for one."""
    family = families(themes)
    alone = [pk for pk, members in family.items() if len(members) == 1]
    together = {member for members in family.values() if len(members) > 1 for member in members}
    rows = Placement.objects.filter(theme__in=alone).order_by().values_list("theme").annotate(Count("pk"))
    placed: dict[int, set[int]] = {}
    for theme, voice in Placement.objects.filter(theme__in=together).order_by().values_list("theme", "voice"):
        placed.setdefault(theme, set()).add(voice)
    return {
        pk: len(set().union(*(placed.get(member, ()) for member in members)))
        for pk, members in family.items()
    } | dict(rows)


def some_voices(themes: Iterable[int], person: Person | None, each: int = 3) -> dict[int, list[Voice]]:
    """For each theme the newest few of its voices that this person may read."""
    family = families(themes)
    stands_for = {member: pk for pk, members in family.items() for member in members}
    if not stands_for:
        return {}
    merged = [When(theme=member, then=Value(pk)) for member, pk in stands_for.items() if member != pk]
    newest = (
        Placement.objects.filter(
            Exists(Voice.objects.visible_to(person).filter(pk=OuterRef("voice"))), theme__in=stands_for
        )
        .annotate(stands=Case(*merged, default=F("theme"), output_field=BigIntegerField()))
        # A voice that two merged themes share is one: dense ranks count it once.
        .annotate(rank=Window(DenseRank(), partition_by=F("stands"), order_by=F("voice").desc()))
        .filter(rank__lte=each)
        .order_by("stands", "-voice")
        .values_list("stands", "voice")
    )
    pairs = list(dict.fromkeys(newest))
    known = Voice.objects.for_reading(person).in_bulk({voice for _theme, voice in pairs})
    shown: dict[int, list[Voice]] = {pk: [] for pk in family}
    for theme, voice in pairs:
        if voice in known:
            shown[theme].append(known[voice])
    return shown


def came_with(theme: Theme, voices: Iterable[int]) -> dict[int, Theme]:
    """For each of the voices that stands in the theme only by a merge, the theme it came with."""
    members = with_merged([theme.pk])
    rows = (
        Placement.objects.filter(theme__in=members, voice__in=list(voices))
        .select_related("theme")
        .order_by("pk")
    )
    own = {row.voice_id for row in rows if row.theme_id == theme.pk}
    return {row.voice_id: row.theme for row in rows if row.voice_id not in own}


def placed() -> Exists:
    """That a voice stands in a theme which nobody discarded: one of a filter on voices."""
    return Exists(Placement.objects.filter(voice=OuterRef("pk"), theme__discarded_at__isnull=True))


def in_no_theme(person: Person | None) -> VoiceQuerySet:
    """Voices in no theme, of the hubs where this person makes sense: what they could still put in one."""
    return (
        Voice.objects.for_reading(person)
        .exclude(words="")
        .filter(~placed(), hub__in=hubs_where(person, "make sense"))
    )


@dataclass(frozen=True)
class Around:
    """What was said just before and after a quote, and where it stands in its turn."""

    before: Turn | None
    after: Turn | None
    turn: Turn


def turns_around(voices: Iterable[Voice], person: Person | None) -> dict[int, Around]:
    """For each quote from a story that this person may read, the turns around it. Two queries, for any number."""
    quotes = [voice for voice in voices if voice.turn is not None and voice.words]
    stories = {voice.turn.story_id for voice in quotes if voice.turn}
    readable = set(
        Story.objects.visible_to(person).filter(pk__in=stories).order_by().values_list("pk", flat=True)
    )
    places = {
        (voice.turn.story_id, voice.turn.position + step)
        for voice in quotes
        if voice.turn and voice.turn.story_id in readable
        for step in (-1, 1)
    }
    if not places:
        return {}
    asked = Q(*(Q(story=story, position=place) for story, place in places), _connector=Q.OR)
    turns = Turn.objects.filter(asked, trimmed=False).exclude(text="").order_by().select_related("speaker")
    known = {(turn.story_id, turn.position): turn for turn in turns}
    return {
        voice.pk: Around(
            before=known.get((voice.turn.story_id, voice.turn.position - 1)),
            after=known.get((voice.turn.story_id, voice.turn.position + 1)),
            turn=voice.turn,
        )
        for voice in quotes
        if voice.turn and voice.turn.story_id in readable
    }


def messages_with_quotes(
    messages: QuerySet[KeyMessage], person: Person | None
) -> list[tuple[KeyMessage, list[Voice], int]]:
    """Each key message with those of its quotes that this person may read and that are still allowed for its use,
    and how many more it stands on. As many queries for many as for one."""
    found = list(messages.select_related("theme", "agreed_at").prefetch_related("stands_on"))
    wanted = {one.voice_id for message in found for one in message.stands_on.all()}
    readable = Voice.objects.for_reading(person).filter(pk__in=wanted).in_bulk()
    allowed = {
        use: set(Voice.objects.filter(pk__in=wanted).for_use(use).values_list("pk", flat=True))
        for use in {message.use for message in found}
    }
    rows = []
    for message in found:
        quotes = [one.voice_id for one in message.stands_on.all()]
        shown = [readable[pk] for pk in quotes if pk in readable and pk in allowed[message.use]]
        rows.append((message, shown, len(quotes) - len(shown)))
    return rows


@dataclass(frozen=True)
class Heard:
    """A quote as it is read out to a group: without who said it. Who did may sit in the room, and may say so."""

    words: str
    how: str
    said_on: dt.date


def heard_in_the_room(session: SenseMaking, theme: Theme, most: int) -> list[Heard]:
    """Quotes of a theme that the group of the session may read, newest first: those of its own hub to the letter,
    those of other hubs only where they are public, as they leave that group."""
    voices = Voice.objects.filter(pk__in=voices_in([theme.pk]))
    own = Q(pk__in=voices.for_use(Use.GROUP).filter(hub=session.hub_id).order_by().values("pk"))
    public = Q(pk__in=voices.for_use(Use.PUBLIC).order_by().values("pk"))
    return [
        Heard(
            voice.words if voice.hub_id == session.hub_id else voice.masked or voice.words,
            str(voice.get_came_by_display()),
            voice.said_on,
        )
        for voice in voices.filter(own | public)[:most]
    ]


# Work that people did in another tool


def brought_path(brought: Brought, name: str) -> str:
    """Files are kept under a name that says nothing about what is in them."""
    return f"brought/{uuid.uuid4().hex}"


class BroughtQuerySet(models.QuerySet["Brought"]):
    def visible_to(self, person: Person | None) -> BroughtQuerySet:
        """Whole stories are in it: it is for those who keep such stories and make sense of them."""
        keeps, sorts = hubs_where(person, "work on stories"), hubs_where(person, "make sense")
        return self.filter(hub__in=keeps & sorts)

    def waiting(self) -> BroughtQuerySet:
        return self.filter(taken_in_at__isnull=True)


class Brought(models.Model):
    """Work that somebody brought from another tool: its file, until all of it is taken in or put aside.

    What came in of it lives on as stories, quotes and themes, and the file is deleted.
    """

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="brought", verbose_name=_("hub"))
    file = models.FileField(_("file"), upload_to=brought_path)
    file_name = models.CharField(max_length=255, blank=True)
    brought_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    brought_at = models.DateTimeField(default=timezone.now)
    told_on = models.DateField(_("when the stories were told"), null=True, blank=True)  # said: take it in
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    came = models.JSONField(default=dict)  # how many stories, quotes and themes are new by it
    taken_in_at = models.DateTimeField(null=True, blank=True)

    objects = BroughtQuerySet.as_manager()

    class Meta:
        ordering = ["-brought_at", "-pk"]
        verbose_name_plural = "brought"

    def __str__(self) -> str:
        return f"work brought from elsewhere {self.pk}"


class Alias(models.Model):
    """The guid by which another tool knows a story, a theme or a quote of ours; with theme and quote both, that it
    put the one into the other. What was brought once is not brought again, whatever became of it here."""

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="+")
    guid = models.UUIDField()
    story = models.ForeignKey(Story, models.CASCADE, null=True, related_name="+")
    theme = models.ForeignKey(Theme, models.CASCADE, null=True, related_name="+")
    voice = models.ForeignKey(Voice, models.CASCADE, null=True, related_name="+")

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "aliases"
        constraints = [
            models.UniqueConstraint(fields=["hub", "guid"], name="one_alias_a_guid"),
            models.CheckConstraint(
                condition=Q(story__isnull=False, theme__isnull=True, voice__isnull=True)
                | Q(story__isnull=True, theme__isnull=False)
                | Q(story__isnull=True, voice__isnull=False),
                name="alias_of_something",
            ),
        ]

    def __str__(self) -> str:
        return f"alias {self.pk}"
