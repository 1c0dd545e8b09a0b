"""A transcript becomes turns: nothing said is lost, nobody gets another's words, any file is answered."""

import io
import os
import re
import zipfile
from pathlib import Path

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from hypothesis import given, settings
from hypothesis import strategies as st

from coproduce.engine import transcript
from coproduce.engine.transcript import NotATranscript, Transcript, read
from coproduce.engine.transcript.labels import name_in
from coproduce.engine.transcript.turns import MAX_UNPACKED

DATA = Path(os.environ.get("COPRODUCE_DATA", Path(__file__).parents[2] / "../shared/data"))


def said(text: str | bytes, name: str = "") -> list[tuple[str | None, str]]:
    """Who said what."""
    read_from = read(text.encode() if isinstance(text, str) else text, name)
    holds(read_from)
    return [(turn.speaker, turn.text) for turn in read_from.turns]


def when(text: str, name: str = "") -> list[tuple[int | None, int | None]]:
    return [(turn.start_ms, turn.end_ms) for turn in read(text.encode(), name).turns]


def holds(read_from: Transcript) -> None:
    """What is promised of every transcript."""
    at = 0
    for turn in read_from.turns:
        assert at <= turn.begins < turn.ends <= len(read_from.source)
        at = turn.ends
        chunk = read_from.source[turn.begins : turn.ends]
        assert turn.text.split() == chunk.split()
        assert chunk == chunk.strip() and turn.text == turn.text.strip() != ""
        assert turn.start_ms is None or 0 <= turn.start_ms < 100 * 3_600_000
        assert turn.end_ms is None or (turn.start_ms is not None and turn.start_ms <= turn.end_ms)
        assert turn.speaker is None or turn.speaker.strip()
    whole = read_from.source + "".join(turn.text + (turn.speaker or "") for turn in read_from.turns)
    assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\ufeff\ud800-\udfff]", whole)
    whole.encode()


def not_said(read_from: Transcript) -> str:
    """What of the source is in no turn."""
    at, left = 0, []
    for turn in read_from.turns:
        left.append(read_from.source[at : turn.begins])
        at = turn.ends
    return "".join([*left, read_from.source[at:]])


# Text without labels


def test_paragraphs_of_somebody_unknown():
    assert said("We slept in the car.\nFor a week.\n\n\nThen the hostel rang.\n") == [
        (None, "We slept in the car. For a week."),
        (None, "Then the hostel rang."),
    ]


def test_lines_where_there_are_no_blank_lines():
    assert said("We slept in the car.\nThen the hostel rang.\n") == [
        (None, "We slept in the car."),
        (None, "Then the hostel rang."),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "I'll tell you one thing: it was cold.",
        "Note: the tape was off for this bit.",
        "At 10:30 we met the worker.",
        "10:30 was when the doors shut.",
        "https://example.org/help was no use.",
        "See https://example.org: no use either.",
        "Housing: that was the big one.",
        "Well - I never went back.",
        "[laughs] I never went back.",
        "And he said: no.",
        "Yes, exactly: a bed.",
    ],
)
def test_a_colon_is_no_label(line):
    prose = ["We had a flat once.", "It went when the job went.", line, "So that was that.", "Ask anybody."]
    for text in ("\n\n".join(prose), "\n".join(prose)):
        assert said(text) == [(None, paragraph) for paragraph in prose]


def test_notes_that_recur_are_no_speakers():
    prose = ["We had a flat once."] * 10 + ["Note: tape off.", "Note: tape on."] * 3
    assert read("\n\n".join(prose).encode()).speakers == ()


def test_words_with_a_time_in_them_are_no_headings():
    assert said("so 3 10:30\n\nwe met\n\nso 3 10:30\n\nwe met")[0] == (None, "so 3 10:30")
    talk = [("Tom", "we met"), ("Tom", "So 10:30"), ("Tom", "So 10:30")]
    assert said("".join(f"{name}  0:12\n{words}\n\n" for name, words in talk)) == talk
    small = "speaker 1 0:12\nWhere?\nspeaker 2 0:15\nThere.\n"
    assert said(small * 2) == [("speaker 1", "Where?"), ("speaker 2", "There.")] * 2


