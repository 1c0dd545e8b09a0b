"""How an update will look to one of the people behind it, by any way, before anybody is told."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from coproduce.hearback.channels import email, letter
from coproduce.hearback.models import Feedback, Update, people_behind_update
from coproduce.hearback.news import News, news_of
from coproduce.hearback.text import words_of_text
from coproduce.people.models import Person, Way
from coproduce.voices.models import Voice

MOST = 30  # people to choose from: some of each way


@dataclass(frozen=True)
class Preview:
    """What comes to one person by one way: what shows outside, and the words themselves or, for a page, the news."""

    outside: str
    words: str = ""
    news: News | None = None


def who_to_look_as(draft: Update, reader: Person) -> list[Person]:
    """Some of the people behind it, each by what this reader may call them: first those whom ways differ for."""
    behind = people_behind_update(draft).order_by().values("pk")
    people = Person.objects.filter(pk__in=behind, erasure__isnull=True).named_for(reader)
    return sorted(people.order_by("pk")[:MOST], key=lambda them: them.shown.casefold())


def preview_for(draft: Update, person: Person, kind: str, quotes: list[Voice]) -> Preview:
    """How the draft will look to this person by this way; by the way they like best for a kind that is none."""
    feedback = Feedback(update=draft, person=person)
    way = person.ways.filter(kind=kind).first() or Way(person=person, kind=kind)
    if kind not in Way.Kind.values:
        way = person.preferred_way or Way(person=person, kind=Way.Kind.PAGE)
    news = news_of([feedback], quotes)
    if way.kind == Way.Kind.EMAIL:
        content = email.content_of(way, news)
        return Preview(_("Subject: %(subject)s") % {"subject": content.subject}, content.text)
    if way.kind == Way.Kind.TEXT:
        return Preview(_("A text message"), words_of_text(feedback, way.others_may_read))
    if way.kind == Way.Kind.LETTER and way.others_may_read:
        return Preview(_("A letter"), letter.words_of_letter(way, news))
    outside = {
        Way.Kind.PAGE: _("On their page, after they signed in"),
        Way.Kind.LETTER: _("A letter. On the envelope: only their name and address"),
        Way.Kind.PHONE: _("A call: what to say"),
        Way.Kind.FACE_TO_FACE: _("Face to face: what to say"),
        Way.Kind.TRUSTED_PERSON: _("Through the person they trust: what to say"),
    }
    return Preview(outside[Way.Kind(way.kind)], news=news[0])


def letter_to(draft: Update, person: Person, quotes: list[Voice]) -> bytes:
    """The letter itself, as PDF."""
    feedback = Feedback(update=draft, person=person)
    return letter.on_paper([letter.letter(feedback, quotes=quotes)], settings.SENDER_NAME)
