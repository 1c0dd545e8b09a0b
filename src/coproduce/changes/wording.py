"""What is different between two wordings of a clause."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

Part = tuple[str, bool]


STAYS = 4  # words in a row that must be the same for them not to count as changed: a lone "the" tells nobody anything


def compare(before: str, after: str) -> tuple[list[Part], list[Part]]:
    """Cut both wordings into (text, changed) parts, word by word. Put together, each gives its wording again."""
    old, new = re.findall(r"\S+|\s+", before), re.findall(r"\S+|\s+", after)
    was: list[Part] = []
    now: list[Part] = []
    for kind, old_begins, old_ends, new_begins, new_ends in SequenceMatcher(
        None, old, new, False
    ).get_opcodes():
        same = kind == "equal" and (old_ends - old_begins) // 2 + 1 >= STAYS
        same = same or old == new
        _add(was, "".join(old[old_begins:old_ends]), not same)
        _add(now, "".join(new[new_begins:new_ends]), not same)
    return was, now


def _add(parts: list[Part], text: str, changed: bool) -> None:
    if not text:
        return
    if not text.strip():  # white space between two changed words belongs to the change
        changed = bool(parts) and parts[-1][1] and changed
    if parts and parts[-1][1] == changed:
        parts[-1] = (parts[-1][0] + text, changed)
    else:
        parts.append((text, changed))
