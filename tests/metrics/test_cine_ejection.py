"""The ejection fraction read back: of drawn discs, and of simulated hearts whose truth is known."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.errors import UserError
from medaug.metrics import blood_area, ejection_fraction
from medaug.metrics._cine_ejection import _otsu
from medaug.phantoms import HEART_SEGMENTS, simulate_cine

FEW = settings(max_examples=12, deadline=None, derandomize=True)


def disc(side: int, middle: tuple[float, float], radius: float) -> np.ndarray:
    """How much of each pixel it covers."""
    rows, columns = np.mgrid[:side, :side]
    away = np.hypot(rows - middle[0], columns - middle[1])
    return np.clip(radius - away + 0.5, 0, 1)


def heart(radii, *, side=64, middle=(33.0, 36.0), papillary=0.0) -> torch.Tensor:
    """A bright disc in dark muscle, in grey tissue, beside another bright cavity and bright fat."""
    frames = np.full((len(radii), side, side), 0.3)
    frames[:, :, :4] = 0.8
    for frame, radius in zip(frames, radii, strict=True):
        for where, size, level in (
            ((middle[0], middle[1] - 19), 12.0, 0.85),
            (middle, radius + 4, 0.2),
            (middle, radius, 0.85),
            ((middle[0] + radius - papillary - 1, middle[1]), papillary, 0.2),
        ):
            cover = disc(side, where, size) if size else 0
            frame += cover * (level - frame)
    return torch.from_numpy(frames.astype(np.float32))[None, None]


@FEW
@given(st.floats(6, 9), st.floats(10, 13), st.floats(32, 36), st.sampled_from([0.0, 2.0]))
def test_discs_are_measured(small, large, row, papillary):
    """Their areas to 6 %, a papillary muscle included, and so their ejection fraction."""
    radii = [large, (small + large) / 2, small, (small + large) / 2]
    sequences = heart(radii, middle=(row, 36.0), papillary=papillary)
    areas = blood_area(sequences)
    assert areas.dtype == torch.float64
    np.testing.assert_allclose(areas[0], np.pi * np.square(radii), rtol=0.06)
    expected = 1 - (small / large) ** 3
    assert ejection_fraction(sequences).item() == pytest.approx(expected, abs=0.06)


def hearts(size: int, num: int) -> tuple[torch.Tensor, list[float], list[np.ndarray]]:
    """Simulated ones, some with a wall that stands still: pictures, fractions and areas."""
    rng = np.random.default_rng(size)
    pictures, fractions, areas = [], [], []
    for seed in range(num):
        wanted = float(rng.uniform(0.15, 0.75))
        sick = wanted < 0.6 and seed % 3 == 0
        segment = str(rng.choice(list(HEART_SEGMENTS))) if sick else ""
        made = simulate_cine(
            seed, size=size, num_frames=10, ejection_fraction=wanted, segment=segment
        )
        pictures.append(torch.from_numpy(made.frames)[None])
        fractions.append(made.ejection_fraction)
        areas.append(made.area / made.pixel_spacing**2)
    return torch.stack(pictures), fractions, areas


@pytest.fixture(scope="module")
def simulated():
    """Thirty hearts at 64 pixels."""
    return hearts(64, 30)


def check(pictures, fractions, areas, *, bias: float, worst: float) -> None:
    """The truth is read back."""
    np.testing.assert_allclose(blood_area(pictures), areas, rtol=0.12)
    found = ejection_fraction(pictures).numpy()
    assert np.corrcoef(found, fractions)[0, 1] >= 0.98
    assert abs(np.mean(found - fractions)) <= bias
    assert np.abs(found - fractions).max() <= worst


def test_simulated_hearts_are_read_back(simulated):
    """64 pixels, a pixel 2.3 mm wide."""
    check(*simulated, bias=0.02, worst=0.05)


def test_simulated_hearts_are_read_back_at_128():
    """128 pixels."""
    check(*hearts(128, 10), bias=0.01, worst=0.03)


def test_is_invariant(simulated):
    """Begun elsewhere, backwards, mirrored, of less contrast, or a few of them."""
    pictures = simulated[0][:6]
    areas, fractions = blood_area(pictures), ejection_fraction(pictures)
    assert torch.equal(blood_area(pictures.roll(3, 2)), areas.roll(3, 1))
    assert torch.equal(blood_area(pictures.flip(2)), areas.flip(1))
    assert torch.equal(blood_area(pictures[2:4].numpy()), areas[2:4])
    np.testing.assert_allclose(blood_area(pictures.flip(3, 4)), areas, rtol=0.01)
    np.testing.assert_allclose(ejection_fraction(pictures * 0.5 + 0.25), fractions, atol=0.01)
    expected = 1 - (areas.min(1).values / areas.max(1).values) ** 1.5
    np.testing.assert_allclose(fractions, expected)


def test_no_heart_has_no_area():
    """Blank, half bright, or a disc that is gone in one frame: NaN, and no guess."""
    blank = torch.full((1, 1, 3, 32, 32), 0.4)
    half = blank.clone()
    half[..., 16:] = 0.9
    for sequences in (blank, half):
        assert blood_area(sequences).isnan().all()
        assert ejection_fraction(sequences).isnan().all()
    gone = heart([10.0, 9.0, 10.0])
    gone[:, :, 1] = 0.2
    assert blood_area(gone).isnan().tolist() == [[False, True, False]]
    assert ejection_fraction(gone).isnan().all()


@FEW
@given(st.integers(2, 40), st.integers(0, 1000))
def test_threshold_is_otsus(count, seed):
    """The variance within both classes is as small as at any other level."""
    values = np.random.default_rng(seed).random(count) ** 2

    def within(level: float) -> float:
        sides = values[values < level], values[values >= level]
        return math.fsum(((side - side.mean()) ** 2).sum() for side in sides if len(side))

    best = min(within(level) for level in np.sort(values))
    # 256 levels: a value may stand on the wrong side of its neighbour in the same one
    assert within(_otsu(values)) <= best + 0.02


def test_refuses():
    """With what was given."""
    good = torch.rand(2, 1, 3, 16, 16)
    for figure in (blood_area, ejection_fraction):
        with pytest.raises(UserError, match="sequences must have at least 2 frames, got 1"):
            figure(good[:, :, :1])
        with pytest.raises(UserError, match=r"sequences must be floats of \(N, 1, T, H, W\)"):
            figure(good[0])
        with pytest.raises(UserError, match="sequences must lie in 0 to 1, got values from nan"):
            figure(good * math.nan)
