"""Figures over what a classifier of real images sees: do generated ones show all classes?"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ..metrics import centred_interval, inception_score
from ._features import Draws, share
from ._figures import ALL, Estimate, Figure

RESAMPLES = 200


class Seen(NamedTuple):
    """What a classifier sees in a set.

    Attributes:
        probabilities: (N, K).
        labels: (N,) the classes they have, or that were asked for.
    """

    probabilities: Tensor
    labels: Tensor

    def of(self, label: int) -> "Seen":
        """Those of one class."""
        chosen = self.labels == label
        return Seen(self.probabilities[chosen], self.labels[chosen])


def class_figures(
    name: str,
    synthetic: Seen,
    held_out: Seen,
    classes: tuple[str, ...],
    draws: Draws,
    seed: int,
) -> list[Figure]:
    """The inception score on a classifier's own classes, and how often it sees what was asked for.

    Args:
        name: the classifier's.
        synthetic: generated images.
        held_out: real ones.
        classes: names.
        draws: for the score, which depends on how many there are of each class.
        seed: of the resamples.
    """
    scores = [
        _score(part.probabilities[index], seed)
        for part, index in ((synthetic, draws.synthetic[0]), (held_out, draws.held_out))
    ]
    figures = [
        Figure(f"is_{name}", ALL, scores[0], scores[1], "higher", draws.n),
        _agreement(name, ALL, synthetic, held_out),
    ]
    for label, scope in enumerate(classes):
        ours, theirs = synthetic.of(label), held_out.of(label)
        if len(ours.labels) and len(theirs.labels):
            figures.append(_agreement(name, scope, ours, theirs))
    return figures


def _agreement(name: str, scope: str, synthetic: Seen, held_out: Seen) -> Figure:
    ours, theirs = (
        share(float((seen.argmax(1) == labels).double().mean()), len(labels))
        for seen, labels in (synthetic, held_out)
    )
    count = min(len(synthetic.labels), len(held_out.labels))
    return Figure(f"agreement_{name}", scope, ours, theirs, "higher", count)


def _score(probabilities: Tensor, seed: int) -> Estimate:
    random = np.random.default_rng(seed)
    n = len(probabilities)
    drawn: NDArray[np.float64] = np.array(
        [inception_score(probabilities[random.integers(n, size=n)]) for _ in range(RESAMPLES)]
    )
    value = inception_score(probabilities)
    classes = probabilities.shape[1]
    return Estimate(value, *centred_interval(value, drawn, bounds=(1, classes)))
