"""A figure with its interval, beside the same figure of real images."""

from collections.abc import Mapping, Sequence
from math import hypot
from typing import Any, NamedTuple, Self

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

    @property
    def ends(self) -> tuple[float, float]:
        """The interval; of no width where there is none."""
        return (
            self.value if self.low is None else self.low,
            self.value if self.high is None else self.high,
        )


class Gap(NamedTuple):
    """A difference of two independent estimates, with its 95 % interval."""

    value: float
    low: float
    high: float


class Figure(NamedTuple):
    """One line of an evaluation.

    Attributes:
        name: says how it was made, as ``fd_vgg16``.
        scope: the class that it is about; empty for all.
        synthetic: of the generated images.
        real: the same of real images at the same n: the floor, or what is to be reached.
        better: "lower", "higher", or "real" where the real images' own value is best.
        n: images on each side; where they differ, on the smaller.
    """

    name: str
    scope: str
    synthetic: Estimate
    real: Estimate | None
    better: str
    n: int

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Self:
        """From JSON, where estimates are objects."""
        sides = {side: plain[side] and Estimate(**plain[side]) for side in ("synthetic", "real")}
        return cls(**{**plain, **sides})

    def difference(self) -> Gap:
        """Synthetic minus real, which there must be.

        Source: Newcombe 1998 (Statistics in Medicine 17, p. 873), method 10: distances to the ends
        of the single intervals, added as squares; exact for symmetric ones.
        """
        assert self.real is not None
        ours, theirs = self.synthetic.value, self.real.value
        (low, high), (real_low, real_high) = self.synthetic.ends, self.real.ends
        value = ours - theirs
        return Gap(
            value,
            value - hypot(ours - low, real_high - theirs),
            value + hypot(high - ours, theirs - real_low),
        )


def find(figures: Sequence[Figure], name: str, scope: str = ALL) -> Figure | None:
    """The figure of that name and class; None where it couldn't be made."""
    return next((one for one in figures if one.name == name and one.scope == scope), None)
