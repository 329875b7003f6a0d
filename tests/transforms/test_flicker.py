"""Pooled frames don't flicker: measured on still tissue of a real cine.

Still tissue: pixels whose mean over time is above a fifth of the 99th percentile of those means
(tissue, not air or lung), and of these the quarter with the smallest standard deviation over time
in the original.

- The change from frame to frame of a region is that of its mean grey (a region: the still tissue
  in one of AIIN's 4 × 4 windows, 100 pixels or more). A pixel by itself shows mostly noise, which
  any gain of contrast raises along.
- The contrast is the difference that the normalisation makes of one grey level, at those pixels.

A normalisation that doesn't flicker raises the change no more than the contrast.
"""

from functools import cache

import numpy as np
import pytest

from medaug.data import CineReader
from medaug.transforms import aiin, apply_look_ups, fit_look_ups

from ..shared import SHARED, needs_shared

CINE = SHARED / "data" / "cine_sax" / "pig_gip17_sax_4d.nii.gz"
SLICES = (4, 6, 8, 10, 12, 14)
BITS = 9


@cache
def frames(number: int) -> np.ndarray:
    """A slice's 20 phases as the integers that the file holds."""
    cine, meta = CineReader(slices=number).get_data(CINE)
    assert meta["bits"] == BITS
    return np.rint(cine[0] * (2**BITS - 1)).astype(np.uint16)


def still_tissue(cine: np.ndarray) -> np.ndarray:
    """As at the top of this module."""
    mean, deviation = cine.mean(axis=0), cine.std(axis=0)
    tissue = mean > 0.2 * np.percentile(mean, 99)
    return tissue & (deviation <= np.percentile(deviation[tissue], 25))


def regions(still: np.ndarray, windows: int = 4) -> list[np.ndarray]:
    """The still tissue in each window that has enough of it."""
    rows, columns = (np.arange(side) * windows // side for side in still.shape)
    window = rows[:, None] * windows + columns
    found = [still & (window == number) for number in range(windows**2)]
    return [region for region in found if region.sum() >= 100]


def pixel_change(cine: np.ndarray, still: np.ndarray) -> float:
    """Mean change of a pixel from frame to frame."""
    return float(np.abs(np.diff(cine.astype(float), axis=0))[:, still].mean())


def region_change(cine: np.ndarray, still: np.ndarray) -> float:
    """Mean change of a region's mean from frame to frame."""
    means = np.array([cine[:, region].mean(axis=1) for region in regions(still)])
    return float(np.abs(np.diff(means, axis=1)).mean())


def contrast(cine: np.ndarray, still: np.ndarray, *, pooled: bool) -> float:
    """What one grey level becomes, mean over the pixels of still tissue."""
    fitted = fit_look_ups(cine, bits=BITS, pool_frames=pooled)
    above, below = (
        apply_look_ups(np.clip(cine.astype(int) + step, 0, 2**BITS - 1).astype(np.uint16), fitted)
        for step in (1, -1)
    )
    return float((above.astype(float) - below)[:, still].mean() / 2)


@needs_shared
@pytest.mark.parametrize("number", SLICES)
def test_pooled_change_grows_no_more_than_contrast(number: int) -> None:
    """Frame by frame it grows half as much again and more: that is the flicker."""
    cine = frames(number)
    still = still_tissue(cine)
    growth = {}
    for pooled in (True, False):
        changed = region_change(aiin(cine, bits=BITS, pool_frames=pooled), still)
        growth[pooled] = changed / region_change(cine, still)
        growth[pooled] /= contrast(cine, still, pooled=pooled)
    assert growth[True] <= 1
    assert growth[False] > 1.4
    assert growth[False] > 1.5 * growth[True]


@needs_shared
@pytest.mark.parametrize("number", SLICES)
def test_pooled_noise_grows_as_contrast_does(number: int) -> None:
    """Pixel by pixel, where noise hides the flicker: the same to 1.5 %, and less than unpooled."""
    cine = frames(number)
    still = still_tissue(cine)
    before = pixel_change(cine, still)
    pooled, alone = (
        pixel_change(aiin(cine, bits=BITS, pool_frames=given), still) / before
        for given in (True, False)
    )
    assert pooled == pytest.approx(contrast(cine, still, pooled=True), rel=0.015)
    assert alone > 1.02 * pooled


@needs_shared
@pytest.mark.parametrize("number", SLICES)
def test_tissue_that_is_quite_still_stays_so(number: int) -> None:
    """Each still pixel set to its median over time: pooled, nothing there moves at all."""
    cine = frames(number).copy()
    still = still_tissue(cine)
    cine[:, still] = np.median(cine, axis=0).astype(np.uint16)[still]
    assert pixel_change(aiin(cine, bits=BITS, pool_frames=True), still) == 0
    assert pixel_change(aiin(cine, bits=BITS), still) > 1


def test_regions_are_those_of_the_windows() -> None:
    """Two of four windows have enough still tissue; the other two don't count."""
    still = np.zeros((40, 40), dtype=bool)
    still[:20, :5] = still[20:, 22:30] = still[5, 30] = True
    assert [int(region.sum()) for region in regions(still, windows=2)] == [100, 160]
