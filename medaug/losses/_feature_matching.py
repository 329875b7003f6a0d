"""Feature matching: generated images give a discriminator the features that real ones give it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import ConfigError


def feature_matching(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """The mean absolute difference of the batches' mean features, averaged over layers.

    1/L Σ_l mean|E f_l(x) − E f_l(G(z))|, in float32, where E is the mean over the batch and the
    other mean is over a layer's maps and pixels. Real and made images are not of the same anatomy:
    their means are compared (Salimans et al. 2016, arXiv 1606.03498, section 3.1, who square),
    over all layers and by absolute values (Wang et al. 2018, pix2pixHD, arXiv 1711.11585, eq. 4,
    who compare pairs).

    Args:
        real: features of real images, one tensor a layer, (N, ...); no gradient flows into them.
        fake: features of made images, the same layers, (M, ...).

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
    return (real.detach().float().mean(0) - fake.float().mean(0)).abs().mean()
