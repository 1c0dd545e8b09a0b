"""What in a text may be something to mask, before it is decided which of two that overlap it is."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal[
    "name",
    "phone",
    "email",
    "nhs number",
    "ni number",
    "postcode",
    "address",
    "web address",
    "date of birth",
    "account or reference number",
    "place",
]

BLANK = "\ufffc"
"""What stands for what was found already, and for what was masked before."""


class Candidate(NamedTuple):
    """What of a text may be of a kind: `text[begins:ends]`."""

    begins: int
    ends: int
    kind: Kind
