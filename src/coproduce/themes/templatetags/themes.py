"""Words with those marked that made the machine think so."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from coproduce.engine.themes import why

register = template.Library()


@register.filter
def marked(words: str, terms: Sequence[str]) -> str | SafeString:
    """The words to the letter, the terms in them marked. Without terms, as they are."""
    if not words or not terms:
        return words
    pieces: list[tuple[str, str]] = []
    at = 0
    for begins, ends in sorted(why(words, terms)):
        if begins >= at:
            pieces.append((words[at:begins], words[begins:ends]))
            at = ends
    return format_html("{}{}", format_html_join("", "{}<mark>{}</mark>", pieces), words[at:])
