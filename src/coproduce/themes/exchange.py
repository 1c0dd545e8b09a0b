"""What goes out: a hub's themes, stories and quotes, for other tools, for tables and for a report.

Everything that goes is what whoever takes it may read, and what is allowed for the use they chose. Who outside the
group gets it, gets masked words and no story: quotes that stand beside each other in one story tell who said them.
Each quote that goes out is on the list of everywhere it went, and so is each speaker whose story goes out whole.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.formats import date_format
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coproduce.engine.exchange import refi, tables, taguette
from coproduce.engine.exchange.project import Code, Codebook, Coding, Project, Selection, Source, User
from coproduce.engine.quotes import Span
from coproduce.people.actions import record
from coproduce.people.models import Hub, Person, name_for
from coproduce.people.permissions import must
from coproduce.themes import findings
from coproduce.themes.models import Alias, KeyMessage, Placement, Theme, families
from coproduce.voices.consent import GONE, carry
from coproduce.voices.models import Carried, Consent, Story, Turn, Use, Voice, VoiceQuerySet


class Format(models.TextChoices):
    """What it is taken away as."""

    REPORT_WORD = "report.docx", gettext_lazy("A findings report, in Word (.docx)")
    REPORT_PDF = "report.pdf", gettext_lazy("A findings report, on paper (PDF)")
    REPORT_PAGE = "report.html", gettext_lazy("A findings report, as a web page (.html)")
    EXCEL = "xlsx", gettext_lazy("Tables, for Excel (.xlsx)")
    CSV = "csv", gettext_lazy("A table of quotes (.csv)")
    PROJECT = (
        "qdpx",
        gettext_lazy("Themes and quotes in their place (.qdpx), for QualCoder, NVivo and the like"),
    )
    TAGUETTE = "sqlite3", gettext_lazy("Themes and quotes in their place (.sqlite3), for Taguette")
    CODEBOOK = "qdc", gettext_lazy("The themes alone (.qdc), for QualCoder, NVivo and the like")
    TAGS = "tags.csv", gettext_lazy("The themes alone (.csv), for Taguette")

    @property
    def is_report(self) -> bool:
        return self.value.startswith("report.")

    @property
    def has_words(self) -> bool:
        """Whether anything that people said is in it."""
        return self not in (Format.CODEBOOK, Format.TAGS)


KINDS = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "html": "application/octet-stream",  # never opened here, where it would be one of our pages
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "qdpx": "application/zip",
    "qdc": "application/xml",
    "sqlite3": "application/vnd.sqlite3",
}


Made = tuple[bytes, set[int], set[int]]
"""What is in a file, the ids of the voices in it, and of the speakers whose story is."""


@dataclass(frozen=True, slots=True)
class File:
    """Something to hand over: its name, what kind it is, and what is in it."""

    name: str
    kind: str
    content: bytes


# What may go


@dataclass(frozen=True)
class Group:
    """A theme with the themes that were merged into it, and which voices people put in each."""

    theme: Theme
    merged: tuple[Theme, ...]
    placed: Mapping[
        int, tuple[int, ...]
    ]  # theme → voices that may go, in the order in which they were put there

    @property
    def voices(self) -> list[int]:
        """All of them once, the theme's own first."""
        members = (self.theme, *self.merged)
        return list(dict.fromkeys(voice for one in members for voice in self.placed.get(one.pk, ())))


@dataclass(frozen=True)
class Going:
    """What may go to somebody for one use, as whoever takes it may read it."""

    by: Person
    hub: Hub
    use: Use
    voices: Mapping[int, Voice]
    groups: tuple[Group, ...]
    messages: tuple[tuple[KeyMessage, tuple[int, ...]], ...]  # each with those of its quotes that may go

    def words(self, voice: Voice) -> str:
        return voice.words if self.use == Use.GROUP else voice.masked or voice.words

    def who(self, voice: Voice) -> str:
        """The name they chose, where it may be said; never to services."""
        named = self.use != Use.SERVICES and voice.withdrawn_at is None
        return getattr(voice, "public_name", "") or "" if named else ""


def quotes_for(by: Person, hub: Hub, use: str) -> VoiceQuerySet:
    """The voices of a hub that are allowed for a use, of those that this person may read, with `public_name`."""
    return (
        Voice.objects.for_reading(by)
        .filter(hub=hub)
        .for_use(use)
        .annotate(public_name=name_for(None, "person", unknown=""))
    )


