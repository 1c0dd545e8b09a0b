"""What a sense-making session needs on paper: invitations, and quotes as cards to lay on a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from coproduce.people.models import Person, Way
from coproduce.people.paper import to_pdf
from coproduce.themes.models import Heard, Invited, SenseMaking, Theme

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Guest:
    """Somebody on the list as the reader may know them, and the way they like to be told, if the reader may know it.
    `through`: whom they trust, where that is the way."""

    invited: Invited
    name: str
    way: Way | None
    through: str = ""

    @property
    def person(self) -> Person:
        return self.invited.person


def quote_cards(session: SenseMaking, piles: Iterable[tuple[Theme, Sequence[Heard]]]) -> bytes:
    """Cards to cut out, two side by side, the theme on each; and an empty one for each theme, for what is missing."""
    told = [
        {
            "theme": theme.name,
            "quotes": [
                [heard.words, f"{heard.how}, {date_format(heard.said_on, 'F Y')}"] for heard in quotes
            ],
        }
        for theme, quotes in piles
    ]
    return to_pdf(HERE / "quote_cards.typ", {"session": session.name, "themes": json.dumps(told)})


def invitations_on_paper(session: SenseMaking, guests: Iterable[Guest]) -> bytes:
    """A letter for each guest. Where others may open it, it only says that there is news."""
    return to_pdf(
        HERE / "invitations.typ",
        {"letters": json.dumps([_letter(session, guest) for guest in guests]), "hub": session.hub.name},
    )


def _letter(session: SenseMaking, guest: Guest) -> dict[str, object]:
    ways = [way for way in guest.person.ways.all() if way.kind == Way.Kind.LETTER]
    way = ways[0] if ways and not guest.through else None
    outside: dict[str, object] = {
        "name": guest.through or guest.name,
        "address": way.address.splitlines() if way else [],
        "date": date_format(timezone.localdate(), "j F Y"),
    }
    if way and way.others_may_read:
        return outside | {"sender": settings.SENDER_NAME}
    return outside | {
        "pass_on": _("Please pass this on to %(name)s.") % {"name": guest.name} if guest.through else "",
        "session": session.name,
        "on": date_format(session.on, "l j F Y"),
        "place": session.place,
        "hub": session.hub.name,
        "themes": [theme.name for theme in session.themes.all()],
    }
