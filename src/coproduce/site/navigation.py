"""What stands in the header of every page for this reader."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from coproduce.people.models import Person
from coproduce.people.permissions import hubs_where, supports_somebody


def navigation(request: HttpRequest) -> dict[str, Any]:
    """For every template: nav, person and the few addresses that the base page needs."""
    person: Person | None = getattr(request, "person", None)
    return {
        "nav": [
            {
                "label": label,
                "url": url,
                "current": request.path.startswith(url) and (url != "/" or request.path == "/"),
            }
            for label, url in _places(person, getattr(request, "user", None))
        ],
        "person": person,
        "person_name": person.name_for(person) if person else "",
        "person_url": reverse("hearback:what_happened") if person else None,
        "sign_in_url": reverse(settings.LOGIN_URL),
        "try_it": settings.TRY_IT,
    }


def _places(person: Person | None, account: Any) -> list[tuple[str, str]]:
    places = [
        (_("What we work on"), "agenda:topics"),
        (_("Meetings"), "agenda:meetings"),
        (_("What changed"), "changes:changes"),
    ]
    if hubs_where(person, "work on stories"):
        places = [(_("Stories"), "voices:stories"), (_("Themes"), "themes:themes"), *places]
    elif hubs_where(person, "read what the group may read"):
        places = [(_("What people said"), "voices:voices"), (_("Themes"), "themes:themes"), *places]
    if hubs_where(person, "write an update"):
        places.append((_("Who has heard"), "hearback:who_has_heard"))
    if hubs_where(person, "look after people"):
        places.append((_("People"), "people:people"))
    if person and supports_somebody(person):
        places.append((_("People I support"), "people:supporting"))
    if hubs_where(person, "work on stories") or hubs_where(person, "tell people"):
        places.insert(0, (_("Today"), "home"))
    elif person:
        places.insert(0, (_("What you said"), "hearback:what_happened"))
    else:
        places.append((_("Have your say"), "voices:have_your_say"))
    places.append((_("Search"), "themes:search"))
    if person and account.is_administrator:
        places.append((_("Installation"), "installation"))
    return [(label, reverse(name)) for label, name in places]