def going(by: Person, hub: Hub, use: str) -> Going:
    """Themes with no quote that may go are in it only for the group: outside, a name alone could tell of somebody."""
    use = Use(use)
    voices = {voice.pk: voice for voice in quotes_for(by, hub, use).order_by("pk")}
    standing = list(Theme.objects.visible_to(by).standing().filter(hub=hub))
    family = families(theme.pk for theme in standing)
    every = Theme.objects.visible_to(by).in_bulk({pk for members in family.values() for pk in members})
    placed: dict[int, list[int]] = {}
    rows = Placement.objects.filter(theme__in=every, voice__in=Voice.objects.filter(hub=hub))
    for theme, voice in rows.order_by("pk").values_list("theme", "voice"):
        if voice in voices:
            placed.setdefault(theme, []).append(voice)
    groups = [
        Group(
            theme,
            tuple(
                every[pk]
                for pk in sorted(family[theme.pk] - {theme.pk})
                if pk in every and (use == Use.GROUP or pk in placed)
            ),
            {pk: tuple(placed[pk]) for pk in family[theme.pk] if pk in placed},
        )
        for theme in standing
        if use == Use.GROUP or family[theme.pk] & placed.keys()
    ]
    return Going(by, hub, use, voices, tuple(groups), _messages(by, hub, use, voices, groups))


def _messages(
    by: Person, hub: Hub, use: Use, voices: Mapping[int, Voice], groups: Iterable[Group]
) -> tuple[tuple[KeyMessage, tuple[int, ...]], ...]:
    """Those that the group agreed on for this use or a wider one, and that still stand on a quote that may go."""
    wide_enough = list(Use)[list(Use).index(use) :]
    themes = {one.pk for group in groups for one in (group.theme, *group.merged)}
    known = KeyMessage.objects.visible_to(by).agreed().filter(hub=hub, use__in=wide_enough, theme__in=themes)
    found = []
    for message in known.prefetch_related("stands_on"):
        quotes = tuple(each.voice_id for each in message.stands_on.all() if each.voice_id in voices)
        if quotes:
            found.append((message, quotes))
    return tuple(found)


# Taking it away


@transaction.atomic
def take_away(by: Person, hub: Hub, use: str, format: str) -> File:
    """Make a file of a hub's themes and quotes for one use, and write down that each of them went.

    Raises ValidationError where nothing may go for that use.
    """
    must(by, "make sense", hub)
    must(by, "read everything said", hub)
    wanted, made = Format(format), going(by, hub, use)
    if not made.groups and (not wanted.has_words or not made.voices):
        raise ValidationError(
            _("There is nothing to take away for this yet: no theme, and nothing that people allow for it.")
        )
    if not made.groups and wanted in (Format.CODEBOOK, Format.TAGS):
        raise ValidationError(_("There are no themes to take away for this yet."))
    act = record(by, "take away", hub, hub, use=made.use, format=wanted, voices=len(made.voices))
    content, went, whole = _MAKERS[wanted](made)
    title = _("%(what)s of %(hub)s (no. %(n)d)") % {
        "what": _("Findings report") if wanted.is_report else _("Themes and quotes"),
        "hub": hub.name,
        "n": act.pk,
    }
    kind = Carried.Kind.REPORT if wanted.is_report else Carried.Kind.EXPORT
    now = timezone.now()
    things = [{"voice_id": pk} for pk in sorted(went)] + [{"speaker_id": pk} for pk in sorted(whole)]
    carry(Carried(**of, kind=kind, where=title[:300], who_has_it=by.name, at=now) for of in things)
    ending = wanted.value.rpartition(".")[2]
    what = _("findings") if wanted.is_report else _("themes")
    name = (
        f"{slugify(what)}-{slugify(hub.name) or hub.pk}-{made.use}-{timezone.localdate():%Y-%m-%d}.{ending}"
    )
    return File(name, KINDS[ending], content)


# As a project for another tool


def guid_of(thing: models.Model, use: str = Use.GROUP) -> uuid.UUID:
    """The guid of something of ours in what goes out for a use.

    It follows from the installation's key, so it lasts, nobody outside can work it out, and what went to services
    can't be laid beside what went to the public.
    """
    return _guid(f"{use}:{thing._meta.label_lower}:{thing.pk}")