def test_short_answers_beside_times_are_no_speakers():
    assert said("[00:12] Yes\n[00:15] No\n[00:18] Yes\n[00:20] No\n[00:25] We went there") == [
        (None, words) for words in ("Yes", "No", "Yes", "No", "We went there")
    ]


# Text with labels

TWO = [("Tom", "Where did you sleep?"), ("Lee", "In the car."), ("Tom", "For long?")]


@pytest.mark.parametrize(
    "text",
    [
        "Tom: Where did you sleep?\nLee: In the car.\nTom: For long?",
        "Tom: Where did you sleep?\n\nLee: In the car.\n\nTom: For long?",
        "Tom:\nWhere did you sleep?\n\nLee:\nIn the car.\n\nTom:\nFor long?",
        "Tom:\tWhere did you sleep?\nLee:\tIn the car.\nTom:\tFor long?",
        "  Tom: Where did you\n  sleep?\n  Lee: In the car.\n  Tom: For long?",
        "[Tom] Where did you sleep?\n[Lee] In the car.\n[Tom] For long?",
        "[Tom]: Where did you sleep?\n[Lee]: In the car.\n[Tom]: For long?",
        "Tom - Where did you sleep?\nLee – In the car.\nTom — For long?",
        "**Tom:** Where did you sleep?\n\n**Lee:** In the car.\n\n**Tom:** For long?",
        "**Tom**: Where did you sleep?\n\n**Lee**: In the car.\n\n**Tom**: For long?",
        "Tom\tWhere did you sleep?\nLee\tIn the car.\nTom\tFor long?",
        ">> Tom: Where did you sleep?\n>> Lee: In the car.\n>> Tom: For long?",
        "Tom：Where did you sleep?\nLee：In the car.\nTom：For long?",
        "Tom: Where did you sleep?\rLee: In the car.\rTom: For long?\r",
        "Tom: Where did you sleep?\r\n\r\nLee: In the car.\r\n\r\nTOM: For long?\r\n",
    ],
)
def test_labels(text):
    assert said(text) == TWO


def test_labels_in_capitals():
    assert said("TOM - So - where?\nLEE - In the car.\nTOM - Right.") == [
        ("TOM", "So - where?"),
        ("LEE", "In the car."),
        ("TOM", "Right."),
    ]


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("Tom 0:12\nWhere?\n\nLee 1:02:03\nIn the car.", (12_000, 3_723_000)),
        ("Tom  0:12  \nWhere?\n\nLee  0:15  \nIn the car.", (12_000, 15_000)),  # Otter
        ("Tom (00:00:12)\nWhere?\n\nLee (00:00:15)\nIn the car.", (12_000, 15_000)),
        ("Tom (00:12):\nWhere?\n\nLee (00:15):\nIn the car.", (12_000, 15_000)),  # Rev
        ("Tom: (00:12)\nWhere?\n\nLee: (00:15)\nIn the car.", (12_000, 15_000)),
        ("Tom: [00:00:12] Where?\nLee: [00:00:15] In the car.", (12_000, 15_000)),
        ("Tom [00:00:12] Where?\nLee [00:00:15] In the car.", (12_000, 15_000)),
        ("Tom:\t00:12\tWhere?\nLee:\t00:15\tIn the car.", (12_000, 15_000)),
        ("00:00:12 Tom\nWhere?\n\n00:00:15 Lee\nIn the car.", (12_000, 15_000)),  # Word online
        ("[00:00:12.50] - Tom\nWhere?\n[00:00:15.00] - Lee\nIn the car.", (12_500, 15_000)),
        ("[00:00:12] Tom: Where?\n[00:00:15] Lee: In the car.", (12_000, 15_000)),
        ("00:00:12 Tom: Where?\n00:00:15 Lee: In the car.", (12_000, 15_000)),
        ("00:00:12\tTom\tWhere?\n00:00:15\tLee\tIn the car.", (12_000, 15_000)),
        ("00:12\n\nTom: Where?\n\n00:15\n\nLee: In the car.", (12_000, 15_000)),  # Meet
        ("0:12\nTom\nWhere?\n\n0:15\nLee\nIn the car.", (12_000, 15_000)),
        ("Tom\n0:12\nWhere?\n\nLee\n0:15\nIn the car.", (12_000, 15_000)),
        ("[Tom] 10:02:11\nWhere?\n[Lee] 10:02:15\nIn the car.", (None, None)),  # Zoom: the time on the clock
    ],
)
def test_labels_with_times(text, times):
    assert said(text) == [("Tom", "Where?"), ("Lee", "In the car.")]
    assert tuple(start for start, _ in when(text)) == times


