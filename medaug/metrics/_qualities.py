"""Figures brought to (0, 1], where 1 is what real data reach: the components of HyperScore."""

import math

from ..errors import UserError


def quality_from_fid(fid: float, floor: float) -> float:
    """How far a Fréchet distance is from the floor: min(1, floor / FID).

    Args:
        fid: of generated against real images, 0 or more; of any features, if both are of the same.
        floor: of real against other real images, at the same number of images; above 0.

    Raises:
        UserError: one of them is out of range.
    """
    _check("fid", fid, 0, math.inf)
    _check("floor", floor, 0, math.inf)
    if floor == 0:
        raise UserError("floor must be above 0, got 0: the same images on both sides?")
    return 1.0 if fid <= floor else floor / fid


def quality_from_psnr(psnr: float, real: float) -> float:
    """The floor's mean squared error by this one's: min(1, 10^((PSNR - real) / 10)).

    A ratio of decibels would mean nothing. PSNR needs pairs: reconstruction, translation, repeated
    scans. What an unconditional generator makes has no partner.

    Args:
        psnr: in decibels, 0 or more; infinity for equal images.
        real: what real pairs, such as repeated scans, reach; finite.

    Raises:
        UserError: one of them is out of range.
    """
    if psnr != math.inf:
        _check("psnr", psnr, 0, math.inf)
    _check("real", real, 0, math.inf)
    return 1.0 if psnr >= real else 10 ** ((psnr - real) / 10)


def quality_from_ssim(ssim: float, real: float) -> float:
    """The floor's lack of likeness by this one's: min(1, (1 - real) / (1 - SSIM)).

    SSIM needs pairs, as PSNR does.

    Args:
        ssim: -1 to 1.
        real: what real pairs, such as repeated scans, reach; -1 to 1, below 1.

    Raises:
        UserError: one of them is out of range.
    """
    _check("ssim", ssim, -1, 1)
    _check("real", real, -1, 1)
    if real == 1:
        raise UserError("real must be below 1, got 1: the same image on both sides?")
    return 1.0 if ssim >= real else (1 - real) / (1 - ssim)


def quality_from_rating(rating: float, real: float) -> float:
    """Readers' mean rating by that of real images: min(1, (rating - 0.5) / (real - 0.5)).

    One half below the scale's lowest mark is 0, so that the worst rating is little but not
    nothing.

    Args:
        rating: mean over generated images, 1 to 5, as `read_ratings` finds it.
        real: mean over real images that the same readers saw, 1 to 5.

    Raises:
        UserError: one of them is out of range.
    """
    _check("rating", rating, 1, 5)
    _check("real", real, 1, 5)
    return min(1.0, (rating - 0.5) / (real - 0.5))


def _check(name: str, value: float, low: float, high: float) -> None:
    if not (low <= value <= high and math.isfinite(value)):
        expected = f"{low:g} to {high:g}" if high < math.inf else f"a finite number from {low:g} up"
        raise UserError(f"{name} must be {expected}, got {value}")
