"""What is taken away: it reads as Polis's does, follows nobody, bites nobody, and holds no words without consent."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest
from PIL import Image

from coproduce.consensus import actions, voting
from coproduce.consensus.models import Voter
from coproduce.consensus.take_away import take_away
from coproduce.engine import consensus as engine
from coproduce.people.permissions import NotAllowed
from coproduce.voices.actions import write_down
from coproduce.voices.models import Carried

pytestmark = pytest.mark.django_db


def taken(by, conversation) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(take_away(by, conversation)))


def rows(packed: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(packed.read(name).decode("utf-8-sig"), newline="")))


def test_the_engine_reads_it_again_and_finds_the_same(amina, conversation, camps, tmp_path):
    camps(14, 12)
    packed = taken(amina, conversation)
    packed.extractall(tmp_path)
    wide = engine.analyse(engine.Votes.from_csv(tmp_path / "participants-votes.csv"))
    long = engine.analyse(engine.Votes.from_csv(tmp_path / "votes.csv"))
    assert (
        sorted(group.size for group in wide.groups) == sorted(group.size for group in long.groups) == [12, 14]
    )
    result = json.loads(packed.read("result.json"))
    assert result["people"] == 26 and [group["size"] for group in result["groups"]] == [14, 12]
    assert "participants" not in result
    assert [row["moderated"] for row in rows(packed, "comments.csv")] == ["1", "1", "1"]
    assert {row["group-id"] for row in rows(packed, "participants-votes.csv")} == {"0", "1"}
    assert b"<svg" in packed.read("map.svg")
    assert Image.open(io.BytesIO(packed.read("map.png"))).width > 500


def test_who_is_who_is_drawn_anew_each_time(amina, lee, conversation, statements, camps):
    camps(14, 12)
    voting.vote(lee, conversation, statements[0], 0)  # the only one who passed

    def lees() -> str:
        [row] = [row for row in rows(taken(amina, conversation), "votes.csv") if row["vote"] == "0"]
        return row["voter-id"]

    numbers = {lees() for _time in range(12)}
    assert len(numbers) > 1
    everything = b"".join(taken(amina, conversation).read(name) for name in ("votes.csv", "comments.csv"))
    assert b"Lee" not in everything
    assert str(Voter.objects.get(person=lee).key or "no key").encode() not in everything


def test_votes_have_a_day_and_no_time(amina, conversation, camps):
    camps(6, 6)
    stamps = {row["timestamp"] for row in rows(taken(amina, conversation), "votes.csv")}
    assert len(stamps) == 1 and int(stamps.pop()) % 60_000 == 0


def test_a_small_group_is_in_none_of_the_files(amina, conversation, camps):
    camps(20, 8)
    packed = taken(amina, conversation)
    assert {row["group-id"] for row in rows(packed, "participants-votes.csv")} == {"0", ""}
    result = json.loads(packed.read("result.json"))
    assert len(result["groups"]) == 1 and "size" not in result["groups"][0]
    assert all(one["by_group"][1] is None for one in result["statements"])
    assert b">B<" not in packed.read("map.svg")


def test_words_go_only_where_the_voice_is_for_anybody_and_it_is_written_down(
    amina, lee, town, conversation, statements
):
    public, group = (
        write_down(amina, town, words, "note", lee, uses=uses)
        for words, uses in (("In the open", ["group", "public"]), ("Among us", ["group"]))
    )
    actions.write_statement(amina, conversation, "For all.", [public])
    actions.write_statement(amina, conversation, "For us.", [group])
    bodies = [row["comment-body"] for row in rows(taken(amina, conversation), "comments.csv")]
    assert "For all." in bodies and "For us." not in bodies
    carried = Carried.objects.filter(kind="export")
    assert [each.voice for each in carried] == [public] and carried[0].who_has_it == "Amina"


def test_no_cell_starts_a_formula(amina, conversation):
    for words in ("=1+1", "@home is best", "-2 is less"):
        actions.write_statement(amina, conversation, words)
    for row in csv.reader(io.StringIO(taken(amina, conversation).read("comments.csv").decode("utf-8-sig"))):
        assert not row[-1].startswith(("=", "+", "-", "@"))


def test_an_empty_one_is_taken_away_too(amina, conversation):
    packed = taken(amina, conversation)
    assert rows(packed, "votes.csv") == [] and "map.svg" not in packed.namelist()


def test_who_may_not_curate_takes_nothing(lee, marek, conversation):
    for by in (lee, marek):
        with pytest.raises(NotAllowed):
            take_away(by, conversation)
