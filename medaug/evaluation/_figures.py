"""A figure with its interval, beside the same figure of real images."""

from collections.abc import Sequence
from typing import NamedTuple

ALL = ""
"""Scope of a figure that is about all classes."""


class Estimate(NamedTuple):
    """A value with the 95 % interval that its sample leaves; None where there is no interval."""

    value: float
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.3g}"
        return f"{self.value:.3g} ({self.low:.3g} to {self.high:.3g})"


class Figure(NamedTuple):
    """One line of an evaluation.

    Attributes:
        name: says how it was made, as ``fd_vgg16``.
        scope: the class that it is about; empty for all.
        synthetic: of the generated images.
        real: the same of real images at the same n: the floor, or what is to be reached.
        better: "lower", "higher", or "real" where the real images' own value is best.
        n: images on each side.
    """

    name: str
    scope: str
    synthetic: Estimate
    real: Estimate | None
    better: str
    n: int


def find(figures: Sequence[Figure], name: str, scope: str = ALL) -> Figure | None:
    """The figure of that name and class; None where it couldn't be made."""
    return next((one for one in figures if one.name == name and one.scope == scope), None)
