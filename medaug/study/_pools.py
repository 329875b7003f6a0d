"""Generated images, and which of them a training takes."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import DataError
from ._config import DUPLICATES, NOTHING, Arm, Study
from ._images import Picture, Pictures

MADE = "synthetic"
LEAST = 60
"""Of each class, so that a generator can be judged."""


@dataclass(frozen=True)
class Pool:
    """A generator's images, checked, prepared as real ones are.

    Attributes:
        generator: name.
        items: in the order in which they are taken.
    """

    generator: str
    items: tuple[Picture, ...]

    def of(self, label: int) -> list[Picture]:
        """Those of a class."""
        return [one for one in self.items if one.label == label]


def wanted(arm: Arm, counts: Sequence[int]) -> list[int]:
    """Extra images of each class for one training: up to `ratio` times the largest class.

    Beside the real ones; for pre-training so many without them.
    """
    if arm.extra == NOTHING:
        return [0] * len(counts)
    goal = round(arm.ratio * max(counts))
    return [goal if arm.pretrain else max(0, goal - count) for count in counts]


def most_wanted(study: Study, name: str, normalise: str, counts: Sequence[int]) -> int:
    """Images of each class to draw: all seeds of an arm take others."""
    arms = [one for one in study.arms if (one.extra, one.normalise) == (name, normalise)]
    needs = [max(wanted(arm, counts)) * len(study.seeds_of(arm)) for arm in arms]
    return max(LEAST, *needs)


def taken(
    arm: Arm, real: Pictures, pool: Pool | None, turn: int, turns: int, seed: int
) -> list[Picture]:
    """The extra images of one training.

    Args:
        arm: whose.
        real: prepared.
        pool: of the arm's generator, where it has one.
        turn: which of the arm's seeds this is, from 0 on.
        turns: how many there are; each takes images of its own, where there are enough.
        seed: draws where there aren't.

    Raises:
        DataError: there is nothing to add, or there are too few images.
    """
    needs = wanted(arm, real.counts())
    if arm.extra != NOTHING and not any(needs):
        raise DataError(
            f"arm {arm.name!r} must add images, but no class has fewer than {arm.ratio:g} times "
            "the largest"
        )
    chosen = []
    for label, need in enumerate(needs):
        if arm.extra == DUPLICATES:
            own = [one for one in real.of("training") if one.label == label]
            order = random.Random(f"{seed} {label}").sample(own, len(own))
            chosen += (order * -(-need // len(order)))[:need]
        elif need and pool is not None:
            chosen += _part(pool, label, need, turn, turns, seed, real.classes[label])
    return chosen


def _part(
    pool: Pool, label: int, need: int, turn: int, turns: int, seed: int, name: str
) -> list[Picture]:
    there = pool.of(label)
    if len(there) < need:
        raise DataError(
            f"generator {pool.generator!r} must have {need} images of {name}, got {len(there)}"
        )
    if len(there) >= need * turns:
        return there[turn * need : (turn + 1) * need]
    return random.Random(seed).sample(there, need)