def test_names_that_are_spoken_only_once_and_long_names():
    text = "Speaker 1: Hello.\nSpeaker 2: Hi.\nDr. Ana de la Cruz (she/her): Me too.\nspeaker 1: Good."
    assert said(text) == [
        ("Speaker 1", "Hello."),
        ("Speaker 2", "Hi."),
        ("Dr. Ana de la Cruz (she/her)", "Me too."),
        ("Speaker 1", "Good."),
    ]
    assert read(text.encode()).speakers == ("Speaker 1", "Speaker 2", "Dr. Ana de la Cruz (she/her)")


def test_question_and_answer():
    assert said("Q: Where?\nA: There.\nQ: Why?") == [("Q", "Where?"), ("A", "There."), ("Q", "Why?")]
    assert said("Interviewer: Where?\nP1: There.") == [("Interviewer", "Where?"), ("P1", "There.")]


def test_what_follows_a_label_belongs_to_it_and_keeps_its_paragraphs():
    assert said(
        "A talk in May\n\nTom: We left.\nOne thing: it rained.\n\nAll night.\n\nLee: Yes.\n\nTom: So."
    ) == [
        (None, "A talk in May"),
        ("Tom", "We left. One thing: it rained.\n\nAll night."),
        ("Lee", "Yes."),
        ("Tom", "So."),
    ]


def test_a_time_alone_starts_a_new_turn_of_the_same_speaker():
    text = "Tom: We left.\n[00:05:00]\nAll night.\nLee: Yes.\nTom: So.\nLee: No."
    assert said(text)[:2] == [("Tom", "We left."), ("Tom", "All night.")]
    assert when(text)[1] == (300_000, None)


def test_times_without_names():
    text = "[00:00.000 --> 00:05.000]  We left.\n[00:05.000 --> 00:07.500]  It rained."
    assert said(text) == [(None, "We left."), (None, "It rained.")]
    assert when(text) == [(0, 5_000), (5_000, 7_500)]


def test_better_nobodys_words_than_the_wrong_persons():
    text = ">> Tom: Where?\n>> There.\n>> Tom: Why?\n>> Tom: When?"
    assert said(text)[1] == (None, "There.")
    otter = "Tom  0:12\nWhere?\n\nLee  0:15\nThere.\n\nTranscribed by https://otter.ai"
    assert said(otter)[-1] == (None, "Transcribed by https://otter.ai")


# Subtitles


def test_vtt():
    text = """WEBVTT - a talk
Kind: captions

NOTE made by
a machine

STYLE
::cue { color: red }

REGION
id:one

first
00:00:01.000 --> 00:00:02.000 align:start
<v Tom>We <i>slept</i> in the <c.loud>car</c> &amp; van</v>

00:02.500 --> 00:03.000
<v Tom>for <00:02.700>a week.

00:03.000 --> 00:04.000
<v Lee Ann>Yes.</v> <v Tom>Long.</v>

00:09.000 --> 00:10.000
<v Tom>I <3 that van.

00:11.900 --> 00:13.000
- all of us
"""
    assert said(text) == [
        ("Tom", "We slept in the car & van for a week."),
        ("Lee Ann", "Yes."),
        ("Tom", "Long."),
        ("Tom", "I <3 that van."),
        (None, "- all of us"),
    ]
    assert when(text) == [(1000, 3000), (3000, 4000), (3000, 4000), (9000, 10_000), (11_900, 13_000)]
    source = "We slept in the car & van\nfor a week.\nYes.\nLong.\nI <3 that van.\n- all of us"
    assert read(text.encode()).source == source
    assert read(text.encode()).format == "vtt"


def test_vtt_from_zoom():
    text = """WEBVTT

1
00:00:01.000 --> 00:00:02.000
Tom Talon: We slept

2
00:00:02.100 --> 00:00:03.000
Tom Talon: in the car: all of us.

3
00:00:03.100 --> 00:00:04.000
Lee: Yes.
"""
    assert said(text) == [("Tom Talon", "We slept in the car: all of us."), ("Lee", "Yes.")]


