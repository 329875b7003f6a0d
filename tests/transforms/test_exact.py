"""AIIN has the numbers of OpenCV's CLAHE and of the plain reference."""

import platform
import warnings

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medaug.transforms import aiin

from ..references.clahe import clahe
from .images import CONTENTS, cases, make_image

X86 = platform.machine().lower() in ("x86_64", "amd64")
NORMAL = settings(max_examples=150, deadline=None)
THOROUGH = settings(
    max_examples=1000,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def opencv(image, windows, threshold, shift=0):
    """Return OpenCV's CLAHE; its grid is in the order (x, y)."""
    made = cv2.createCLAHE(threshold, (windows[1], windows[0]))
    if shift:
        made.setBitShift(shift)
    return made.apply(image)


def assert_as_opencv(ours, theirs):
    """Ask for no difference on x86-64; elsewhere OpenCV contracts to fused multiply-adds."""
    difference = np.abs(ours.astype(int) - theirs.astype(int))
    if X86:
        assert difference.max() == 0
    else:
        assert difference.max() <= 1
        # A single pixel of a small image is more than 0.1 %.
        assert (difference > 0).sum() <= max(1, 0.001 * difference.size)


def check(case, bits):
    """Compare one drawn case with OpenCV, where it can do that depth, and with the reference."""
    image, windows, threshold = case
    ours = aiin(image, windows, threshold, bits=bits)
    assert ours.dtype == image.dtype
    assert ours.shape == image.shape
    np.testing.assert_array_equal(ours, clahe(image[None], windows, threshold, bits)[0])
    if bits in (8, 16):
        assert_as_opencv(ours, opencv(image, windows, threshold))
    elif hasattr(cv2.CLAHE, "setBitShift"):
        shift = 16 - bits
        assert_as_opencv(ours, opencv(image << shift, windows, threshold, shift) >> shift)


@given(cases(bits=8))
@NORMAL
def test_8_bit_equals_opencv(case):
    """256 bins: no pixel differs from OpenCV and the reference."""
    check(case, bits=8)


@given(cases(bits=16))
@settings(NORMAL, max_examples=40)
def test_16_bit_equals_opencv(case):
    """65,536 bins: no pixel differs from OpenCV and the reference."""
    check(case, bits=16)


@given(cases(bits=12))
@settings(NORMAL, max_examples=100)
def test_12_bit_equals_opencv_with_bit_shift(case):
    """4,096 true bins: as OpenCV's bit-shift form on the values moved up, moved down again."""
    check(case, bits=12)
    assert aiin(case[0], bits=12).max() <= 4095


@pytest.mark.slow
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_a_thousand_drawn_cases_equal_opencv(bits):
    """The same over 1,000 drawn cases of each depth, of larger images too."""

    @given(cases(bits=bits, largest=400))
    @THOROUGH
    def compare(case):
        check(case, bits)

    compare()


@given(cases(bits=10), st.integers(1, 4), st.integers(0, 2**32 - 1), st.floats(0, 1))
@settings(NORMAL, max_examples=60)
def test_masked_and_pooled_equal_the_reference(case, frames, seed, share):
    """Random masks over several frames, with windows that hold no valid pixel."""
    image, windows, threshold = case
    stack = np.stack([np.roll(image, shift, axis=1) for shift in range(frames)])
    valid = np.random.default_rng(seed).random(stack.shape) < share
    valid[:, : image.shape[0] // 2] = False
    ours = aiin(stack, windows, threshold, bits=10, mask=valid, pool_frames=True)
    np.testing.assert_array_equal(ours, clahe(stack, windows, threshold, 10, valid))


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("size", [(512, 512), (509, 380), (1, 1), (1, 300), (3, 5)])
def test_fixed_sizes_equal_opencv(content, size):
    """The default parameters on each content, from one pixel to a small radiograph."""
    check((make_image(content, *size, 8), (4, 4), 10.0), 8)
    check((make_image(content, *size, 16), (4, 4), 10.0), 16)


@pytest.mark.parametrize("level", [0, 1, 100, 255])
def test_constant_image_comes_back_as_opencv_gives_it(level):
    """No warning, no noise: one level everywhere."""
    image = np.full((64, 50), level, np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = aiin(image)
    assert_as_opencv(result, opencv(image, (4, 4), 10.0))
    assert len(np.unique(result)) == 1


def test_windows_count_rows_first():
    """windows=(2, 6) is two windows down and six across: OpenCV's grid (6, 2)."""
    image = make_image("radiograph", 120, 120, 8)
    assert_as_opencv(aiin(image, (2, 6)), opencv(image, (2, 6), 10.0))
    assert (aiin(image, (2, 6)) != aiin(image, (6, 2))).any()


def test_hand_worked_image():
    """2 bits, one window, 4 pixels: cumulative counts 1, 2, 4, 4 of 4 times 3/4, half to even."""
    image = np.array([[0, 1], [2, 2]], np.uint8)
    # 0.75 -> 1, 1.5 -> 2, 3 -> 3; a limit of 4 counts clips nothing.
    expected = np.array([[1, 2], [3, 3]], np.uint8)
    np.testing.assert_array_equal(aiin(image, (1, 1), 4.0, bits=2), expected)
