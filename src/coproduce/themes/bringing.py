"""What comes in: work that people did in another tool becomes stories, quotes and themes.

Stories come in as any transcript does, so nobody but who keeps them reads them until those who speak in them say what
they allow. What was brought once is known by its guid: bringing it again changes nothing, whatever people did with
it here since. First a page says what will come; it is worked out by the same plan as taking it in.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coproduce.engine import exchange, transcript
from coproduce.engine.exchange import places
from coproduce.engine.exchange.project import Code, Codebook, Project, Selection, Source, all_codes
from coproduce.engine.quotes import Span
from coproduce.people.actions import record
from coproduce.people.models import Hub, Person
from coproduce.people.permissions import must
from coproduce.themes.actions import make_theme, place
from coproduce.themes.exchange import (
    file_name,
    guid_of,
    name_of_voices,
    placement_guid,
    story_text,
    voices_guid,
)
from coproduce.themes.models import Alias, Brought, Placement, Theme
from coproduce.voices.actions import add_story, mark_quote, take_in_turns
from coproduce.voices.consent import GONE
from coproduce.voices.models import Story, Turn, Use, Voice

AT_ONCE = 100  # more quotes than these, or ten times as many turns, are work for the worker
IN_ONE_GO = 50  # quotes in a transaction: others wait no longer than a second to write
KEPT_FOR = dt.timedelta(days=1)  # a file that nobody said yes to


# What will come


@dataclass(frozen=True)
class Piece:
    """A selection, or the part of one that is in one turn: it becomes one quote."""

    guid: uuid.UUID
    turn: int  # its number in the story
    span: Span
    words: str
    codings: tuple[tuple[uuid.UUID, uuid.UUID], ...]  # guid of the coding, guid of the code


@dataclass
class ComingStory:
    """A text of the project: what it is here, or what will be made of it."""

    source: Source
    story: Story | None = None  # where it is here already
    read: transcript.Transcript | None = None
    pieces: list[Piece] = field(default_factory=list)
    known: dict[uuid.UUID, int] = field(default_factory=dict)  # selections that are voices here: their ids
    problem: str = ""

    @property
    def is_new(self) -> bool:
        return self.story is None and self.read is not None


@dataclass
class ComingTheme:
    """A code: the theme that it is here, or the name of the one to be made."""

    code: Code
    name: str
    theme: Theme | None = None


@dataclass
class Coming:
    """All that will come of a file."""

    origin: str
    stories: list[ComingStory]
    themes: list[ComingTheme]
    left_out: list[str]
    placements: int = 0  # quotes that are here already, and go into one more theme

    @property
    def new_stories(self) -> list[ComingStory]:
        return [each for each in self.stories if each.is_new]

    @property
    def known_stories(self) -> int:
        return sum(each.story is not None for each in self.stories)

    @property
    def new_themes(self) -> list[ComingTheme]:
        return [each for each in self.themes if each.theme is None]

    @property
    def known_themes(self) -> list[ComingTheme]:
        return [each for each in self.themes if each.theme is not None]

    @property
    def quotes(self) -> int:
        return sum(len(each.pieces) for each in self.stories)

    @property
    def turns(self) -> int:
        return sum(len(each.read.turns) for each in self.new_stories if each.read)

    @property
    def is_empty(self) -> bool:
        """Whether nothing of it is new here."""
        return not (self.new_stories or self.new_themes or self.quotes or self.placements)


def what_comes(brought: Brought) -> Coming:
    """Read the file, and work out what will come of it. Changes nothing."""
    with brought.file.open("rb") as file:
        work = exchange.read(file.read())
    return plan(brought.hub, work)


def plan(hub: Hub, work: Project | Codebook) -> Coming:
    known = _Known(hub)
    themes = [_coming_theme(known, code, name) for code, name in names_of(work.codes)]
    if isinstance(work, Codebook):
        return Coming(work.origin, [], themes, [])
    stories, left_out = [], list(work.left_out)
    if work.notes:
        n = len(work.notes)
        left_out.append(ngettext("%(n)d note about the work.", "%(n)d notes about the work.", n) % {"n": n})
    for source in work.sources:
        coming = _coming_story(known, source, left_out)
        if coming.problem:
            left_out.append(_("“%(name)s”: %(problem)s") % {"name": source.name, "problem": coming.problem})
        stories.append(coming)
    return Coming(work.origin, stories, themes, left_out, _more_placements(known, stories, themes))


def _more_placements(known: _Known, stories: list[ComingStory], themes: list[ComingTheme]) -> int:
    here = {each.code.guid: each.theme.pk if each.theme else 0 for each in themes}
    there = set(Placement.objects.filter(theme__hub=known.hub).values_list("theme", "voice"))
    return sum(
        coding.guid not in known.codings
        and coding.code in here
        and (here[coding.code], voice) not in there
        and coding.guid != placement_guid(here[coding.code], voice)
        for story in stories
        for selection in story.source.selections
        if (voice := story.known.get(selection.guid))
        for coding in selection.codings
    )


def names_of(codes: tuple[Code, ...]) -> list[tuple[Code, str]]:
    """Codes as a list of themes, which know no levels: what only holds others is left out, and where two have the
    same name, the name of what each is inside of stands before it."""
    every = [(above, code) for above, code in all_codes(codes) if code.codable]
    often: dict[str, int] = {}
    for _above, code in every:
        often[code.name.casefold()] = often.get(code.name.casefold(), 0) + 1
    found = []
    for above, code in every:
        alone = often[code.name.casefold()] == 1
        name = code.name if alone else ": ".join([*(one.name for one in above), code.name])
        found.append((code, _seen(name).strip()[:160] or _("Without a name")))
    return found


_UNSEEN = re.compile("[\0-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def _seen(text: str) -> str:
    """Without signs that nobody sees and that not every database takes."""
    return _UNSEEN.sub("", text)


class _Known:
    """What a hub has already, by the guids under which other tools may know it."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.stories: dict[uuid.UUID, int] = {}
        self.themes: dict[uuid.UUID, int] = {}
        self.voices: dict[uuid.UUID, int] = {}
        for model, into in ((Story, self.stories), (Theme, self.themes), (Voice, self.voices)):
            for thing in model._default_manager.filter(hub=hub).only("pk"):
                into[guid_of(thing)] = thing.pk
        self.codings: set[uuid.UUID] = set()
        for alias in Alias.objects.filter(hub=hub):
            if alias.theme_id and alias.voice_id:
                self.codings.add(alias.guid)
            elif alias.theme_id:
                self.themes[alias.guid] = alias.theme_id
            elif alias.voice_id:
                self.voices[alias.guid] = alias.voice_id
            elif alias.story_id:
                self.stories[alias.guid] = alias.story_id
        told = Voice.objects.filter(hub=hub, turn__isnull=True).exclude(words="")
        self.told = {places.letters(words): pk for pk, words in told.values_list("pk", "words")}
        themes = Theme.objects.filter(hub=hub, discarded_at__isnull=True).select_related("merged_into")
        # Of two with one name the one that stands by itself.
        self.named = {
            theme.name.casefold(): theme
            for theme in sorted(themes, key=lambda theme: theme.merged_into_id is None)
        }

    def story(self, source: Source) -> Story | None:
        """The story that this is: by its guid; else of the same title and with the same paragraphs, as other tools
        make guids of their own when they pass a project on. Half of them will do: people mend a story, and take words
        out of it, which must not come in again as a new one."""
        if pk := self.stories.get(source.guid):
            return Story.objects.get(pk=pk)
        paragraphs = _paragraphs(source.text)
        for story in Story.objects.filter(hub=self.hub):
            if _title(story.title) != _title(source.name):
                continue
            here = set[str]()
            for turn in story.turns.select_related("speaker"):
                here |= _paragraphs(turn.text)
                here |= _paragraphs(f"{turn.speaker.label}: {turn.text}" if turn.speaker else "")
            here |= _paragraphs(story_text(story, Voice.objects.filter(turn__story=story))[0])
            if 2 * len(paragraphs & here) >= len(paragraphs) > 0:
                return story
        return None


