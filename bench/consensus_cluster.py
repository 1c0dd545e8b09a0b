"""Opinion groups and common ground beyond one machine's memory: 500 M votes of 10 M people, from Parquet, on Dask.

    .venv/bin/python bench/consensus_cluster.py                 500 M votes (about 1.3 GB of files, written first)
    .venv/bin/python bench/consensus_cluster.py --tenth         50 M votes of 1 M people, and in memory beside it
    .venv/bin/python bench/consensus_cluster.py --hundredth     5 M votes of 100,000 people, likewise
    … --as-cast                                                 each file has people from first to last

A local cluster of two processes with one thread each; workers and the process that asks share 6 GiB. Prints how long
reading and working took by the clock, CPU seconds of all three processes, and the most that each held.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

for name in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{name}_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import numpy as np  # noqa: E402 - it looks once at how many threads it may have

STATEMENTS = 2_000
PER_FILE = 100_000  # people
WORKER = "2GiB"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tenth", action="store_true")
    parser.add_argument("--hundredth", action="store_true")
    parser.add_argument("--as-cast", action="store_true")
    asked = parser.parse_args()
    people = 100_000 if asked.hundredth else 1_000_000 if asked.tenth else 10_000_000
    per_file = min(PER_FILE, people // 10)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        begins = time.perf_counter()
        votes = write(folder, people, per_file, asked.as_cast)
        size = sum(file.stat().st_size for file in folder.glob("*.parquet"))
        print(
            f"{votes:,} votes of {people:,} people on {STATEMENTS:,} statements in {people // per_file} files, "
            f"{size / 2**20:,.0f} MiB, written in {time.perf_counter() - begins:.0f} s",
            flush=True,
        )
        run(sorted(folder.glob("*.parquet")), beside=people <= 1_000_000)


def run(files: list[Path], beside: bool) -> None:
    from distributed import Client, LocalCluster

    from coproduce.engine.cluster import votes_from_parquet
    from coproduce.engine.consensus import Votes, analyse

    with (
        LocalCluster(2, threads_per_worker=1, memory_limit=WORKER, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        used = seconds(client)
        begins = time.perf_counter()
        votes = votes_from_parquet(files, client)
        read = time.perf_counter() - begins
        result = analyse(votes)
        whole = time.perf_counter() - begins
        print(
            f"Groups: {result.grouping.sizes.tolist()}. Common ground: {len(result.common_ground)} statements."
        )
        print(f"By the clock: {read:.0f} s to read, {whole - read:.0f} s to work, {whole:.0f} s in all")
        print(f"CPU: {seconds(client) - used:.0f} s in three processes")
        begins = time.perf_counter()
        steady = result.stability.together
        print(f"Stability, beside that: {steady:.2f}, in {time.perf_counter() - begins:.0f} s by the clock")
        held = [*client.run(peak).values(), peak()]
        print(f"The most that each held: {', '.join(f'{one / 2**20:.2f}' for one in held)} GiB, ", end="")
        print(f"together at most {sum(held) / 2**20:.2f} GiB")
        if beside:
            import pyarrow
            from pyarrow.parquet import read_table

            here = analyse(Votes.from_table(pyarrow.concat_tables([read_table(file) for file in files])))
            far = max(
                np.abs(result.projection.points - here.projection.points).max(),
                *(
                    np.abs(getattr(result.statistics, one) - each).max()
                    for one, each in vars(here.statistics).items()
                ),
            )
            same = "the same" if (result.labels == here.labels).all() else "NOT the same"
            print(f"Beside the result in memory: figures differ by {far:.0e} at most, groups are {same}")


def seconds(client) -> float:  # type: ignore[no-untyped-def]
    return float(sum(client.run(time.process_time).values()) + time.process_time())


def peak() -> int:
    """The most that this process ever held, in KiB."""
    # Linux keeps getrusage's figure of whoever started the process.
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def write(folder: Path, people: int, per_file: int, as_cast: bool) -> int:
    """Files of heavy-tailed votes in three camps, fifty a person; how many votes there are."""
    import pyarrow
    from pyarrow.parquet import write_table

    rng = np.random.default_rng(0)
    leaning, liked = rng.normal(0, 1.2, (3, STATEMENTS)), rng.normal(0.3, 0.7, STATEMENTS)
    steps = np.array([step for step in range(1, STATEMENTS) if np.gcd(step, STATEMENTS) == 1])
    total = 0
    for first in range(0, people, per_file):
        active = rng.pareto(1.5, per_file) + 0.3
        for _ in range(8):
            active = np.clip(active * 50 * per_file / active.sum(), 1, STATEMENTS)
        counts = np.round(active).astype(int)
        row = np.repeat(np.arange(per_file), counts)
        nth = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        where = np.repeat(rng.integers(0, STATEMENTS, per_file), counts)
        on = (where + nth * np.repeat(rng.choice(steps, per_file), counts)) % STATEMENTS
        felt = liked[on] + leaning[rng.integers(0, 3, per_file)[row], on] + rng.normal(0, 1, len(row))
        # As cast: this file's people are every so manieth of all, so that each file has people from first to last.
        who = row * (people // per_file) + first // per_file if as_cast else row + first
        order = rng.permutation(len(row))
        columns = {
            "participant": who[order].astype(np.int32),
            "statement": on[order].astype(np.int16),
            "vote": ((felt > 0.35).astype(np.int8) - (felt < -0.35).astype(np.int8))[order],
        }
        write_table(pyarrow.table(columns), folder / f"{first // per_file:05}.parquet", compression="zstd")
        total += len(row)
    return total


if __name__ == "__main__":
    main()
