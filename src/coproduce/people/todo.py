"""One thing to do next. Rooms answer `do_these_first(person)` with a list of these; site/ gathers them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Todo:
    """What the facilitator's day shows as one line with one button."""

    title: str
    url: str
    button: str
    rest: str = ""
    small: str = ""
    lesser: bool = False