def _guid(of: str) -> uuid.UUID:
    return uuid.UUID(
        bytes=salted_hmac("coproduce.themes.exchange", of, algorithm="sha256").digest()[:16], version=4
    )


class Guids:
    """The guids of a hub's things: what came from another tool keeps, for the group, the one that it came with."""

    def __init__(self, hub: Hub, use: str) -> None:
        self.use = use
        self._brought: dict[tuple[str, int], uuid.UUID] = {}
        if use == Use.GROUP:
            for alias in Alias.objects.filter(hub=hub).order_by("-pk"):
                if alias.theme_id is None or alias.voice_id is None:
                    for name in ("story", "theme", "voice"):
                        if (pk := getattr(alias, f"{name}_id")) is not None:
                            self._brought[name, pk] = alias.guid

    def of(self, thing: models.Model) -> uuid.UUID:
        return self._brought.get((str(thing._meta.model_name), thing.pk)) or guid_of(thing, self.use)


def placement_guid(theme: int, voice: int, use: str = Use.GROUP) -> uuid.UUID:
    """Of the coding that says that people put this voice into this theme."""
    return _guid(f"{use}:placement:{theme}:{voice}")


def voices_guid(hub: Hub, use: str) -> uuid.UUID:
    """Of the text that holds all that was not said in a story."""
    return _guid(f"{use}:voices of hub:{hub.pk}")


def project_of(made: Going) -> tuple[Project, set[int], set[int]]:
    """The whole as a project: themes as codes (merged ones inside the one that stands for them), quotes in place.

    For the group: whole stories, as far as those who speak in them allow the group to read them. For anybody else:
    one text with the quotes, in an order that tells nothing. Returns it with the ids of the voices in it, and of the
    speakers all of whose turns are.
    """
    guids = Guids(made.hub, made.use)
    codings: dict[int, list[Coding]] = {}
    for group in made.groups:
        for theme in (group.theme, *group.merged):
            code = guids.of(theme)
            for voice in group.placed.get(theme.pk, ()):
                coding = placement_guid(theme.pk, voice, made.use)
                codings.setdefault(voice, []).append(Coding(coding, code))
    sources: list[Source] = []
    rest = dict(made.voices)
    whole: set[int] = set()
    if made.use == Use.GROUP:
        for story, quotes in stories_with(rest.values()):
            text, places = story_text(story, quotes)
            if not places:
                continue
            whole |= _allow_all_of(story)
            selections = [
                Selection(guids.of(rest[pk]), *place, tuple(codings.get(pk, ())))
                for pk, place in places.items()
            ]
            sources.append(Source(guids.of(story), file_name(story.title), text, tuple(selections)))
            for pk in places:
                del rest[pk]
    if rest:
        sources.append(_text_of_voices(made, list(rest.values()), guids, codings))
    codes = tuple(
        Code(
            guids.of(group.theme),
            group.theme.name,
            group.theme.about,
            children=tuple(Code(guids.of(one), one.name, one.about) for one in group.merged),
        )
        for group in made.groups
    )
    to_whom = {
        Use.GROUP: _("For the group. Whole stories are in it as far as those who speak in them allow it."),
        Use.SERVICES: _("For services. Without names, and with what could tell who somebody is hidden."),
        Use.PUBLIC: _("For anybody. People are named as they chose."),
    }[made.use]
    name = _("Themes of %(hub)s") % {"hub": made.hub.name}
    users = (User(_guid(f"{made.use}:hub:{made.hub.pk}"), made.hub.name),)
    return Project(name, codes, tuple(sources), users=users, description=to_whom), set(made.voices), whole


def stories_with(quotes: Iterable[Voice]) -> list[tuple[Story, list[Voice]]]:
    """The stories that these voices are quotes of, each with its quotes, in the order in which they were told."""
    of: dict[int, list[Voice]] = {}
    for quote in quotes:
        if quote.turn is not None:
            of.setdefault(quote.turn.story_id, []).append(quote)
    stories = Story.objects.filter(pk__in=of).order_by("gathered_on", "pk")
    return [(story, of[story.pk]) for story in stories]


