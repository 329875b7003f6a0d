"""What every figure over vectors asks of them."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import UserError

Vectors = Tensor | NDArray[np.floating]
"""(N, D), one row an image."""

Array = NDArray[np.float64]


def checked(name: str, vectors: Vectors, *, at_least: int = 1) -> Array:
    """A float64 copy, to be written into; UserError where there are too few, or no finite ones."""
    if isinstance(vectors, Tensor):
        array = vectors.detach().to("cpu", torch.float64, copy=True).numpy()
    else:
        array = np.array(vectors, dtype=np.float64)
    if array.ndim != 2 or 0 in array.shape:
        raise UserError(f"{name} must be vectors of (N, D), got {array.shape}")
    if len(array) < at_least:
        raise UserError(f"{name} must be at least {at_least} vectors, got {len(array)}")
    if not np.isfinite(array).all():
        raise UserError(f"{name} must hold finite values, got NaN or infinity")
    return array


def checked_pair(
    first: Vectors,
    second: Vectors,
    *,
    names: tuple[str, str] = ("real", "synthetic"),
    at_least: tuple[int, int] = (1, 1),
) -> tuple[Array, Array]:
    """Both, of equal length; UserError where they can't be set beside each other."""
    one = checked(names[0], first, at_least=at_least[0])
    two = checked(names[1], second, at_least=at_least[1])
    check_widths(names, one.shape[1], two.shape[1])
    return one, two


def check_widths(names: tuple[str, str], first: int, second: int) -> None:
    """UserError where features are of different networks."""
    if first != second:
        raise UserError(
            f"{names[0]} and {names[1]} must have equally many features, got {first} and {second}"
        )


def directions(name: str, vectors: Array) -> Array:
    """The vectors at length 1, of which a product is a cosine."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not lengths.all():
        raise UserError(
            f"{name} must have lengths above 0 to have a cosine, got {(lengths == 0).sum()} of "
            f"{len(vectors):,} without"
        )
    directed: Array = vectors / lengths
    return directed