def _title(name: str) -> str:
    """As other tools pass it on: some shorten it."""
    return file_name(name).casefold()[:50].strip()


def _paragraphs(text: str) -> set[str]:
    """The words of each paragraph that is long enough to be told from others."""
    every = {places.letters(each) for each in text.split("\n")}
    return {each for each in every if len(each) > 3 and not each.endswith(GONE)}


def _coming_theme(known: _Known, code: Code, name: str) -> ComingTheme:
    if pk := known.themes.get(code.guid):
        return ComingTheme(code, name, Theme.objects.get(pk=pk))
    return ComingTheme(code, name, known.named.get(name.casefold()))


def _coming_story(known: _Known, source: Source, left_out: list[str]) -> ComingStory:
    coming = ComingStory(source, known.story(source))
    new = []
    for selection in source.selections:
        if pk := known.voices.get(selection.guid):
            coming.known[selection.guid] = pk
        else:
            new.append(selection)
    is_voices = source.guid == voices_guid(known.hub, Use.GROUP)
    if source.name == name_of_voices() and coming.story is None:
        said = {each.guid: places.letters(source.text[each.begins : each.ends]) for each in new}
        if new and all(words in known.told for words in said.values()):
            coming.known |= {guid: known.told[words] for guid, words in said.items()}
            new, is_voices = [], True
    if is_voices or (source.selections and not new and coming.story is None):
        # The text that our own voices went out in is no story.
        if new:
            left_out.append(_lost(source, len(new)))
        return coming
    if coming.story is not None and not new:
        return coming
    try:
        coming.read = transcript.read(source.text.encode("utf-8", "replace"), "text.txt")
    except transcript.NotATranscript as wrong:
        coming.problem = str(wrong)
        return coming
    lost = 0
    turns = list(coming.story.turns.all()) if coming.story else []
    for selection, pieces in _in_turns(source, coming.read, new):
        if coming.story is not None:
            pieces = [here for piece in pieces if (here := _as_it_is_now(piece, turns))]
        coming.pieces += pieces
        lost += not pieces
        if not pieces and coming.story is None:
            coming.known.pop(selection.guid, None)
    if lost:
        left_out.append(_lost(source, lost))
    if coming.story is not None:
        coming.read = None
    return coming


