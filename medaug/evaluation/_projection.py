"""Features as points in a plane, for the eye."""

from typing import NamedTuple

import numpy as np
from torch import Tensor

from ._features import Vectors


class Projection(NamedTuple):
    """Features on the two directions in which real ones differ most.

    Attributes:
        extractor: whose features; empty where there are none.
        explained: share of the real features' variance along each of the two.
        train: (x, y) of each training image.
        held_out: of each held-out one.
        synthetic: of each generated one.
    """

    extractor: str = ""
    explained: tuple[float, ...] = ()
    train: tuple[tuple[float, float], ...] = ()
    held_out: tuple[tuple[float, float], ...] = ()
    synthetic: tuple[tuple[float, float], ...] = ()


def project(name: str, vectors: Vectors) -> Projection:
    """Principal components of the training images' features."""
    train = vectors.train.numpy()
    centre = train.mean(axis=0)
    _, values, directions = np.linalg.svd(train - centre, full_matrices=False)
    shares = np.square(values) / max(float(np.square(values).sum()), 1e-12)

    def points(part: Tensor) -> tuple[tuple[float, float], ...]:
        plane = (part.numpy() - centre) @ directions[:2].T
        return tuple((round(float(x), 4), round(float(y), 4)) for x, y in plane)

    return Projection(name, tuple(map(float, shares[:2])), *(points(part) for part in vectors))
