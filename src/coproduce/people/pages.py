"""What pages of every room do: show a long list a page at a time, and let a button do one action."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest


def page_of(request: HttpRequest, things: QuerySet[Any] | Sequence[Any], size: int = 20) -> Page[Any]:
    """The page that the address asks for; the nearest one there is, if it asks for another."""
    return Paginator(things, size).get_page(request.GET.get("page"))


def press(request: HttpRequest, done: str, action: Callable[..., Any], *args: Any) -> bool:
    """Do what a button is for. The next page says `done`, or what the action refuses."""
    try:
        action(*args)
    except ValidationError as refused:
        for sentence in refused.messages:
            messages.error(request, sentence)
        return False
    messages.success(request, done)
    return True