def _lost(source: Source, n: int) -> str:
    return ngettext(
        "“%(name)s”: %(n)d marked place. Its words are not in the text, or not any more.",
        "“%(name)s”: %(n)d marked places. Their words are not in the text, or not any more.",
        n,
    ) % {"name": source.name, "n": n}


def _in_turns(
    source: Source, read: transcript.Transcript, selections: Iterable[Selection]
) -> list[tuple[Selection, list[Piece]]]:
    """Each selection with the pieces of turns that it is, to the letter."""
    to = places.cleaned(source.text, read.source) if read.format == "text" else None
    turns = [(turn.text, turn.begins, turn.ends) for turn in read.turns]
    found = []
    for selection in selections:
        if to is not None:
            here = places.in_turns(turns, read.source, to[selection.begins], to[selection.ends])
        else:  # it was read as subtitles: places can't be counted, words can be found
            one = places.anywhere(
                (turn.text for turn in read.turns), source.text[selection.begins : selection.ends]
            )
            here = [one] if one else []
        pieces = [
            Piece(
                selection.guid if number == 0 else uuid.uuid5(selection.guid, str(number)),
                turn,
                span,
                read.turns[turn].text[span.begins : span.ends],
                tuple((coding.guid if number == 0 else uuid.uuid5(coding.guid, str(number)), coding.code)
                      for coding in selection.codings),
            )
            for number, (turn, span) in enumerate(here)
        ]  # fmt: skip
        found.append((selection, pieces))
    return found


def _as_it_is_now(piece: Piece, turns: list[Turn]) -> Piece | None:
    """The same words in a story that is here already, which somebody may have mended, split or taken words out of."""
    best: tuple[int, int, Span] | None = None
    for number, turn in enumerate(turns):
        if turn.trimmed:
            continue
        near = piece.span.begins if number == piece.turn else 0
        if span := places.by_words(turn.text, piece.words, near):
            # The turn that has the same number, else the first one with these words.
            rank = (number != piece.turn, number)
            if best is None or rank < best[:2]:
                best = (*rank, span)
    if best is None:
        return None
    turn = turns[best[1]]
    return Piece(piece.guid, best[1], best[2], turn.text[best[2].begins : best[2].ends], piece.codings)


# Bringing it, and taking it in


