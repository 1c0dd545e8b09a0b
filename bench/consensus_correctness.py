"""The engine's numbers beside red-dwarf's, on fourteen real conversations: how far apart each is at most.

    .venv/bin/python bench/consensus_correctness.py FOLDER --red-dwarf PYTHON

FOLDER has a folder for each conversation as Polis exports it (participants-votes.csv, comments.csv). PYTHON is a Python
that has red-dwarf 0.4.0 (`pip install red-dwarf==0.4.0` in an environment of its own); without it there is nothing to
compare with, and this says so. Statements that were moderated out count as taken out. Group statistics are compared
with red-dwarf's own groups given.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from coproduce.engine.consensus import Votes
from coproduce.engine.consensus import statements as measures
from coproduce.engine.consensus.projection import project

NAMES = {
    "na": "agree",
    "nd": "disagree",
    "ns": "seen",
    "pa": "p_agree",
    "pd": "p_disagree",
    "pat": "p_agree_z",
    "pdt": "p_disagree_z",
    "ra": "more_agree",
    "rd": "more_disagree",
    "rat": "more_agree_z",
    "rdt": "more_disagree_z",
}
WITHIN = 1e-9


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--red-dwarf", default=os.environ.get("RED_DWARF", sys.executable))
    asked = parser.parse_args()
    if subprocess.run([asked.red_dwarf, "-c", "import reddwarf"], capture_output=True).returncode:
        print(
            f"red-dwarf is not there for {asked.red_dwarf}, so nothing was compared. See the top of this file."
        )
        return 2
    print(
        f"{'largest difference':28}{'people':>9}{'statements':>12}{'group':>9}{'shared by':>11}{'which':>9}   picks"
    )
    print(f"{'':28}{'':>9}{'':>12}{'figures':>9}{'groups':>11}{'next':>9}   equal / tied / other")
    good = True
    for conversation in sorted(asked.folder.iterdir()):
        if (conversation / "participants-votes.csv").exists():
            far, picks = compare(conversation, asked.red_dwarf)
            good &= max(far.values()) <= WITHIN and not picks[2]
            print(
                f"{conversation.name[:27]:28}{far['points']:9.0e}{far['statements']:12.0e}{far['statistics']:9.0e}"
                f"{far['group_informed']:11.0e}{far['priority']:9.0e}   {picks[0]} / {picks[1]} / {picks[2]}"
            )
    print("All within 1e-9, all picks equal but for exact ties." if good else "Some differ by more.")
    return 0 if good else 1


def compare(conversation: Path, python: str) -> tuple[dict[str, float], list[int]]:
    """The largest difference of each, and how many lists of picks are equal, tied, or other."""
    votes = Votes.from_csv(conversation / "participants-votes.csv")
    with open(conversation / "comments.csv", encoding="utf-8-sig", newline="") as opened:
        out = [int(row["comment-id"]) for row in csv.DictReader(opened) if row["moderated"] == "-1"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for what, array in zip(("participant", "statement", "vote"), votes.arrays(), strict=True):
            np.save(folder / f"{what}.npy", array)
        np.save(folder / "taken_out.npy", np.array(out, int))
        script = Path(__file__).with_name("red_dwarf.py")
        subprocess.run([python, "-W", "ignore", script, folder], check=True)
        theirs = json.loads((folder / "red-dwarf.json").read_text())
    assert theirs["participants"] == votes.participants.tolist()
    assert theirs["statements"] == votes.statements.tolist()
    taken_out = np.isin(votes.statements, out)
    ours = project(votes, taken_out)
    sign = np.sign((ours.components * np.array(theirs["components"])).sum(axis=1))
    labels = np.full(len(votes.participants), -1)
    labels[np.isin(votes.participants, [int(one) for one in theirs["labels"]])] = list(
        theirs["labels"].values()
    )
    tally = votes.tally_by(labels, int(labels.max()) + 1)
    found = measures.statistics(tally)
    far = {
        "points": apart(ours.points * sign, theirs["points"]),
        "statements": max(
            apart(ours.statements * sign, theirs["statement_points"]),
            apart(ours.extremity, theirs["extremity"]),
            apart(ours.mean, theirs["mean"]),
            apart(ours.components * sign[:, None], theirs["components"]),
        ),
        "statistics": max(apart(getattr(found, NAMES[name]), theirs["statistics"][name]) for name in NAMES),
        "group_informed": apart(measures.group_informed(found), theirs["group_informed"]),
        "priority": apart(measures.priority(tally.sum(axis=0), ours.extremity), theirs["priority"]),
    }
    return far, picks(votes, tally, found, taken_out, theirs)


def picks(
    votes: Votes, tally: np.ndarray, found: measures.Statistics, taken_out: np.ndarray, theirs: dict[str, Any]
) -> list[int]:
    everybody = measures.statistics(votes.tally()[None])
    counts = [0, 0, 0]
    shared = measures.consensus(votes.tally(), taken_out)
    for agrees, name in ((True, "agree"), (False, "disagree")):
        weigh = getattr(everybody, f"p_{name}")[0] * getattr(everybody, f"p_{name}_z")[0]
        places = [int(np.searchsorted(votes.statements, one)) for one in theirs["consensus"][name]]
        counts[judge([pick.statement for pick in shared if pick.agrees == agrees], places, weigh)] += 1
    for group, chosen in enumerate(measures.representative(found, taken_out)):
        mine = [(pick.statement, pick.agrees) for pick in chosen]
        other = [
            (int(np.searchsorted(votes.statements, one)), yes) for one, yes in theirs["representative"][group]
        ]
        weigh = {}
        for agrees, name in ((True, "agree"), (False, "disagree")):
            four = (f"p_{name}", f"p_{name}_z", f"more_{name}", f"more_{name}_z")
            product = np.prod([getattr(found, one)[group] for one in four], axis=0)
            weigh |= {(place, agrees): float(one) for place, one in enumerate(product)}
        counts[judge(mine, other, weigh)] += 1
    return counts


def judge(ours: list[Any], theirs: list[Any], weigh: Any) -> int:
    """0 where two lists are equal, 1 where what differs weighs exactly the same, 2 otherwise."""
    if ours == theirs:
        return 0
    same = len(ours) == len(theirs) and all(
        one == two or weigh[one] == weigh[two] for one, two in zip(ours, theirs, strict=True)
    )
    return 1 if same else 2


def apart(one: Any, two: Any) -> float:
    return float(np.max(np.abs(np.asarray(one, float) - np.asarray(two, float)), initial=0))


if __name__ == "__main__":
    sys.exit(main())
