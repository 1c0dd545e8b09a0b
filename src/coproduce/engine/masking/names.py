"""Names, by what is known, by the given names that people in the UK have, and by what stands beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coproduce.engine.masking.candidate import Candidate
from coproduce.engine.masking.words import NOT_NAMES, SPACES, TITLES, Word, joins, listed, words_in

_AMBIGUOUS = listed("given_and_words", "family_and_words", "given_and_places")
_PLACES_TOO = listed("given_and_places")
_GIVEN_WORDS = listed("given_and_words")
_GIVEN = listed("given") - _AMBIGUOUS
_ANY_GIVEN = _GIVEN | _GIVEN_WORDS | _PLACES_TOO
_FAMILY = listed("family")
_SMALL_TITLES = listed("titles_in_small_letters")
_RELATIONS = listed("relations")
_DOINGS = listed("doings")
_TELLINGS = listed("tellings")
_THINGS = listed("things")
_NOT_PEOPLE = listed("not_people")
_NO_PERSON = listed("no_person")
_PARTICLES = listed("particles")
_NICKS = listed("nicks")
_BEFORE_MONTHS = listed("before_months")
_AT_PLACES = listed("at_places")
_ABSTRACT = listed("abstract")

_INTRODUCE = (
    ("name", "is"),
    ("name",),
    ("names",),
    ("name", "was"),
    ("call", "me"),
    ("calls", "me"),
    ("call", "him"),
    ("call", "her"),
    ("named",),
    ("known", "as"),
)
_MONTH_WORDS = frozenset(["april", "may", "june", "july", "august"])
_WHOSE = frozenset(["my", "his", "her", "our", "their", "the", "a", "an"])
_BEINGS = frozenset(["is", "was", "isn't", "wasn't", "has", "had", "hasn't", "does", "doesn't"])
_ARTICLES = frozenset(["the", "a", "an", "this", "that", "any", "some", "my", "your"])


class Known:
    """The names that an installation knows, by the key of their first word."""

    def __init__(self, names: Iterable[str]) -> None:
        self.whole: dict[str, set[tuple[str, ...]]] = {}
        self.parts: set[str] = set()
        for name in names:
            keys = tuple(word.key for word in words_in(name))
            if not keys:
                continue
            self.whole.setdefault(keys[0], set()).add(keys)
            person = keys[0] in _ANY_GIVEN or not any(key in NOT_NAMES or key in _THINGS for key in keys)
            thing = keys[-1] in _NOT_PEOPLE and keys[-1] not in _AMBIGUOUS
            if 2 <= len(keys) <= 3 and person and not thing:
                self.parts.update(
                    key for key in keys if len(key) > 2 and key not in _PARTICLES and key not in TITLES
                )
        self.sizes = {
            first: sorted({len(keys) for keys in all_}, reverse=True) for first, all_ in self.whole.items()
        }

    def __contains__(self, key: str) -> bool:
        return key in self.parts or (key,) in self.whole.get(key, ())

    def words_at(self, words: list[Word], at: int) -> int:
        """How many words from here on are a known name of several words, or 0."""
        for size in self.sizes.get(words[at].key, ()):
            if size > 1 and at + size <= len(words):
                keys = tuple(word.key for word in words[at : at + size])
                if keys in self.whole[keys[0]] and all(joins(words, at + more) for more in range(1, size)):
                    return size
        return 0


def _everyday(key: str) -> bool:
    return key in _AMBIGUOUS or key in NOT_NAMES or len(key) <= 2


def _nameish(word: Word) -> bool:
    """Whether a word may be a name by its looks: a capital, and not a word that has one anyway."""
    return (
        word.capital
        and word.key not in NOT_NAMES
        and not (word.shouted and len(word.key) <= 5 and word.key not in _GIVEN)
        and word.key.replace("'", "").replace(".", "").isalpha()
        and len(word.key) > 1
    )


def _grow(words: list[Word], at: int) -> int:
    """Where a name that begins here ends: with the last capitalised word that follows, over "de", "van"."""
    last = at + 1
    while last < len(words) and last - at < 4 and joins(words, last) and not words[last].first:
        word = words[last]
        ahead = words[last + 1] if last + 1 < len(words) else None
        if (word.capital and word.gap in ("-", "‐", "‑")) or (
            _nameish(word)
            and word.key not in TITLES
            and not (word.key in _NOT_PEOPLE and word.key not in _FAMILY)
        ):
            last += 1
        elif (word.key in _PARTICLES or (len(word.key) == 1 and word.capital and word.key != "i")) and (
            ahead is not None and joins(words, last + 1) and not ahead.first and _nameish(ahead)
        ):
            last += 2
        else:
            break
    return last


def _part_of_something(words: list[Word], last: int) -> bool:
    """Whether what follows makes a name the name of something else: "Charles Hospital"."""
    return (
        last < len(words)
        and words[last].gap.isspace()
        and words[last].capital
        and not words[last].first
        and words[last].key in _NOT_PEOPLE
    )


def find_names(words: list[Word], known: Known) -> Iterator[Candidate]:
    """Names, those beside another name too."""
    found: dict[int, int] = {}
    past = 0
    for at in range(len(words)):
        if at >= past and (ends := _name_at(words, at, known)):
            past = ends
            if "-".join(one.key for one in words[at:ends]) not in _NO_PERSON:
                found[at] = ends
    # "Hefin David": what stands with a capital before a given name belongs to it.
    for at, ends in list(found.items()):
        before = words[at - 1] if at else None
        if (
            before is not None
            and not before.first
            and at - 1 not in found
            and _nameish(before)
            and before.key not in TITLES
            and words[at].capital
            and not words[at].first
            and joins(words, at)
        ):
            del found[at]
            found[at - 1] = ends
    # "Dave and Oluchi", "Oluchi and Dave": one name says that the other is one.
    for at, ends in list(found.items()):
        if (
            ends + 1 < len(words)
            and words[ends].key in ("and", "or")
            and not words[ends].first
            and words[ends].gap.isspace()
            and words[ends + 1].gap.isspace()
            and _nameish(words[ends + 1])
        ):
            more = _grow(words, ends + 1)
            if not _part_of_something(words, more):
                found.setdefault(ends + 1, more)
        if (
            at > 1
            and words[at - 1].key in ("and", "or")
            and words[at].gap.isspace()
            and words[at - 1].gap.isspace()
            and not words[at - 2].first
            and _nameish(words[at - 2])
        ):
            found.setdefault(at - 2, at - 1)
    for at, ends in found.items():
        yield Candidate(words[at].begins, words[ends - 1].ends, "name")


def _name_at(words: list[Word], at: int, known: Known) -> int:
    """Where the name that begins with this word ends, or 0 where none does."""
    word = words[at]
    if size := known.words_at(words, at):
        everyday = all(_everyday(one.key) for one in words[at : at + size])
        if not everyday or (word.capital and not word.shouted):
            return max(at + size, _grow(words, at)) if word.capital and not word.shouted else at + size
    if word.key in known and (not _everyday(word.key) or _meant_as_name(words, at, known, True)):
        return _grow(words, at) if word.capital and not word.shouted else at + 1
    if word.key.isdigit():
        return 0
    if _titled(words, at) or _introduced(words, at):
        return _grow(words, at) if word.capital else at + 1
    if word.key in _GIVEN:
        return _given(words, at)
    if word.capital and word.key in _NICKS and at + 1 < len(words) and words[at + 1].gap == " ":
        last = _nicknamed(words, at, known)
        if last:
            return last
    if not _nameish(word) or word.key in TITLES:
        return 0
    last = _grow(words, at)
    if (word.key in _GIVEN_WORDS or word.key in _PLACES_TOO) and _meant_as_name(words, at, known, False):
        return 0 if _part_of_something(words, last) else last
    if last - at == 2 and words[last - 1].key in _FAMILY:
        return last
    if _part_of_something(words, last):
        return 0
    return last if _beside_a_relation(words, at, last) or _does_something(words, at, last) else 0


def _nicknamed(words: list[Word], at: int, known: Known) -> int:
    """Where "Big Tone" or "Scottish Dave" ends, or 0 where it is no name."""
    name = words[at + 1]
    if not name.capital or name.first:
        return 0
    if last := _name_at(words, at + 1, known):
        return last
    last = _grow(words, at + 1)
    if not _nameish(name):
        return 0
    called = at > 0 and words[at - 1].key == "called"
    clue = called or _beside_a_relation(words, at, last) or _does_something(words, at, last)
    return last if clue and not words[at].first else 0


def _given(words: list[Word], at: int) -> int:
    """A name by its given name alone."""
    word = words[at]
    if at and words[at - 1].key in ("st", "saint", "saints") and words[at].gap in (" ", ". ", "."):
        return 0
    if not word.capital:
        return at + 1
    last = _grow(words, at) if not word.shouted else at + 1
    return 0 if _part_of_something(words, last) or (word.owns and _part_of_something(words, at + 1)) else last


def _titled(words: list[Word], at: int) -> bool:
    """Whether a title stands before a name."""
    if not at:
        return False
    word, title = words[at], words[at - 1]
    if title.key not in TITLES or not (word.gap.isspace() or word.gap in (". ", ".")) or title.owns:
        return False
    if word.first and word.gap not in (". ", "."):
        return False
    if word.capital:
        return _nameish(word) or (
            word.key in ("may", "black", "green", "white", "love", "young") and title.capital
        )
    small = title.key in _SMALL_TITLES and word.key not in NOT_NAMES and word.key.isalpha()
    return small or word.key in _FAMILY


def _introduced(words: list[Word], at: int) -> bool:
    """Whether what stands before a name says that it is one: "my name is", "a lad called", "I'm"."""
    word = words[at]
    if not at or (not SPACES.fullmatch(word.gap) and word.gap not in (", ", ": ")):
        return False
    small = word.key in _GIVEN or (
        word.key in _GIVEN_WORDS and len(word.key) > 2 and word.key not in NOT_NAMES
    )
    if not (_nameish(word) or small):
        return False
    before = tuple(one.key for one in words[max(at - 2, 0) : at])
    if before[-1] in ("um", "er", "erm", "uh") and at > 2:
        before = tuple(one.key for one in words[at - 3 : at - 1])
    if before[-1] == "called":
        whose = words[at - 2].key if at > 1 else ""
        return whose not in _THINGS or word.key in _GIVEN
    if before[-1] == "name" and not words[at - 1].owns:
        return False
    if before == ("me", "and") and word.capital and words[at - 1].gap.isspace():
        return True
    if before in _INTRODUCE or before[-1:] in _INTRODUCE:
        return word.capital or before[-1] != "named"
    if word.capital and not word.first and not word.shouted:
        if before[-1] == "i" and words[at - 1].owns and words[at - 1].ends - words[at - 1].begins == 1:
            return True
        if before == ("i", "am"):
            return True
        return (
            at + 1 < len(words)
            and words[at + 1].key in ("here", "speaking")
            and before[-1] in ("it", "is", "this")
        )
    return False


def _meant_as_name(words: list[Word], at: int, known: Known, is_known: bool) -> bool:
    """Whether a name that is an everyday word too is meant as a name here."""
    word = words[at]
    after = words[at + 1] if at + 1 < len(words) else None
    before = words[at - 1] if at else None
    if not word.capital or word.shouted:
        return False
    if _titled(words, at) or _introduced(words, at):
        return True
    if after is not None and after.gap.isspace() and not after.first:
        if after.key in _DOINGS and word.key not in _MONTH_WORDS:
            return True
        if after.capital and (after.key in known or after.key in _FAMILY or after.key in _GIVEN):
            return True
        if (
            after.key == "and"
            and at + 2 < len(words)
            and (words[at + 2].key == "i" or (words[at + 2].capital and words[at + 2].key in _GIVEN))
            and word.key not in _MONTH_WORDS
        ):
            return True
        if is_known and after.key in _BEINGS and word.key not in _ABSTRACT:
            return True
        if after.key in ("who", "from") and word.key not in NOT_NAMES:
            return True
    if _beside_a_relation(words, at, at + 1):
        return True
    if before is not None and not word.first:
        if (
            before.key == "and"
            and at > 1
            and words[at - 2].capital
            and (words[at - 2].key in known or words[at - 2].key in _GIVEN)
        ):
            return True
        if before.key in _TELLINGS:
            return True
    if (
        word.owns
        and word.key not in _ABSTRACT
        and word.key not in _MONTH_WORDS
        and word.key not in _PLACES_TOO
    ):
        return is_known or word.key not in NOT_NAMES
    if word.first or before is None:
        return False
    if before.key in _ARTICLES:
        return False
    if before.capital and not before.first and before.key in NOT_NAMES and before.key != "i":
        return False
    if _part_of_something(words, at + 1):
        return False
    if word.key in _MONTH_WORDS:
        if (
            before.key in _BEFORE_MONTHS
            or before.key[:1].isdigit()
            or before.key.endswith(("th", "st", "nd", "rd"))
        ):
            return False
        return not (after is not None and after.key[:1].isdigit())
    if word.key in _PLACES_TOO:
        return is_known and before.key not in _AT_PLACES
    if word.key in NOT_NAMES:
        return is_known
    return is_known or word.key in _GIVEN_WORDS


def _beside_a_relation(words: list[Word], at: int, last: int) -> bool:
    """ "my worker Oluchi", "my worker, Oluchi"; "Oluchi, my worker"; "Oluchi was my support worker" """
    if (
        at
        and not words[at].first
        and words[at].gap in (" ", ", ", "\u00a0", " - ", " – ")
        and not words[at - 1].owns
    ):
        before = words[at - 1].key
        if before in _RELATIONS and not words[at - 1].shouted:
            return True
        if before.endswith("worker") or (
            before in ("is", "was") and at > 1 and words[at - 2].key in _RELATIONS
        ):
            return True
    ahead = last
    if (
        ahead < len(words)
        and words[ahead].key in ("is", "was", "who", "who's")
        and words[ahead].gap in (" ", ", ")
    ):
        ahead += 1
        if ahead < len(words) and words[ahead].key in ("is", "was"):
            ahead += 1
    elif ahead < len(words) and words[ahead].gap != ", ":
        return False
    if words[at].key.endswith("ly") or words[at].owns or (at and words[at - 1].key in _AT_PLACES):
        return False
    if ahead < len(words) and words[ahead].key in _WHOSE:
        for word in words[ahead + 1 : ahead + 4]:
            if not word.gap.isspace():
                return False
            if word.key in _RELATIONS or word.key.endswith("worker"):
                return True
    return False


def _does_something(words: list[Word], at: int, last: int) -> bool:
    """ "and Oluchi said"; "I told Oluchi" """
    if words[at].first or not at or last - at > 2:
        return False
    before = words[at - 1]
    if before.key in _WHOSE or before.key in ("at", "in", "of"):
        return False
    if before.capital and before.key not in NOT_NAMES:
        return False
    if before.key in _TELLINGS and words[at].gap.isspace():
        return True
    return (
        last < len(words)
        and words[last].gap.isspace()
        and words[last].key in _DOINGS
        and not words[last].first
    )
