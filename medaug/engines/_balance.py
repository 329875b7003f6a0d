"""How much a rare class counts in the training of a classifier."""

from collections.abc import Sequence

import torch

from ..errors import ConfigError, DataError

WAYS = ("sampling", "loss", "none")


class ClassBalance:
    """Make classes count alike: by how often their images are drawn, by weights, or not at all.

    Args:
        how: "sampling" shows each class as often (duplicates of rare images); "loss" weights each
            image by n / (K · n of its class), so that the mean weight of the images is 1; "none"
            leaves them.
        labels: class of each training image.
        num_classes: K.

    Attributes:
        labels: what to give to `medaug.data.ClassBalancedSampler`: the labels, or one for all.
        weights: what to give to `torch.nn.CrossEntropyLoss`: (K,) float32, or None.

    Raises:
        ConfigError: `how` is none of the three.
        DataError: a class has no image.
    """

    def __init__(self, how: str, labels: Sequence[int], *, num_classes: int) -> None:
        if how not in WAYS:
            raise ConfigError(f"balance must be one of {', '.join(WAYS)}, got {how!r}")
        given = torch.as_tensor([int(label) for label in labels], dtype=torch.int64)
        counts = torch.bincount(given, minlength=num_classes)
        if len(counts) > num_classes or not bool((counts > 0).all()):
            raise DataError(
                f"training images must be of all {num_classes} classes, got {counts.tolist()} of "
                "each"
            )
        self.labels = given.tolist() if how == "sampling" else [0] * len(given)
        self.weights = None
        if how == "loss":
            self.weights = (len(given) / (num_classes * counts.double())).float()
