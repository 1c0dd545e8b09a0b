"""The picture of a thread stays a picture whatever the thread is like."""

import re
from itertools import combinations, product

import pytest

from coproduce.changes.picture import (
    Box,
    ChangeNode,
    Drawing,
    Heard,
    More,
    Picture,
    ThemeNode,
    TopicNode,
    VoiceNode,
    lay_out,
    strand_width,
    width_of,
    wrap,
)

LONG = "Every letter was from somebody else, and by then I had stopped opening them, so nobody could say"


def thread(
    voices: int, more: int, themes: int, topics: int, words: str = "Just one person to ring"
) -> Picture:
    kinds = (["theme"] if themes else []) + (["topic"] if topics else []) + ["change"]
    many = {"theme": themes, "topic": topics, "change": 1}
    after_theme = "topic" if topics else "change"
    return lay_out(
        # One goes to the next step, one skips it, one goes straight to the change, and so on.
        [VoiceNode(words, [(kinds[i % len(kinds)], i % many[kinds[i % len(kinds)]])]) for i in range(voices)],
        More(more, hubs=3) if more else None,
        [ThemeNode(f"{words} {i}", 3**i, [(after_theme, i % many[after_theme])]) for i in range(themes)],
        [TopicNode(f"Who stays? {i}", 20, [("change", 0)]) for i in range(topics)],
        ChangeNode("Support contracts promise one person"),
        Heard(21, 23),
    )


THREADS = [
    pytest.param(*sizes, id="-".join(map(str, sizes)))
    for sizes in product((0, 1, 3, 5, 3000), (0, 1, 19, 12_000), (0, 1, 4, 9), (0, 1, 3, 7))
]


def drawings(picture: Picture) -> list[Drawing]:
    return [picture.wide, picture.tall]


def apart(a: Box, b: Box) -> bool:
    return a.right <= b.x or b.right <= a.x or a.bottom <= b.y or b.bottom <= a.y


def points(path: str) -> list[tuple[float, float]]:
    """The ends and bends of a path. A curve stays within the hull of its bends."""
    x = y = 0.0
    found = []
    for command, rest in re.findall(r"([MCSQHVLAZ])([^MCSQHVLAZ]*)", path):
        numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", rest)]
        if command == "H":
            x = numbers[0]
            found.append((x, y))
        elif command == "V":
            y = numbers[0]
            found.append((x, y))
        elif command == "A":
            x, y = numbers[-2:]
            found.append((x, y))
        else:
            found += list(zip(numbers[::2], numbers[1::2], strict=True))
            x, y = found[-1] if found else (x, y)
    return found


@pytest.mark.parametrize("sizes", [pytest.param(p.values, id=p.id) for p in THREADS])
def test_nothing_overlaps_and_everything_is_inside(sizes):
    for drawing in drawings(thread(*sizes)):
        for a, b in combinations(drawing.boxes, 2):
            assert apart(a, b), (a, b)
        for box in drawing.boxes:
            assert (
                box.x >= 0 and box.y >= 0 and box.right <= drawing.width and box.bottom <= drawing.height
            ), box
        for strand in drawing.strands:
            for x, y in points(strand.path):
                half = strand.width / 2
                assert half <= x <= drawing.width - half and half <= y <= drawing.height - half, strand
        for x, y in points(drawing.back + drawing.arrow):
            assert 0 <= x <= drawing.width and 0 <= y <= drawing.height, drawing.back


@pytest.mark.parametrize(
    "words",
    ["Hi", LONG, "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch", "MMMM WWWW " * 9, "房" * 90],
)
def test_words_stay_in_their_box(words):
    for drawing, size in zip(drawings(thread(5, 12_000, 4, 3, words)), (17, 18), strict=True):
        for box in drawing.boxes:
            for text in box.texts:
                width = width_of(text.words, size)
                left = text.x - width / 2 if text.anchor == "middle" else text.x
                assert box.x <= left and left + width <= box.right, text
                assert box.y < text.y <= box.bottom, text


def test_three_voices_are_shown_and_none_is_counted():
    picture = thread(3, 0, 1, 1)
    assert [box.kind for box in picture.wide.boxes] == ["voice"] * 3 + ["theme", "topic", "change"]
    assert "3 voices lead to it." in picture.description


def test_three_thousand_voices_are_four_bubbles_and_a_rope():
    picture = thread(3000, 19, 1, 1)
    kinds = [box.kind for box in picture.wide.boxes]
    assert kinds.count("voice") == 4 and kinds.count("more") == 1
    more = next(box for box in picture.wide.boxes if box.kind == "more")
    assert " ".join(text.words for text in more.texts) == "and 3,015 more voices, 3 hubs"
    assert "3,019 voices" in picture.description


def test_no_voices_promise_no_way_back():
    picture = thread(0, 0, 0, 0)
    assert [box.kind for box in picture.tall.boxes] == ["change"]
    assert not picture.wide.back and not picture.tall.back and not picture.wide.strands
    assert "No voices are tied to it yet." in picture.description


def test_what_is_not_shown_is_said():
    texts = [text.words for box in thread(1, 0, 9, 4).wide.boxes for text in box.texts]
    assert any("5 more" in words for words in texts) and any("1 more" in words for words in texts)


def test_more_voices_make_a_wider_strand_and_never_a_wall():
    widths = [strand_width(n) for n in (1, 2, 10, 100, 1000, 1_000_000)]
    assert widths == sorted(widths) and widths[0] == 4 and widths[-1] == 18


def test_a_quote_that_is_cut_says_so_and_keeps_its_marks():
    lines = wrap("“" + LONG, 200, 17, 2, ends="”")
    assert len(lines) == 2 and lines[-1].endswith("…”")
    assert wrap("“Dogs", 200, 17, 2, ends="”") == ["“Dogs”"]


def test_what_a_phone_shows_can_be_read():
    """18 units in 340: fifteen pixels and more on the narrowest phone."""
    assert 18 * (320 - 30) / thread(3, 0, 1, 1).tall.width > 15
