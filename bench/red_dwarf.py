"""What red-dwarf says of the same votes: run by `consensus.py` and `consensus_correctness.py`, in a process of its own.

    PYTHON_WITH_RED_DWARF bench/red_dwarf.py FOLDER            everything, written into FOLDER/red-dwarf.json
    PYTHON_WITH_RED_DWARF bench/red_dwarf.py FOLDER --time     only how long it takes, printed as JSON
    … --no-silhouette                                          with its silhouette left out

FOLDER has participant.npy, statement.npy, vote.npy and, where statements were taken out, taken_out.npy. red-dwarf 0.4.0
(github.com/polis-community/red-dwarf, MPL-2.0) is no part of Coproduce: it is only compared with.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from reddwarf.implementations import polis
from reddwarf.utils.clusterer import kmeans


def main() -> None:
    folder = Path(sys.argv[1])
    participant, statement, vote = (
        np.load(folder / f"{name}.npy") for name in ("participant", "statement", "vote")
    )
    out = np.load(folder / "taken_out.npy").tolist() if (folder / "taken_out.npy").exists() else []
    if "--no-silhouette" in sys.argv:
        kmeans.silhouette_score = lambda points, labels: 0.0
    votes = [
        {"participant_id": one, "statement_id": on, "vote": cast}
        for one, on, cast in zip(participant.tolist(), statement.tolist(), vote.tolist(), strict=True)
    ]
    del participant, statement, vote
    if "--time" in sys.argv:
        before, begins = memory(), time.process_time()
        polis.run_pipeline(votes=votes, random_state=0)
        seconds = time.process_time() - begins
        print(json.dumps({"seconds": seconds, "peak": memory(), "before": before}))
        return
    found = polis.run_pipeline(
        votes=votes, random_state=0, reducer_kwargs={"svd_solver": "full"}, mod_out_statement_ids=out
    )
    (folder / "red-dwarf.json").write_text(json.dumps(plain(found)))


def plain(found: Any) -> dict[str, Any]:
    people, statements = found.participants_df, found.statements_df
    clustered = people[people["to_cluster"]]
    groups = found.group_comment_stats.reset_index()
    return {
        "participants": people.index.tolist(),
        "statements": statements.index.tolist(),
        "points": people[["x", "y"]].to_numpy().tolist(),
        "statement_points": statements[["x", "y"]].to_numpy().tolist(),
        "mean": statements["mean"].tolist(),
        "components": statements[["pc1", "pc2"]].to_numpy().T.tolist(),
        "extremity": statements["extremity"].tolist(),
        "priority": statements["priority"].tolist(),
        "labels": dict(
            zip(clustered.index.tolist(), clustered["cluster_id"].astype(int).tolist(), strict=True)
        ),
        "statistics": {
            name: [one[name].tolist() for _, one in groups.groupby("group_id")]
            for name in ("na", "nd", "ns", "pa", "pd", "pat", "pdt", "ra", "rd", "rat", "rdt")
        },
        "group_informed": [
            statements["group-aware-consensus-agree"].tolist(),
            statements["group-aware-consensus-disagree"].tolist(),
        ],
        "consensus": {
            name: [int(one["tid"]) for one in found.consensus[name]] for name in ("agree", "disagree")
        },
        "representative": [
            [[int(one["tid"]), one["repful-for"] == "agree"] for one in found.repness[group]]
            for group in sorted(found.repness)
        ],
    }


def memory() -> int:
    """The most this process ever held, in KiB."""
    # Linux keeps getrusage's figure of whoever started the process.
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
