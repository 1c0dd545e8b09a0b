"""Noticing that several hubs raise the same: what is compared, and how far up the tree of hubs it belongs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from coproduce.agenda.actions.bigger_voices import Noticed, keep_meanings, keep_noticed
from coproduce.agenda.models import Topic, TopicMeaning
from coproduce.engine.alike import Raised, about_the_same
from coproduce.engine.themes import Embedder
from coproduce.people.models import Hub
from coproduce.themes.meaning import embedder
from coproduce.themes.models import Theme, lines_of_merging, sum_of

MOST = 3000  # topics compared with one another, the newest: what is older was looked at before


def notice() -> None:
    """Compare what the hubs of each tree raise now, and keep what is about the same. Safe to run twice."""
    paths = dict(Hub.objects.values_list("pk", "path"))
    trees: defaultdict[str, list[Topic]] = defaultdict(list)
    for topic in _to_compare():
        trees[paths[topic.hub_id][: Hub.steplen]].append(topic)
    noticed: list[Noticed] = []
    for topics in trees.values():
        if len({topic.hub_id for topic in topics}) > 1:
            noticed += _notice_among(topics, paths)
    keep_noticed(noticed)


def _to_compare() -> Iterable[Topic]:
    """What is still open and was not taken up yet. What services asked for is no voice of a hub."""
    still = Topic.objects.still_open().filter(ask__isnull=True, taken_up_in__isnull=True)
    return still.order_by("-pk").prefetch_related("themes")[:MOST]


def _notice_among(topics: list[Topic], paths: dict[int, str]) -> list[Noticed]:
    line = lines_of_merging({theme.pk for topic in topics for theme in topic.themes.all()})
    names = dict(
        Theme.objects.filter(pk__in={themes[-1] for themes in line.values()}).values_list("pk", "name")
    )
    raised = [
        Raised(
            topic.hub_id,
            topic.title,
            topic.why,
            frozenset(names[line[theme.pk][-1]] for theme in topic.themes.all()),
        )
        for topic in topics
    ]
    by = embedder()
    found = about_the_same(raised, None if by is None else _vectors(topics, by))
    return [
        Noticed(
            _nearest_above({topics[at].hub_id for at in group}, paths),
            frozenset(topics[at].pk for at in group),
        )
        for group in found
    ]


def _nearest_above(hubs: set[int], paths: dict[int, str]) -> int:
    """The lowest hub that all of these are, or stand under. They are of one tree, so there is one."""
    lines = [
        [paths[hub][:end] for end in range(Hub.steplen, len(paths[hub]) + 1, Hub.steplen)] for hub in hubs
    ]
    common = [steps[0] for steps in zip(*lines, strict=False) if len(set(steps)) == 1]
    return next(pk for pk, path in paths.items() if path == common[-1])


def _vectors(topics: list[Topic], by: Embedder) -> NDArray[np.float32]:
    """A row for each topic: kept ones where the words are still those, and the others read now."""
    words = [f"{topic.title}. {topic.why}".strip() for topic in topics]
    sums = [sum_of(each) for each in words]
    known = {
        each.topic_id: each
        for each in TopicMeaning.objects.filter(topic__in=[topic.pk for topic in topics], embedder=by.name)
    }
    fresh = [
        at
        for at, topic in enumerate(topics)
        if topic.pk not in known or known[topic.pk].words_sum != sums[at]
    ]
    made = [
        TopicMeaning(
            topic=topics[at], embedder=by.name, words_sum=sums[at], vector=vector.astype("<f2").tobytes()
        )
        for at, vector in zip(fresh, by.embed([words[at] for at in fresh]), strict=True)
    ]
    keep_meanings(made)
    known |= {each.topic_id: each for each in made}
    rows = [np.frombuffer(bytes(known[topic.pk].vector), "<f2") for topic in topics]
    return np.asarray(rows, np.float32)
