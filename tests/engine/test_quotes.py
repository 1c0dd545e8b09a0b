"""A quote is kept to the letter: where it can be tapped, where it stands, where it goes when it is mended."""

import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from coproduce.engine.quotes import LONG_WORDS, Span, carry, find, sentences, trim
from coproduce.engine.transcript import read

DATA = Path(os.environ.get("COPRODUCE_DATA", Path(__file__).parents[2] / "../shared/data"))


def cut(text: str) -> list[str]:
    return [text[span.begins : span.ends] for span in sentences(text)]


def covers(text: str) -> None:
    """What is promised of every cut."""
    spans = sentences(text)
    for span in spans:
        piece = text[span.begins : span.ends]
        assert piece and piece == piece.strip() and len(piece.split()) <= LONG_WORDS
    assert all(before.ends <= after.begins for before, after in pairwise(spans))
    assert "".join("".join(cut(text)).split()) == "".join(text.split())


# Sentences


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("We left. It rained! Why?", ["We left.", "It rained!", "Why?"]),
        ("no capital. here. either", ["no capital.", "here.", "either"]),
        ("Mr. Lee and Dr. Ana went.", ["Mr. Lee and Dr. Ana went."]),
        ("Bread, e.g. toast, i.e. food. Yes.", ["Bread, e.g. toast, i.e. food.", "Yes."]),
        ("At 10.30 it was £3.50. Fine.", ["At 10.30 it was £3.50.", "Fine."]),
        (
            "It shut at 5 p.m. on Fridays. At 6 p.m. We left.",
            ["It shut at 5 p.m. on Fridays.", "At 6 p.m.", "We left."],
        ),
        ("So… we left… Then home.", ["So… we left…", "Then home."]),
        ("So... we left... Then home.", ["So... we left...", "Then home."]),
        ("What?! No! Never.", ["What?!", "No!", "Never."]),
        ("“Go!” he said. “Now.” We went.", ["“Go!” he said.", "“Now.”", "We went."]),
        ('She said "no." Then "yes" (once.) Done.', ['She said "no."', 'Then "yes" (once.)', "Done."]),
        ("No. I never. No. 5 was full.", ["No.", "I never.", "No. 5 was full."]),
        (
            "J. R. Smith of the U.K. Council. So am I. Right.",
            ["J. R. Smith of the U.K. Council.", "So am I.", "Right."],
        ),
        ("A heading\n\nand words\nwrapped", ["A heading", "and words\nwrapped"]),
        ("", []),
        ("  \n ", []),
    ],
)
def test_sentences(text, pieces):
    assert cut(text) == pieces
    covers(text)


def lengths(text: str) -> list[int]:
    covers(text)
    return [len(piece.split()) for piece in cut(text)]


def test_long_runs_are_cut_at_a_comma_or_a_joining_word_or_in_any_case():
    assert lengths(" ".join(["um"] * 60)) == [60]
    assert lengths(" ".join(["um"] * 61)) == [40, 21]
    assert lengths(" ".join(["um"] * 30 + ["and"] + ["um"] * 50)) == [30, 51]
    assert lengths(" ".join(["um"] * 24 + ["um,"] + ["um"] * 15 + ["and"] + ["um"] * 40)) == [25, 56]
    assert lengths(" ".join(["um"] * 5 + ["um,"] + ["um"] * 60)) == [40, 26]
    assert lengths(" ".join(["um"] * 1000)) == [40] * 25


@given(st.text(st.sampled_from("ab.?!…,\"”' \n’(M)r19") | st.characters(), max_size=300))
@settings(deadline=None)
def test_sentences_cover_any_text(text):
    covers(text)


@given(
    st.lists(st.sampled_from(["um", "and", "so,", "we", "went.", "10.30", "Mr."]), max_size=400).map(" ".join)
)
@settings(deadline=None)
def test_sentences_cover_any_talk(text):
    covers(text)


# Finding

