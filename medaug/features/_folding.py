"""Batch norm within the convolution before it: the same function in one pass less."""

from torch import Tensor


def folded(
    weight: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor, *, epsilon: float
) -> tuple[Tensor, Tensor]:
    """Weight and bias of a convolution without bias and its batch norm, computed in float64.

    Args:
        weight: of the convolution, (outputs, ...).
        scale: learned, as the others of (outputs,).
        shift: learned.
        mean: of the training.
        variance: of the training.
        epsilon: added to the variance.
    """
    factor = scale.double() / (variance.double() + epsilon).sqrt()
    scaled = weight.double() * factor.view(-1, *[1] * (weight.ndim - 1))
    return scaled.float(), (shift.double() - mean.double() * factor).float()
