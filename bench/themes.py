"""How well themes are found: against what people sorted by hand, against BERTopic, and against themselves.

    .venv/bin/python bench/themes.py                     what is in ../shared/data/themes, or in COPRODUCE_DATA
    .venv/bin/python bench/themes.py FILE.csv --text COLUMN --label COLUMN     any texts with one label each
    .venv/bin/python bench/themes.py --only agreement|few|size|chapters|proposing

BERTopic is compared where BERTOPIC_PYTHON names the Python of an environment that has it. It is needed for nothing
else, and never on a machine that people's words are on. Made by hand:

    python3.11 -m venv ../venv-bertopic
    ../venv-bertopic/bin/pip install torch==2.13.0
    ../venv-bertopic/bin/pip install bertopic==0.17.4
    BERTOPIC_PYTHON=../venv-bertopic/bin/python .venv/bin/python bench/themes.py

Both get the same vectors, made once, and one core. BERTopic has its own defaults, its seed fixed so that runs can be
compared; it stands in two lines, as it is and with what it leaves out reassigned (`reduce_outliers` by embeddings).

AMI, ARI: agreement with what people sorted (Vinh et al. 2010; Hubert and Arabie 1985), 1 is the same, 0 is chance;
texts left out count as one more group. A text in several themes counts for its strongest. Shuffled, tenth: the ARI
between the answer and the answer for the texts in another order, or for nine in ten of them. CPU: seconds of all
cores, without embedding. Memory: how much the peak grew, in MiB, from when the texts and vectors were there.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("COPRODUCE_DATA", ROOT / "../shared/data")) / "themes"
KEPT = Path(os.environ.get("COPRODUCE_VAR", tempfile.gettempdir())) / "bench-themes"
ONE_CORE = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
LEAST_WORDS = 8  # shorter turns of a meeting are about nothing: "Thank you, Chair."


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", help="a CSV of texts and their labels")
    parser.add_argument("--text", default="text", help="the column with the texts")
    parser.add_argument("--label", default="label", help="the column with the labels")
    parser.add_argument("--only", choices=("agreement", "few", "size", "chapters", "proposing"))
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        return one_run(*asked.one)
    os.environ.update(ONE_CORE)
    sys.path.insert(0, str(ROOT / "src"))
    if not bertopic():
        print(
            "BERTopic is missing: BERTOPIC_PYTHON names no environment that has it. Ours alone is measured.\n"
        )
    if asked.file:
        name, texts, labels = Path(asked.file).stem, *columns(Path(asked.file), asked.text, asked.label)
        agreement(name, texts, labels)
        few(name, texts, labels)
        return None
    for part in (agreement_of_all, few_of_banking, sizes, chapters_of_meetings, proposing):
        if asked.only is None or part.__name__.startswith(asked.only.removesuffix("s")):
            part()
    return None


# The texts


def columns(file: Path, text: str, label: str) -> tuple[list[str], list[str]]:
    with file.open(encoding="utf-8-sig", newline="") as rows:
        read = list(csv.DictReader(rows))
    for name in (text, label):
        if read and name not in read[0]:
            sys.exit(f"{file} has no column {name!r}. It has: {', '.join(read[0])}.")
    read = [row for row in read if row[text].strip()]
    return [row[text] for row in read], [row[label] for row in read]


def banking() -> tuple[list[str], list[str]]:
    parts = [columns(DATA / "banking77" / name, "text", "category") for name in ("train.csv", "test.csv")]
    return [text for part in parts for text in part[0]], [label for part in parts for label in part[1]]


def meetings() -> Iterator[tuple[list[str], list[str | None]]]:
    """What was said in each meeting, turn by turn, and what people say each turn is about."""
    for name in ("train", "val", "test"):
        for line in (DATA / f"qmsum-committee/{name}.jsonl").read_text(encoding="utf-8").splitlines():
            meeting = json.loads(line)
            texts = [turn["content"] for turn in meeting["meeting_transcripts"]]
            labels: list[str | None] = [None] * len(texts)
            for topic in meeting["topic_list"]:
                for begins, ends in topic["relevant_text_span"]:
                    for at in range(int(begins), min(int(ends) + 1, len(texts))):
                        labels[at] = topic["topic"]
            yield texts, labels


def spoken(texts: list[str], labels: list[str | None]) -> tuple[list[str], list[str]]:
    kept = [
        (text, label)
        for text, label in zip(texts, labels, strict=True)
        if label is not None and len(text.split()) >= LEAST_WORDS
    ]
    return [text for text, _ in kept], [label for _, label in kept]


def consultation(part: int) -> tuple[list[str], list[list[str]]]:
    def lines(path: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (DATA / path).read_text(encoding="utf-8").splitlines()]

    said = lines(f"gambling-consultation/inputs/question_part_{part}/responses.jsonl")
    [folder] = (DATA / "gambling-consultation/outputs/mapping").iterdir()
    sorted_by_hand = lines(str(folder.relative_to(DATA) / f"question_part_{part}/mapping.jsonl"))
    labels = {row["response_id"]: row["labels"] for row in sorted_by_hand}
    return [row["response"] for row in said], [labels[row["response_id"]] for row in said]


def vectors_of(texts: list[str]) -> np.ndarray:
    """The texts' vectors, kept from one run of the bench to the next."""
    import hashlib

    from coproduce.engine.themes import default_embedder

    embedder = default_embedder()
    assert embedder is not None, "the bench needs the model: install what requirements.lock lists"
    mark = hashlib.sha256("\0".join([embedder.name, *texts]).encode()).hexdigest()[:16]
    KEPT.mkdir(parents=True, exist_ok=True)
    kept = KEPT / f"{mark}.npy"
    if not kept.exists():
        np.save(kept, embedder.embed(texts))
    return np.asarray(np.load(kept))