TURN = "He said: “It’s cold…” and  we\nleft – the Café was shut. We left “early”. Then the start of art."


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("It’s cold…", "It’s cold…"),
        ('"it\'s cold..."', "It’s cold…"),
        ("AND WE LEFT", "and  we\nleft"),
        ("“and we left”", "and  we\nleft"),
        ("  and\twe left \n", "and  we\nleft"),
        ("left - the cafe\u0301 was", "left – the Café was"),
        ("… and we left …", "and  we\nleft"),
        ("We left 'early'.", None),
        ('We left "early".', "We left “early”."),
        ("art", "art"),
        ("he said", "He said"),
        ("ld… and we le", None),  # the quote mark in the middle is missing
        ("ld…” and we le", "ld…” and  we\nle"),
        ("said: “it", "said: “It"),
        ("col", None),
        ("we slept", None),
        ("cafe", None),
        ("", None),
        ("“ ”", None),
        ("...", "…"),
    ],
)
def test_find(words, found):
    span = find(TURN, words)
    assert (span and TURN[span.begins : span.ends]) == found


def test_find_prefers_whole_words():
    assert find(TURN, "art") == Span(TURN.index("of art") + 3, TURN.index("of art") + 6)
    assert find("We were cold. Were we?", "ere co") == Span(4, 10)
    assert find("cafe\u0301 x", "cafe\u0301") == Span(0, 5)


@given(st.text(max_size=80), st.data())
@settings(deadline=None)
def test_what_is_there_is_found(text, data):
    at = data.draw(st.integers(0, len(text)))
    words = text[at : data.draw(st.integers(at, len(text)))]
    span = find(text, words.upper() if words.upper().casefold() == words.casefold() else words)
    if span:
        assert span == trim(text, span)
    if (
        " ".join(words.split()) == words
        and words.isascii()
        and words.replace(" ", "").isalpha()
        and " " in words
    ):
        assert span and text[span.begins : span.ends].casefold() == words.casefold()


@given(st.text(max_size=60), st.text(max_size=20))
@settings(deadline=None)
def test_what_is_found_stands_on_letters(text, words):
    span = find(text, words)
    assert span is None or (span == trim(text, span) and 0 <= span.begins < span.ends <= len(text))


# Carrying

BEFORE = "I was homless for five years. Then we was moved to a hostel in town. Nobody asked me."


@pytest.mark.parametrize(
    ("after", "quote", "stands"),
    [
        (BEFORE, "we was moved", "we was moved"),
        ("So. " + BEFORE + " Nobody.", "Nobody asked me.", "Nobody asked me."),
        (BEFORE.replace("homless", "homeless"), "Nobody asked me.", "Nobody asked me."),
        (BEFORE.replace("homless", "homeless"), "homless", "homeless"),
        (BEFORE.replace("homless", "homeless"), "was homless for", "was homeless for"),
        (BEFORE.replace("homless", "homeless"), "homless for five years.", "homeless for five years."),
        (
            BEFORE.replace("we was", "we were all"),
            "we was moved to a hostel",
            "we were all moved to a hostel",
        ),
        (
            BEFORE.replace("Then we was moved to", "In May they put us in"),
            "was moved to a hostel",
            "put us in a hostel",
        ),
        (
            BEFORE.replace("five", "5").replace("asked", "ever asked"),
            "in town. Nobody asked",
            "in town. Nobody ever asked",
        ),
        (BEFORE.replace("Nobody", "No one"), "stel in to", "stel in to"),
        (BEFORE.replace(". ", ".\n\n"), "years. Then", "years.\n\nThen"),
        (BEFORE.upper(), "we was moved", "WE WAS MOVED"),
        ("Nobody asked me. " + BEFORE[:68], "Nobody asked me.", None),
        (
            BEFORE[30:] + " I was homless for five years.",
            "I was homless for five years.",
            "I was homless for five years.",
        ),
        (BEFORE[:29] + BEFORE[68:], "Then we was moved to a hostel in town.", None),
        ("Something else, and quite new.", "Nobody asked me.", None),
        ("", "we", None),
    ],
)
def test_carry(after, quote, stands):
    begins = BEFORE.index(quote)
    span = carry(BEFORE, after, Span(begins, begins + len(quote)))
    assert (span and after[span.begins : span.ends]) == stands


