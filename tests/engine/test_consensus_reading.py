"""Votes from files and tables: the same votes in every shape, and words that help where something is wrong."""

import csv
import io
import os
from pathlib import Path

import numpy as np
import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coproduce.engine.consensus import BadVotes, Votes
from coproduce.engine.consensus.reading import words_of

DATA = Path(os.environ.get("COPRODUCE_DATA", Path(__file__).parents[2] / "../shared/data")) / "consensus"

SMALL = {"participant": [1, 1, 2, 3, 3], "statement": [10, 20, 10, 20, 10], "vote": [1, -1, 0, 1, 1]}


def csv_of(lines: list[list[object]]) -> io.StringIO:
    file = io.StringIO(newline="")
    csv.writer(file).writerows(lines)
    file.seek(0)
    return file


def the_same(one: Votes, two: Votes) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one.arrays(), two.arrays(), strict=True))


class OnlyArrow:
    """A table that gives itself in no other way than as Arrow's stream."""

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "make",
    [pandas.DataFrame, polars.DataFrame, pyarrow.table, lambda given: OnlyArrow(polars.DataFrame(given))],
)
def test_every_table_gives_the_same_votes(make):
    votes = Votes.from_arrays(*SMALL.values())
    assert the_same(Votes.from_table(make(SMALL)), votes)
    of_polis = dict(zip(("voter-id", "comment-id", "vote"), SMALL.values(), strict=True))
    assert the_same(Votes.from_table(make(of_polis | {"other": [0] * 5})), votes)
    wide = {"participant": [1, 2, 3], "group-id": [0, 0, 1], "10": [1, 0, 1], "20": [-1, None, 1]}
    assert the_same(Votes.from_table(make(wide)), votes)
    nothing = pandas.DataFrame(SMALL).astype({"vote": "Int8"})
    nothing.loc[0, "vote"] = pandas.NA
    assert len(Votes.from_table(nothing)) == 4
    later_first = {"timestamp": [9, 8], "participant": [1, 1], "statement": [10, 10], "vote": [1, -1]}
    assert Votes.from_table(make(later_first)).arrays()[2].tolist() == [1]


def test_parquet_and_csv_give_the_same_votes(tmp_path):
    votes = Votes.from_arrays(*SMALL.values())
    pyarrow.parquet.write_table(pyarrow.table(SMALL), tmp_path / "votes.parquet")
    assert the_same(Votes.from_parquet(tmp_path / "votes.parquet"), votes)
    rows = [list(SMALL), *zip(*SMALL.values(), strict=True)]
    assert the_same(Votes.from_csv(csv_of(rows)), votes)
    in_words = {1: "Agree", -1: "disagree", 0: " pass "}
    assert the_same(Votes.from_csv(csv_of([rows[0], *([p, s, in_words[v]] for p, s, v in rows[1:])])), votes)


@pytest.mark.parametrize("name", ["vtaiwan.uberx", "scoop-hivemind.biodiversity"])
def test_both_exports_of_polis_hold_the_same_votes(name):
    if not (DATA / name).is_dir():
        pytest.skip(
            f"the real conversations are not in {DATA} (set COPRODUCE_DATA to the folder that holds them)"
        )
    wide = Votes.from_csv(DATA / name / "participants-votes.csv")
    assert the_same(wide, Votes.from_csv(DATA / name / "votes.csv"))
    with open(DATA / name / "participants-votes.csv", newline="") as file:
        assert len(wide) == sum(int(row["n-votes"]) for row in csv.DictReader(file))


@settings(deadline=None)
@given(
    st.dictionaries(
        st.tuples(
            st.text('ab0 ,"é', min_size=1).filter(str.strip), st.text("xy1\n=", min_size=1).filter(str.strip)
        ),
        st.sampled_from([-1, 0, 1]),
    )
)
def test_what_is_written_is_read(cast):
    file = csv_of([["participant", "statement", "vote"], *([p, s, v] for (p, s), v in cast.items())])
    read = Votes.from_csv(file)
    stripped = {(p.strip(), s.strip()): v for (p, s), v in cast.items()}
    assert {
        (str(p), str(s)): v for p, s, v in zip(*map(np.ndarray.tolist, read.arrays()), strict=True)
    } == stripped


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            [["a", "b"], [1, 2]],
            "The first line has to name the columns participant, statement and vote.*a, b",
        ),
        ([], "It has: nothing"),
        ([["participant", "statement", "vote"], [1, 1, 1], [1, 2, "maybe"]], "Line 3, statement 2: “maybe”"),
        ([["participant", "1", "2"], ["p", 1, 7]], "Line 2, statement 2: “7”"),
        ([["participant", "statement", "vote"], [1, 1]], "Line 2 has 2 cells, but the first line names 3"),
        ([["participant", "statement", "vote"], ["", 1, 1]], "Line 2 has no participant"),
        ([["participant", "statement", "vote"], [1, " ", 1]], "Line 2 has no statement"),
        ([["participant", "01", "1"], [1, 1, 1]], "Two columns have the same statement"),
        (
            [["timestamp", "participant", "statement", "vote"], ["noon", 1, 1, 1]],
            "Line 2: the timestamp “noon”",
        ),
    ],
)
def test_a_file_that_is_wrong_says_where(lines, said):
    with pytest.raises(BadVotes, match=said):
        Votes.from_csv(csv_of(lines))


def test_other_files_say_what_to_do(tmp_path):
    (tmp_path / "latin.csv").write_bytes("participant,statement,vote\né,1,1\n".encode("latin-1"))
    with pytest.raises(BadVotes, match="UTF-8"):
        Votes.from_csv(tmp_path / "latin.csv")
    (tmp_path / "no.parquet").write_bytes(b"not at all")
    with pytest.raises(BadVotes, match=r"no\.parquet can’t be read as Parquet"):
        Votes.from_parquet(tmp_path / "no.parquet")
    with pytest.raises(BadVotes, match="A int is no table"):
        Votes.from_table(7)
    with pytest.raises(BadVotes, match="comment-id and comment-body"):
        (tmp_path / "words.csv").write_text("a,b\n1,2\n")
        words_of(tmp_path / "words.csv")


def test_words_of_statements_and_which_were_taken_out(tmp_path):
    (tmp_path / "comments.csv").write_text(
        'comment-id,author-id,moderated,comment-body\n3,1,1,"Buses, late"\n4,1,-1,Rude\n5,1,0,"Two\nlines"\n'
    )
    words, out = words_of(tmp_path / "comments.csv")
    assert words == {3: "Buses, late", 4: "Rude", 5: "Two\nlines"} and out == [4]