# One run, in a process of its own


def run(who: str, texts: list[str], vectors: np.ndarray) -> dict[str, Any]:
    """The group of each text (-1: none) for each way of counting, CPU seconds and MiB; or what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
        np.save(Path(folder) / "vectors.npy", vectors)
        python = bertopic() if who == "bertopic" else sys.executable
        done = subprocess.run(
            [python, __file__, "--one", who, folder],
            env=os.environ | ONE_CORE | {"PYTHONPATH": str(ROOT / "src"), "TOKENIZERS_PARALLELISM": "false"},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            return {"failed": done.stderr.strip().splitlines()[-1][:110]}
        return dict(json.loads((Path(folder) / "answer.json").read_text()))


def one_run(who: str, folder: str) -> None:
    texts = json.loads((Path(folder) / "texts.json").read_text(encoding="utf-8"))
    vectors = np.load(Path(folder) / "vectors.npy")
    memory, cpu = peak(), time.process_time()
    groups = (ours if who == "ours" else theirs)(texts, vectors)
    cpu = time.process_time() - cpu
    again = groups.pop("after", dict)()
    answer = {"groups": groups | again, "cpu": cpu, "memory": peak() - memory}
    (Path(folder) / "answer.json").write_text(json.dumps(answer))


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def ours(texts: list[str], vectors: np.ndarray) -> dict[str, Any]:
    from coproduce.engine.themes import find_themes

    found = find_themes(texts, vectors=vectors)
    main, strongest = np.full(len(texts), -1), np.zeros(len(texts))
    for at, theme in enumerate(found.themes):
        better = theme.strengths > strongest[theme.members]
        main[theme.members[better]] = at
        strongest[theme.members[better]] = theme.strengths[better]
    members = [theme.members.tolist() for theme in found.themes]
    return {"Coproduce": main.tolist(), "after": lambda: {"members": members}}


def theirs(texts: list[str], vectors: np.ndarray) -> dict[str, Any]:
    from bertopic import BERTopic
    from umap import UMAP

    # BERTopic's own UMAP settings, and a seed.
    reduced = UMAP(
        n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", low_memory=False, random_state=1
    )
    model = BERTopic(umap_model=reduced, embedding_model=None, verbose=False)
    topics, _ = model.fit_transform(texts, vectors)

    def reassigned() -> dict[str, Any]:
        if set(topics) <= {-1}:
            return {}
        if -1 not in topics:  # reduce_outliers raises where there is none
            return {"its outliers reassigned": [int(topic) for topic in topics]}
        all_in = model.reduce_outliers(texts, topics, strategy="embeddings", embeddings=vectors)
        return {"its outliers reassigned": [int(topic) for topic in all_in]}

    return {"BERTopic": [int(topic) for topic in topics], "after": reassigned}


def bertopic() -> str:
    python = os.environ.get("BERTOPIC_PYTHON", "")
    if not python:
        return ""
    there = subprocess.run(
        [python, "-c", "import importlib.util as u; exit(u.find_spec('bertopic') is None)"]
    )
    return "" if there.returncode else python


def who() -> list[str]:
    return ["ours", "bertopic"] if bertopic() else ["ours"]


# What is measured


def agreement_of_all() -> None:
    agreement("banking77", *banking())
    pooled_texts: list[str] = []
    pooled_labels: list[str] = []
    each: list[tuple[list[str], list[str]]] = []
    for number, (texts, labels) in enumerate(meetings()):
        each.append(spoken(texts, labels))
        pooled_texts += each[-1][0]
        pooled_labels += [f"{number} {label}" for label in each[-1][1]]
    agreement("qmsum-committee, 36 meetings together", pooled_texts, pooled_labels)
    alone(each[::3])
    for part in (1, 2):
        several(f"gambling-consultation, question {part}", *consultation(part))


def agreement(name: str, texts: list[str], labels: list[str]) -> None:
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

    vectors = vectors_of(texts)
    chance = np.random.default_rng(1)
    order = chance.permutation(len(texts))
    tenth = np.sort(chance.permutation(len(texts))[len(texts) // 10 :])
    print(f"{name}: {len(texts)} texts, people made {len(set(labels))}")
    heads = f"{'themes':>7}{'AMI':>7}{'ARI':>7}{'left out':>10}{'shuffled':>10}{'tenth':>7}{'CPU':>8}{'memory':>8}"
    print(f"  {'':26}{heads}")
    for one in who():
        found = run(one, texts, vectors)
        shuffled = run(one, [texts[at] for at in order], vectors[order])
        fewer = run(one, [texts[at] for at in tenth], vectors[tenth])
        if "failed" in found:
            print(f"  {one:26} gives nothing: {found['failed']}")
            continue
        for way, groups in found["groups"].items():
            if way == "members":
                continue
            main = np.array(groups)

            def same(
                other: dict[str, Any], places: np.ndarray, main: np.ndarray = main, way: str = way
            ) -> str:
                if way not in other.get("groups", {}):
                    return "nothing"
                return f"{adjusted_rand_score(main[places], other['groups'][way]):.3f}"

            print(
                f"  {way:26}{len(set(groups) - {-1}):>7}{adjusted_mutual_info_score(labels, main):>7.3f}"
                f"{adjusted_rand_score(labels, main):>7.3f}{(main < 0).mean():>10.1%}"
                f"{same(shuffled, order):>10}{same(fewer, tenth):>7}{found['cpu']:>8.1f}{found['memory']:>8.0f}",
                flush=True,
            )
    print()


def alone(each: list[tuple[list[str], list[str]]]) -> None:
    """Every meeting by itself: mean AMI and ARI, and the share left out."""
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

    print(
        f"qmsum-committee, each of {len(each)} meetings by itself, {np.mean([len(t) for t, _ in each]):.0f} texts"
    )
    figures: dict[str, list[tuple[float, float, float]]] = {}
    nothing: dict[str, int] = {}
    for texts, labels in each:
        for one in who():
            found = run(one, texts, vectors_of(texts))
            if "failed" in found:
                nothing[one] = nothing.get(one, 0) + 1
            for way, groups in found.get("groups", {}).items():
                if way != "members":
                    figures.setdefault(way, []).append(
                        (
                            float(adjusted_mutual_info_score(labels, groups)),
                            float(adjusted_rand_score(labels, groups)),
                            float(np.mean(np.array(groups) < 0)),
                        )
                    )
    for way, rows in figures.items():
        ami, ari, out = np.mean(rows, axis=0)
        print(
            f"  {way:26} AMI {ami:.3f}  ARI {ari:.3f}  left out {out:.1%}  answered {len(rows)} of {len(each)}"
        )
    print()


def several(name: str, texts: list[str], labels: list[list[str]]) -> None:
    """Texts that people put into several themes: for each of theirs the best F1 of one found, and the mean."""
    sets = {
        label: {at for at, mine in enumerate(labels) if label in mine}
        for label in {x for y in labels for x in y}
    }
    print(
        f"{name}: {len(texts)} texts, people made {len(sets)}, {np.mean([len(x) for x in labels]):.1f} for each text"
    )
    for one in who():
        found = run(one, texts, vectors_of(texts))
        if "failed" in found:
            print(f"  {one:26} gives nothing: {found['failed']}")
            continue
        members = found["groups"].pop("members", None)
        for way, groups in found["groups"].items():
            theirs_ = (
                [set(each) for each in members]
                if members is not None
                else [
                    {at for at, group in enumerate(groups) if group == topic} for topic in set(groups) - {-1}
                ]
            )
            best = [
                max((2 * len(mine & it) / (len(mine) + len(it)) for it in theirs_), default=0)
                for mine in sets.values()
            ]
            out = 1 - len(set().union(*theirs_)) / len(texts) if theirs_ else 1
            print(f"  {way:26} themes {len(theirs_):>3}  best F1 {np.mean(best):.3f}  left out {out:.1%}")
    print()


def few_of_banking() -> None:
    few("banking77", *banking())


def few(name: str, texts: list[str], labels: list[str], draws: int = 3) -> None:
    """Small numbers: 20, 60 and 200 texts about √n things each, drawn three times."""
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

    vectors = vectors_of(texts)
    print(f"{name}, few texts: the mean of {draws} draws of n texts of √n labels")
    for size in (20, 60, 200):
        chance = np.random.default_rng(size)
        rows: dict[str, list[tuple[float, float, float, float]]] = {}
        answered: dict[str, str] = {}
        for _ in range(draws):
            kinds = chance.choice(
                sorted(set(labels)), min(round(np.sqrt(size)), len(set(labels))), replace=False
            )
            among = np.flatnonzero(np.isin(labels, kinds))
            drawn = chance.choice(among, min(size, len(among)), replace=False)
            fewer = np.sort(chance.permutation(len(drawn))[max(1, len(drawn) // 10) :])
            for one in who():
                found = run(one, [texts[at] for at in drawn], vectors[drawn])
                again = run(one, [texts[at] for at in drawn[fewer]], vectors[drawn[fewer]])
                if "failed" in found:
                    answered[one] = found["failed"]
                    continue
                for way, groups in found["groups"].items():
                    if way == "members":
                        continue
                    other = again.get("groups", {}).get(way)
                    truth = [labels[at] for at in drawn]
                    rows.setdefault(way, []).append(
                        (
                            float(adjusted_mutual_info_score(truth, groups)),
                            float(np.mean(np.array(groups) < 0)),
                            float(adjusted_rand_score(np.array(groups)[fewer], other)) if other else 0.0,
                            float(len(set(groups) - {-1})),
                        )
                    )
        for way, figures in rows.items():
            ami, out, stable, themes = np.mean(figures, axis=0)
            print(
                f"  n={size:<4} {way:26} AMI {ami:.3f}  left out {out:6.1%}  tenth {stable:.3f}  themes {themes:.1f}"
                f"  answered {len(figures)} of {draws}",
                flush=True,
            )
        for one, failed in answered.items():
            print(f"  n={size:<4} {one:26} gives nothing: {failed}")
    print()


def many(size: int) -> tuple[list[str], np.ndarray]:
    """So many texts to measure time and memory on: the bank's questions, and beyond those, two of a kind joined."""
    texts, labels = banking()
    vectors = vectors_of(texts)
    chance = np.random.default_rng(1)
    if size <= len(texts):
        drawn = chance.permutation(len(texts))[:size]
        return [texts[at] for at in drawn], vectors[drawn]
    by_label = {label: np.flatnonzero(np.array(labels) == label) for label in set(labels)}
    one = chance.integers(len(texts), size=size)
    two = np.array([chance.choice(by_label[labels[at]]) for at in one])
    joined = vectors[one] + vectors[two] + chance.normal(0, 0.01, (size, vectors.shape[1]))
    joined /= np.linalg.norm(joined, axis=1, keepdims=True)
    return [f"{texts[a]} {texts[b]}" for a, b in zip(one, two, strict=True)], joined.astype(np.float32)


