"""How many, as this reader may know it. Who is of the group gets the number; everybody else gets it rounded.

Outside the group a count under eleven is "fewer than 11", also where it is none. Eleven and more are said in
fives ("about 20"). The edges of the fives are shifted by 0 to 4, for each count by its own secret amount that never
changes. So who asks, adds one person and asks again, or takes one count from another, can't tell a small count:

- One count, asked as often as one likes while people come and go: when it changes from "fewer than 11" to "about
  15" it was 10, 11, 12, 13 or 14, and nothing tells which.
- A whole and all of it but a part: each is known to within nine, so the part never comes out as one number.
- The same count always gets the same words, whoever asks; order, lines in pictures, tables and page numbers go by
  what is said, not by what is counted (see `rank`).

The price is that "fewer than 11" may stand where there are up to 14. That is what rounding to fives does as well (14
rounded down is 10), and pages say that numbers are rounded.

Where this is from:
- NHS Digital, "Disclosure control methodology for Hospital Episode Statistics" (2018): small counts are hidden, all
  others rounded to the nearest 5, instead of hiding second cells by hand so that the first can't be worked out. What
  is small is 1 to 7 there; here it is under 11, and none at all too, because "none" and then "fewer than 11" tells 1.
- ESSnet, "Handbook on Statistical Disclosure Control", chapter 5: rounding, and disclosure by differencing.
- ONS, "Statistical Disclosure Control for 2021 UK Census", for the cell keys by which a count keeps its own secret
  noise for good. The noise here only moves the edges of the fives, so that no zero and no small count is made up.

What it does not do: who sees hundreds of counts of the same people change one by one, and knows each change, can
put the shifts together. Numbers outside the group are for reading, not for counting on.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coproduce.people.models import Hub, Person
from coproduce.people.permissions import may

SMALL = 11
STEP = 5


@dataclass(frozen=True)
class Said:
    """A count as one reader may know it: exact, about so many, or (`number` None) fewer than eleven."""

    number: int | None
    exact: bool = False

    @property
    def rank(self) -> int:
        """For order, and for how broad a line is."""
        return self.number if self.number is not None else 0

    @property
    def is_some(self) -> bool:
        """False only for who may know that there is nothing."""
        return self.number != 0

    def __str__(self) -> str:
        if self.number is None:
            return _("fewer than %(n)d") % {"n": SMALL}
        return f"{self.number:,}" if self.exact else _("about %(n)s") % {"n": f"{self.number:,}"}

    @property
    def people(self) -> str:
        """ "fewer than 11 people", "about 20 people", "1 person" """
        if self.exact and self.number == 0:
            return _("nobody")
        return ngettext("%(n)s person", "%(n)s people", self._plural) % {"n": self}

    @property
    def voices(self) -> str:
        if self.exact and self.number == 0:
            return _("no voices")
        return ngettext("%(n)s voice", "%(n)s voices", self._plural) % {"n": self}

    @property
    def _plural(self) -> int:
        return SMALL if self.number is None else self.number


def is_of_the_group(reader: Person | None, hub: Hub | int) -> bool:
    """Whether this reader is one of those whose group it is. A service is not, nor is a visitor."""
    return may(reader, "read what the group may read", hub)


def said_to(reader: Person | None, number: int, hub: Hub | int, what: str) -> Said:
    """A count of people or voices of a hub as this reader may know it.

    what: names the count, the same on every page that shows it: "voices behind change 5".
    """
    return Said(number, exact=True) if is_of_the_group(reader, hub) else rounded(number, shift_of(what))


def rounded(number: int, shift: int) -> Said:
    """A count as people outside the group get it, with edges moved up by `shift`, 0 to 4."""
    fives = (number - SMALL - shift) // STEP
    return Said(None if fives < 0 else SMALL + STEP - 1 + STEP * fives)


def shift_of(what: str) -> int:
    """The secret amount for one count: from the installation's key, so that it lasts and nobody can work it out."""
    return int.from_bytes(salted_hmac("coproduce.people.counts", what).digest()[:8], "big") % STEP
