"""What a text message says, and how many parts it takes.

It is neutral (a phone may be shared): that there is news, from whom, and a link that opens it. Where others may read
the phone there is no link either.

A text of GSM 7-bit characters holds 160 of them in one part, or 153 in each of several; one with any other character
holds 70, or 67 (3GPP TS 23.038, 6.2.1, and TS 23.040, 9.2.3.24.1).
"""

from __future__ import annotations

import unicodedata

from django.conf import settings
from django.utils.translation import gettext as _

from coproduce.hearback.models import Feedback
from coproduce.hearback.reply import address_here, reply_path

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_TWICE = frozenset("^{}\\[~]|€\f")  # each takes two places
PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " "})


def words_of_text(feedback: Feedback, others_may_read: bool) -> str:
    """The text message about one piece of feedback."""
    return news_only() if others_may_read else with_link(address_here() + reply_path(feedback))


def news_only() -> str:
    """Where others may read the phone."""
    told = _("There is news for you. You can ask us when we next speak. %(name)s")
    return plain(told % {"name": settings.SENDER_NAME})


def with_link(link: str) -> str:
    told = _("News for you from %(name)s. Read it and answer: %(link)s")
    return plain(told % {"name": settings.SENDER_NAME, "link": link})


def plain(text: str) -> str:
    """The text with characters that cost less where that changes no word: straight quotes, and "w" for "ŵ"."""
    return "".join(mark if mark in GSM | GSM_TWICE else _nearest(mark) for mark in text.translate(PLAIN))


def _nearest(mark: str) -> str:
    """A letter without the accent that GSM does not have; anything else stays, and the text takes more parts."""
    bare = "".join(part for part in unicodedata.normalize("NFKD", mark) if not unicodedata.combining(part))
    return bare if bare and set(bare) <= GSM | GSM_TWICE else mark


def parts(text: str) -> int:
    """How many parts a text takes: 0 for an empty one. Each part is paid for."""
    if set(text) <= GSM | GSM_TWICE:
        places, one, each = sum(2 if mark in GSM_TWICE else 1 for mark in text), 160, 153
    else:
        places, one, each = len(text.encode("utf-16-be")) // 2, 70, 67
    return (1 if places else 0) if places <= one else -(-places // each)
