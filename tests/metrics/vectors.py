"""Vectors for the tests of figures: like features, which are uneven and hang together."""

import numpy as np
from numpy.typing import NDArray


def features(
    count: int, width: int, *, seed: int = 0, shift: float = 0.0, spread: float = 1.0
) -> NDArray[np.float64]:
    """(count, width), of one distribution whatever the seed is: cut at 0, as after a ReLU."""
    mix = np.random.default_rng(width).normal(size=(width, width))
    mix *= np.exp(-np.arange(width) / (width / 4 + 1))[:, None] / np.sqrt(width)
    drawn = np.random.default_rng([seed, count]).normal(size=(count, width))
    return np.maximum(spread * drawn @ mix + 0.2 + shift, 0)


def rotation(width: int, seed: int = 0) -> NDArray[np.float64]:
    """An orthogonal matrix."""
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(width, width)))[0]
