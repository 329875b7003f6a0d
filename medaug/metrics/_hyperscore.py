"""HyperScore: one number made of several figures, as its authors wrote it down."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from ..errors import UserError
from ._shapley import ShapleyWeights

GAMMA = -math.log(2)
ABSENT = {
    "fid": "no Fréchet distance was given",
    "psnr": "needs pairs of a generated and a true image, as reconstruction and translation have",
    "ssim": "needs pairs of a generated and a true image, as reconstruction and translation have",
    "realism": "no ratings by readers were given",
}
"""The paper's four components, and why one that isn't given is missing."""


def hyperscore(value: float, beta: float = 5.0, gamma: float = GAMMA, kappa: float = 2.0) -> float:
    """HyperScore, 100 (1 + sigmoid(beta ln V + gamma)^kappa), of a value V in (0, 1].

    With the paper's constants this is 100 (1 + (V^5 / (V^5 + 2))^2): above 100 whatever V is, and
    at most 111.11, at V = 1. So 100 is no good mark but the worst; show V beside it.

    The paper's own example, V = 0.95, gives 107.78. The paper prints 137.2: that is gamma = +ln 2,
    against its own definition, and a sigmoid rounded to 0.61. `gamma_for_midpoint` gives a gamma
    by which a value of your choice lies in the middle.

    Args:
        value: V, the weighted mean of components in (0, 1], as `HyperScore.combine` makes it.
        beta: steepness, above 0.
        gamma: shift, finite.
        kappa: exponent, above 0.

    Raises:
        UserError: `value` isn't above 0 and at most 1, or a constant is out of range.

    References:
        HyperScore, in the paper on HR-GAN-DTCR.
    """
    if not 0 < value <= 1:
        raise UserError(f"value must be above 0 and at most 1, got {value}")
    _check_beta(beta)
    if not math.isfinite(gamma):
        raise UserError(f"gamma must be a finite number, got {gamma}")
    if not 0 < kappa < math.inf:
        raise UserError(f"kappa must be a finite number above 0, got {kappa}")
    score: float = 100 * (1 + _sigmoid(beta * math.log(value) + gamma) ** kappa)
    return score


def gamma_for_midpoint(midpoint: float, beta: float = 5.0) -> float:
    """The gamma with which the sigmoid is one half at V = `midpoint`: -beta ln(midpoint).

    The paper's -ln 2 has its midpoint at 1.149, which no V reaches. For 0.5 it is 5 ln 2 = 3.47;
    V = 0.95 is then 192.4 and V = 1 is 194.0.

    Args:
        midpoint: a value above 0 and at most 1.
        beta: as `hyperscore` is given it.

    Raises:
        UserError: one of them is out of range.
    """
    if not 0 < midpoint <= 1:
        raise UserError(f"midpoint must be above 0 and at most 1, got {midpoint}")
    _check_beta(beta)
    return -beta * math.log(midpoint) + 0.0  # no -0.0


class HyperScore(NamedTuple):
    """HyperScore with all that it is made of.

    Attributes:
        score: `hyperscore` of `value`, 100 to 111.11 with the paper's constants.
        value: V in (0, 1], the weighted mean of the parts.
        parts: each component in (0, 1], by name; 1 is as good as real data.
        weights: what each part weighs, by name; they add up to 1.
        weighting: 'shapley' where weights were learnt from an outcome, else 'equal'.
        left_out: components that could not be had, by name, and why.
    """

    score: float
    value: float
    parts: dict[str, float]
    weights: dict[str, float]
    weighting: str
    left_out: dict[str, str]

    @classmethod
    def combine(
        cls,
        parts: Mapping[str, float],
        *,
        weights: ShapleyWeights | None = None,
        left_out: Mapping[str, str] | None = None,
        beta: float = 5.0,
        gamma: float = GAMMA,
        kappa: float = 2.0,
    ) -> "HyperScore":
        """Average the parts and score the average.

        Of the paper's four components (fid, psnr, ssim, realism), those that aren't given are
        listed in `left_out` with a reason; other parts may take part as well. Where some are left
        out, the weights of the rest are divided by their sum.

        Args:
            parts: components in (0, 1], by name, as `quality_from_fid` and its like give them.
            weights: `shapley_weights` over runs, one for each part; None weighs all the same.
            left_out: reasons for what is missing, by name, in place of the ones above.
            beta: as `hyperscore`.
            gamma: as `hyperscore`.
            kappa: as `hyperscore`.

        Raises:
            UserError: no parts, one out of range, a part without a weight, a weight for a part that
                is neither given nor left out, or weights that are all 0.
        """
        if not parts:
            raise UserError("parts must be at least one component, got none")
        for name, part in parts.items():
            if not 0 < part <= 1:
                raise UserError(f"part {name} must be above 0 and at most 1, got {part}")
        missing = {**ABSENT, **(left_out or {})}
        missing = {name: why for name, why in missing.items() if name not in parts}
        shares = _shares(parts, missing, weights.weights if weights else dict.fromkeys(parts, 1.0))
        # rounding may leave 1 by a hair
        value = min(1.0, math.fsum(shares[name] * part for name, part in parts.items()))
        return cls(
            score=hyperscore(value, beta, gamma, kappa),
            value=value,
            parts=dict(parts),
            weights=shares,
            weighting="shapley" if weights else "equal",
            left_out=missing,
        )


def _shares(
    parts: Mapping[str, float], missing: Mapping[str, str], weights: Mapping[str, float]
) -> dict[str, float]:
    """The weights of the parts, adding up to 1."""
    without = [name for name in parts if name not in weights]
    unknown = [name for name in weights if name not in parts and name not in missing]
    if without or unknown:
        raise UserError(
            f"weights must be of the parts {', '.join(parts)}, got {', '.join(weights)}"
        )
    total = math.fsum(weights[name] for name in parts)
    if not total > 0:
        raise UserError(f"weights of the parts {', '.join(parts)} must add up to more, got {total}")
    return {name: weights[name] / total for name in parts}


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x))


def _check_beta(beta: float) -> None:
    if not 0 < beta < math.inf:
        raise UserError(f"beta must be a finite number above 0, got {beta}")