def test_carry_keeps_to_whole_words():
    assert carry("yes", "Oh yesterday I said yes", Span(0, 3)) == Span(20, 23)
    assert carry("  ", "  ", Span(0, 2)) is None
    assert carry("no", "no", Span(5, 9)) is None


TALK = st.lists(
    st.sampled_from(["we", "was", "moved,", "to", "a", "hostel.", "“Why?”", "um", "it’s", "e\u0301t"]),
    max_size=40,
).map(" ".join)
TEXT = st.text(max_size=40) | TALK


@st.composite
def quoted(draw, texts=TEXT) -> tuple[str, Span]:
    text = draw(texts)
    assume(text.strip())
    begins = draw(st.integers(0, len(text) - 1))
    span = trim(text, Span(begins, draw(st.integers(begins + 1, len(text)))))
    assume(span)
    assert span
    return text, span


@given(quoted())
@settings(deadline=None)
def test_a_quote_stays_where_nothing_changed(quote):
    text, span = quote
    assert carry(text, text, span) == span


@given(TEXT, quoted(), TEXT)
@example("x", ("abc", Span(0, 3)), "y")
@settings(deadline=None)
def test_a_quote_keeps_its_words_when_a_turn_grows_at_its_ends(before, quote, after):
    text, span = quote
    grown = before + text + after
    carried = carry(text, grown, span)
    assert carried and grown[carried.begins : carried.ends] == text[span.begins : span.ends]


DISTINCT = st.integers(1, 300).map(lambda count: " ".join(f"word{at}" for at in range(count)))


@given(quoted(DISTINCT), st.data())
@settings(deadline=None)
def test_a_quote_keeps_its_words_when_others_are_mended(quote, data):
    """One word in front of the quote and one after it are replaced by words that were not there."""
    text, span = quote
    said = text[span.begins : span.ends]
    front, back = text[: span.begins].split(" "), text[span.ends :].split(" ")
    for words in (front, back):
        if len(words) > 2:
            words[data.draw(st.integers(1, len(words) - 2))] = "quite different"
    mended = " ".join(front) + said + " ".join(back)
    carried = carry(text, mended, span)
    assert carried and mended[carried.begins : carried.ends].split() == said.split()


@given(quoted(), TEXT)
@settings(deadline=None)
def test_a_carried_quote_stands_on_letters(quote, after):
    text, span = quote
    carried = carry(text, after, span)
    assert carried is None or (
        carried == trim(after, carried) and 0 <= carried.begins < carried.ends <= len(after)
    )


# Trimming


@pytest.mark.parametrize(
    ("span", "trimmed"),
    [
        ((0, 9), (2, 6)),
        ((2, 6), (2, 6)),
        ((-5, 99), (2, 6)),
        ((3, 5), (4, 5)),
        ((0, 2), None),
        ((6, 3), None),
        ((9, 12), None),
    ],
)
def test_trim(span, trimmed):
    assert trim("  a bc\n ", Span(*span)) == (trimmed and Span(*trimmed))


# A real story


def test_a_real_story_can_be_tapped():
    path = DATA / "stories" / "tom-and-lee.txt"
    if not path.exists():
        pytest.skip(f"no real story at {path}: set COPRODUCE_DATA to the folder that holds stories/")
    for turn in read(path.read_bytes()).turns:
        covers(turn.text)
        for span in sentences(turn.text):
            words = turn.text[span.begins : span.ends]
            found = find(turn.text, words.upper())
            assert words.strip("\"'. ") == "" or (found and found.begins <= span.begins)
            assert carry(turn.text, turn.text, span) == span
