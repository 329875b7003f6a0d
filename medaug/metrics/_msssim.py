"""Multi-scale structural similarity (MS-SSIM) over all pairs of a set of images."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from ..errors import UserError
from ._cross_terms import mean_terms

# Wang et al. 2003, section 3.2: exponents from the finest scale to the coarsest.
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
K1, K2 = 0.01, 0.03  # Wang et al. 2004, section III.B


@dataclass(frozen=True, eq=False)
class MSSSIM:
    """Mean MS-SSIM over all pairs of a set of images.

    Attributes:
        mean: over the N (N - 1) / 2 pairs; 0 to 1, and 1 where all images are the same.
        image_means: (N,) float64 on the CPU, each image's mean over its N - 1 pairs.
        zeroed: share of the pairs in which a negative term was cut to 0.
        name: says how it was made: window, sigma and number of scales.
    """

    mean: float
    image_means: torch.Tensor
    zeroed: float
    name: str

    @property
    def standard_error(self) -> float:
        """The standard error of `mean` by the jackknife over images; NaN for two images.

        Pairs share images, so N (N - 1) / 2 pairs say less than so many independent values would:
        the spread of the pairs isn't an error. The mean without image i follows from what is here,
        (N mean - 2 image_means[i]) / (N - 2), and (N - 1) / N times the sum of the squared
        deviations of those N from their mean, which is `mean`, is the variance.

        References:
            Arvesen, "Jackknifing U-statistics", Annals of Mathematical Statistics 40 (1969).
        """
        size = len(self.image_means)
        if size < 3:
            return math.nan
        squares = float((self.image_means - self.mean).square().sum())
        return 2 / (size - 2) * math.sqrt((size - 1) / size * squares)


class _Form(NamedTuple):
    """The Gaussian window in pixels and the exponent of each scale."""

    window: int
    sigma: float
    weights: tuple[float, ...]

    @property
    def name(self) -> str:
        return f"msssim_w{self.window}_s{self.sigma:g}_{len(self.weights)}scales"


@torch.no_grad()
def msssim_all_pairs(
    images: torch.Tensor, *, data_range: float = 1.0, window: int | None = None
) -> MSSSIM:
    """Compare each image of a set with each other one by MS-SSIM.

    The definition is that of the `pytorch-msssim` package: Gaussian windows inside the image only,
    2 x 2 means between scales (an odd side is padded with zeros first), negative terms cut to 0,
    channels multiplied over the scales one by one and averaged last.

    Five scales with a window of 11 need a side above 160. Smaller images take a reduced form: a
    window of 7, sigma = 1.5 window / 11 rounded to two digits, and as many scales, five at most, as
    leave room for one window at the coarsest; exponents of fewer than five are divided by their
    sum. The result's name says which form it was; values of different forms can't be compared.

    500 images of 128 x 128, 124,750 pairs, take about 2 s of one core, and as many cores are used
    as torch has threads. The first call ever with a window compiles it, which takes a few seconds.

    Args:
        images: (N, C, H, W) floats in 0 to `data_range`, N at least 2, the smaller side at least
            `window`. float64 is computed in float64, all else in float32.
        data_range: the difference between the highest and the lowest possible value.
        window: side of the Gaussian window in pixels, odd, 3 or more; None is 11 where the smaller
            side is above 160, else 7.

    Raises:
        UserError: too few or too small images, another shape or dtype, NaN, or values out of range.

    References:
        Wang, Simoncelli and Bovik, "Multiscale structural similarity for image quality
        assessment", Asilomar 2003, equation 7.
        Odena, Olah and Shlens, "Conditional image synthesis with auxiliary classifier GANs", ICML
        2017, section 4.2: the mean over pairs as a measure of diversity.
    """
    _check_images(images, data_range)
    form = _form(min(images.shape[-2:]), window)
    scaled = images.detach().cpu().as_subclass(torch.Tensor) / data_range
    scaled = scaled if scaled.dtype == torch.float64 else scaled.float()

    size, channels = images.shape[:2]
    values = torch.ones(size, size, channels, dtype=torch.float64)
    negative = torch.zeros(size, size, channels, dtype=torch.bool)
    for scale, weight in enumerate(form.weights):
        if scale:
            scaled = _halve(scaled)
        terms = _terms(scaled, form, with_luminance=scale == len(form.weights) - 1)
        negative |= terms < 0
        values *= terms.clamp(min=0) ** weight
    return _result(values.mean(dim=-1), negative.any(dim=-1), form.name)


def _result(values: torch.Tensor, zeroed: torch.Tensor, name: str) -> MSSSIM:
    """Average the (N, N) values, of which only those above the diagonal are filled."""
    size = len(values)
    above = values.triu(1)
    image_means = (above + above.T).sum(dim=1) / (size - 1)
    pairs = size * (size - 1) / 2
    return MSSSIM(
        mean=float(above.sum() / pairs),
        image_means=image_means,
        zeroed=float(zeroed.triu(1).sum() / pairs),
        name=name,
    )


def _terms(images: torch.Tensor, form: _Form, with_luminance: bool) -> torch.Tensor:
    """Return the (N, N, C) means of contrast times structure, filled above the diagonal."""
    found = [
        mean_terms(
            channel.numpy(),
            _gaussian(form),
            (K1**2, K2**2),
            with_luminance=with_luminance,
            threads=torch.get_num_threads(),
        )
        for channel in images.unbind(dim=1)
    ]
    return torch.from_numpy(np.stack(found, axis=-1))


def _gaussian(form: _Form) -> list[float]:
    heights = [
        math.exp(-((i - form.window // 2) ** 2) / (2 * form.sigma**2)) for i in range(form.window)
    ]
    return [height / sum(heights) for height in heights]


def _halve(images: torch.Tensor) -> torch.Tensor:
    odd = [side % 2 for side in images.shape[-2:]]
    return torch.nn.functional.avg_pool2d(images, kernel_size=2, padding=odd)


def _form(side: int, window: int | None) -> _Form:
    """Return the window, and the exponents of the scales for which `side` pixels suffice."""
    if window is None:
        window = 11 if side > 10 * 2**4 else 7
    if isinstance(window, bool) or not isinstance(window, int) or window < 3 or window % 2 == 0:
        raise UserError(f"window must be an odd integer, 3 or more, got {window!r}")
    if side < window:
        raise UserError(
            f"images must have sides of at least {window} pixels for MS-SSIM with a window of "
            f"{window}, got {side}"
        )
    weights = [w for i, w in enumerate(WEIGHTS) if side > (window - 1) * 2**i]
    # The published five add up to 1.0001, and the peers leave them so.
    total = sum(weights) if len(weights) < len(WEIGHTS) else 1.0
    return _Form(window, round(1.5 * window / 11, 2), tuple(w / total for w in weights))


def _check_images(images: torch.Tensor, data_range: float) -> None:
    if not isinstance(images, torch.Tensor) or not images.is_floating_point():
        given = images.dtype if isinstance(images, torch.Tensor) else type(images).__name__
        raise UserError(f"images must be a tensor of floats, got {given}")
    if images.ndim != 4 or 0 in images.shape[1:]:
        raise UserError(f"images must have the shape (N, C, H, W), got {tuple(images.shape)}")
    if len(images) < 2:
        raise UserError(f"images must be at least 2 to make a pair, got {len(images)}")
    if not (math.isfinite(data_range) and data_range > 0):
        raise UserError(f"data_range must be a finite number above 0, got {data_range!r}")
    if not images.isfinite().all():
        raise UserError("images must hold finite values, got NaN or infinity")
    low, high = float(images.min()), float(images.max())
    slack = 1e-5 * data_range  # what resampling may add to the ends
    if low < -slack or high > data_range + slack:
        raise UserError(
            f"images must lie in 0 to {data_range:g} (data_range), got values from {low:g} to "
            f"{high:g}"
        )
