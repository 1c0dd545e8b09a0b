"""What may tell who somebody is is offered for masking: how much of it is found, how much is offered in vain,
and that nothing else in a quote is touched.

The sentences were worked on, so their figures flatter. Before anything was changed for `later`, it scored
(recall, precision): name 0.90 0.97, account or reference number 0.75 0.67, place 0.67 0.67, the others 1.00.
Before anything was changed for `last`: name 0.94 1.00, the others 1.00.
"""

import re
import time
import tomllib
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coproduce.engine.masking import OFFERED, Found, Kind, find, mask

SENTENCES = tomllib.loads((Path(__file__).parent / "masking_sentences.toml").read_text(encoding="utf-8"))
KNOWN = SENTENCES["known"]
MARKED = re.compile(r"\{([a-z ]+)\|([^}]*)\}")


def unmarked(marked: str) -> tuple[str, set[tuple[int, int, str]]]:
    """A sentence without its marks, and what they mark."""
    text, spans, at = "", set(), 0
    for mark in MARKED.finditer(marked):
        text += marked[at : mark.start()]
        spans.add((len(text), len(text) + len(mark[2]), mark[1]))
        text += mark[2]
        at = mark.end()
    return text + marked[at:], spans


def sentences(part: str) -> list[str]:
    return SENTENCES[part].strip().splitlines()


def score(marked: list[str]) -> tuple[dict[str, Counter[str]], list[str]]:
    """For each kind what is there, found to the letter, and offered; and what differs, to read."""
    table = {kind: Counter() for kind in get_args(Kind)}
    differs = []
    for sentence in marked:
        text, wanted = unmarked(sentence)
        got = {(found.begins, found.ends, found.kind) for found in find(text, KNOWN)}
        for name, spans in (("there", wanted), ("offered", got), ("right", wanted & got)):
            for *_, kind in spans:
                table[kind][name] += 1
        for sign, spans in (("missed ", wanted - got), ("in vain", got - wanted)):
            differs += [f"{sign} {kind}: {text[b:e]!r} in {text!r}" for b, e, kind in sorted(spans)]
    return table, differs


def test_finds_nearly_everything_and_offers_little_in_vain():
    marked = sentences("first") + sentences("later") + sentences("last")
    table, differs = score(marked)
    print(f"\n{len(marked)} sentences\n{'':30}there  recall  precision")
    for kind, counted in table.items():
        recall, precision = counted["right"] / counted["there"], counted["right"] / counted["offered"]
        print(f"{kind:30}{counted['there']:5}{recall:8.2f}{precision:11.2f}")
    print(*differs, sep="\n")
    for kind, counted in table.items():
        assert counted["there"] >= 8, kind
        assert counted["right"] >= 0.95 * counted["there"], kind
        assert counted["right"] >= 0.9 * counted["offered"], kind


def test_there_are_enough_sentences_and_many_hold_nothing():
    marked = sentences("first") + sentences("later") + sentences("last")
    assert len(marked) >= 200 and len(set(marked)) == len(marked)
    assert sum(not MARKED.search(sentence) for sentence in marked) >= 80


def shown(text: str, *names: str) -> str:
    return mask(text, find(text, names))


