"""The nearest real sequence, against loops over all pairs and shifts in float64."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.errors import UserError
from medaug.metrics import nearest_sequence, psnr, ssim

FEW = settings(max_examples=12, deadline=None, derandomize=True)


def drawn(num: int, length: int, seed: int = 0, size=(11, 12)) -> torch.Tensor:
    """Random sequences."""
    random = torch.Generator().manual_seed(seed)
    return torch.rand(num, 1, length, *size, generator=random)


def at_phases(frames: np.ndarray, length: int) -> np.ndarray:
    """Each pixel by NumPy's own interpolation over a period."""
    own, wanted = np.arange(len(frames)) / len(frames), np.arange(length) / length
    flat = frames.reshape(len(frames), -1)
    columns = [np.interp(wanted, own, column, period=1) for column in flat.T]
    return np.stack(columns, axis=1).reshape(length, *frames.shape[1:])


@FEW
@given(st.integers(1, 3), st.integers(1, 3), st.integers(2, 6), st.integers(2, 6))
def test_is_the_best_of_all_pairs_and_shifts(num, others, length, lengths):
    """By errors, one at a time; then SSIM and PSNR frame by frame."""
    made, known = drawn(num, length, 1), drawn(others, lengths, 2)
    found = nearest_sequence(made, known)
    frames = made[:, 0].double().numpy()
    candidates = [at_phases(one, length) for one in known[:, 0].double().numpy()]
    for n, one in enumerate(frames):
        errors = {
            (m, shift): np.mean((one - np.roll(other, -shift, axis=0)) ** 2)
            for m, other in enumerate(candidates)
            for shift in range(length)
        }
        m, shift = min(errors, key=errors.get)
        assert (found.indices[n].item(), found.shifts[n].item()) == (m, shift)
        pair = [
            torch.from_numpy(np.ascontiguousarray(side))[:, None]
            for side in (one, np.roll(candidates[m], -shift, axis=0))
        ]
        assert found.psnr[n].item() == pytest.approx(psnr(*pair).mean().item(), rel=1e-5)
        assert found.ssim[n].item() == pytest.approx(ssim(*pair).mean().item(), rel=1e-4)


def test_many_pixels_come_in_blocks(monkeypatch):
    """With the same result."""
    made, known = drawn(3, 5, 1), drawn(4, 5, 2)
    whole = nearest_sequence(made, known)
    monkeypatch.setattr("medaug.metrics._cine_nearest._NUMBERS", 150)
    for one, other in zip(whole, nearest_sequence(made, known), strict=True):
        assert torch.equal(one, other)


def test_finds_a_copy_that_begins_elsewhere():
    """Noise on it, and time turned around the cycle: index, shift and noise are read back."""
    known = drawn(5, 6, size=(32, 32)) * 0.8 + 0.1
    noise = 0.02 * torch.randn(known.shape, generator=torch.Generator().manual_seed(3))
    found = nearest_sequence((known + noise)[[3, 0]].roll(-2, 2), known)
    assert found.indices.tolist() == [3, 0]
    assert found.shifts.tolist() == [2, 2]
    np.testing.assert_allclose(found.psnr, -20 * math.log10(0.02), atol=0.2)
    assert (found.ssim > 0.98).all()


def test_equal_sequences():
    """As many frames or twice as many: infinite and 1."""
    known = drawn(3, 4)
    for made in (known, known.numpy()):
        found = nearest_sequence(made, known)
        assert found.indices.tolist() == [0, 1, 2]
        assert found.shifts.tolist() == [0, 0, 0]
        assert found.psnr.tolist() == [math.inf] * 3
        np.testing.assert_allclose(found.ssim, 1)
    doubled = torch.stack([known, (known + known.roll(-1, 2)) / 2], dim=3).flatten(2, 3)
    np.testing.assert_allclose(nearest_sequence(doubled, known).ssim, 1)
    assert nearest_sequence(doubled, known).indices.tolist() == [0, 1, 2]


@FEW
@given(st.integers(2, 6), st.integers(0, 5))
def test_is_invariant(length, shift):
    """Both turned around in time, or begun elsewhere: the same figures."""
    made, known = drawn(2, length, 1), drawn(3, length, 2)
    expected = nearest_sequence(made, known)
    for one, other in (
        (made.flip(2), known.flip(2)),
        (made.roll(shift, 2), known),
        (made, known.roll(shift, 2)),
    ):
        found = nearest_sequence(one, other)
        assert torch.equal(found.indices, expected.indices)
        np.testing.assert_allclose(found.psnr, expected.psnr)
        np.testing.assert_allclose(found.ssim, expected.ssim)


def test_refuses():
    """With what was given."""
    good = drawn(2, 3)
    with pytest.raises(UserError, match="synthetic must have at least 2 frames, got 1"):
        nearest_sequence(good[:, :, :1], good)
    with pytest.raises(UserError, match="real must have at least 2 frames, got 1"):
        nearest_sequence(good, good[:, :, :1])
    with pytest.raises(UserError, match=r"of the same size, got \(11, 12\) and \(11, 11\)"):
        nearest_sequence(good, good[..., :11])
    with pytest.raises(UserError, match="real must lie in 0 to 1, got values from nan"):
        nearest_sequence(good, good * math.nan)
    with pytest.raises(UserError, match="sides of at least 11 pixels for SSIM"):
        nearest_sequence(good[..., :10], good[..., :10])
