"""The picture of a thread: from voices through theme and topic to a change, and back to everyone who spoke.

Works out where everything stands; `changes/thread.svg.html` draws it. Two drawings of the same thread: wide,
from left to right, and tall, from top to bottom, for a phone. No Django: a thread goes in, numbers come out.
Units are those of the drawing's viewBox: about a pixel each when wide; when tall, scaled to the phone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import log2
from typing import Literal

Kind = Literal["theme", "topic", "change"]
Link = tuple[
    Kind, int
]  # where a strand leads: ("theme", 1) is the second theme; there is one change, ("change", 0)

SHOWN_VOICES, SHOWN_THEMES, SHOWN_TOPICS = 5, 4, 3
WIDE, TALL = 1000, 340


@dataclass(frozen=True)
class VoiceNode:
    words: str
    to: Sequence[Link] = ()


@dataclass(frozen=True)
class More:
    """The voices not shown one by one. `hubs`: how many hubs all the voices come from; 0 leaves it out."""

    voices: int
    hubs: int = 0
    to: Sequence[Link] = ()  # by default the first of what comes next


@dataclass(frozen=True)
class ThemeNode:
    name: str
    voices: int = 1
    to: Sequence[Link] = ()


@dataclass(frozen=True)
class TopicNode:
    title: str
    voices: int = 1
    to: Sequence[Link] = ()


@dataclass(frozen=True)
class ChangeNode:
    title: str
    line: str = ""  # used where nobody is to hear yet


@dataclass(frozen=True)
class Heard:
    people: int
    of: int


@dataclass(frozen=True)
class Words:
    """What the picture itself says. A page in another language gives its own."""

    theme: str = "Theme"
    topic: str = "Topic"
    change: str = "Change"
    more_voices: str = "and {voices} more voices"
    one_more_voice: str = "and 1 more voice"
    hubs: str = "{hubs} hubs"
    more_themes: str = "and {n} more themes"
    one_more_theme: str = "and 1 more theme"
    more_topics: str = "and {n} more topics"
    one_more_topic: str = "and 1 more topic"
    heard: str = "{people} of {of} people heard"
    back: str = "and back to everyone who spoke"
    title: str = "The thread to “{change}”"
    told: str = "{voices} voices lead to it."
    told_one: str = "1 voice leads to it."
    told_none: str = "No voices are tied to it yet."
    through_themes: str = "Themes: {names}."
    through_topics: str = "Topics: {names}."


@dataclass(frozen=True)
class Text:
    x: int
    y: int
    words: str
    kind: str
    anchor: str = "start"


@dataclass
class Box:
    kind: str  # voice, theme, topic, change, rest, more
    x: int
    y: int
    width: int
    height: int
    texts: list[Text] = field(default_factory=list)

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def middle(self) -> int:
        return self.y + self.height // 2

    @property
    def path(self) -> str:
        """The outline. A voice is a bubble: round, with one square corner where it is spoken from."""
        r = min(20, self.height // 2) if self.kind == "voice" else 12
        foot = 3 if self.kind == "voice" else r
        return (
            f"M{self.x + r} {self.y}H{self.right - r}A{r} {r} 0 0 1 {self.right} {self.y + r}"
            f"V{self.bottom - r}A{r} {r} 0 0 1 {self.right - r} {self.bottom}"
            f"H{self.x + foot}A{foot} {foot} 0 0 1 {self.x} {self.bottom - foot}"
            f"V{self.y + r}A{r} {r} 0 0 1 {self.x + r} {self.y}Z"
        )


@dataclass(frozen=True)
class Strand:
    path: str
    width: int
    more: bool = False


@dataclass(frozen=True)
class Drawing:
    width: int
    height: int
    boxes: list[Box]
    strands: list[Strand]
    texts: list[Text]
    back: str = ""
    arrow: str = ""


@dataclass(frozen=True)
class Picture:
    title: str
    description: str
    wide: Drawing
    tall: Drawing


def lay_out(
    voices: Sequence[VoiceNode],
    more: More | None,
    themes: Sequence[ThemeNode],
    topics: Sequence[TopicNode],
    change: ChangeNode,
    heard: Heard | None = None,
    words: Words | None = None,
) -> Picture:
    """Both drawings of one thread: five voices, four themes and three topics at most; the rest is counted."""
    words = words or Words()
    total = len(voices) + (more.voices if more else 0)
    plan = _plan(voices, more, themes, topics, change, heard, words)
    said = [
        words.told_none
        if not total
        else words.told_one
        if total == 1
        else words.told.format(voices=f"{total:,}")
    ]
    if themes:
        said.append(
            words.through_themes.format(names=", ".join(theme.name for theme in themes[:SHOWN_THEMES]))
        )
    if topics:
        said.append(
            words.through_topics.format(names=", ".join(topic.title for topic in topics[:SHOWN_TOPICS]))
        )
    if heard:
        said.append(words.heard.format(people=f"{heard.people:,}", of=f"{heard.of:,}") + ".")
    return Picture(
        title=words.title.format(change=change.title),
        description=" ".join(said),
        wide=_wide(plan, words),
        tall=_tall(plan, words),
    )


# What is drawn, before it has a place -----------------------------------------------------------------------


@dataclass
class _Node:
    kind: str
    head: str  # the small line above: "Theme"
    words: str
    foot: str  # the line beneath: "21 of 23 people heard"
    voices: int
    to: list[_Node] = field(default_factory=list)
    stage: int = 0
    box: Box = field(default_factory=lambda: Box("", 0, 0, 0, 0))


@dataclass
class _Plan:
    stages: list[list[_Node]]  # voices, themes, topics, change: those there are
    back: bool


def _plan(
    voices: Sequence[VoiceNode],
    more: More | None,
    themes: Sequence[ThemeNode],
    topics: Sequence[TopicNode],
    change: ChangeNode,
    heard: Heard | None,
    words: Words,
) -> _Plan:
    shown = list(voices[:SHOWN_VOICES])
    if more and more.voices and len(voices) >= SHOWN_VOICES:
        shown = shown[: SHOWN_VOICES - 1]
    uncounted = len(voices) - len(shown) + (more.voices if more else 0)

    foot = words.heard.format(people=f"{heard.people:,}", of=f"{heard.of:,}") if heard else change.line
    end = _Node("change", words.change, change.title, foot, 1)
    topic_nodes = [
        _Node("topic", words.topic, topic.title, "", topic.voices) for topic in topics[:SHOWN_TOPICS]
    ]
    if len(topics) > SHOWN_TOPICS:
        n = len(topics) - SHOWN_TOPICS
        topic_nodes.append(
            _Node("rest", "", words.one_more_topic if n == 1 else words.more_topics.format(n=n), "", n)
        )
    theme_nodes = [
        _Node("theme", words.theme, theme.name, "", theme.voices) for theme in themes[:SHOWN_THEMES]
    ]
    if len(themes) > SHOWN_THEMES:
        n = len(themes) - SHOWN_THEMES
        theme_nodes.append(
            _Node("rest", "", words.one_more_theme if n == 1 else words.more_themes.format(n=n), "", n)
        )

    def nodes(links: Iterable[Link]) -> list[_Node]:
        found: list[_Node] = []
        for kind, index in links:
            row = {"theme": theme_nodes, "topic": topic_nodes, "change": [end]}[kind]
            if row and (node := row[min(index, len(row) - 1)]) not in found:
                found.append(node)
        return found

    for position, topic in enumerate(topics):
        _tie(topic_nodes[min(position, SHOWN_TOPICS)], nodes(topic.to))
    for position, theme in enumerate(themes):
        _tie(theme_nodes[min(position, SHOWN_THEMES)], nodes(theme.to))

    voice_nodes = [_Node("voice", "", voice.words, "", 1, nodes(voice.to)) for voice in shown]
    if uncounted:
        text = words.one_more_voice if uncounted == 1 else words.more_voices.format(voices=f"{uncounted:,}")
        if more and more.hubs > 1:
            text += ", " + words.hubs.format(hubs=more.hubs)
        links = [link for voice in voices[len(shown) :] for link in voice.to] + list(more.to if more else ())
        to = nodes(links) or (theme_nodes or topic_nodes or [end])[:1]
        voice_nodes.append(_Node("more", "", text, "", uncounted, to))

    stages = [row for row in (voice_nodes, theme_nodes, topic_nodes, [end]) if row]
    for number, row in enumerate(stages):
        for node in row:
            node.stage = number
    return _Plan(stages, back=bool(heard and voice_nodes))


def _tie(node: _Node, to: list[_Node]) -> None:
    node.to.extend(other for other in to if other not in node.to)


def strand_width(voices: int) -> int:
    """How wide a strand is: one voice is a thread, many are a rope, but never a wall."""
    return min(18, round(4 + 2.2 * log2(max(1, voices))))


# Words in boxes ---------------------------------------------------------------------------------------------

# Advance widths of Atkinson Hyperlegible Next, in hundredths of an em, rounded up; measured in a browser.
_ADVANCE = {
    16: "'", 22: ",.:;", 24: "|‘’", 26: "`ij", 28: " l", 30: "!()", 32: '"[f', 34: "t", 36: "]r{}", 38: "-_",
    40: "/I\\“”", 42: "1", 46: "yz", 48: "?sv", 50: "*ckx", 52: "7J–", 54: "aeu", 56: "2<>FLT^ghno~",
    58: "3EYbdpq", 60: "569$PSV", 62: "48+BRZ", 64: "=AKX", 66: "0#C", 68: "D…", 70: "GHNUw", 72: "O",
    74: "&Q", 78: "@", 84: "M—", 86: "Wm", 92: "%",
}  # fmt: skip
_EMS = {letter: advance / 100 for advance, letters in _ADVANCE.items() for letter in letters}


def width_of(words: str, size: float, bold: bool = False) -> float:
    """How wide words are; letters that are not in the table are taken to be broad."""
    return (
        sum(_EMS.get(letter, 0.72 if ord(letter) < 0x2E80 else 1) for letter in words)
        * size
        * (1.1 if bold else 1)
    )


def wrap(words: str, room: float, size: float, lines: int, bold: bool = False, ends: str = "") -> list[str]:
    """Words in at most so many lines that fit the room. What is cut ends in "…"; `ends` closes the last."""
    out: list[str] = []
    rest = words.split()
    while rest and len(out) < lines:
        line = rest.pop(0)
        while rest and width_of(f"{line} {rest[0]}{ends if len(rest) == 1 else ''}", size, bold) <= room:
            line = f"{line} {rest.pop(0)}"
        if width_of(line, size, bold) > room:  # one word longer than the room
            cut = line
            while len(cut) > 1 and width_of(cut + "…", size, bold) > room:
                cut = cut[:-1]
            line = cut + "…"
        out.append(line)
    if rest:
        line = out[-1].rstrip("…")
        while line and width_of(f"{line}…{ends}", size, bold) > room:
            line = line.rsplit(" ", 1)[0] if " " in line else line[:-1]
        out[-1] = line.rstrip(" ,.;:–-") + "…"
    if out:
        out[-1] += ends
    return out or [ends]


def _write(node: _Node, x: int, y: int, width: int, size: int, voice_lines: int) -> Box:
    """A box as tall as its words need, with its words in it."""
    leading = round(size * 1.4)
    if node.kind == "voice":
        lines = wrap("“" + node.words, width - 36, size, voice_lines, ends="”")
        box = Box("voice", x, y, width, leading * len(lines) + 22)
        top = y + 11 + round(size * 1.02)
        box.texts = [Text(x + 18, top + leading * i, line, "is-words") for i, line in enumerate(lines)]
        return box
    if node.kind == "more":
        lines = wrap(node.words, width - 24, size, 3)
        box = Box("more", x, y, width, leading * len(lines) + 8)
        top = y + 4 + round(size * 1.02)
        box.texts = [Text(x + 18, top + leading * i, line, "is-aside") for i, line in enumerate(lines)]
        return box
    change = node.kind == "change"
    on = " on-change" if change else ""
    rows: list[tuple[str, str, int]] = []
    if node.head:
        rows.append((node.head, "is-kind" + on, size))
    name_size, bold = (size + 2 if change else size), node.kind != "rest"
    rows += [
        (line, ("is-name" if bold else "is-aside") + on, name_size)
        for line in wrap(node.words, width - 24, name_size, 4 if change else 3, bold)
    ]
    if node.foot:
        rows += [(line, "is-foot" + on, size) for line in wrap(node.foot, width - 24, size, 2)]
    heights = [round(row_size * 1.4) for _words, _kind, row_size in rows]
    box = Box(node.kind, x, y, width, sum(heights) + (32 if change else 26))
    box.height += box.height % 2  # so that what is level with it is level to the unit
    at = y + (16 if change else 13)
    for (line, kind, row_size), height in zip(rows, heights, strict=True):
        box.texts.append(Text(x + width // 2, at + round(row_size * 1.02), line, kind, "middle"))
        at += height
    return box


def _move(box: Box, dy: int) -> None:
    box.y += dy
    box.texts = [replace(text, y=text.y + dy) for text in box.texts]


# Wide: left to right ----------------------------------------------------------------------------------------

_COLUMNS = {"voice": 248, "more": 248, "theme": 162, "topic": 166, "rest": 162, "change": 214}
_PAD = 6  # room at the edge for outlines
_OVER = 12  # from a box to the nearest strand that goes over it


def _wide(plan: _Plan, words: Words) -> Drawing:
    size = 17
    columns = [_COLUMNS[row[0].kind] for row in plan.stages]
    gaps = [1.8 if row[0].kind in ("voice", "more") else 1.0 for row in plan.stages[:-1]]
    spare = WIDE - 2 * _PAD - sum(columns)
    if len(columns) < 4:  # fewer steps, no longer strands: the picture keeps to the middle of what it needs
        spare = min(spare, 230 * len(gaps))
    x = float(_PAD)
    for number, row in enumerate(plan.stages):
        y = _PAD
        for node in row:
            node.box = _write(node, round(x), y, columns[number], size, voice_lines=2)
            y = node.box.bottom + (16 if node.kind in ("voice", "more") else 22)
        if number < len(gaps):
            x += columns[number] + spare * gaps[number] / sum(gaps)

    # Strands that pass a column by go over it, side by side: it leaves them that much room.
    passing = [
        (node, to) for row in plan.stages for node in row for to in node.to if to.stage - node.stage > 1
    ]
    past = {stage for node, to in passing for stage in range(node.stage + 1, to.stage)}
    channel = _OVER + sum(_link_width(node) + 3 for node, _to in passing)
    heights = [row[-1].box.bottom - row[0].box.y for row in plan.stages]
    tallest = max(height + (channel if stage in past else 0) for stage, height in enumerate(heights))
    for stage, (row, height) in enumerate(zip(plan.stages, heights, strict=True)):
        down = max((tallest - height) // 2, channel if stage in past else 0)
        for node in row:
            _move(node.box, down)

    strands = _wide_strands(plan)
    boxes = [node.box for row in plan.stages for node in row]
    bottom = max(box.bottom for box in boxes)
    if not plan.back:
        return Drawing(WIDE, bottom + _PAD, boxes, strands, [])
    end, begin = plan.stages[-1][0].box, plan.stages[0]
    low = bottom + 56
    x0, x1 = begin[0].box.x + begin[0].box.width // 2, end.x + end.width // 2
    back = (
        f"M{x1} {end.bottom + 9}C{x1} {low - 30} {x1 - 50} {low} {x1 - 190} {low}"
        f"H{x0 + 90}C{x0 + 30} {low} {x0} {low - 6} {x0} {bottom + 16}"
    )
    arrow = f"M{x0 - 8} {bottom + 21}L{x0} {bottom + 12}L{x0 + 8} {bottom + 21}"
    text = Text((x0 + x1) // 2, low + 28, words.back, "is-back", "middle")
    return Drawing(WIDE, low + 28 + 12, boxes, strands, [text], back, arrow)


def _wide_strands(plan: _Plan) -> list[Strand]:
    links = [(node, to) for row in plan.stages for node in row for to in node.to]
    widths = [_link_width(node) for node, _to in links]
    leaves = _share([node.box for node, _ in links], [to.box.middle for _, to in links], widths)
    arrives = _share([to.box for _, to in links], [node.box.middle for node, _ in links], widths)
    strands = []
    lifted = 0
    for (node, to), width, y0, y1 in zip(links, widths, leaves, arrives, strict=True):
        points = [(node.box.right, y0)]
        for stage in range(node.stage + 1, to.stage):
            row = [other.box for other in plan.stages[stage]]
            way = row[0].y - _OVER - lifted - width // 2
            points += [(row[0].x, way), (row[0].right, way)]
        if to.stage - node.stage > 1:
            lifted += width + 3
        points.append((to.box.x, y1))
        if node.kind == "more":
            x_words = max(text.x + width_of(text.words, 17) for text in node.box.texts)
            points[0] = (round(min(x_words + 14, node.box.right)), node.box.middle)
        path = f"M{points[0][0]} {points[0][1]}"
        for (xa, ya), (xb, yb) in pairwise(points):
            bend = (xa + xb) // 2
            path += f"C{bend} {ya} {bend} {yb} {xb} {yb}"
        strands.append(Strand(path, width, node.kind == "more"))
    return sorted(strands, key=lambda strand: not strand.more)


def _link_width(node: _Node) -> int:
    """What leads to several places is shared among them."""
    return max(3, round(strand_width(node.voices) / (len(node.to) or 1) ** 0.5))


def _share(boxes: list[Box], order: list[int], widths: list[int]) -> list[int]:
    """Where on its box each strand joins: side by side, in the order they come from, none over another."""
    at = [0] * len(boxes)
    for box in {id(box): box for box in boxes}.values():
        mine = sorted((i for i, other in enumerate(boxes) if other is box), key=lambda i: order[i])
        total = sum(widths[i] for i in mine)
        squeeze = min(1.0, (box.height - 20) / total)
        y = box.middle - total * squeeze / 2
        for i in mine:
            at[i] = round(y + widths[i] * squeeze / 2)
            y += widths[i] * squeeze
    return at


_LANE = 9  # from a box to the nearest strand beside it


# Tall: top to bottom ----------------------------------------------------------------------------------------


def _tall(plan: _Plan, words: Words) -> Drawing:
    """Everything in one column. Strands run in lanes beside it: on the left to themes and the change, on the
    right to topics."""
    size = 18
    steps = {id(a): b for a, b in pairwise([node for row in plan.stages for node in row])}
    links = [(node, to) for row in plan.stages for node in row for to in node.to]

    def straight(node: _Node, to: _Node) -> bool:
        return steps.get(id(node)) is to and node.kind not in ("voice", "more")

    targets = [node for row in plan.stages for node in row]
    left = [
        t for t in targets if any(to is t and not straight(n, t) and t.kind != "topic" for n, to in links)
    ]
    right = [t for t in targets if t not in left and any(to is t and not straight(n, t) for n, to in links)]
    position = {id(node): number for number, node in enumerate(targets)}

    def lanes_beside(side: list[_Node]) -> int:
        """Give every target on one side its lane; how much room they take. Lanes that never meet share their
        room, and the nearest lane leads to the nearest box, so that none crosses what it passes."""
        slots: list[tuple[int, int]] = []  # up to which box it is taken, how wide
        slot_of: list[int] = []
        for target in side:
            sources = [node for node, to in links if to is target and not straight(node, target)]
            first, width = min(position[id(node)] for node in sources), max(map(_link_width, sources))
            slot = next((i for i, (taken, _w) in enumerate(slots) if taken < first), len(slots))
            here = (position[id(target)], max(width, slots[slot][1] if slot < len(slots) else 0))
            slots[slot : slot + 1] = [here]
            slot_of.append(slot)
        starts = [_LANE + sum(width + 5 for _taken, width in slots[:i]) for i in range(len(slots) + 1)]
        for target, slot in zip(side, slot_of, strict=True):
            lanes[id(target)] = starts[slot] + slots[slot][1] // 2
        return starts[-1]

    lanes: dict[int, int] = {}
    left_room = lanes_beside(left) + 4 if left else _PAD
    right_room = (lanes_beside(right) if right else _PAD) + (20 if plan.back else 0)
    x, column = left_room, TALL - left_room - right_room

    y = _PAD
    for row in plan.stages:
        for node in row:
            node.box = _write(node, x, y, column, size, voice_lines=3)
            y = node.box.bottom + (14 if node.kind == "voice" else 20)
        y += 26

    strands = []
    for node, to in links:
        width = _link_width(node)
        if straight(node, to):
            middle = node.box.x + node.box.width // 2
            strands.append(Strand(f"M{middle} {node.box.bottom}V{to.box.y}", width))
            continue
        lane, sign = lanes[id(to)], (1 if to in right else -1)
        out = node.box.right if sign == 1 else node.box.x
        if node.kind == "more":
            out = node.box.x + 8 if sign == -1 else node.box.right - 8
        edge = to.box.right if sign == 1 else to.box.x
        rail = edge + sign * lane
        r = min(12, abs(rail - edge))
        path = (
            f"M{out} {node.box.middle}H{rail - sign * r}"
            f"Q{rail} {node.box.middle} {rail} {node.box.middle + r}"
            f"V{to.box.middle - r}Q{rail} {to.box.middle} {rail - sign * r} {to.box.middle}H{edge}"
        )
        strands.append(Strand(path, width, node.kind == "more"))
    strands.sort(key=lambda strand: not strand.more)

    boxes = [node.box for row in plan.stages for node in row]
    end = boxes[-1]
    if not plan.back:
        return Drawing(TALL, end.bottom + _PAD, boxes, strands, [])
    first = boxes[0]
    lines = wrap(words.back, TALL - 40, size, 2)
    low, rail, middle = end.bottom + 30, TALL - 9, end.x + end.width // 2
    back = (
        f"M{middle} {end.bottom + 8}V{low - 14}Q{middle} {low} {middle + 14} {low}"
        f"H{rail - 14}Q{rail} {low} {rail} {low - 14}"
        f"V{first.middle + 14}Q{rail} {first.middle} {rail - 8} {first.middle}H{first.right + 10}"
    )
    if first.right + 10 > rail - 8:  # no lanes on the right: the way back ends at the bubble itself
        back = back[: back.rindex("Q")] + f"Q{rail} {first.middle} {first.right + 6} {first.middle}"
    tip, barb = first.right + 5, first.right + 13
    arrow = f"M{barb} {first.middle - 7}L{tip} {first.middle}L{barb} {first.middle + 7}"
    texts = [Text(TALL // 2, low + 28 + i * 25, line, "is-back", "middle") for i, line in enumerate(lines)]
    return Drawing(TALL, texts[-1].y + 12, boxes, strands, texts, back, arrow)