@pytest.mark.parametrize(
    ("text", "names", "masked"),
    [
        ("Lee’s flat and LEE's dog", ["Lee"], "[a name]’s flat and [a name]'s dog"),
        ("Zoe\u0308 and Zoé", ["Zoë"], "[a name] and [a name]"),
        ("josé said", ["Jose"], "[a name] said"),
        ("o’neil and O'Neil", ["O'Neil"], "[a name] and [a name]"),
        ("Anne-Marie, anne marie", ["Anne-Marie"], "[a name], [a name]"),
        ("Big\u00a0Sal came", ["Big Sal"], "[a name] came"),
        ("محمد was here", ["محمد"], "[a name] was here"),
        ("Łukasz, lukasz", ["Lukasz"], "[a name], [a name]"),
        ("sleeves and Leeds and lee_7", ["Lee"], "sleeves and Leeds and lee_7"),
        ("Will will.", ["Will"], "Will will."),
        ("Was it Will?", ["Will"], "Was it [a name]?"),
        ("WILL THEY LISTEN", ["Will"], "WILL THEY LISTEN"),
        ("He said “Will you?”", ["Will"], "He said “Will you?”"),
        ("in May and in may", ["May"], "in May and in may"),
        ("", ["", " ", "-"], ""),
        ("Dr. Hope saw me", [], "Dr. [a name] saw me"),
        ("J. Oyelaran rang", ["J. Oyelaran"], "[a name] rang"),
        ("Anne-Marie AAAAa", ["Anne-Marie"], "[a name]"),
        ("a job at John Lewis", [], "a job at John Lewis"),
        ("Scottish Dave left", [], "[a name] left"),
        ("ring 07700\u00a0900\u00a0123.", [], "ring [a phone number]."),
        ("O7700 900123", [], "[a phone number]"),
        ("(01632) 960123 or +353 1 234 5678", [], "[a phone number] or [a phone number]"),
        ("07700 900123 07700 900456", [], "[a phone number] [a phone number]"),
        ("plus four four seven seven double oh nine hundred one two three", [], "plus [a phone number]"),
        ("٠٧٧٠٠٩٠٠١٢٣", [], "[a phone number]"),
        ("999 000 0018", [], "[an NHS number]"),
        ("999 000 0019", [], "999 000 0019"),
        ("my NHS number is 999 000 0019", [], "my NHS number is [an NHS number]"),
        ("BG 12 34 56 A", [], "BG 12 34 56 A"),
        ("national insurance BG 12 34 56", [], "national insurance [a National Insurance number]"),
        ("an 12 34 56 a week", [], "an 12 34 56 a week"),
        ("cb99 9zz, CB999ZZ, CB99-9ZZ", [], "[a postcode], [a postcode], [a postcode]"),
        ("CB99 9CK and qv1 9zz", [], "CB99 9CK and qv1 9zz"),
        ("m1 2nd exit", [], "m1 2nd exit"),
        ("GIR 0AA, bfpo 12", [], "[a postcode], [a postcode]"),
        ("4111 1111 1111 1112", [], "4111 1111 1111 1112"),
        ("£12345678", [], "£12345678"),
        ("joan @ example.org, see example.org.", [], "[an email address], see [a web address]."),
        ("j.o'neil@example.org’s", [], "[an email address]’s"),
        ("(https://example.org/a).", [], "([a web address])."),
        ("14, Made Up Road, CB99 9ZZ", [], "[an address], [a postcode]"),
        ("I saw [a name] at [an address]", ["name", "address"], "I saw [a name] at [an address]"),
    ],
)
def test_shapes(text, names, masked):
    assert shown(text, *names) == masked


def test_what_is_offered_is_in_plain_words_in_brackets():
    assert set(OFFERED) == set(get_args(Kind))
    assert all(re.fullmatch(r"\[an? [A-Za-z ]+\]", offered) for offered in OFFERED.values())
    assert find("Ask Dave") == [Found(4, 8, "name", "[a name]")]


# Masking


def test_masks_some_or_all_in_any_order():
    text = "Dave and Sharon, 07700 900123"
    found = find(text)
    assert [one.kind for one in found] == ["name", "name", "phone"]
    assert mask(text, reversed(found)) == "[a name] and [a name], [a phone number]"
    assert mask(text, found[1:2]) == "Dave and [a name], 07700 900123"
    assert mask(text, [Found(0, 4, "name", "[my mate]")]) == "[my mate] and Sharon, 07700 900123"
    assert mask(text, []) == text


@pytest.mark.parametrize(
    ("spans", "says"),
    [
        ([(0, 4), (3, 6)], r"0 to 4 .* 3 to 6 overlap"),
        ([(0, 4), (0, 4)], "overlap"),
        ([(2, 2)], "2 to 2"),
        ([(-1, 2)], "-1 to 2"),
        ([(3, 9)], "3 to 9, but the text has 8 characters"),
        ([(5, 3)], "5 to 3"),
    ],
)
def test_refuses_what_does_not_fit(spans, says):
    with pytest.raises(ValueError, match=says):
        mask("Dave too", [Found(*span, "name", "[a name]") for span in spans])