def test_vtt_from_teams():
    text = """WEBVTT

0f3a-11/7-0
00:00:01.000 --> 00:00:02.000
<v Tom Talon>We slept
in the car.</v>

0f3a-11/8-0
00:00:02.100 --> 00:00:03.000
<v Lee>Yes.</v>"""
    assert said(text) == [("Tom Talon", "We slept in the car."), ("Lee", "Yes.")]


def test_srt():
    text = """1
00:00:01,000 --> 00:00:02,000
<font color="red">We slept</font> {\\an8}in

2
00:00:02,500 --> 00:00:03,000 X1:1 X2:2
the car.

00:03.000 --> 00:03.500
It rained.

4
00:00:09,000 --> 00:00:12,000
4

5
00:00:12,000 --> 00:00:11,000
nights &lt;cold&gt;
"""
    assert said(text) == [(None, "We slept in the car."), (None, "It rained."), (None, "4 nights <cold>")]
    assert when(text) == [(1000, 3000), (3000, 3500), (9000, 12_000)]
    assert read(text.encode()).format == "srt"
    assert said(text, "talk.vtt") and read(text.encode(), "talk.vtt").format == "vtt"


def test_srt_without_blank_lines_and_with_labels():
    text = "1\n00:00:01,000 --> 00:00:02,000\nTom: Where?\n2\n00:00:02,000 --> 00:00:03,000\nLee: In\n" + (
        "3\n00:00:03,000 --> 00:00:04,000\nthe car.\nTom: Oh.\n"
    )
    assert said(text) == [("Tom", "Where?"), ("Lee", "In the car."), ("Tom", "Oh.")]


def test_cues_of_nobody_end_with_a_sentence_a_pause_or_eighty_words():
    def srt(*cues: str) -> str:
        return "\n\n".join(
            f"00:00:{at:02},000 --> 00:00:{at + 1:02},000\n{cue}" for at, cue in enumerate(cues)
        )

    assert said(srt("one", "two.”", "three")) == [(None, "one two.”"), (None, "three")]
    assert [len(words.split()) for _, words in said(srt(*["one two three four five"] * 40))] == [80, 80, 40]


def test_words_in_front_of_the_first_cue_are_kept():
    text = "1\nA talk\n\n1\n00:00:01,000 --> 00:00:02,000\nHello\n"
    assert said(text, "x.srt")[-1] == (None, "Hello")
    assert "talk" in read(text.encode(), "x.srt").source


# Word


def word(*paragraphs: str, body: str = "") -> bytes:
    """A Word file; `body` is XML that goes in front of the paragraphs."""
    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    if body:
        for element in reversed(parse_xml(f"<w:body {nsdecls('w')} {MORE}>{body}</w:body>")):
            document.element.body.insert(0, element)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


MORE = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'


def test_word():
    data = word("Tom: Where did you sleep?", "", "Lee: In the car.", "Tom: For long?")
    assert said(data) == TWO
    assert read(data, "talk.txt").format == "docx" and read(data).encoding is None


def test_word_from_teams():
    data = word(
        "Talk-20240501", "Tom Talon   0:03\nWhere did you sleep?", "Lee   0:07\nIn the car.\nAll week."
    )
    assert said(data)[1:] == [("Tom Talon", "Where did you sleep?"), ("Lee", "In the car. All week.")]
    older = word(
        "0:0:0.0 --> 0:0:3.530\nTom Talon\nWhere?",
        "0:0:4.0 --> 0:0:5.0\nLee\nIn the car.\nAll week.",
        "0:0:6.0 --> 0:0:7.0\nTom Talon\nOh.",
    )
    assert said(older) == [("Tom Talon", "Where?"), ("Lee", "In the car. All week."), ("Tom Talon", "Oh.")]
    assert read(older).format == "docx" and read(older).turns[0].end_ms == 3530


def test_word_with_subtitles_pasted_into_it():
    data = word(
        "1", "00:00:01,000 --> 00:00:02,000", "We slept", "2", "00:00:02,000 --> 00:00:03,000", "there."
    )
    assert said(data) == [(None, "We slept there.")]