def story_text(story: Story, quotes: Iterable[Voice]) -> tuple[str, dict[int, tuple[int, int]]]:
    """A story as the group may read it, and where in it each of these quotes stands.

    A turn is in it whole if its speaker allows the group to read the story, but for quotes that they took out of
    that; else only with the quotes given. "…" stands for what is not said.
    """
    given: dict[int, list[Voice]] = {}
    for quote in quotes:
        if quote.turn_id is not None:
            given.setdefault(quote.turn_id, []).append(quote)
    allowed = _allow_all_of(story)
    names = dict(
        story.speakers.filter(person__isnull=False)
        .annotate(public_name=name_for(None, "person"))
        .values_list("pk", "public_name")
    )
    every: QuerySet[Voice] = Voice.objects.only("turn", "begins", "ends")
    turns = story.turns.filter(trimmed=False).select_related("speaker")
    text, places = "", dict[int, tuple[int, int]]()
    silent = False  # whether it says already that somebody spoke there
    for turn in turns.prefetch_related(Prefetch("quotes", every)):
        said = _seen(turn, given.get(turn.pk, []), turn.speaker_id in allowed)
        if not said and silent:
            continue
        silent = not said
        text += "\n\n" if text else ""
        if silent:  # with a name, as every turn: so who reads it can tell turns from one another
            text += f"{_('Somebody')}: {GONE}"
            continue
        if turn.speaker is not None:
            text += f"{names.get(turn.speaker.pk, turn.speaker.label)}: "
        now: dict[Span, int] = {}  # where each stretch of the turn is in the text
        at = 0
        for span in said:
            text += _gap(turn.text[at : span.begins])
            now[span] = len(text)
            text += turn.text[span.begins : span.ends]
            at = span.ends
        text += _gap(turn.text[at:]).rstrip()
        for quote in given.get(turn.pk, []):
            place = quote.span
            span = next(each for each in said if each.begins <= place.begins and place.ends <= each.ends)
            begins = now[span] + place.begins - span.begins
            places[quote.pk] = begins, begins + place.ends - place.begins
    return text, places


def _allow_all_of(story: Story) -> set[int]:
    """The speakers who let the group read all that they said in a story."""
    spoke = Exists(Turn.objects.filter(speaker=OuterRef("speaker"), trimmed=False).exclude(text=""))
    standing = Consent.objects.filter(spoke, speaker__story=story, use=Use.GROUP).standing()
    return {pk for pk in standing.values_list("speaker", flat=True) if pk is not None}


def _gap(hidden: str) -> str:
    """What stands for words that are not said: "…", with the white space that was around them."""
    words = hidden.strip()
    return hidden.replace(words, GONE) if words else hidden


def _seen(turn: Turn, given: list[Voice], whole: bool) -> list[Span]:
    """The stretches of a turn that may be read, in order."""
    may = {quote.pk for quote in given}
    seen = [whole] * len(turn.text)
    for quote in turn.quotes.all():
        if whole and quote.pk not in may:
            seen[quote.begins : quote.ends] = [False] * (quote.span.ends - quote.span.begins)
    for quote in given:
        seen[quote.begins : quote.ends] = [True] * (quote.span.ends - quote.span.begins)
    stretches: list[Span] = []
    at = 0
    while at < len(seen):
        end = at
        while end < len(seen) and seen[end] == seen[at]:
            end += 1
        if seen[at] and turn.text[at:end].strip():
            stretches.append(Span(at, end))
        at = end
    return stretches


def _text_of_voices(
    made: Going, voices: list[Voice], guids: Guids, codings: Mapping[int, list[Coding]]
) -> Source:
    """One text with all of them, a blank line between. For others than the group in an order that tells nothing."""
    if made.use != Use.GROUP:
        voices = sorted(voices, key=lambda voice: guids.of(voice).bytes)
    text, selections = "", list[Selection]()
    for voice in voices:
        text += "\n\n" if text else ""
        who = made.who(voice)
        text += f"{who}: " if who else ""
        words = made.words(voice)
        selections.append(
            Selection(guids.of(voice), len(text), len(text) + len(words), tuple(codings.get(voice.pk, ())))
        )
        text += words
    name = name_of_voices() if made.use == Use.GROUP else _("Quotes")
    return Source(voices_guid(made.hub, made.use), name, text, tuple(selections))