def sizes() -> None:
    print("CPU-seconds and MiB by the number of texts, without embedding")
    for size in (1_000, 10_000, 100_000, 250_000):
        texts, vectors = many(size)
        for one in who() if size <= 100_000 else ["ours"]:  # BERTopic takes hours
            found = run(one, texts, vectors)
            if "failed" in found:
                print(f"  {size:>7} {one:26} {found['failed']}")
                continue
            way = next(iter(found["groups"]))
            print(f"  {size:>7} {way:26}{found['cpu']:>8.1f} s{found['memory']:>8.0f} MiB", flush=True)
    print()


def chapters_of_meetings() -> None:
    """Where the talk turns, in meetings, against as many equal chunks: 1 - Pk and AMI, higher is better."""
    from sklearn.metrics import adjusted_mutual_info_score, v_measure_score

    from coproduce.engine.themes import chapters

    rows = []
    for texts, labels in meetings():
        inside = [at for at, label in enumerate(labels) if label is not None]
        first, last = inside[0], inside[-1] + 1
        texts, labels = texts[first:last], labels[first:last]
        truth = np.cumsum([0] + [a != b for a, b in pairwise(labels)])
        begins = chapters(texts, vectors=vectors_of(texts))
        found = np.searchsorted(begins, np.arange(len(texts)), side="right") - 1
        equal = np.arange(len(texts)) * len(begins) // len(texts)
        topic = [str(label) for label in labels]
        rows.append(
            [
                (1 - pk(truth, each), adjusted_mutual_info_score(topic, each), v_measure_score(topic, each))
                for each in (found, equal)
            ]
        )
    for name, (score, ami, v) in zip(
        ("chapters", "as many equal chunks"), np.mean(rows, axis=0), strict=True
    ):
        print(f"  {name:26} 1 - Pk {score:.3f}  AMI with topics {ami:.3f}  V-measure {v:.3f}")
    print()