def test_word_loses_no_words_to_its_markup():
    body = """
      <w:p><w:pPr><w:tabs><w:tab w:val="left" w:pos="9"/></w:tabs></w:pPr>
        <w:r><w:t>one</w:t></w:r><w:hyperlink><w:r><w:t xml:space="preserve"> two</w:t></w:r></w:hyperlink>
        <w:ins><w:r><w:tab/><w:t>three</w:t></w:r></w:ins><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>
        <w:moveFrom><w:r><w:t>gone</w:t></w:r></w:moveFrom>
        <w:smartTag><w:r><w:br/><w:t>four</w:t></w:r></w:smartTag>
        <w:r><w:instrText>gone</w:instrText></w:r>
        <w:fldSimple><w:r><w:noBreakHyphen/><w:t>five</w:t></w:r></w:fldSimple>
      </w:p>
      <w:sdt><w:sdtContent><w:p><w:r><w:t>six</w:t></w:r></w:p></w:sdtContent></w:sdt>
      <w:p><w:r><mc:AlternateContent><mc:Choice><w:txbxContent><w:p><w:r><w:t>seven</w:t></w:r></w:p>
        </w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent><w:p><w:r><w:t>seven</w:t></w:r></w:p>
        </w:txbxContent></mc:Fallback></mc:AlternateContent></w:r><w:r><w:t>eight</w:t></w:r></w:p>
      <w:p><w:moveTo><w:r><w:t>nine</w:t></w:r></w:moveTo></w:p>"""
    assert [words for _, words in said(word(body=body))] == [
        "one two three four-five",
        "six",
        "seven",
        "eight",
        "nine",
    ]


def test_word_tables_cell_by_cell():
    def table(rows: list[list[str]]) -> bytes:
        document = docx.Document()
        document.add_paragraph("A talk")
        grid = document.add_table(len(rows), len(rows[0]))
        for row, texts in zip(grid.rows, rows, strict=True):
            for cell, text in zip(row.cells, texts, strict=True):
                cell.text = text
        file = io.BytesIO()
        document.save(file)
        return file.getvalue()

    rows = [["0:12", "Tom", "Where?"], ["0:15", "Lee", "In the car."], ["0:18", "Tom", "Oh."]]
    assert said(table(rows)) == [
        (None, "A talk"), ("Tom", "Where?"), ("Lee", "In the car."), ("Tom", "Oh."),
    ]  # fmt: skip
    assert said(table([["we slept there", "it was cold"], ["", "all week"]])) == [
        (None, words) for words in ("A talk", "we slept there", "it was cold", "all week")
    ]


# Encodings