def bring(by: Person, hub: Hub, file_name: str, data: bytes) -> Brought:
    """Keep a file of another tool until somebody says yes to what will come of it.

    Raises exchange.NotFromATool, with what is wrong and what to do, before anything is kept.
    """
    must(by, "work on stories", hub)
    must(by, "make sense", hub)
    exchange.read(data)
    drop_old()
    with transaction.atomic():
        brought = Brought(hub=hub, file_name=_seen(file_name)[:255], brought_by=by)
        brought.file.save("brought", ContentFile(data), save=False)
        brought.save()
        record(by, "bring", brought, hub)
    return brought


def drop_old() -> None:
    """Delete the files that nobody said yes to for a day: whole stories are in them."""
    for old in Brought.objects.waiting().filter(
        told_on__isnull=True, brought_at__lt=timezone.now() - KEPT_FOR
    ):
        _drop_file(old)
        old.delete()


@transaction.atomic
def put_aside(by: Person, brought: Brought) -> None:
    """Nothing of it comes in. The file is deleted."""
    held = _held(by, brought)
    if held.told_on is not None:
        raise ValidationError(_("It is being taken in already."))
    record(by, "put aside", held, held.hub_id)
    _drop_file(held)
    held.delete()


def take_in(by: Person, brought: Brought, told_on: dt.date) -> None:
    """Take in all that will come of it, at once or, if it is much, by the worker.

    told_on: the day the stories were told. Other tools don't say.
    """
    must(by, "work on stories", brought.hub_id)
    if told_on > timezone.localdate():
        raise ValidationError(_("That day is still to come. Write the day the stories were told."))
    if brought.told_on is not None:
        raise ValidationError(_("Somebody said yes to this already."))
    coming = what_comes(brought)
    with transaction.atomic():
        held = _held(by, brought)
        if held.told_on is not None:
            raise ValidationError(_("Somebody said yes to this already."))
        # Who says yes is who brings it in: their name stands on what is made.
        held.told_on, held.total, held.brought_by = told_on, max(1, len(coming.stories)), by
        held.save(update_fields=["told_on", "total", "brought_by"])
        record(by, "take in", held, held.hub_id)
        if coming.quotes > AT_ONCE or coming.turns > AT_ONCE * 10:
            from coproduce.themes.tasks import take_in_brought

            take_in_brought.enqueue(held.pk)
        else:
            go_on(held, coming)
    brought.refresh_from_db()


def go_on(brought: Brought, coming: Coming | None = None) -> None:
    """Take in what is not in yet, a piece in each transaction: it can be stopped and run again."""
    by = brought.brought_by
    if by is None or brought.told_on is None or brought.taken_in_at is not None:
        return
    coming = coming or what_comes(brought)
    with transaction.atomic():
        Hub.objects.select_for_update().get(pk=brought.hub_id)  # one file at a time
        themes, made = _take_in_themes(by, brought.hub, coming)
        _count(brought, themes=made)
    for done, story in enumerate(coming.stories, 1):
        for begin in range(0, max(1, len(story.pieces)), IN_ONE_GO):
            pieces = story.pieces[begin : begin + IN_ONE_GO]
            with transaction.atomic():
                held = Brought.objects.select_for_update().get(pk=brought.pk)
                if held.taken_in_at is not None:
                    return
                Hub.objects.select_for_update().get(pk=brought.hub_id)
                new_story, new_quotes = _take_in_story(by, held, story, pieces, themes)
                held.done = done
                held.save(update_fields=["done"])
                _count(held, stories=new_story, quotes=new_quotes)
    with transaction.atomic():
        held = Brought.objects.select_for_update().get(pk=brought.pk)
        if held.taken_in_at is None:
            held.taken_in_at, held.done = timezone.now(), held.total
            held.save(update_fields=["taken_in_at", "done"])
            _drop_file(held)


def _count(brought: Brought, **new: int) -> None:
    held = Brought.objects.get(pk=brought.pk)
    held.came = held.came | {what: held.came.get(what, 0) + n for what, n in new.items()}
    held.save(update_fields=["came"])


def _take_in_themes(by: Person, hub: Hub, coming: Coming) -> tuple[dict[uuid.UUID, Theme], int]:
    """The theme for each code; where people merged one since, the one that stands for it now, and none where they
    discarded it."""
    themes: dict[uuid.UUID, Theme] = {}
    made = 0
    names: dict[str, Theme] = {}
    for each in coming.themes:
        theme = each.theme or names.get(each.name.casefold())
        if theme is None:
            theme = make_theme(by, hub, each.name, _seen(each.code.description))
            made += 1
        names[each.name.casefold()] = theme
        _remember(hub, each.code.guid, theme=theme)
        while theme.merged_into is not None:
            theme = theme.merged_into
        if theme.discarded_at is None:
            themes[each.code.guid] = theme
    return themes, made


