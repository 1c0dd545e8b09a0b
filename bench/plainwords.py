"""How long jargon and reading age take, and how often jargon stands in texts of different kinds.

    python bench/plainwords.py FILE …

Each FILE is plain text. Prints for each its words, its reading age, how many places were found of each kind and how
long that took; at the end, how many characters a second.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

from coproduce.engine.plainwords import find_terms, reading_age, sentences_too_long


def main(files: list[str]) -> None:
    find_terms("The words and their counts are read once.")
    characters = seconds = 0.0
    print(
        f"{'words':>8} {'age':>5} {'known':>6} {'acronym':>8} {'phrase':>7} {'rare':>6} {'long':>6} {'s':>7}  file"
    )
    for file in files:
        text = Path(file).read_text(encoding="utf-8")
        began = time.perf_counter()
        found = find_terms(text)
        took = time.perf_counter() - began
        age = reading_age(text)
        kinds = Counter(each.kind for each in found)
        print(
            f"{len(text.split()):8} {age.years if age else 0:5.1f} {kinds['known']:6} {kinds['acronym']:8} "
            f"{kinds['phrase']:7} {kinds['rare']:6} {len(sentences_too_long(text)):6} {took:7.2f}  {Path(file).name}"
        )
        characters += len(text)
        seconds += took
    if seconds:
        print(f"{characters / seconds:,.0f} characters a second")


if __name__ == "__main__":
    main(sys.argv[1:]) if sys.argv[1:] else print(__doc__)
