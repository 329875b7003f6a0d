"""SSIM and PSNR: how like its partner an image is. For reconstructions and repeated scans."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import UserError

Images = Tensor | NDArray[np.floating]

_WINDOW, _SIGMA, _K1, _K2 = 11, 1.5, 0.01, 0.03  # Wang et al. 2004, section III.B and C
_PIXELS = 2**15  # compared at once: a quarter of a megabyte of float64 stays in the cache
_SLACK = 1e-5  # what resampling may add to the ends


@torch.no_grad()
def ssim(first: Images, second: Images) -> Tensor:
    """Structural similarity of each image to its partner.

    As published: a Gaussian window of 11 pixels and sigma 1.5 inside the image only, covariances of
    the whole window, K1 = 0.01 and K2 = 0.03, a data range of 1; the mean over pixels, then over
    channels. The same as scikit-image with `gaussian_weights=True` and
    `use_sample_covariance=False`. torchmetrics averages its padded border in.

    Args:
        first: (N, C, H, W) floats in [0, 1], sides of at least 11.
        second: as many, of the same shape.

    Returns:
        (N,) float64, at most 1, which equal images have.

    Raises:
        UserError: other shapes, too small, NaN, or values out of range.

    References:
        Wang et al., "Image quality assessment: from error visibility to structural similarity",
        2004, equation 13.
    """
    parts = _pairs(first, second, least=_WINDOW)
    return torch.cat([_similarity(one, two).mean(dim=(1, 2, 3)) for one, two in parts])


@torch.no_grad()
def psnr(first: Images, second: Images) -> Tensor:
    """Peak signal-to-noise ratio of each image to its partner, in decibels: -10 log10 of the MSE.

    Args:
        first: (N, C, H, W) floats in [0, 1].
        second: as many, of the same shape.

    Returns:
        (N,) float64, 0 and up; infinite where the images are equal.

    Raises:
        UserError: other shapes, NaN, or values out of range.
    """
    parts = _pairs(first, second, least=1)
    return torch.cat([-10 * (one - two).square().mean(dim=(1, 2, 3)).log10() for one, two in parts])


def _pairs(first: Images, second: Images, *, least: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Check both, then give so many at once that they fit into the cache."""
    one, two = _checked("first", first, least), _checked("second", second, least)
    if one.shape != two.shape:
        raise UserError(
            "first and second must have the same shape, "
            f"got {tuple(one.shape)} and {tuple(two.shape)}"
        )
    step = max(1, _PIXELS // one[0].numel())
    for start in range(0, len(one), step):
        yield one[start : start + step].double(), two[start : start + step].double()


def _similarity(first: Tensor, second: Tensor) -> Tensor:
    """The map of SSIM, 10 pixels smaller than the images."""
    mean_first, mean_second = _blur(first), _blur(second)
    product = mean_first * mean_second
    squares = mean_first.square() + mean_second.square()
    covariance = _blur(first * second) - product
    variances = _blur(first.square() + second.square()) - squares
    upper = (2 * product + _K1**2) * (2 * covariance + _K2**2)
    return upper / ((squares + _K1**2) * (variances + _K2**2))


def _blur(images: Tensor) -> Tensor:
    heights = [math.exp(-((i - _WINDOW // 2) ** 2) / (2 * _SIGMA**2)) for i in range(_WINDOW)]
    for axis in (-1, -2):
        length = images.shape[axis] - _WINDOW + 1
        blurred = torch.zeros_like(images.narrow(axis, 0, length))
        for shift, height in enumerate(heights):
            blurred.add_(images.narrow(axis, shift, length), alpha=height / sum(heights))
        images = blurred
    return images


def _checked(name: str, images: Images, least: int) -> Tensor:
    tensor = torch.as_tensor(images).detach().as_subclass(Tensor).cpu()
    if tensor.ndim != 4 or 0 in tensor.shape or not tensor.is_floating_point():
        raise UserError(
            f"{name} must be floats of (N, C, H, W), got {tensor.dtype} of {tuple(tensor.shape)}"
        )
    if min(tensor.shape[-2:]) < least:
        raise UserError(
            f"{name} must have sides of at least {least} pixels for SSIM, "
            f"got {tuple(tensor.shape[-2:])}"
        )
    low, high = float(tensor.min()), float(tensor.max())
    if not (low >= -_SLACK and high <= 1 + _SLACK):
        raise UserError(f"{name} must lie in 0 to 1, got values from {low:g} to {high:g}")
    return tensor
