"""Fit and apply: look-ups of a whole image, applied to its patches; frames pooled along an axis."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.errors import UserError
from medaug.transforms import _clahe, aiin, apply_look_ups, fit_look_ups

from .images import cases, make_image


@given(cases(bits=12), st.data())
@settings(max_examples=100, deadline=None)
def test_patches_fit_together(case, data):
    """A patch, wherever it lies, gets the pixels that the whole image gets there."""
    image, windows, threshold = case
    height, width = image.shape
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    patch = image[top : top + data.draw(st.integers(1, 40)), left : left + 30]
    look_ups = fit_look_ups(image, windows, threshold, bits=12)
    whole = aiin(image, windows, threshold, bits=12)
    np.testing.assert_array_equal(apply_look_ups(image, look_ups), whole)
    expected = whole[top : top + patch.shape[0], left : left + patch.shape[1]]
    np.testing.assert_array_equal(apply_look_ups(patch, look_ups, offset=(top, left)), expected)


def test_patches_keep_type_axes_and_mask():
    """A float tensor (2, 3, H, W): each plane has its own look-ups; masked pixels come back."""
    stack = torch.rand(2, 3, 40, 36, generator=torch.Generator().manual_seed(0))
    look_ups = fit_look_ups(stack, bits=10)
    assert look_ups.tables.shape == (6, 4, 4, 1024)
    mask = torch.rand(40, 36) > 0.3
    result = apply_look_ups(stack, look_ups, mask=mask)
    torch.testing.assert_close(result, torch.where(mask, aiin(stack, bits=10), stack))


def test_look_ups_of_pooled_frames_fit_any_number_of_frames():
    """Fitted to five frames, applied to two of them."""
    frames = np.stack([make_image("radiograph", 32, 32, 8, seed) for seed in range(5)])
    look_ups = fit_look_ups(frames, pool_frames=True)
    expected = aiin(frames, pool_frames=True)
    np.testing.assert_array_equal(apply_look_ups(frames[[3, 1]], look_ups), expected[[3, 1]])


@pytest.mark.parametrize(
    ("patch", "offset", "message"),
    [
        (
            np.zeros((8, 8), np.uint8),
            (25, 0),
            r"whole image of \(32, 32\), got a patch of \(8, 8\)",
        ),
        (np.zeros((8, 8), np.uint8), (0, -1), r"at \(0, -1\)"),
        (np.zeros((8, 8), np.uint8), (0, 0.5), "offset must be two integers, got"),
        (np.zeros((8, 8), np.uint8), 3, "offset must be two integers, got 3"),
        (np.zeros((8, 8), np.float32), (0, 0), "must be of the kind .* integers, got float32"),
        (np.zeros((2, 8, 8), np.uint8), (0, 0), r"axes that the look-ups were made from, \(\)"),
        (np.full((8, 8), 300, np.uint16), (0, 0), "must lie in 0 to 255"),
    ],
)
def test_patches_that_do_not_belong_are_refused(patch, offset, message):
    """In one line that says what would."""
    look_ups = fit_look_ups(make_image("noise", 32, 32, 8))
    with pytest.raises(UserError, match=message):
        apply_look_ups(patch, look_ups, offset=offset)


@pytest.mark.parametrize("axis", [0, 1, 2, -3, -4, -5])
def test_frames_are_pooled_along_their_axis_alone(axis):
    """The other leading axes stay apart: as one call for each of them."""
    rng = np.random.default_rng(1)
    image = rng.integers(0, 1024, (2, 3, 4, 20, 21)).astype(np.uint16) // 4
    pooled = aiin(image, bits=8, pool_frames=True, frame_axis=axis)
    moved, result = np.moveaxis(image, axis, -3), np.moveaxis(pooled, axis, -3)
    for index in np.ndindex(moved.shape[:2]):
        expected = aiin(np.ascontiguousarray(moved[index]), bits=8, pool_frames=True)
        np.testing.assert_array_equal(result[index], expected)


@pytest.mark.parametrize("axis", [-1, -2, 3, 4, -6, 5])
def test_frames_do_not_lie_along_rows_or_columns(axis):
    """The last two axes, and those that aren't there, are refused."""
    with pytest.raises(UserError, match="frame_axis must be an axis before H and W"):
        aiin(np.zeros((2, 2, 2, 8, 8), np.uint8), pool_frames=True, frame_axis=axis)


def test_frame_axis_must_be_an_integer():
    """Said when the transform is made."""
    with pytest.raises(UserError, match="frame_axis must be an integer, got 'time'"):
        aiin(np.zeros((2, 8, 8), np.uint8), frame_axis="time")


@pytest.mark.parametrize("pool", [False, True])
def test_memory_for_look_ups_is_bounded(monkeypatch, pool):
    """Many planes are worked through in parts, with the same numbers."""
    stack = np.stack([make_image("noise", 20, 20, 12, seed) for seed in range(6)])
    stack = stack.reshape(3, 2, 20, 20)
    expected = aiin(stack, bits=12, pool_frames=pool, frame_axis=0)
    monkeypatch.setattr(_clahe, "AT_ONCE", 1)
    np.testing.assert_array_equal(aiin(stack, bits=12, pool_frames=pool, frame_axis=0), expected)
