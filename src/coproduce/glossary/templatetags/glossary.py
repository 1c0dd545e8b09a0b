"""Terms explained where they stand, in the pages of every room."""

from __future__ import annotations

from typing import Any

from django import template
from django.http import HttpRequest
from django.template.defaultfilters import linebreaks_filter
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from coproduce.glossary import explained as glossary
from coproduce.glossary.models import Term
from coproduce.people.models import Hub

register = template.Library()


@register.simple_tag(takes_context=True)
def explained(context: template.Context, text: str, hub: Hub, inline: bool = False) -> SafeString:
    """A text with the terms that its hub has explained, each where it first stands. Its letters stay as they are.

    In paragraphs, as `linebreaks` makes them; `inline` leaves that out.
    """
    request: HttpRequest | None = getattr(context, "request", None)
    words, shown = _of_page(request, hub)
    pieces: list[str | SafeString] = []  # what is safe stays as it is, all else is escaped
    here: set[int] = set()
    at = 0
    for begins, ends, term in words.find(text):
        if term.pk in here:
            continue
        here.add(term.pk)
        pieces += [text[at:begins], _term(term, text[begins:ends], term.pk not in shown)]
        shown.add(term.pk)
        at = ends
    marked = format_html_join("", "{}", ((piece,) for piece in [*pieces, text[at:]]))
    return marked if inline else linebreaks_filter(marked)


def _of_page(request: HttpRequest | None, hub: Hub) -> tuple[glossary.Glossary, set[int]]:
    """The glossary of a hub, asked for once a page; and which terms the page has said the meaning of."""
    if request is None:
        return glossary.Glossary(hub), set()
    known: dict[int, glossary.Glossary] = request.__dict__.setdefault("_glossaries", {})
    if hub.pk not in known:
        known[hub.pk] = glossary.Glossary(hub)
    return known[hub.pk], request.__dict__.setdefault("_terms_shown", set())


def _term(term: Term, said: str, first: bool) -> SafeString:
    return render_to_string(
        "components/dfn.html",
        {
            "name": said,
            "full": "" if term.word.casefold() == said.casefold() else term.word,
            "means": term.explanation,
            "id": term.pk,
            "again": not first,
            "url": reverse("glossary:word", args=[term.pk]) if term.example or term.picture else "",
        },
    )


@register.inclusion_tag("glossary/_what_does_that_mean.html")
def what_does_that_mean(hub: Hub, where: str) -> dict[str, Any]:
    """A link to ask about a word of this page."""
    return {"address": f"{reverse('glossary:words')}?{urlencode({'hub': hub.pk, 'from': where})}"}


@register.inclusion_tag("glossary/_check.html")
def check_words(text: str, hub: Hub) -> dict[str, Any]:
    """Which words of a text nobody has explained yet, and how hard it is to read."""
    return {"check": glossary.check(text, hub), "hub": hub}


@register.inclusion_tag("glossary/_ask_for_check.html")
def ask_for_check(fields: str, hub: Hub | None = None) -> dict[str, Any]:
    """A button for a form that is being written; after the button that sends it. `fields`: their names, with commas."""
    query = {"of": fields} | ({"hub": str(hub.pk)} if hub else {})
    return {"address": f"{reverse('glossary:check')}?{urlencode(query)}"}