# Whatever the text

PIECES = [
    *(MARKED.sub(r"\2", sentence) for sentence in sentences("first")[::3]),
    *OFFERED.values(),
    *[
        "Will",
        "Dave",
        "Rose",
        "Oluchi",
        "my",
        "called",
        "is",
        "at",
        "dot",
        "com",
        "org",
        "Mr",
        "Dr.",
        "St",
        "Mary's",
        "Road",
        "Street",
        "Flat",
        "3",
        "14",
    ],
    *[
        "number",
        "oh",
        "double",
        "seven",
        "07700",
        "900123",
        "999",
        "000",
        "0018",
        "QQ",
        "12",
        "34",
        "56",
        "C",
        "CB99",
        "9ZZ",
        "born",
        "3/4/80",
        "ref",
    ],
    *["@", ".", ",", "-", "(", ")", "+", "/", "'", "’", "[", "]", "\n", "\xa0", "̈", "￼", "https://"],
    *("nine hundred and", "I'm", "date of birth", "NHS number"),
]
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=25).map(" ".join),
    st.lists(st.sampled_from(PIECES) | st.text(max_size=2), max_size=25).map("".join),
)
NAMES = st.lists(
    st.sampled_from([*KNOWN, "a", "number", "name", "at", "[a name]"]) | st.text(max_size=8), max_size=6
)


@settings(max_examples=300, deadline=None)
@given(TEXTS, NAMES)
@example("[a [a name]name]", [])
@example("07700 900123[a phone number]4960123", ["phone"])
def test_whatever_the_text(text, names):
    found = find(text, names)
    assert all(0 <= one.begins < one.ends <= len(text) for one in found)
    assert all(one.ends <= other.begins for one, other in pairwise(found))
    assert all(one.offered == OFFERED[one.kind] for one in found)

    masked = mask(text, found)
    assert find(masked, names) == []
    at = came = 0
    for one in found:
        kept = one.begins - at
        assert masked[came : came + kept] == text[at : one.begins]
        came += kept
        assert masked[came:].startswith(one.offered)
        came += len(one.offered)
        at = one.ends
    assert masked[came:] == text[at:]


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.sampled_from(["Oyelaran", "Zbyszko", "Anne-Marie", "D'Arcy"]), TEXTS)
def test_a_known_name_is_never_left(before, name, after):
    text = f"{before} {name} {after}"
    at = len(before) + 1
    covered = {sign for one in find(text, [name]) for sign in range(one.begins, one.ends)}
    assert covered.issuperset(range(at, at + len(name)))


@pytest.mark.parametrize(
    "piece",
    [
        "I told Dave at 14 Made Up Road to ring 07700 900123 by Monday, and he said no. ",
        *("a", "1", "a ", "1 ", "A ", "a.", "a-", "@", "a@", "'", "\n", "[a name]", "+44(0)", "A1 1AA "),
        *("Dave ", "Will ", "oh ", "double ", "road ", "1 Road ", "flat 1 ", "born ", "ref ", "NHS 1"),
        *("a dot ", "a at ", "https://a ", "www.", "x and ", "St. "),
    ],
)
def test_time_grows_with_the_text_and_no_faster(piece):
    def took(size: int) -> float:
        text = piece * (size // len(piece))
        begins = time.process_time()
        find(text, KNOWN)
        return time.process_time() - begins

    took(1_000)
    assert took(80_000) < 16 * took(10_000) + 1


@pytest.mark.parametrize("sign", ["²", "①", "٣", "𝟘"])
def test_signs_that_are_digits_to_unicode_only_are_just_signs(sign):
    """`²` is a digit to Unicode and no number to Python: the first form of this raised."""
    find(f"{sign} " * 10)
    find(f"ring me on 07700 9001{sign}3")