@pytest.mark.parametrize(
    ("codec", "bom", "named"),
    [
        ("utf-8", b"", "utf-8"),
        ("utf-8", b"\xef\xbb\xbf", "utf-8"),
        ("utf-16-le", b"\xff\xfe", "utf-16-le"),
        ("utf-16-be", b"\xfe\xff", "utf-16-be"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", b"", "utf-16-be"),
        ("utf-32-le", b"\xff\xfe\0\0", "utf-32-le"),
        ("windows-1252", b"", "windows-1252"),
    ],
)
def test_encodings(codec, bom, named):
    text = "Zoë: “It’s a café…”\r\nLee: We paid £5 – each.\r\n"
    assert said(bom + text.encode(codec)) == [("Zoë", "“It’s a café…”"), ("Lee", "We paid £5 – each.")]
    assert read(bom + text.encode(codec)).encoding == named


def test_a_file_cut_off_inside_a_letter_keeps_its_other_accents():
    assert said("café à Zoë".encode()[:-1]) == [(None, "café à Zo\ufffd")]


def test_signs_that_cannot_be_stored_are_taken_out():
    assert said(b"Tom: he\0llo\x0cLee: h\x07i\n") == [("Tom", "hello"), ("Lee", "hi")]
    assert said("1\n00:01,000 --> 00:02,000\na&#0;b&#xD800;c&#1;d&notit;") == [
        (None, "a\ufffdb\ufffdcd&notit;")
    ]


# What is no transcript


def zipped(name: str, content: bytes | str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "says"),
    [
        (b"", "", "is empty"),
        (b" \r\n\t\n", "", "is empty"),
        (b"%PDF-1.7\n%\xe2\xe3", "talk.txt", "looks like a PDF. Save it as Word or text, then bring that"),
        (b"\x89PNG\r\n\x1a\n\0\0", "", "looks like a picture"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "", "looks like a picture"),
        (b"ID3\x04\0\0\0\0", "", "looks like a recording"),
        (b"\xff\xfb\x90\x64\0", "", "looks like a recording"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "", "looks like a recording"),
        (b"\0\0\0\x20ftypM4A ", "", "looks like a recording"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", "talk.doc", "save it as .docx"),
        (b"{\\rtf1\\ansi Tom: hello}", "", "RTF"),
        (b"<!DOCTYPE html><p>Tom: hello", "", "web page"),
        (zipped("talk.txt", "Tom: hello"), "", "packed folder"),
        (zipped("xl/workbook.xml", "<x/>"), "", "a spreadsheet"),
        (zipped("content.xml", "<x/>"), "talk.docx", "OpenDocument"),
        (b"PK\3\4 and then nothing", "", "Word file is broken"),
        (zipped("word/document.xml", "<w:p>"), "", "Word file is broken"),
        (zipped("word/document.xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), "", "Word file is broken"),
        (zipped("word/document.xml", "<a/>"), "", "no words in this file"),
        (word("Tom: hello")[:-30], "", "Word file is broken"),
        (b"Hello\n" + bytes(range(32)) * 20, "", "is not text: from line 2"),
        (b"... --- ...\n", "", "no words in this file"),
        (b"Tom:\n", "", "no words in this file"),
        (b"WEBVTT\n\nhello", "", "No line has times in it"),
        (b"hello\nthere", "talk.srt", "No line has times in it"),
        (b"WEBVTT\n\n00:01 -> 00:02\nhi\n1 --> 2\nhello", "", "times in line 5 cannot be read"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\n\n", "", "no words in this file"),
    ],
)
def test_says_what_is_wrong_and_what_to_do(data, name, says):
    with pytest.raises(NotATranscript) as wrong:
        read(data, name)
    assert says in str(wrong.value)
    assert re.search(r"\b([Bb]ring|Add)\b", str(wrong.value)), "does not say what to do"


def test_too_big(monkeypatch):
    monkeypatch.setattr(transcript, "MAX_BYTES", 10)
    with pytest.raises(NotATranscript, match="too big"):
        read(b"Tom: hello there")


def test_too_many_lines(monkeypatch):
    monkeypatch.setattr(transcript, "MAX_LINES", 3)
    with pytest.raises(NotATranscript, match="too many lines"):
        read(b"a\nb\nc\nd")


def test_a_word_file_that_unpacks_to_far_too_much():
    bomb = zipped("word/document.xml", b" " * (MAX_UNPACKED + 1))
    assert len(bomb) < 100_000
    with pytest.raises(NotATranscript, match="too big when it is opened"):
        read(bomb)


# What holds for any file

# fmt: off
SHAPED = st.lists(
    st.sampled_from([
        "Tom", "Lee Ann", "Note", ": ", ":", " - ", "\t", "\n", "\n\n", "\r\n", " ", "[", "]", "(", ")",
        ">> ", "**", "0:12", "00:01:02", "10:02:11.5", " --> ", "00:01.000 --> 00:02.500\n", "1\n", "NOTE ",
        "WEBVTT\n\n", "STYLE\n", "<v Tom>", "<v ", "</v>", "<i>", "<", "&amp;", "&", "{\\an8}", "we slept",
        "it rained.", "“Yes”", "…", "\ufeff", "\0", "\x85", "\u2028", "\x1f", "e\u0301", "؟", "𝕏",
    ]),
    max_size=40,
).map("".join)
# fmt: on
NAMES = st.sampled_from(["", "a.txt", "a.vtt", "a.srt", "a.docx", "a.SRT"])


def read_or_refuse(data: bytes, name: str = "") -> Transcript | None:
    try:
        return read(data, name)
    except NotATranscript as wrong:
        assert str(wrong)
        return None


@given(st.binary(max_size=300), NAMES)
@settings(deadline=None, max_examples=400)
def test_any_bytes(data, name):
    if read_from := read_or_refuse(data, name):
        holds(read_from)


@given(
    SHAPED | st.text(max_size=200), NAMES, st.sampled_from(["utf-8", "utf-16", "utf-16-le", "windows-1252"])
)
@settings(deadline=None, max_examples=800)
def test_any_text(text, name, codec):
    if read_from := read_or_refuse(text.encode(codec, "replace"), name):
        holds(read_from)
        if read_from.format == "text":
            # What is left out of a line is a name, a time and their marks: never words.
            for line in not_said(read_from).split("\n"):
                left = re.sub(r"[0-9]{1,2}(:[0-9]{1,2}){1,2}([.,][0-9]+)?|-->|\bto\b", "", line)
                left = left.strip("-–—|()[]:：*_>, \t")
                assert not left.strip() or name_in(left)


@given(st.lists(st.tuples(st.integers(0, 60), st.binary(min_size=1, max_size=4)), max_size=5))
@settings(deadline=None)
def test_any_damage_to_a_word_file(damage):
    data = bytearray(WHOLE)
    for where, what in damage:
        at = where * len(data) // 61
        data[at : at + len(what)] = what
    if read_from := read_or_refuse(bytes(data)):
        holds(read_from)


WHOLE = zipped("word/document.xml", f"<w:d {nsdecls('w')}><w:p><w:r><w:t>Tom: hi</w:t></w:r></w:p></w:d>")

WORDS = st.lists(
    st.sampled_from(
        ["we", "slept", "there.", "cold,", "10:30", "(so)", "[laughs]", "one thing:", "“Yes”", "3", "-->"]
    ),
    min_size=1,
    max_size=12,
).map(lambda words: "so " + " ".join(words))
TALK = st.lists(st.tuples(st.sampled_from(["Tom", "Lee Ann"]), WORDS), min_size=3, max_size=12)


@given(
    TALK,
    st.sampled_from(
        ["{}: {}\n", "{}: {}\n\n", "[{}] {}\n", "**{}:** {}\n\n", "{}  0:12\n{}\n\n", "[0:12] {}: {}\n"]
    ),
)
@settings(deadline=None)
def test_every_word_of_a_labelled_talk_is_its_speakers(talk, shape):
    assert said("".join(shape.format(*turn) for turn in talk)) == talk


@given(st.lists(WORDS, min_size=1, max_size=8))
@settings(deadline=None)
def test_every_word_of_a_talk_without_labels_is_there(paragraphs):
    assert [words for _, words in said("\n\n".join(paragraphs))] == paragraphs
    assert [words for _, words in said(word(*paragraphs))] == paragraphs


@given(TALK, st.booleans())
@settings(deadline=None)
def test_every_word_of_a_subtitle_is_there_in_order(talk, vtt):
    times = [f"00:00:{at:02}.000 --> 00:00:{at + 1:02}.000" for at in range(len(talk))]
    tagged = "<v {}>{}" if vtt else "{}: {}"
    cues = [
        f"{at}\n{time}\n{tagged.format(*turn)}"
        for at, (time, turn) in enumerate(zip(times, talk, strict=True), 1)
    ]
    text = ("WEBVTT\n\n" if vtt else "") + "\n\n".join(cues)
    assert " ".join(words for _, words in said(text)) == " ".join(words for _, words in talk)
    assert not not_said(read(text.encode())).strip()
    speakers = [speaker for speaker, _ in talk]
    changes = [speaker for at, speaker in enumerate(speakers) if at == 0 or speakers[at - 1] != speaker]
    assert [speaker for speaker, _ in said(text)] == changes


# A real story


def test_a_real_story():
    path = DATA / "stories" / "tom-and-lee.txt"
    if not path.exists():
        pytest.skip(f"no real story at {path}: set COPRODUCE_DATA to the folder that holds stories/")
    data = path.read_bytes()
    story = read(data, path.name)
    holds(story)
    assert story.speakers == ()
    assert not not_said(story).strip()
    assert len(story.turns) == 93
    assert "".join(turn.text for turn in story.turns).split() != []
    assert sum(len(turn.text.split()) for turn in story.turns) == len(data.decode().split())