def _take_in_story(
    by: Person, brought: Brought, coming: ComingStory, pieces: list[Piece], themes: dict[uuid.UUID, Theme]
) -> tuple[int, int]:
    """The story, if it is not here yet, and these pieces of it. Returns whether it is new, and how many quotes are."""
    hub, story, new = brought.hub, coming.story, 0
    if story is None and coming.read is not None and brought.told_on is not None:
        if Alias.objects.filter(
            hub=hub, guid=coming.source.guid
        ).exists():  # the pieces before these brought it
            story = Alias.objects.get(hub=hub, guid=coming.source.guid).story
        else:
            text = coming.source.text.encode("utf-8", "replace")
            title = _seen(coming.source.name)[:200] or _("A story")
            story = add_story(by, hub, title, brought.told_on, "text.txt", text)
            take_in_turns(story, coming.read.turns)
            new = 1
    if story is not None:
        _remember(hub, coming.source.guid, story=story)
    placed: dict[int, list[Voice]] = {}
    made = 0
    # Where two selections mark the same words, they are one quote.
    turns = list(story.turns.select_related("story", "speaker__person")) if story and pieces else []
    for piece in pieces:
        turn = turns[piece.turn]
        before = turn.quotes.count()
        voice = mark_quote(by, turn, piece.span)
        made += turn.quotes.count() - before
        _remember(hub, piece.guid, voice=voice)
        _note_placements(hub, piece.codings, voice, themes, placed)
    ours = Voice.objects.filter(pk__in=coming.known.values()).in_bulk()
    for selection in coming.source.selections:
        if ours_here := ours.get(coming.known.get(selection.guid, 0)):
            codings = [(coding.guid, coding.code) for coding in selection.codings]
            _note_placements(hub, codings, ours_here, themes, placed)
    for pk, voices in placed.items():
        theme = next(theme for theme in themes.values() if theme.pk == pk)
        place(by, theme, [voice for voice in voices if voice.words])
    return new, made


def _note_placements(
    hub: Hub,
    codings: Iterable[tuple[uuid.UUID, uuid.UUID]],
    voice: Voice,
    themes: dict[uuid.UUID, Theme],
    placed: dict[int, list[Voice]],
) -> None:
    """Where a voice is to be placed by codings that were not brought before."""
    for guid, code in codings:
        theme = themes.get(code)
        if theme is None or Alias.objects.filter(hub=hub, guid=guid).exists():
            continue
        if guid == placement_guid(
            theme.pk, voice.pk
        ):  # it was here when it went out; if not now, people decided so
            continue
        Alias.objects.create(hub=hub, guid=guid, theme=theme, voice=voice)
        if not Placement.objects.filter(theme=theme, voice=voice).exists():
            placed.setdefault(theme.pk, []).append(voice)


def _remember(
    hub: Hub,
    guid: uuid.UUID,
    story: Story | None = None,
    theme: Theme | None = None,
    voice: Voice | None = None,
) -> None:
    thing = story or theme or voice
    if thing is not None and guid != guid_of(thing):
        Alias.objects.get_or_create(
            hub=hub, guid=guid, defaults={"story": story, "theme": theme, "voice": voice}
        )


def _held(by: Person, brought: Brought) -> Brought:
    """As it stands now, and nobody else's until we are done."""
    must(by, "work on stories", brought.hub_id)
    must(by, "make sense", brought.hub_id)
    held = Brought.objects.select_for_update().filter(pk=brought.pk).first()
    if held is None or held.taken_in_at is not None:
        raise ValidationError(_("This was taken in, or put aside, already."))
    return held


def _drop_file(brought: Brought) -> None:
    """What came of it lives in its stories; the file would be a second copy of them, which no withdrawing reaches."""
    if not brought.file:
        return
    name, storage = str(brought.file.name), brought.file.storage
    Brought.objects.filter(pk=brought.pk).update(file="", file_name="")
    transaction.on_commit(lambda: storage.delete(name))
