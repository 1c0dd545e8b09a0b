"""Telling people by letter: one tagged PDF for a pile of letters, each beginning on a page of its own.

The words go to Typst as data, never as markup, so nothing that somebody wrote can be mistaken for a command.
"""

from __future__ import annotations

import json
import re
from itertools import groupby
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format

from coproduce.hearback.models import Feedback, Letters
from coproduce.hearback.news import News, for_paper, news_of, terms_for_paper, terms_in
from coproduce.people.models import Person, Way
from coproduce.people.paper import to_pdf
from coproduce.voices.models import Voice

HERE = Path(__file__).parent
SHOW_PROGRESS_EVERY = 25


def make_pdf(letters: Letters) -> None:
    """Write the pile's PDF and keep it. Running it again writes the same pile anew."""
    while True:
        pile = list(
            letters.feedback.select_related(
                "person", "update__hub", "update__topic", "update__change__owner", "next_way"
            ).order_by("person__name", "person", "pk")
        )
        written: list[dict[str, object]] = []
        for _person, theirs in groupby(pile, key=lambda feedback: feedback.person_id):
            written.append(letter(*theirs))
            if len(written) % SHOW_PROGRESS_EVERY == 0:
                Letters.objects.filter(pk=letters.pk).update(written=len(written))
        written.sort(key=lambda each: postcode_of(each["address"]))
        pdf = on_paper(written, letters.hub.name)
        if _keep(letters, pile, pdf):
            return


_POSTCODE = re.compile(r"\b([A-Z]{1,2})(\d{1,2})([A-Z]?) ?(\d)([A-Z]{2})\b")


def postcode_of(address: object) -> tuple[str, int, str, str]:
    """Where a letter comes in the pile, as the post sorts: area, district, sector. Without a postcode, at the end."""
    lines = address if isinstance(address, list) else []
    found = next((found for line in reversed(lines) if (found := _POSTCODE.search(str(line).upper()))), None)
    if found is None:
        return ("~", 0, "", "")
    area, district, letter, sector, unit = found.groups()
    return (area, int(district), letter, sector + unit)


def on_paper(written: list[dict[str, object]], hub: str) -> bytes:
    """These letters as one PDF."""
    return to_pdf(HERE / "letters.typ", {"letters": json.dumps(written), "hub": hub})


def _keep(letters: Letters, pile: list[Feedback], pdf: bytes) -> bool:
    """Keep the PDF, unless somebody in it was erased while it was made: then it has to be made again."""
    with transaction.atomic():
        now = Letters.objects.select_for_update().filter(pk=letters.pk, posted_at__isnull=True).first()
        if now is None:
            return True
        if {feedback.pk for feedback in pile} != set(now.feedback.values_list("pk", flat=True)):
            return False
        before = now.pdf.name
        now.written = len(pile)
        now.pdf.save(f"letters-{now.pk}.pdf", ContentFile(pdf), save=False)
        now.save(update_fields=["pdf", "written"])
    if before and before != now.pdf.name:
        now.pdf.storage.delete(before)
    letters.pdf, letters.written = now.pdf, now.written
    return True


def letter(feedback: Feedback, *also: Feedback, quotes: list[Voice] | None = None) -> dict[str, object]:
    """One letter to one person, with all that is owed to them together. quotes: those of a draft."""
    way = _way_of(feedback)
    outside: dict[str, object] = {
        "name": feedback.person.name,
        "address": way.address.splitlines() if way else [],
        "date": date_format(timezone.localdate(), "j F Y"),
    }
    if way and way.others_may_read:
        return outside | {"sender": settings.SENDER_NAME}
    news = news_of([feedback, *also], quotes)
    return outside | {
        "hub": feedback.update.hub.name,
        "news": [for_paper(each) for each in news],
        "terms": terms_for_paper(news),
    }


def notice_to(trusted: Person) -> dict[str, object]:
    """One letter to a trusted person: there is something to pass on. Not for whom nor of what."""
    way = _address_of(trusted)
    return {
        "name": trusted.name,
        "address": way.address.splitlines() if way else [],
        "date": date_format(timezone.localdate(), "j F Y"),
        "sender": settings.SENDER_NAME,
        "pass_on": not (way and way.others_may_read),
    }


def _way_of(feedback: Feedback) -> Way | None:
    """Where the letter goes: by the way it is to go now, or to the first address they gave."""
    if feedback.way is not None and feedback.way.kind == Way.Kind.LETTER:
        return feedback.way
    return _address_of(feedback.person)


def _address_of(person: Person) -> Way | None:
    return person.ways.filter(kind=Way.Kind.LETTER).order_by("-preferred", "pk").first()


def words_of_letter(way: Way, news: list[News]) -> str:
    """The same letter as words alone, for whoever prints it for us: no address, no date."""
    return render_to_string(
        "hearback/letter.txt",
        {
            "person": news[0].feedback.person,
            "news": news,
            "terms": terms_in(news),
            "hub": news[0].update.hub,
            "news_only": way.others_may_read,
            "sender": settings.SENDER_NAME,
        },
    ).strip()
