"""Scores of a classifier, with weights of images, so that patients can be drawn again."""

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]
Values = NDArray[np.float64]


def recalls(labels: Labels, probabilities: Values, weights: Values) -> Values:
    """Share of each class's images that are found, (K,); NaN for a class without images."""
    right = (probabilities.argmax(1) == labels) * weights
    classes = probabilities.shape[1]
    found, there = (np.bincount(labels, one, minlength=classes) for one in (right, weights))
    with np.errstate(invalid="ignore"):
        return np.asarray(found / there, dtype=np.float64)


def balanced_accuracy(labels: Labels, probabilities: Values, weights: Values) -> float:
    """Mean of the classes' recalls; classes without images are left out."""
    return float(np.nanmean(recalls(labels, probabilities, weights)))


def accuracy(labels: Labels, probabilities: Values, weights: Values) -> float:
    """Share of images whose class is found."""
    return float(np.average(probabilities.argmax(1) == labels, weights=weights))


def macro_precision(labels: Labels, probabilities: Values, weights: Values) -> float:
    """Mean over the classes of the share that is right of what is taken for the class.

    A class that nothing is taken for has 0; one without images is left out.
    """
    chosen = probabilities.argmax(1)
    classes = probabilities.shape[1]
    right = np.bincount(labels, (chosen == labels) * weights, minlength=classes)
    taken = np.bincount(chosen, weights, minlength=classes)
    there = np.bincount(labels, weights, minlength=classes) > 0
    shares = np.divide(right, taken, out=np.zeros(classes), where=taken > 0)
    return float(shares[there].mean())


def macro_auprc(labels: Labels, probabilities: Values, weights: Values) -> float:
    """Mean over the classes of the average precision, each class against all others."""
    there = np.unique(labels[weights > 0])
    return float(
        np.mean(
            [_average_precision(labels == one, probabilities[:, one], weights) for one in there]
        )
    )


def _average_precision(hits: NDArray[np.bool_], scores: Values, weights: Values) -> float:
    """As scikit-learn's, which takes fifty times as long on the images of a hundred patients."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    found = np.cumsum((hits * weights)[order])[ends]
    taken = np.cumsum(weights[order])[ends]
    precision = np.divide(found, taken, out=np.zeros(len(ends)), where=taken > 0)
    return float(np.diff(found, prepend=0) @ precision / found[-1])
