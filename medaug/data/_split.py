"""Who goes into training, validation and test: by group, stratified by class, seeded.

A group is what must not be torn apart: all images of one patient, over all classes, and whatever
has the same pixels.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence

import numpy as np

from ._seeding import mixed

# the order in which a class with few patients gets its places
PLACES = ("training", "test", "validation")


def connected_groups(*keys: Sequence[Hashable]) -> list[int]:
    """Number the groups of items that share a value in any of the `keys`, directly or by others.

    Args:
        keys: sequences of equal length, one value for each item.

    Returns:
        The group of each item, from 0 on, in order of first appearance.
    """
    parent = list(range(len(keys[0])))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for values in keys:
        first: dict[Hashable, int] = {}
        for item, value in enumerate(values):
            parent[root(item)] = root(first.setdefault(value, item))
    numbers: dict[int, int] = {}
    return [numbers.setdefault(root(item), len(numbers)) for item in range(len(parent))]


def stratified_split(
    labels: Sequence[int],
    groups: Sequence[int],
    ids: Sequence[str],
    *,
    validation: float,
    test: float,
    seed: int,
) -> list[str]:
    """Place whole groups so that every class comes near its share of images in every split.

    The rarest class is dealt first. Each class gets one group in training, then test, then
    validation, and after that each group goes where the class is furthest below its share
    (after Sechidis, Tsoumakas and Vlahavas 2011, "On the stratification of multi-label data").

    Args:
        labels: class of each image.
        groups: group of each image, from 0 on.
        ids: pixel hash of each image; the order of the groups comes from these alone, so that
            neither the order of the files nor where they lie matters.
        validation: share of the images.
        test: share of the images.
        seed: draws the order of the groups.

    Returns:
        "training", "validation" or "test" for each image.
    """
    share = {"training": 1.0 - validation - test, "test": test, "validation": validation}
    places = [place for place in PLACES if share[place] > 0]
    content: dict[int, Counter[int]] = defaultdict(Counter)
    first_id: dict[int, str] = {}
    for label, group, identity in zip(labels, groups, ids, strict=True):
        content[group][label] += 1
        first_id[group] = min(identity, first_id.get(group, identity))
    order = sorted(content, key=first_id.__getitem__)
    order = [order[k] for k in np.random.default_rng(mixed(seed)).permutation(len(order))]

    total = Counter(labels)
    having: dict[str, Counter[int]] = {place: Counter() for place in places}
    placed: dict[int, str] = {}

    def place_for(label: int) -> str:
        lacking = [place for place in places if not having[place][label]]
        if lacking:
            return lacking[0]
        return max(places, key=lambda place: share[place] * total[label] - having[place][label])

    group_count = {label: sum(label in content[group] for group in order) for label in total}
    for label in sorted(total, key=lambda label: (group_count[label], label)):
        for group in order:
            if label in content[group] and group not in placed:
                placed[group] = place_for(label)
                having[placed[group]].update(content[group])
    _give_training_every_class(order, content, placed)
    return [placed[group] for group in groups]


def _give_training_every_class(
    order: Sequence[int], content: dict[int, Counter[int]], placed: dict[int, str]
) -> None:
    """Move a group where classes that share patients have left training without a class."""
    for label in sorted({label for counts in content.values() for label in counts}):
        holders = [group for group in order if label in content[group]]
        if all(placed[group] != "training" for group in holders):
            placed[min(holders, key=lambda group: content[group].total())] = "training"
