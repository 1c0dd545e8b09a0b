"""Votes on a Dask cluster: the same result as in memory, whichever way people lie in the files."""

import random
from itertools import pairwise

import distributed
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from coproduce.engine.cluster import votes_from_parquet
from coproduce.engine.consensus import BadVotes, Votes, analyse


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


def cast(people=300, statements=40):
    """Three camps; a tenth vote again on something, the other way."""
    rng = np.random.default_rng(3)
    leaning = rng.integers(-1, 2, (3, statements))
    person, statement = np.nonzero(rng.random((people, statements)) < 0.5)
    vote = np.where(
        rng.random(len(person)) < 0.8, leaning[person % 3, statement], rng.integers(-1, 2, len(person))
    )
    order = rng.permutation(len(person))
    again = order[: len(order) // 10]
    person, statement = (np.concatenate([one[order], one[again]]) for one in (person * 7 + 3, statement * 2))
    return person, statement, np.concatenate([vote[order], -vote[again]])


def written(folder, parts):
    files = []
    for at, (person, statement, vote) in enumerate(parts):
        files.append(folder / f"{at:02}.parquet")
        table = pyarrow.table({"participant": person, "statement": statement, "vote": vote})
        pyarrow.parquet.write_table(table, files[-1], row_group_size=500)
    return files


@pytest.mark.parametrize("way", ["by people", "as cast"])
def test_the_result_is_that_of_one_machine(client, tmp_path, way):
    columns = cast()
    if way == "by people":  # the files out of order: people are put in order all the same
        edges = [0, 400, 1000, 1003, 3000]
        parts = [
            tuple(one[(columns[0] >= a) & (columns[0] < b)] for one in columns) for a, b in pairwise(edges)
        ]
        random.Random(1).shuffle(parts)
    else:
        parts = list(zip(*(np.array_split(one, 5) for one in columns), strict=True))
    votes, here = votes_from_parquet(written(tmp_path, parts), client), Votes.from_arrays(*columns)
    assert len(votes) == len(here) and (votes.participants == here.participants).all()
    for mode in ("exact", "polis"):
        far, near = analyse(votes, mode=mode, moderated_out=[4]), analyse(here, mode=mode, moderated_out=[4])
        assert np.abs(far.projection.points - near.projection.points).max() < 1e-9
        assert np.abs(far.projection.statements - near.projection.statements).max() < 1e-9
        assert (far.labels == near.labels).all() and far.consensus == near.consensus
        for name, figures in vars(near.statistics).items():
            assert np.abs(getattr(far.statistics, name) - figures).max() < 1e-9
        assert far.stability == near.stability
    place, vote = votes.of(3)
    assert (place == here.of(3)[0]).all() and (vote == here.of(3)[1]).all()
    assert len(votes.of(4)[0]) == 0


def test_what_cannot_be_taken_in_is_named_with_its_file(client, tmp_path):
    good = written(tmp_path, [cast()])
    for columns, said in (
        ({"participant": [1], "statement": [1], "vote": [3]}, r"bad\.parquet: Vote 3"),
        ({"participant": ["a"], "statement": [1], "vote": [1]}, r"bad\.parquet.*whole numbers"),
        ({"person": [1], "vote": [1]}, r"bad\.parquet has to have the columns"),
    ):
        pyarrow.parquet.write_table(pyarrow.table(columns), tmp_path / "bad.parquet")
        with pytest.raises(BadVotes, match=said):
            analyse(votes_from_parquet([*good, tmp_path / "bad.parquet"], client))
    (tmp_path / "bad.parquet").write_bytes(b"nothing of the kind")
    with pytest.raises(BadVotes, match=r"bad\.parquet can't be read as Parquet"):
        votes_from_parquet([tmp_path / "bad.parquet"], client)
    with pytest.raises(BadVotes, match="no files"):
        votes_from_parquet([], client)
