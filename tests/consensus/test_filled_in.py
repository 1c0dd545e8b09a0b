"""What is typed in from paper and brought in tables: read to the letter, or refused with the place and what to do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coproduce.consensus.filled_in import Bad, marks_of, read_table
from coproduce.engine.exchange import tables

STATEMENTS = {3: "Benches, please.", 7: "=More buses", 12: "Ask us."}


def test_letters_become_votes_and_a_dot_is_none():
    assert marks_of("a D, p.", [3, 7, 12, 20]) == {3: 1, 7: -1, 12: 0}


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [("aax", "Place 3: “x”"), ("aa", "has 3 statements, but here are 2"), ("aaaa", "are 4")],
)
def test_what_can_not_be_read_is_told_with_its_place(typed, wrong):
    with pytest.raises(Bad, match=wrong):
        marks_of(typed, [3, 7, 12])


@given(st.lists(st.sampled_from([1, -1, 0, None]), max_size=40), st.sampled_from(["", " ", ",", ", "]))
def test_whatever_is_ticked_comes_back(ticked, between):
    letters = {1: "a", -1: "d", 0: "p", None: "."}
    statements = list(range(100, 100 + len(ticked)))
    read = marks_of(between.join(letters[one] for one in ticked), statements)
    assert read == {pk: one for pk, one in zip(statements, ticked, strict=True) if one is not None}


@given(st.text(max_size=60))
def test_whatever_is_typed_is_read_or_refused(typed):
    try:
        assert set(marks_of(typed, [1, 2, 3]).values()) <= {1, -1, 0}
    except Bad as wrong:
        assert str(wrong)


def heads() -> list[str]:
    return ["name", *(f"{pk}. {words}" for pk, words in STATEMENTS.items())]


ROWS = [("Lee", "agree", "", "Pass"), ("", "d", "NO", "0"), ("", "", "", "")]


@pytest.mark.parametrize("excel", [False, True])
def test_our_own_table_filled_in_is_read(excel):
    if excel:
        data = tables.to_excel([tables.Sheet("Votes", tuple(heads()), tuple(ROWS))])
    else:
        data = tables.to_csv(heads(), ROWS)
    table = read_table(data, "votes.xlsx" if excel else "votes.csv", STATEMENTS)
    assert table.problems == []
    assert [(line.line, line.name, line.choices) for line in table.lines] == [
        (2, "Lee", {3: 1, 12: 0}),
        (3, "", {3: -1, 7: -1, 12: 0}),
    ]


def test_numbers_from_excel_are_votes_too():
    data = tables.to_excel([tables.Sheet("V", ("3", "7"), ((1, -1), (0, None)))])
    assert [line.choices for line in read_table(data, "v.xlsx", STATEMENTS).lines] == [{3: 1, 7: -1}, {3: 0}]


def test_every_error_has_its_line_and_column_and_right_lines_are_read():
    data = "name;3;7\nLee;agree;maybe\n;yes;\n;;d;stray\n".encode("cp1252")
    table = read_table(data, "v.csv", STATEMENTS)
    assert [line.line for line in table.lines] == [3]
    assert any("Line 2, column C: “maybe”" in problem for problem in table.problems)
    assert any("Line 4, column D: “stray”" in problem for problem in table.problems)


@pytest.mark.parametrize(
    ("data", "name", "wrong"),
    [
        (b"", "v.csv", "nothing in this file"),
        (b"name,3\n", "v.csv", "no line with votes"),
        (b"name,99\nLee,agree\n", "v.csv", "B .*99"),
        (b"name,3,3\nLee,a,d\n", "v.csv", "Two columns"),
        (b"name\nLee\n", "v.csv", "No column"),
        (b"PK\x03\x04 not a zip", "v.xlsx", "can’t be read as an Excel"),
        (b"x" * (6 * 1024 * 1024), "v.csv", "larger than 5 MB"),
    ],
)
def test_what_is_no_table_is_refused_and_why(data, name, wrong):
    with pytest.raises(Bad, match=wrong):
        read_table(data, name, STATEMENTS)


@given(st.binary(max_size=300), st.sampled_from(["a.csv", "a.xlsx"]))
def test_whatever_is_brought_is_read_or_refused(data, name):
    try:
        read_table(data, name, STATEMENTS)
    except Bad as wrong:
        assert str(wrong)
