"""Scores of a classifier, with weights of images, so that patients can be drawn again."""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

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


def macro_auprc(labels: Labels, probabilities: Values, weights: Values) -> float:
    """Mean over the classes of the average precision, each class against all others."""
    there = np.unique(labels[weights > 0])
    scores = [
        average_precision_score(labels == one, probabilities[:, one], sample_weight=weights)
        for one in there.tolist()
    ]
    return float(np.mean(scores))
