"""Feature matching: generated images give a discriminator the features that real ones give it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import ConfigError

SMALLEST = 1e-8
"""What a layer's mean square counts as at least."""


def feature_matching(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """How far the batches' mean features are apart, averaged over layers: 0 expected of real ones.

    1/L Σ_l mean[(r̄₁ − f̄₁)(r̄₂ − f̄₂)] / mean[r²], in float32, where r = f_l(x), f = f_l(G(z)), r̄ᵢ
    and f̄ᵢ are means over either half of the batch, and the other means are over all else. Real and
    made images are not of the same anatomy: their means are compared (Salimans et al. 2016, arXiv
    1606.03498, section 3.1), over all layers (pix2pixHD, Wang et al. 2018, arXiv 1711.11585, eq.
    4). The square of a small batch's difference grows with the variance of what is made: who lowers
    that makes images alike and without noise. Of two halves, independent of each other, the square
    of the expected difference is left (as of the unbiased MMD², Gretton et al. 2012, JMLR 13:723,
    lemma 6); it can be below 0.

    Args:
        real: features of real images, one tensor a layer, (N, ...); no gradient flows into them.
        fake: features of made images, the same layers, (M, ...). Of one image alone, real or made,
            both halves are that image.

    Returns:
        A scalar, 0 where the means are equal.

    Raises:
        ConfigError: there are no layers, or they aren't the same.
    """
    if not real or len(real) != len(fake):
        raise ConfigError(
            "features must be of the same layers, at least one, "
            f"got {len(real)} of real images and {len(fake)} of made ones"
        )
    return torch.stack([_distance(*layers) for layers in zip(real, fake, strict=True)]).mean()


def _distance(real: Tensor, fake: Tensor) -> Tensor:
    if real.shape[1:] != fake.shape[1:]:
        raise ConfigError(
            f"a layer's features must have one shape, got {tuple(real.shape[1:])} of real images "
            f"and {tuple(fake.shape[1:])} of made ones"
        )
    target = real.detach().float()
    first, second = (
        some.mean(0) - others.mean(0)
        for some, others in zip(_halves(target), _halves(fake.float()), strict=True)
    )
    return (first * second).mean() / target.square().mean().clamp_min(SMALLEST)


def _halves(batch: Tensor) -> tuple[Tensor, ...]:
    return batch.tensor_split(2) if len(batch) > 1 else (batch, batch)
