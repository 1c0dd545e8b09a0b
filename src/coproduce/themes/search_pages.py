"""Search over everything said: by the words, and by what they mean. Only over what the reader may read."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render

from coproduce.people.middleware import PersonRequest
from coproduce.people.pages import page_of
from coproduce.themes import forms, meaning
from coproduce.themes.models import Theme
from coproduce.voices.models import Voice

NEAR = 10


def search(request: PersonRequest) -> HttpResponse:
    """For everybody: a visitor searches what is public."""
    form = forms.SearchForm(request.GET or None)
    asked = form.cleaned_data["q"].strip() if form.is_bound and form.is_valid() else ""
    readable = Voice.objects.for_reading(request.person)
    found = readable.saying(asked) if asked else readable.none()
    page = page_of(request, found, 10)
    near: list[Voice] = []
    if asked and page.number == 1:
        ids = meaning.near(request.person, asked, 2 * NEAR)
        with_words = set(found.filter(pk__in=ids).values_list("pk", flat=True))
        known = readable.filter(pk__in=ids).in_bulk()
        near = [known[pk] for pk in ids if pk in known and pk not in with_words][:NEAR]
    return render(
        request,
        "themes/search.html",
        {
            "form": form,
            "asked": asked,
            "page": page,
            "near": near,
            "by_meaning": bool(asked) and meaning.embedder() is not None,
            "themes": Theme.objects.visible_to(request.person).standing().filter(name__icontains=asked)[:5]
            if asked
            else [],
            "query": urlencode({"q": asked}),
        },
    )
