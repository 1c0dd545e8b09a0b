"""How fast votes become opinion groups and common ground, beside red-dwarf.

    .venv/bin/python bench/consensus.py --red-dwarf PYTHON          150 k, 1.5 M, 5 M and 50 M votes
    .venv/bin/python bench/consensus.py --only 150k                 one size
    .venv/bin/python bench/consensus.py                             without red-dwarf to compare with

Made-up votes: people vote on few or many statements (Pareto), in three camps that lean differently. Each measurement is
a process of its own on one thread; ours and red-dwarf's take turns. Both begin with the votes in memory as they take
them (three arrays; a list of dictionaries) and end with groups, their statistics and picks. CPU is seconds of the
process, the least of the runs; memory is the most that the process held, and how much of it came while it worked.
Our `stability` is what red-dwarf has nothing like, and timed apart. PYTHON is one with red-dwarf 0.4.0; it is not
run on 50 M votes, where it would want 16 GB for its first matrix and 8 TB for its silhouette.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

SIZES = {
    "150k": (10_000, 500, 150_000),
    "1.5M": (100_000, 1_000, 1_500_000),
    "5M": (100_000, 1_000, 5_000_000),
    "50M": (1_000_000, 2_000, 50_000_000),
}
TOO_MANY = 20_000_000  # votes for red-dwarf
ROOT = Path(__file__).resolve().parents[1]

OURS = """
import json, sys, time
import numpy as np
from coproduce.engine.consensus import Votes, analyse
import scipy.sparse, scipy.sparse.linalg
folder = sys.argv[1]
arrays = [np.load(f"{folder}/{name}.npy") for name in ("participant", "statement", "vote")]
def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
begins = time.process_time()
for one in arrays:
    one.sum(dtype=np.int64)
read = time.process_time() - begins
before, begins = peak(), time.process_time()
result = analyse(Votes.from_arrays(*arrays))
result.groups
seconds, most = time.process_time() - begins, peak()
begins = time.process_time()
stability = result.stability
print(json.dumps({"seconds": seconds, "peak": most, "before": before, "read": read,
    "stability": time.process_time() - begins, "groups": result.grouping.sizes.tolist(), "votes": len(result.votes)}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--red-dwarf", metavar="PYTHON", default=os.environ.get("RED_DWARF"))
    parser.add_argument("--only", choices=SIZES, action="append")
    parser.add_argument(
        "--runs", type=int, default=3, help="of ours; red-dwarf runs as often up to 1 M votes, else once"
    )
    asked = parser.parse_args()
    for size in asked.only or SIZES:
        with tempfile.TemporaryDirectory() as folder:
            count = make(Path(folder), *SIZES[size])
            measure(size, count, Path(folder), asked.red_dwarf if count < TOO_MANY else None, asked.runs)


def measure(size: str, count: int, folder: Path, red_dwarf: str | None, runs: int) -> None:
    people, statements, _ = SIZES[size]
    ours, whole, without = [], [], []
    for run in range(runs):
        ours.append(once([sys.executable, "-c", OURS, str(folder)]))
        if red_dwarf and (run == 0 or count < 1_000_000):
            command = [red_dwarf, "-W", "ignore", str(ROOT / "bench/red_dwarf.py"), str(folder), "--time"]
            whole.append(once(command))
            without.append(once([*command, "--no-silhouette"]))
    best = min(ours, key=lambda one: one["seconds"])
    read = min(one["read"] for one in ours)
    print(f"\n{people:,} people, {statements:,} statements, {count:,} votes. Groups: {best['groups']}")
    print(f"  {'':34}{'CPU':>10}{'memory':>11}{'while working':>16}")
    line("ours", best)
    print(f"  {'   stability, beside that':34}{min(one['stability'] for one in ours):8.2f} s")
    times = f"{best['seconds'] / read:,.0f} times that in all"
    print(f"  {'   reading the votes once':34}{read * 1000:7.1f} ms   ours takes {times}")
    for name, found in (("red-dwarf as shipped", whole), ("red-dwarf without its silhouette", without)):
        if found:
            least = min(found, key=lambda one: one["seconds"])
            line(name, least)
            ratios = [least["seconds"] / best["seconds"], least["peak"] / best["peak"]]
            print(f"  {'   beside ours':34}{ratios[0]:9.0f}×{ratios[1]:10.1f}×", end="")
            print(f"{(least['peak'] - least['before']) / max(best['peak'] - best['before'], 1024):15.1f}×")
    sys.stdout.flush()


def line(name: str, found: dict[str, float]) -> None:
    grown = found["peak"] - found["before"]
    print(f"  {name:34}{found['seconds']:8.3f} s{found['peak'] / 1024:7.0f} MiB{grown / 1024:12.0f} MiB")


def once(command: list[str]) -> dict[str, float]:
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    run = subprocess.run(
        command,
        env=os.environ | threads | {"PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, float] = json.loads(run.stdout)
    return found


def make(folder: Path, people: int, statements: int, votes: int, at_once: int = 20_000) -> int:
    """Write participant.npy, statement.npy and vote.npy, in no order; how many votes there are."""
    rng = np.random.default_rng(0)
    active = rng.pareto(1.5, people) + 0.3
    counts = active
    for _ in range(
        8
    ):  # nobody votes twice on a statement, so the most active are cut short and others make up for it
        counts = np.clip(counts * votes / counts.sum(), 1, statements)
    counts = np.round(counts).astype(int)
    camp = rng.integers(0, 3, people)
    leaning, liked = rng.normal(0, 1.2, (3, statements)), rng.normal(0.3, 0.7, statements)
    steps = np.array([step for step in range(1, statements) if np.gcd(step, statements) == 1])
    total = int(counts.sum())
    arrays = [np.empty(total, kind) for kind in (np.int32, np.int16, np.int8)]
    filled = 0
    for first in range(0, people, at_once):
        many = counts[first : first + at_once]
        who = np.repeat(np.arange(first, first + len(many)), many)
        nth = np.arange(len(who)) - np.repeat(np.cumsum(many) - many, many)
        where = np.repeat(rng.integers(0, statements, len(many)), many)
        on = (where + nth * np.repeat(rng.choice(steps, len(many)), many)) % statements
        felt = liked[on] + leaning[camp[who], on] + rng.normal(0, 1, len(who))
        for array, part in zip(arrays, (who, on, (felt > 0.35).astype(int) - (felt < -0.35)), strict=True):
            array[filled : filled + len(who)] = part
        filled += len(who)
    order = rng.permutation(total)
    for name, array in zip(("participant", "statement", "vote"), arrays, strict=True):
        np.save(folder / f"{name}.npy", array[order])
    return total


if __name__ == "__main__":
    main()
