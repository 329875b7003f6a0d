"""Figures over what a classifier of real images sees: do generated ones show all classes?"""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..metrics import centred_interval, inception_score
from ._features import Draws, share
from ._figures import ALL, Estimate, Figure

RESAMPLES = 200


def class_figures(
    name: str,
    synthetic: Tensor,
    asked: Tensor,
    held_out: Tensor,
    real: Tensor,
    classes: tuple[str, ...],
    draws: Draws,
    seed: int,
) -> list[Figure]:
    """The inception score on a classifier's own classes, and how often it sees what was asked for.

    Args:
        name: the classifier's.
        synthetic: (N, K) probabilities of the generated images.
        asked: (N,) the classes that were asked for.
        held_out: (M, K) probabilities of the held-out real images.
        real: (M,) their classes.
        classes: names.
        draws: for the score, which depends on how many there are of each class.
        seed: of the resamples.
    """
    scores = [
        _score(part[index], seed)
        for part, index in ((synthetic, draws.synthetic[0]), (held_out, draws.held_out))
    ]
    sides = _agreement(synthetic, asked, held_out, real)
    figures = [
        Figure(f"is_{name}", ALL, scores[0], scores[1], "higher", draws.n),
        Figure(f"agreement_{name}", ALL, *sides, "higher", min(len(synthetic), len(held_out))),
    ]
    for label, scope in enumerate(classes):
        mine, theirs = asked == label, real == label
        if mine.any() and theirs.any():
            sides = _agreement(synthetic[mine], asked[mine], held_out[theirs], real[theirs])
            count = int(min(mine.sum(), theirs.sum()))
            figures.append(Figure(f"agreement_{name}", scope, *sides, "higher", count))
    return figures


def _agreement(
    synthetic: Tensor, asked: Tensor, held_out: Tensor, real: Tensor
) -> tuple[Estimate, Estimate]:
    ours, theirs = (
        share(float((seen.argmax(1) == told).double().mean()), len(seen))
        for seen, told in ((synthetic, asked), (held_out, real))
    )
    return ours, theirs


def _score(probabilities: Tensor, seed: int) -> Estimate:
    random = np.random.default_rng(seed)
    n = len(probabilities)
    drawn: NDArray[np.float64] = np.array(
        [inception_score(probabilities[random.integers(n, size=n)]) for _ in range(RESAMPLES)]
    )
    value = inception_score(probabilities)
    classes = probabilities.shape[1]
    return Estimate(value, *centred_interval(value, drawn, bounds=(1, classes)))
