"""The page about common ground: in words, with the numbers behind them, and nobody to be picked out."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from coproduce import cli
from coproduce.engine.consensus import Votes, analyse, report


class Read(HTMLParser):
    """What somebody reads, and every tag that is opened."""

    def __init__(self, html):
        super().__init__()
        self.words, self.tags, self.open = [], [], []
        self.feed(html)
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "rect", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in ("meta", "rect", "circle"):
            assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)


def two_camps(first: int, second: int, statements: int = 12) -> Votes:
    """One camp agrees with the even statements, the other with the odd; everybody agrees with the last."""
    person, statement = np.divmod(np.arange((first + second) * statements), statements)
    vote = np.where((person < first) == (statement % 2 == 0), 1, -1)
    by_chance = np.random.default_rng(1).random(len(vote))
    vote[by_chance < 0.1] *= -1
    vote[by_chance > 0.95] = 0
    vote[statement == statements - 1] = 1
    return Votes.from_arrays(person, statement, vote)


WORDS = {at: f"Words of number {at}" for at in range(12)}


def test_it_says_what_is_shared_and_what_sets_groups_apart():
    result = analyse(two_camps(40, 20))
    read = Read(report.page(result, title="Buses", words=WORDS))
    assert read.open == []
    assert "60 people voted on 12 statements" in read.text
    shared, apart = read.text.split("Where groups differ")
    assert "Every group agrees Words of number 11 100% of the 60 people who voted on this agree." in shared
    assert "100% in group A and 100% in group B" in shared
    assert "Group A: 40 people" in apart and "Group B: 20 people" in apart
    assert "The groups are steady" in apart
    pick = result.groups[0].stands_for[0]
    percent = round(100 * pick.votes / pick.seen)
    said = f"Words of number {pick.statement} {percent}% of group A {'agree' if pick.agrees else 'disagree'} , and"
    assert said in apart


def test_words_that_could_bite_are_only_words():
    bite = {0: "<script>alert(1)</script>", 11: '"><img src=x onerror=alert(1)>'}
    read = Read(report.page(analyse(two_camps(30, 30)), title="<b>Buses</b>", words=WORDS | bite))
    assert {"script", "img", "b"}.isdisjoint(tag for tag, _ in read.tags)
    assert "<script>alert(1)</script>" in read.text and "<b>Buses</b>" in read.text
    assert not [name for _, given in read.tags for name in given if name.startswith("on")]
    assert not [given for _, given in read.tags if {"src", "href"} & set(given)]  # nothing is fetched


def test_a_group_of_few_is_hidden_and_cannot_be_counted():
    result = analyse(two_camps(43, 8))
    assert result.grouping.sizes.tolist() == [43, 8]
    read = Read(report.page(result, title="Buses", words=WORDS))
    assert "Group B" not in read.text and "group B" not in read.text
    assert "fewer than 11 people is not shown" in read.text
    groups = read.text.split("Where groups differ")[1].split("Every statement")[0]
    for number in ("43", "51", "8 "):
        assert number not in groups.replace("100", "")
    assert "about 50 people" in read.text.casefold() and "about 40 people" in read.text


def test_too_few_voters_are_not_a_share():
    votes = two_camps(30, 30).plus(Votes.from_arrays([1, 2, 3], [50, 50, 50], [1, 1, 1]))
    read = Read(report.page(analyse(votes), title="Buses"))
    assert "Statement 50 Fewer than 11 people voted on this" in read.text


def test_nobody_and_one_group():
    nobody = Read(report.page(analyse(Votes.from_arrays([], [], [])), title="Buses"))
    assert "Nobody has voted yet" in nobody.text
    alike = Votes.from_arrays(np.repeat(np.arange(20), 9), np.tile(np.arange(9), 20), np.ones(180, int))
    read = Read(report.page(analyse(alike), title="Buses"))
    assert "did not vote in ways that set them apart" in read.text and "People agree" in read.text


def test_what_was_taken_out_is_not_shown():
    read = Read(report.page(analyse(two_camps(30, 30), moderated_out=[11]), title="Buses", words=WORDS))
    assert WORDS[11] not in read.text and "1 statement that a curator took out is not shown" in read.text


def test_the_command_reads_votes_and_writes_a_page(tmp_path, capsys):
    folder = tmp_path / "buses"
    folder.mkdir()
    lines = ["participant,statement,vote"]
    lines += [f"{p},{s},{v}" for p, s, v in zip(*two_camps(30, 30).arrays(), strict=True)]
    (folder / "votes.csv").write_text("\n".join(lines))
    told = "".join(f"{at},{words},{-1 if at == 3 else 1}\n" for at, words in WORDS.items())
    (folder / "comments.csv").write_text(f"comment-id,comment-body,moderated\n{told}")
    assert cli.main(["consensus", str(folder / "votes.csv"), "--json", str(folder / "all.json")]) == 0
    assert "720 votes by 60 people on 12 statements" in capsys.readouterr().out
    page = (folder / "votes.html").read_text(encoding="utf-8")
    assert "Words of number 11" in page and "Words of number 3" not in page and "<h1>buses</h1>" in page
    assert '"mode": "exact"' in (folder / "all.json").read_text()
    assert cli.main(["consensus", str(folder / "votes.csv"), "--leave-out", "11", "--mode", "polis"]) == 0
    assert "Words of number 11" not in (folder / "votes.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "more", "said"),
    [
        (None, [], "No such file"),
        ("participant,statement,vote\n1,1,perhaps\n", [], "Line 2, statement 1: “perhaps” is not a vote"),
        ("participant,statement,vote\n1,1,1\n", ["--leave-out", "7"], "Nobody voted on statement 7"),
        ("participant,statement,vote\n1,1,1\n", ["--page", "votes.csv"], "would be written over"),
    ],
)
def test_the_command_says_what_is_wrong_and_writes_nothing(
    tmp_path, monkeypatch, capsys, content, more, said
):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "votes.csv").write_text(content)
    assert cli.main(["consensus", "votes.csv", *more]) == 2
    assert said in capsys.readouterr().out
    assert not (tmp_path / "votes.html").exists()
    assert content is None or (tmp_path / "votes.csv").read_text() == content
