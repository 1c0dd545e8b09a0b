"""What was found, said in words to one reader: what everybody agrees on, where groups differ, how sure, who is missing.

Shares are said to the nearest twentieth, so that one vote more or less is rarely seen. Inside the group numbers of
people are as they are; outside they come from people/counts.py, what fewer than eleven voted on is not shown, and a
share goes from 5 to 95 in 100, so that nobody reads of all that they said the same. An
opinion group of fewer than eleven people is shown to nobody; where one is hidden, nobody is told how large the others
are, or it could be found by taking away.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coproduce.consensus.models import Conversation, Reckoned, Statement, Vote, Why, use_for
from coproduce.consensus.picture import Map, draw
from coproduce.people.counts import SMALL, Said, is_of_the_group, said_to
from coproduce.people.models import Hub, Person, hub_and_below
from coproduce.voices.models import Voice

LETTERS = "ABCDE"
WHYS = 2  # voices beneath a statement
MOST = 5  # statements of a kind on the page: the table has them all
STEP = 5  # hundredths
STEADY, FAIRLY = 0.9, 0.75  # as in engine/consensus/report.py


def share(part: int, whole: int) -> int:
    """Hundredths, to the nearest five: not 0 while there is one, nor 100 while one is missing."""
    if part in (0, whole) or not whole:
        return 100 if part and part == whole else 0
    return min(max(STEP * round(100 * part / whole / STEP), STEP), 100 - STEP)


@dataclass(frozen=True)
class Line:
    """One statement as it stands on the page: its words, the sentence with the numbers behind it, and why people say
    so, as far as this reader may read it."""

    statement: Statement
    sentence: str
    agrees: bool = True
    whys: list[Voice] = field(default_factory=list)


@dataclass(frozen=True)
class Row:
    """One statement in the table; cells None where too few people voted."""

    statement: Statement
    agree: int | None
    disagree: int | None
    passed: int | None
    people: Said | None
    groups: list[int | None]


@dataclass(frozen=True)
class Group:
    """An opinion group that is shown: its place among the groups, its letter, and what sets it apart."""

    number: int
    letter: str
    people: str
    lines: list[Line]


@dataclass(frozen=True)
class Missing:
    """How many people came by one way, or from one hub."""

    label: str
    said: Said


@dataclass
class Told:
    """The page about a result. `nothing`: why there is none yet."""

    nothing: str = ""
    lead: str = ""
    every_group: bool = False  # whether there are several groups, so that "every group" means something
    shared: list[Line] = field(default_factory=list)
    most: list[Line] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    number_of_groups: int = 0
    hides: bool = False
    map: Map | None = None
    sure: str = ""
    sure_numbers: str = ""
    ways: list[Missing] = field(default_factory=list)
    hubs: list[Missing] = field(default_factory=list)
    nobody_by: list[str] = field(default_factory=list)
    nobody_from: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


def told_to(reader: Person | None, conversation: Conversation, kept: Reckoned | None) -> Told:
    """What is shown of a conversation, as this reader may know it."""
    if kept is None or not kept.shown:
        return Told(nothing=_("When five people have voted, you see here what they share."))
    return _Telling(reader, conversation, kept.shown).tell()


class _Telling:
    def __init__(self, reader: Person | None, conversation: Conversation, shown: dict) -> None:
        hub = conversation.topic.hub
        self.reader, self.conversation, self.shown, self.hub = reader, conversation, shown, hub
        self.inside = is_of_the_group(reader, hub)
        seen = Statement.objects.in_sight(use_for(reader, hub)).filter(conversation=conversation)
        self.statements = {pk: each for pk, each in seen.in_bulk().items() if str(pk) in shown["statements"]}
        self.whys = _whys(reader, self.statements)
        self.open_groups = [n for n, group in enumerate(shown["groups"]) if group["size"] >= SMALL]
        self.hides = len(self.open_groups) < len(shown["groups"])

    def tell(self) -> Told:
        shown = self.shown
        if not self.inside and shown["people"] < SMALL:
            return Told(nothing=_("When more people have voted, you see here what they share."))
        people = self._said(shown["people"], "people")
        groups = len(shown["groups"])
        told = Told(
            lead=_("%(people)s voted on %(statements)s.")
            % {"people": _capital(people.people), "statements": _statements(len(self.statements))},
            every_group=groups > 1,
            shared=self._shared(shown["ground"]),
            groups=[self._group(number) for number in self.open_groups],
            number_of_groups=groups,
            hides=self.hides,
            map=draw(shown["groups"], self.open_groups) if self.open_groups else None,
            rows=self._rows(),
        )
        known = {line.statement.pk for line in told.shared}
        told.most = self._shared([pick for pick in shown["most"] if pick[0] not in known])
        if groups > 1:
            told.sure, told.sure_numbers = self._sure()
        self._who_is_missing(told)
        return told

    def _said(self, number: int, what: str) -> Said:
        return said_to(self.reader, number, self.hub, f"{what} in conversation {self.conversation.pk}")

    def _share(self, part: int, whole: int) -> int:
        said = share(part, whole)
        return said if self.inside else min(max(said, STEP), 100 - STEP)

    def _enough(self, people: int) -> bool:
        """Whether a share of so many people may be told."""
        return people > 0 if self.inside else people >= SMALL

    def _shared(self, picks: list) -> list[Line]:
        lines = [self._line(pk, agrees) for pk, agrees in picks]
        return [line for line in lines if line is not None][:MOST]

    def _line(self, pk: int, agrees: bool) -> Line | None:
        statement = self.statements.get(pk)
        if statement is None:
            return None
        found = self.shown["statements"][str(pk)]
        agree, disagree, seen = found["all"]
        if not self._enough(seen):
            return None
        words = {
            "share": self._share(agree if agrees else disagree, seen),
            "people": self._said(seen, f"people on statement {pk}").people,
        }
        sentence = (
            _("%(share)d%% of the %(people)s who voted on this agree.")
            if agrees
            else _("%(share)d%% of the %(people)s who voted on this disagree.")
        ) % words
        each = []
        for number in self.open_groups:
            in_agree, in_disagree, in_seen = found["groups"][number]
            if in_seen >= SMALL:
                part = self._share(in_agree if agrees else in_disagree, in_seen)
                each.append(_("%(share)d%% in group %(letter)s") % {"share": part, "letter": LETTERS[number]})
        if len(each) > 1:
            sentence += " " + _("That is %(parts)s.") % {"parts": _and(each)}
        return Line(statement, sentence, agrees, self.whys.get(pk, []))

    def _group(self, number: int) -> Group:
        letter, size = LETTERS[number], self.shown["groups"][number]["size"]
        people = ""
        if not self.hides:
            people = self._said(size, f"people in group {number}").people
        lines = [self._differs(number, pk, agrees) for pk, agrees in self.shown["stands_for"][number]]
        return Group(number, letter, people, [line for line in lines if line is not None])

    def _differs(self, number: int, pk: int, agrees: bool) -> Line | None:
        """A statement that sets a group apart; nothing where too few voted on it, in the group or outside."""
        statement = self.statements.get(pk)
        if statement is None:
            return None
        groups = self.shown["statements"][str(pk)]["groups"]
        which = 0 if agrees else 1
        said, seen = groups[number][which], groups[number][2]
        others = [group for place, group in enumerate(groups) if place != number]
        said_there, seen_there = sum(group[which] for group in others), sum(group[2] for group in others)
        if min(seen, seen_there) < SMALL:
            return None
        if 2 * said <= seen or said * seen_there <= said_there * seen:
            return None  # Polis's best agreed one is among them, also where it says nothing of the group
        words = {
            "share": self._share(said, seen),
            "letter": LETTERS[number],
            "others": self._share(said_there, seen_there),
        }
        return Line(
            statement,
            (
                _("%(share)d%% of group %(letter)s agree, and %(others)d%% of everybody else.")
                if agrees
                else _("%(share)d%% of group %(letter)s disagree, and %(others)d%% of everybody else.")
            )
            % words,
            agrees,
            self.whys.get(pk, []),
        )

    def _sure(self) -> tuple[str, str]:
        together, same = self.shown["together"], self.shown["same_number"]
        if together >= STEADY and same >= 0.8:
            verdict = _("The groups are steady. Other people coming would have made much the same ones.")
        elif together >= FAIRLY:
            verdict = _("The groups are fairly steady. Some people would be in another group another time.")
        else:
            verdict = _(
                "The groups are shaky. Other people coming would have made other groups. Do not build on them. "
                "What everybody shares hangs less on them."
            )
        numbers = _(
            "We drew people by chance again and again, and made the groups anew. Of two people in the same group, "
            "%(together)d times in 100 they were together again. There were as many groups again "
            "%(same)d times in 100."
        ) % {"together": round(together * 100), "same": round(same * 100)}
        return verdict, numbers

    def _who_is_missing(self, told: Told) -> None:
        ways = self.shown["ways"]
        told.ways = [
            Missing(_capital(str(way.label)), self._said(ways.get(way, 0), f"people {way}"))
            for way in Vote.Way
            if ways.get(way) or not self.inside
        ]
        hubs = list(hub_and_below(self.hub))
        counts = {hub: self.shown["hubs"].get(str(hub.pk), 0) for hub in hubs} if len(hubs) > 1 else {}
        below: dict[Hub, int] = {hub: number for hub, number in counts.items() if hub != self.hub}
        told.hubs = [
            Missing(hub.name, self._said(number, f"people of hub {hub.pk}"))
            for hub, number in below.items()
            if number or not self.inside
        ]
        if self.inside:  # outside, that nobody came by a way would tell apart none and few
            told.nobody_by = [str(way.label) for way in Vote.Way if not ways.get(way)]
            told.nobody_from = [hub.name for hub, number in below.items() if not number]

    def _rows(self) -> list[Row]:
        found = self.shown["statements"]
        order = sorted(self.statements.values(), key=lambda one: (-found[str(one.pk)]["shared"], one.pk))
        return [self._row(statement, found[str(statement.pk)]) for statement in order]

    def _row(self, statement: Statement, found: dict) -> Row:
        agree, disagree, seen = found["all"]
        groups = []
        for number in self.open_groups:
            in_agree, _in_disagree, in_seen = found["groups"][number]
            groups.append(self._share(in_agree, in_seen) if in_seen >= SMALL else None)
        if not self._enough(seen):
            return Row(statement, None, None, None, None, groups)
        people = self._said(seen, f"people on statement {statement.pk}")
        return Row(
            statement,
            self._share(agree, seen),
            self._share(disagree, seen),
            self._share(seen - agree - disagree, seen),
            people,
            groups,
        )


def _whys(reader: Person | None, statements: Collection[int]) -> dict[int, list[Voice]]:
    """A few of the latest voices that say why, by statement; from a visitor once somebody took them in."""
    said = Why.objects.filter(statement__in=statements).order_by("-pk")
    rows = [
        (statement, voice or taken_in)
        for statement, voice, taken_in in said.values_list("statement", "voice", "incoming__voice")
        if voice or taken_in
    ]
    if not rows:
        return {}
    known = Voice.objects.for_reading(reader).exclude(words="").in_bulk({voice for _statement, voice in rows})
    found: dict[int, list[Voice]] = {}
    for statement, voice in rows:
        if voice in known and len(found.setdefault(statement, [])) < WHYS:
            found[statement].append(known[voice])
    return found


def suggested_words(told: Told) -> str:
    """What the group's answer might begin with: what everybody agrees on, a line each."""
    agreed = [f"“{line.statement.words}”" for line in told.shared or told.most if line.agrees]
    return _("We agree:") + "\n\n" + "\n".join(agreed) if agreed else ""


def _statements(number: int) -> str:
    return ngettext("%(n)d statement", "%(n)d statements", number) % {"n": number}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _and(parts: list[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    return _("%(most)s and %(last)s") % {"most": ", ".join(parts[:-1]), "last": parts[-1]}