def pk(truth: np.ndarray, found: np.ndarray) -> float:
    """How often two texts half a chapter apart are wrongly said to be in one or in two (Beeferman et al. 1999)."""
    apart = max(2, round(len(truth) / (truth[-1] + 1) / 2))
    return float(np.mean((truth[apart:] == truth[:-apart]) != (found[apart:] == found[:-apart])))


def proposing() -> None:
    """New voices into confirmed themes; and a story's worth of them beside 100,000 confirmed voices."""
    from coproduce.engine.themes import propose

    texts, labels = banking()
    vectors = vectors_of(texts)
    chance = np.random.default_rng(1)
    order = chance.permutation(len(texts))
    test, train = order[:2000], order[2000:]
    unknown = set(sorted(set(labels))[::4])
    for each in (3, 5, 10, 20):
        confirmed = {
            label: vectors[[at for at in train if labels[at] == label][:each]]
            for label in sorted(set(labels) - unknown)
        }
        given = propose(vectors[test], confirmed)
        known = np.array([labels[at] not in unknown for at in test])
        right = np.array(
            [bool(mine) and mine[0].theme == labels[at] for mine, at in zip(given, test, strict=True)]
        )
        pool = np.array([not mine for mine in given])
        print(
            f"  {each:>3} confirmed a theme: first proposal right {right[known].mean():.3f}, left to the pool "
            f"{pool[known].mean():.3f}; of what belongs to no theme, left to the pool {pool[~known].mean():.3f}; "
            f"{np.mean([len(mine) for mine in given]):.1f} proposals each"
        )
    code = (
        "import time, sys, numpy as np; cpu = time.process_time()\n"
        "from coproduce.engine.themes import default_embedder, propose\n"
        "confirmed = np.load(sys.argv[1])\n"
        "new = default_embedder().embed([line for line in open(sys.argv[2], encoding='utf-8')])\n"
        "given = propose(new, {name: confirmed[name] for name in confirmed.files})\n"
        "cold = time.process_time() - cpu; cpu = time.process_time()\n"
        "propose(new, {name: confirmed[name] for name in confirmed.files})\n"
        "print(len(new), cold, time.process_time() - cpu)"
    )
    story = next(spoken(*meeting)[0][:60] for meeting in meetings())
    _texts, hundred = many(100_000)
    with tempfile.TemporaryDirectory() as folder:
        parts = np.array_split(hundred, 60)
        np.savez(Path(folder) / "confirmed.npz", **{f"theme{at}": part for at, part in enumerate(parts)})
        short = [" ".join(text.split()[:80]) for text in story]
        (Path(folder) / "story.txt").write_text("\n".join(short), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", code, f"{folder}/confirmed.npz", f"{folder}/story.txt"],
            env=os.environ | ONE_CORE | {"PYTHONPATH": str(ROOT / "src")},
            capture_output=True,
            text=True,
            check=True,
        )
    new, cold, warm = done.stdout.split()
    print(
        f"  a story of {new} statements beside 100,000 voices in 60 themes: {float(cold):.2f} CPU-s with loading and"
    )
    print(f"  embedding in a new process, {float(warm):.2f} to propose in one that runs already\n")


if __name__ == "__main__":
    main()
