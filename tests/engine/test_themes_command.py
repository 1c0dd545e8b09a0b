"""`coproduce themes FILE…`: what is said on the terminal, and the report."""

import re
from pathlib import Path

import pytest

from coproduce.cli import main
from tests.engine.test_themes import BUS, DENTIST, GARDEN

VOICES = [*BUS, *DENTIST, *GARDEN]


def table(folder: Path, rows: list[str], name: str = "said.csv") -> Path:
    file = folder / name
    file.write_text("who,words\n" + "".join(f'anna,"{row}"\n' for row in rows), encoding="utf-8")
    return file


def test_a_column_becomes_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "r.html"
    assert main(["themes", str(table(tmp_path, VOICES)), "--column", "words", "--report", str(out)]) == 0
    said = capsys.readouterr()
    assert re.search(r"^ +\d+  .*dentist", said.out, re.MULTILINE)
    assert "Reading what was said" in said.err
    page = out.read_text(encoding="utf-8")
    assert "said.csv, row 2" in page
    assert "<mark>dentist</mark>" in page
    assert 'lang="en-GB"' in page


def test_the_report_stands_by_itself_and_what_was_said_cannot_run(tmp_path: Path) -> None:
    out = tmp_path / "r.html"
    nasty = "<script>alert(1)</script> the bus & the <b>dentist</b> bus"
    main(["themes", str(table(tmp_path, [*VOICES, nasty])), "--column", "words", "--report", str(out)])
    page = out.read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page and "http://" not in page and "https://" not in page
    assert not re.search(r"\b(?:src|href)=\"(?!#)", page)


def test_transcripts_keep_who_and_when_and_set_aside_who_asked(tmp_path: Path) -> None:
    lines = [f"Asker: What is it like, number {at}?\nAnna: {voice}\n" for at, voice in enumerate(VOICES)]
    story = tmp_path / "anna.txt"
    story.write_text("\n".join(lines), encoding="utf-8")
    out = tmp_path / "r.html"
    assert main(["themes", str(story), "--asked", "Asker", "--report", str(out)]) == 0
    page = out.read_text(encoding="utf-8")
    assert "anna.txt, Anna, turn 2" in page
    assert "Whoever asked said these" in page


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["gone.txt"], "there is no such file"),
        (["said.csv"], "--column NAME. It has: who, words"),
        (["said.csv", "--column", "text"], "no column 'text'. It has: who, words"),
        (["empty.txt"], "empty"),
        (["story.txt", "--asked", "Bob"], "Nobody called 'Bob' speaks here. Who does: Anna"),
        (["story.txt", "--column", "words"], "Leave it out"),
        (["story.txt", "--report", "notes.html"], "no report of ours"),
        (["story.txt", "--report", "nowhere/r.html"], "No such file"),
    ],
)
def test_what_can_t_be_done_is_said_with_what_to_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    table(tmp_path, VOICES)
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "story.txt").write_text("Anna: The bus was late.\nAnna: The bus again.\n")
    (tmp_path / "notes.html").write_text("<p>my notes</p>")
    assert main(["themes", *arguments]) == 2
    assert says in capsys.readouterr().err
    assert (tmp_path / "notes.html").read_text() == "<p>my notes</p>"