def name_of_voices() -> str:
    """What the text is called that holds all that was not said in a story."""
    return _("What people said")


def file_name(title: str) -> str:
    """Some tools make a file of this name."""
    return " ".join("".join("-" if sign in '/\\:*?"<>|' else sign for sign in title).split()) or _("A story")


def _project(made: Going) -> Made:
    project, went, whole = project_of(made)
    return refi.write_project(project, timezone.now()), went, whole


def _taguette(made: Going) -> Made:
    project, went, whole = project_of(made)
    return taguette.write(project, timezone.now()), went, whole


def _codebook(made: Going) -> Made:
    project, _went, _whole = project_of(made)
    return refi.write_codebook(Codebook(project.codes)), set(), set()


# As tables


def _tags(made: Going) -> Made:
    """As Taguette reads a codebook: a column "tag", and a column "description"."""
    rows = [(group.theme.name, group.theme.about) for group in made.groups]
    return tables.to_csv(("tag", "description"), rows), set(), set()


def _quote_rows(made: Going) -> list[tuple[tables.Cell, ...]]:
    """A row for each quote in each theme; last those in none."""
    themes: dict[int, list[str]] = {}
    for group in made.groups:
        for pk in group.voices:
            themes.setdefault(pk, []).append(group.theme.name)
    voices = list(made.voices.values())
    if made.use != Use.GROUP:  # the order in which things came tells what was said together
        voices.sort(key=lambda voice: guid_of(voice, made.use).bytes)
    rows = [
        (theme, made.words(voice), made.who(voice), str(voice.get_came_by_display()), _when(made, voice))
        for voice in voices
        for theme in themes.get(voice.pk, [""])
    ]
    return sorted(rows, key=lambda row: (row[0] == "", row[0]))


def _when(made: Going, voice: Voice) -> str:
    """The day for the group; the month for anybody else."""
    return voice.said_on.isoformat() if made.use == Use.GROUP else date_format(voice.said_on, "F Y")


def _quote_columns() -> tuple[str, ...]:
    return _("Theme"), _("What they said"), _("Who"), _("How it came"), _("When")


def _csv(made: Going) -> Made:
    return tables.to_csv(_quote_columns(), _quote_rows(made)), set(made.voices), set()


def _excel(made: Going) -> Made:
    themes = [
        (group.theme.name, group.theme.about, ", ".join(one.name for one in group.merged), len(group.voices))
        for group in made.groups
    ]
    messages = [
        (message.words, message.theme.name, made.words(made.voices[quote]), made.who(made.voices[quote]))
        for message, quotes in made.messages
        for quote in quotes
    ]
    about = [
        (_("Hub"), made.hub.name),
        (_("What it may be used for"), made.use.to_whom),
        (_("Made on"), date_format(timezone.localdate(), "j F Y")),
        (_("What is in it"), _("Only what people allow for this use. What others said is not in it.")),
    ]
    sheets = (
        tables.Sheet(_("Quotes"), _quote_columns(), tuple(_quote_rows(made)), (28, 80, 20, 20, 18)),
        tables.Sheet(
            _("Themes"),
            (_("Theme"), _("What it says"), _("Merged into it"), _("Quotes in this file")),
            tuple(themes),
            (28, 60, 30, 20),
        ),
        tables.Sheet(
            _("Key messages"),
            (_("Key message"), _("Theme"), _("A quote it stands on"), _("Who")),
            tuple(messages),
            (60, 28, 80, 20),
        ),
        tables.Sheet(_("About this file"), (_("What"), _("Answer")), tuple(about), (30, 80)),
    )
    return tables.to_excel(sheets), set(made.voices), set()


def _report(made: Going, write: Callable[[findings.Findings], bytes]) -> Made:
    found = findings.of(made)
    return write(found), set(found.voices), set()


_MAKERS: dict[Format, Callable[[Going], Made]] = {
    Format.REPORT_WORD: lambda made: _report(made, findings.to_word),
    Format.REPORT_PDF: lambda made: _report(made, findings.to_paper),
    Format.REPORT_PAGE: lambda made: _report(made, findings.to_page),
    Format.EXCEL: _excel,
    Format.CSV: _csv,
    Format.PROJECT: _project,
    Format.TAGUETTE: _taguette,
    Format.CODEBOOK: _codebook,
    Format.TAGS: _tags,
}
