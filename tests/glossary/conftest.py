from __future__ import annotations

import io

import pytest
from PIL import Image

from coproduce.glossary.actions import explain


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 40), **saved: object) -> bytes:
    """A small picture as a file of this kind."""
    out = io.BytesIO()
    Image.new("RGB", size, (15, 76, 92)).save(out, kind, **saved)
    return out.getvalue()


PICTURE = picture()


@pytest.fixture
def hrs(amina, town):
    """A word that is explained."""
    return explain(
        amina,
        town,
        "housing-related support",
        "Help to keep your home, like somebody who goes through your letters with you.",
        also="HRS",
        example="Femi came with me to the bank.",
    )
