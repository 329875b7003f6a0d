"""Components of HyperScore: 1 at the real data's floor, less beyond it, never 0."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.errors import UserError
from medaug.metrics import (
    quality_from_fid,
    quality_from_psnr,
    quality_from_rating,
    quality_from_ssim,
)


@pytest.mark.parametrize(
    ("function", "figure", "floor", "expected"),
    [
        (quality_from_fid, 84, 42, 0.5),
        (quality_from_fid, 42, 42, 1),
        (quality_from_fid, 0, 42, 1),
        (quality_from_psnr, 20, 30, 0.1),
        (quality_from_psnr, 30, 30, 1),
        (quality_from_psnr, math.inf, 30, 1),
        (quality_from_ssim, 0.8, 0.9, 0.5),
        (quality_from_ssim, 0.9, 0.9, 1),
        (quality_from_ssim, 1, 0.9, 1),
        (quality_from_ssim, -1, 0.9, 0.05),
        (quality_from_rating, 2.5, 4.5, 0.5),
        (quality_from_rating, 1, 5, 1 / 9),
        (quality_from_rating, 4.6, 4.5, 1),
    ],
)
def test_values_by_hand(function, figure, floor, expected):
    """At the floor and better: 1. PSNR 10 dB lower is ten times the squared error."""
    assert function(figure, floor) == pytest.approx(expected)


@given(st.floats(0.001, 1), st.floats(0.001, 1))
@settings(deadline=None, derandomize=True)
def test_psnr_is_a_ratio_of_squared_errors(error, real):
    """Whatever the errors."""
    found = quality_from_psnr(-10 * math.log10(error), -10 * math.log10(real))
    assert found == pytest.approx(min(1, real / error))


@pytest.mark.parametrize(
    ("function", "figure", "floor", "message"),
    [
        (quality_from_fid, -1, 42, "fid must be a finite number from 0 up, got -1"),
        (quality_from_fid, math.nan, 42, "fid must be a finite number from 0 up, got nan"),
        (quality_from_fid, math.inf, 42, "fid must be a finite number from 0 up, got inf"),
        (quality_from_fid, 1, 0, "floor must be above 0, got 0"),
        (quality_from_psnr, -1, 30, "psnr must be a finite number from 0 up, got -1"),
        (quality_from_psnr, math.nan, 30, "psnr must be a finite number from 0 up, got nan"),
        (quality_from_psnr, 30, math.inf, "real must be a finite number from 0 up, got inf"),
        (quality_from_ssim, 1.1, 0.9, "ssim must be -1 to 1, got 1.1"),
        (quality_from_ssim, 0.9, -2, "real must be -1 to 1, got -2"),
        (quality_from_ssim, 0.9, 1, "real must be below 1, got 1"),
        (quality_from_rating, 0.9, 4, "rating must be 1 to 5, got 0.9"),
        (quality_from_rating, 4, 5.1, "real must be 1 to 5, got 5.1"),
    ],
)
def test_what_is_out_of_range_is_refused(function, figure, floor, message):
    """The figure as well as the floor."""
    with pytest.raises(UserError, match=message):
        function(figure, floor)
