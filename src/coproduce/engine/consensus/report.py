"""The result as a page for people who never saw a scatter plot: one HTML file that needs nothing else.

A group, or a number of voters, under eleven people is not shown; where a group is hidden, numbers of people are given
to the nearest ten, so that it can't be found by taking away.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from coproduce.engine.consensus.result import Result
from coproduce.engine.consensus.statements import Pick, statistics

LEAST = 11
"""Fewer people than this are not shown as a group or as a share."""

SHOWN = 10
"""So many statements of a kind are shown in words; the table has them all."""

LETTERS = "ABCDE"
COLOURS = ("#0F4C5C", "#9A4A06", "#2B6A3B", "#7A2E5D", "#4A4A8A")
_SIZE = 320  # of the map, in its own units


def page(result: Result, *, title: str, words: Mapping[Any, str] | None = None) -> str:
    """HTML. title: what it was about. words: each statement's, by its id; where there are none, “Statement 12”."""
    return _Page(result, title, words or {}).html()


class _Page:
    def __init__(self, result: Result, title: str, words: Mapping[Hashable, str]) -> None:
        self.result, self.title, self.words = result, title, words
        self.shown = [group for group in result.groups if group.size >= LEAST]
        self.hides = len(self.shown) < len(result.groups)
        self.everybody = statistics(result.votes.tally()[None])

    def html(self) -> str:
        style = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
        parts = [self._begins()]
        if len(self.result.votes):
            parts += [self._shared(), self._groups(), self._sure(), self._missing(), self._all(), self._how()]
        return (
            '<!DOCTYPE html>\n<html lang="en-gb">\n<head>\n<meta charset="utf-8">\n'
            f"<title>Common ground: {escape(self.title)}</title>\n"
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n'
            f"<style>\n{style}</style>\n</head>\n<body>\n<main>\n{''.join(parts)}</main>\n</body>\n</html>\n"
        )

    def _people(self, number: int) -> str:
        """So many people, in words that don't tell how many a hidden group has."""
        if self.hides:
            return (
                f"about {round(number, -1):,} people" if round(number, -1) > LEAST else "more than 10 people"
            )
        return f"{number:,} {'person' if number == 1 else 'people'}"

    def _statement(self, place: int) -> str:
        identity = self.result.votes.statements[place].item()
        return escape(self.words.get(identity, "").strip()) or f"Statement {escape(str(identity))}"

    def _bubble(self, place: int, under: str) -> str:
        return f'<li><blockquote dir="auto">{self._statement(place)}</blockquote><p class="under">{under}</p></li>\n'

    def _begins(self) -> str:
        result = self.result
        if not len(result.votes):
            return f"<h1>{escape(self.title)}</h1>\n<p>Nobody has voted yet.</p>\n"
        return (
            f'<p class="kind">Common ground</p>\n<h1>{escape(self.title)}</h1>\n'
            f"<p>{_capital(self._people(len(result.votes.participants)))} voted on "
            f"{_number(len(result.votes.statements), 'statement')}. They could agree, disagree or pass. "
            f"That is {_number(len(result.votes), 'vote')}.</p>\n"
        )

    def _shared(self) -> str:
        ground = [pick for pick in self.result.common_ground if pick.seen >= LEAST]
        known = {pick.statement for pick in ground}
        others = [
            pick for pick in self.result.consensus if pick.seen >= LEAST and pick.statement not in known
        ]
        html = '<section aria-labelledby="shared">\n<h2 id="shared">What people share</h2>\n'
        if not ground and not others:
            return f"{html}<p>There is nothing yet that we can be sure of.</p>\n</section>\n"
        several = len(self.result.groups) > 1
        if several and not ground:
            html += "<p>There is nothing yet that every group agrees or disagrees with.</p>\n"
        for heading, picks, agrees in (
            (f"{'Every group agrees' if several else 'People agree'}", ground, True),
            (f"{'Every group disagrees' if several else 'People disagree'}", ground, False),
            ("Most people agree, but we can’t be sure of every group", others, True),
            ("Most people disagree, but we can’t be sure of every group", others, False),
        ):
            chosen = [pick for pick in picks if pick.agrees == agrees][:SHOWN]
            if chosen:
                told = "".join(self._bubble(pick.statement, self._share(pick)) for pick in chosen)
                html += f"<h3>{heading}</h3>\n<ul class='voices'>\n{told}</ul>\n"
        return html + "</section>\n"

    def _share(self, pick: Pick) -> str:
        name = "agree" if pick.agrees else "disagree"
        text = f"{_percent(pick.votes, pick.seen)} of the {pick.seen:,} people who voted on this {name}."
        said = getattr(self.result.statistics, name)[:, pick.statement].tolist()
        seen = self.result.statistics.seen[:, pick.statement].tolist()
        each = [
            f"{_percent(said[group.number], seen[group.number])} in group {LETTERS[group.number]}"
            for group in self.shown
            if seen[group.number] >= LEAST
        ]
        return text + (f" That is {_and(each)}." if len(each) > 1 else "")

    def _groups(self) -> str:
        html = '<section aria-labelledby="groups">\n<h2 id="groups">Where groups differ</h2>\n'
        if len(self.result.groups) < 2:
            return f"{html}<p>People did not vote in ways that set them apart into groups.</p>\n</section>\n"
        html += (
            f"<p>People who vote alike are put in the same group. There are {len(self.result.groups)} groups here. "
            "A group is only people who voted in much the same way. They may have nothing else in common.</p>\n"
        )
        if self.hides:
            html += f"<p>A group of fewer than {LEAST} people is not shown, so that nobody can be picked out.</p>\n"
        html += self._map()
        for group in self.shown:
            letter = LETTERS[group.number]
            html += f"<h3>{_mark(group.number)} Group {letter}: {self._people(group.size)}</h3>\n"
            told = [line for pick in group.stands_for if (line := self._differs(group.number, pick))]
            if told:
                html += f"<p>This sets group {letter} apart from others.</p>\n"
                html += f"<ul class='voices'>\n{''.join(told)}</ul>\n"
            else:
                html += "<p>No statement sets this group apart that enough people voted on.</p>\n"
        return html + "</section>\n"

    def _differs(self, group: int, pick: Pick) -> str:
        """A statement that stands for a group; nothing where too few people voted on it, in it or outside."""
        found, name = self.result.statistics, "agree" if pick.agrees else "disagree"
        outside = int(found.seen[:, pick.statement].sum()) - pick.seen
        if min(pick.seen, outside) < LEAST:
            return ""
        there = int(getattr(found, name)[:, pick.statement].sum()) - pick.votes
        return self._bubble(
            pick.statement,
            f"<strong>{_percent(pick.votes, pick.seen)} of group {LETTERS[group]} {name}</strong>, and "
            f"{_percent(there, outside)} of everybody else."
            # With a hidden group, that would let it be counted.
            + ("" if self.hides else f" {pick.seen:,} in the group voted on this, and {outside:,} others."),
        )

    def _map(self) -> str:
        points, labels = self.result.projection.points, self.result.labels
        if not self.shown:
            return ""
        wide = {}
        for group in self.shown:
            inside = points[labels == group.number]
            wide[group.number] = float(np.sqrt(((inside - inside.mean(axis=0)) ** 2).sum(axis=1).mean()))
        far = max(max(map(abs, group.middle)) + wide[group.number] for group in self.shown)
        middle, scale = _SIZE / 2, (_SIZE / 2 - 20) / max(far, 1e-9)
        rounds, rows = [], []
        for group in self.shown:
            x, y = (middle + scale * group.middle[0], middle - scale * group.middle[1])
            radius = max(wide[group.number] * scale, 18)
            colour, letter = COLOURS[group.number], LETTERS[group.number]
            at = f'cx="{x:.1f}" cy="{y:.1f}" fill="{colour}"'
            rounds.append(
                f'<circle {at} r="{radius:.1f}" fill-opacity="0.18" stroke="{colour}" stroke-width="2"/>'
                f'<circle {at} r="14"/><text x="{x:.1f}" y="{y + 6:.1f}">{letter}</text>'
            )
            others = [
                (float(np.hypot(*np.subtract(group.middle, other.middle))), LETTERS[other.number])
                for other in self.shown
                if other is not group
            ]
            near = f"Group {min(others)[1]}" if others else "no other that is shown"
            people = _capital(self._people(group.size))
            rows.append(f"<tr><th scope='row'>Group {letter}</th><td>{people}</td><td>{near}</td></tr>")
        return (
            f'<figure>\n<svg viewBox="0 0 {_SIZE} {_SIZE}" role="img" aria-labelledby="map">'
            f'<title id="map">A map of {_number(len(self.shown), "group")}. The table below it says the same.</title>'
            f'<rect width="{_SIZE}" height="{_SIZE}" class="ground"/>{"".join(rounds)}</svg>\n'
            "<figcaption>The nearer two groups are, the more alike they vote. A wide round has people in it who "
            "differ more. Left, right, up and down mean nothing by themselves.</figcaption>\n</figure>\n"
            '<div class="across" role="region" tabindex="0" aria-label="The map as a table"><table>\n'
            "<thead><tr><th scope='col'>Group</th><th scope='col'>How many</th>"
            "<th scope='col'>Votes most like</th></tr></thead>\n"
            f"<tbody>{''.join(rows)}</tbody>\n</table></div>\n"
        )

    def _sure(self) -> str:
        html = '<section aria-labelledby="sure">\n<h2 id="sure">How sure this is</h2>\n'
        html += (
            "<p>A statement is only shown as shared, or as setting a group apart, if chance alone would rarely make it "
            "look so: less than one time in ten.</p>\n"
        )
        if len(self.result.groups) < 2:
            return html + "</section>\n"
        found = self.result.stability
        times = round(found.together * 100)
        if found.together >= 0.9 and found.same_number >= 0.8:
            verdict = "The groups are steady."
        elif found.together >= 0.75:
            verdict = "The groups are fairly steady. Some people would be in another group another time."
        else:
            verdict = (
                "The groups are shaky. Other people coming would have made other groups, so do not build on them. "
                "What people share overall hangs less on them."
            )
        return (
            f"{html}<p><strong>{verdict}</strong> We drew people by chance again and again, and made the groups "
            f"anew. Of two people in the same group, {times} times in 100 they were together again. There were "
            f"{len(self.result.groups)} groups again {round(found.same_number * 100)} times in 100.</p>\n</section>\n"
        )

    def _missing(self) -> str:
        counted, people = int(self.result.counted.sum()), len(self.result.votes.participants)
        html = '<section aria-labelledby="missing">\n<h2 id="missing">Who is missing</h2>\n<p>'
        if self.hides or 0 < people - counted < LEAST:
            html += "People who voted on too few statements are in no group. "
        elif people > counted:
            html += f"{people - counted:,} people voted on too few statements to be in a group. "
        else:
            html += "Everybody who voted is in a group. "
        return (
            f"{html}Their votes count in what most people say. Votes can’t say what people think who were not "
            "asked, or did not want to vote. Ask who that may be, and how to reach them.</p>\n</section>\n"
        )

    def _all(self) -> str:
        result, found = self.result, self.everybody
        heads = "".join(
            f"<th scope='col'>Agree in group {LETTERS[group.number]}</th>" for group in self.shown
        )
        rows = []
        for place in np.argsort(-result.group_informed, kind="stable").tolist():
            if result.taken_out[place]:
                continue
            seen = int(found.seen[0, place])
            agree, disagree = int(found.agree[0, place]), int(found.disagree[0, place])
            if seen < LEAST:
                cells = f"<td colspan='{4 + len(self.shown)}'>Fewer than {LEAST} people voted on this</td>"
            else:
                shares = (agree, disagree, seen - agree - disagree)
                cells = "".join(f"<td>{_percent(one, seen)}</td>" for one in shares) + f"<td>{seen:,}</td>"
                for group in self.shown:
                    voted = int(result.statistics.seen[group.number, place])
                    share = _percent(int(result.statistics.agree[group.number, place]), voted)
                    cells += f"<td>{share if voted >= LEAST else 'too few'}</td>"
            rows.append(f"<tr><th scope='row' dir='auto'>{self._statement(place)}</th>{cells}</tr>\n")
        return (
            '<section aria-labelledby="all">\n<h2 id="all">Every statement</h2>\n'
            "<p>First come those that every group agrees with most.</p>\n"
            '<div class="across" role="region" tabindex="0" aria-label="Every statement"><table>\n<thead><tr>'
            "<th scope='col'>Statement</th><th scope='col'>Agree</th><th scope='col'>Disagree</th>"
            f"<th scope='col'>Pass</th><th scope='col'>Votes</th>{heads}</tr></thead>\n<tbody>{''.join(rows)}</tbody>\n"
            "</table></div>\n</section>\n"
        )

    def _how(self) -> str:
        left = int(self.result.taken_out.sum())
        out = ""
        if left:
            out = f" {_number(left, 'statement')} that a curator took out {'is' if left == 1 else 'are'} not shown."
        return (
            '<section aria-labelledby="how">\n<h2 id="how">How it was worked out</h2>\n'
            "<p>The method is that of Polis, by the Computational Democracy Project. The same votes always give the "
            f"same result.{out} Way of making groups: {escape(self.result.mode)}. Start of the draws: "
            f"{self.result.seed}.</p>\n</section>\n"
        )


def _percent(part: int, whole: int) -> str:
    return f"{round(100 * part / whole) if whole else 0}%"


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _and(parts: list[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _mark(number: int) -> str:
    return (
        f'<span class="mark" style="background:{COLOURS[number]}" aria-hidden="true">{LETTERS[number]}</span>'
    )
