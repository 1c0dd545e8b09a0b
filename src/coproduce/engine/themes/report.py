"""Themes → one HTML page that stands by itself: no script, nothing fetched, every word of it escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import NamedTuple

from coproduce.engine.themes import LSA, Theme, Themes, why

MADE_BY = '<meta name="generator" content="Coproduce themes">'

_NONE_YET = "These are in no theme. Look through them: one may matter most of all."

SHOWN = 500
"""A list shows so many voices at most, and says how many more there are."""


class Heard(NamedTuple):
    """What somebody said, and where it stands: "anna.docx, Anna, at 3:20"."""

    text: str
    where: str


_STYLE = files(__package__).joinpath("report.css").read_text(encoding="utf-8")


def report(found: Themes, heard: Sequence[Heard], names: Sequence[str]) -> str:
    """The page. heard: the texts that themes were found in, in the same order. names: the files they came from."""
    many = len(heard) - len(found.set_aside)
    title = f"{_count(len(found.themes), 'theme')} in {_count(many, 'voice')}"
    links = "".join(
        f'<li><a href="#theme-{number}">{escape(theme.label)}</a> – {_count(len(theme.members), "voice")}</li>'
        for number, theme in enumerate(found.themes, 1)
    )
    themes = "".join(_theme(number, theme, heard) for number, theme in enumerate(found.themes, 1))
    return (
        f'<!DOCTYPE html>\n<html lang="en-GB">\n<head>\n<meta charset="utf-8">\n{MADE_BY}\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n"
        f"<header><h1>{escape(title)}</h1>\n<p>From {escape(_listed(names))}.</p>\n"
        "<p>A machine put these voices together. It wrote none of the words, and it can be wrong. "
        "Read them with the people who said them, and decide together.</p></header>\n"
        f'<nav aria-label="Themes"><ol>{links}</ol></nav>\n<main>\n{themes}'
        + _pool("None yet", _NONE_YET, found.none_yet.tolist(), heard)
        + _pool(
            "Questions", "Whoever asked said these. They are in no theme.", found.set_aside.tolist(), heard
        )
        + f"</main>\n<footer>{_method(found)}</footer>\n</body>\n</html>\n"
    )


def _theme(number: int, theme: Theme, heard: Sequence[Heard]) -> str:
    quotes = "".join(_quote(heard[at], theme) for at in theme.quotes)
    rest = [int(at) for at in theme.members if int(at) not in theme.quotes]
    more = ""
    if rest:
        shown = "".join(_quote(heard[at], theme) for at in rest[:SHOWN])
        summary = f"{_count(len(rest), 'more voice')} in this theme"
        more = f"<details><summary>{summary}</summary>{shown}{_left(rest)}</details>"
    terms = ", ".join(theme.terms)
    words = (
        f"<p>Words that it goes by: {escape(terms)}.</p>"
        if terms
        else "<p>It goes by meaning, not by words.</p>"
    )
    return (
        f'<section aria-labelledby="theme-{number}"><h2 id="theme-{number}">{escape(theme.label)}</h2>\n'
        f"<p>{_count(len(theme.members), 'voice')}. {_sure(theme.sureness)}</p>\n{words}\n{quotes}{more}</section>\n"
    )


def _sure(sureness: float) -> str:
    how = "Steady" if sureness >= 0.75 else "Fairly steady" if sureness >= 0.5 else "Shaky"
    return f"{how}: leave out one voice in ten, and about {round(sureness * 100)} in 100 of it stays."


def _quote(each: Heard, theme: Theme | None) -> str:
    pieces, at = [], 0
    for begins, ends in why(each.text, theme) if theme else []:
        pieces += [escape(each.text[at:begins]), f"<mark>{escape(each.text[begins:ends])}</mark>"]
        at = ends
    words = "".join([*pieces, escape(each.text[at:])])
    where = f'<figcaption class="where">{escape(each.where)}</figcaption>'
    return f"<figure><blockquote>{words}</blockquote>{where}</figure>\n"


def _pool(title: str, about: str, places: list[int], heard: Sequence[Heard]) -> str:
    if not places:
        return ""
    shown = "".join(_quote(heard[at], None) for at in places[:SHOWN])
    return (
        f"<section><h2>{title}</h2>\n<p>{about}</p>\n"
        f"<details><summary>{_count(len(places), 'voice')}</summary>{shown}{_left(places)}</details></section>\n"
    )


def _left(places: list[int]) -> str:
    return f"<p>And {len(places) - SHOWN:,} more.</p>" if len(places) > SHOWN else ""


def _method(found: Themes) -> str:
    ways = {
        "terms": "It looked for this story's own words, and put those together that keep the same company.",
        "ward": "It put together the voices that mean much the same, and then the groups that do.",
        "graph": "It linked each voice to those closest in meaning, and found where the links are thick.",
        "micro-clusters": "It gathered the voices into many small groups, and joined those that mean much the same.",
    }
    by = (
        "There was no language model here, so it went by the words that voices share."
        if found.meaning == LSA
        else f"What a voice means was worked out on this machine, by {escape(found.meaning)}, which knows English best."
    )
    return (
        f"<h2>How this was made, and its limits</h2>\n<p>{ways[found.way]} {by} Nothing was sent anywhere.</p>\n"
        "<p>Voices that use unusual words, or say something that few others say, are easily missed. "
        "How many voices a theme has says how often it came up, not how much it matters.</p>"
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    if len(names) > 5:
        return f"{len(names)} files"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
