"""A card to hand over: face to face, or by the person they trust. A6, printed on both sides.

Its outside says whom it is for and that there is news, no more. Where others may read what comes to them, nor does
its inside.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from coproduce.hearback.models import Feedback
from coproduce.hearback.news import for_paper, news_of, terms_for_paper
from coproduce.people.paper import to_pdf
from coproduce.voices.models import Voice

HERE = Path(__file__).parent


def on_paper(feedback: Feedback, name: str, voices: Iterable[Voice]) -> bytes:
    """The card as PDF. `name`: what whoever hands it over calls them; `voices`: their words that this one may know."""
    return to_pdf(HERE / "card.typ", {"card": json.dumps(_card(feedback, name, voices))})


def _card(feedback: Feedback, name: str, voices: Iterable[Voice]) -> dict[str, object]:
    way = feedback.way
    outside: dict[str, object] = {"name": name, "sender": settings.SENDER_NAME}
    if way is not None and way.others_may_read:
        return outside
    news = news_of([feedback], voices=voices)
    return outside | {
        "hub": feedback.update.hub.name,
        "news": [for_paper(each) for each in news],
        "terms": terms_for_paper(news),
    }
