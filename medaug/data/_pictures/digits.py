"""The 8 x 8 digits that come with scikit-learn, so that something runs with no data at hand."""

import numpy as np
from sklearn.datasets import load_digits

from .._split import stratified_split
from .found import Found, pixel_ids

_TOP = 16
_VALIDATION, _TEST = 0.1, 0.2


def read_digits(seed: int) -> Found:
    """All 1,797, split by class as `medaug.data.ImageCollection` splits by default.

    Source: UCI's "Optical recognition of handwritten digits", test set, levels 0 to 16.
    """
    levels, target = load_digits(return_X_y=True)
    pictures = np.rint(levels * (255 / _TOP)).astype(np.uint8).reshape(-1, 8, 8)
    labels, ids = target.tolist(), pixel_ids(pictures)
    splits = stratified_split(
        labels, range(len(ids)), ids, validation=_VALIDATION, test=_TEST, seed=seed
    )
    return Found(
        images=list(pictures),
        names=[""] * len(ids),
        labels=labels,
        ids=ids,
        splits=splits,
        classes=tuple("0123456789"),
        origin="8 x 8 handwritten digits that come with scikit-learn",
    )
