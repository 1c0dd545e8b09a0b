"""What one message tells one person: one thing, or several that are owed together, each with their own words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from django.utils.formats import date_format

from coproduce.glossary.models import Term
from coproduce.hearback.channels import Message
from coproduce.hearback.models import Feedback, Update, quotes_with, their_words, what_they_wanted
from coproduce.hearback.reply import address_here, reply_path
from coproduce.voices.models import Voice


@dataclass(frozen=True)
class News:
    """One thing to tell: what they said or wanted, what the update says, what others said, and where to answer."""

    feedback: Feedback
    voices: list[Voice]
    quotes: list[Voice]

    @property
    def update(self) -> Update:
        return self.feedback.update

    @cached_property
    def wanted(self) -> list[str]:
        """What they wanted, for who said nothing on it: the titles of the topics."""
        return [] if self.voices else [topic.title for topic in what_they_wanted(self.feedback)]

    @cached_property
    def link(self) -> str:
        return address_here() + reply_path(self.feedback)

    @property
    def yes(self) -> str:
        return f"{self.link}?answered=yes"

    @property
    def no(self) -> str:
        return f"{self.link}?answered=no"


def news_of(
    feedback: Iterable[Feedback], quotes: list[Voice] | None = None, voices: Iterable[Voice] | None = None
) -> list[News]:
    """What these tell their person. quotes: those of a draft, which are kept nowhere yet. voices: their words, where
    whoever reads it may not know all of them."""
    return [
        News(
            each,
            their_words(each) if voices is None else list(voices),
            quotes_with(each)
            if quotes is None
            else [quote for quote in quotes if quote.person_id != each.person_id],
        )
        for each in feedback
    ]


def news_in(message: Message) -> list[News]:
    """What one message tells."""
    return [News(each.feedback, each.voices, quotes_with(each.feedback)) for each in (message, *message.also)]


def terms_in(news: Iterable[News]) -> list[Term]:
    """What is explained at the foot of a message with this news in it, each word once."""
    return list({term.pk: term for each in news for term in each.update.terms}.values())


def terms_for_paper(news: Iterable[News]) -> list[dict[str, str]]:
    return [{"word": term.word, "means": term.explanation} for term in terms_in(news)]


def for_paper(news: News) -> dict[str, object]:
    """The same as plain data, for what goes on paper."""
    return {
        "title": news.update.title,
        "parts": parts_for_paper(news.update),
        "owner": news.update.owner.name if news.update.owner else "",
        "voices": [
            {
                "words": voice.words,
                "when": date_format(voice.said_on, "F Y"),
                "how": str(voice.get_came_by_display()),
            }
            for voice in news.voices
        ],
        "wanted": news.wanted,
        "quotes": [{"words": quote.shown, "who": quote.who} for quote in news.quotes],
    }


def parts_for_paper(update: Update) -> list[dict[str, object]]:
    """What an update says after its title, each part with its heading and its paragraphs."""
    return [
        {"heading": heading, "text": [part.strip() for part in words.split("\n\n") if part.strip()]}
        for heading, words in update.parts()
    ]
