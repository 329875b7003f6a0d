"""SSIM and PSNR against scikit-image and torchmetrics."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.errors import UserError
from medaug.metrics import psnr, ssim

RANDOM = torch.Generator().manual_seed(0)


def pair(*shape):
    """Smooth images and noisy ones of the same."""
    small = torch.rand(*shape[:2], 5, 5, generator=RANDOM)
    first = torch.nn.functional.interpolate(small, shape[2:], mode="bilinear")
    noise = torch.randn(shape, generator=RANDOM)
    scale = torch.linspace(0, 0.3, shape[0]).reshape(-1, 1, 1, 1)
    return first, (first + scale * noise).clamp(0, 1)


@pytest.mark.parametrize("shape", [(4, 1, 11, 11), (3, 3, 40, 25), (2, 2, 130, 300)])
def test_ssim_is_scikit_images(shape):
    """In the form that its documentation gives for Wang et al.: 1e-12."""
    metrics = pytest.importorskip("skimage.metrics")
    first, second = pair(*shape)
    expected = [
        metrics.structural_similarity(
            one.double().numpy(),
            two.double().numpy(),
            data_range=1,
            channel_axis=0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for one, two in zip(first, second, strict=True)
    ]
    np.testing.assert_allclose(ssim(first, second), expected, atol=1e-12)


def test_ssim_is_torchmetrics_without_its_border():
    """Whose mean is over reflected padding too."""
    functional = pytest.importorskip("torchmetrics.functional.image")
    first, second = pair(5, 3, 48, 64)
    _, whole = functional.structural_similarity_index_measure(
        first.double(), second.double(), data_range=1.0, return_full_image=True
    )
    inside = whole[..., 5:-5, 5:-5].mean(dim=(1, 2, 3))
    np.testing.assert_allclose(ssim(first, second), inside, atol=1e-12)


def test_psnr_is_scikit_images():
    """For each image its own."""
    metrics = pytest.importorskip("skimage.metrics")
    first, second = pair(4, 2, 20, 30)
    expected = [
        metrics.peak_signal_noise_ratio(one.double().numpy(), two.double().numpy(), data_range=1)
        for one, two in zip(first[1:], second[1:], strict=True)
    ]
    np.testing.assert_allclose(psnr(first[1:], second[1:]), expected)


def test_known_answers():
    """Equal images; black beside white; a tenth apart."""
    first, _ = pair(3, 2, 16, 16)
    assert psnr(first, first).tolist() == [math.inf] * 3
    np.testing.assert_allclose(ssim(first, first), 1)
    black, white = torch.zeros(1, 1, 11, 11), torch.ones(1, 1, 11, 11)
    assert psnr(black, white).item() == 0
    assert ssim(black, white).item() == pytest.approx(1e-4 / (1 + 1e-4))
    assert psnr(black, white / 10).item() == pytest.approx(20)


@settings(deadline=None, max_examples=20, derandomize=True)
@given(st.integers(1, 5), st.integers(1, 3), st.integers(11, 30), st.integers(11, 30))
def test_invariant(n, channels, height, width):
    """Symmetric, mirrored and turned alike, in (-1, 1]; one image at a time the same."""
    first, second = pair(n, channels, height, width)
    for figure in (ssim, psnr):
        found = figure(first, second)
        assert found.shape == (n,)
        assert found.dtype == torch.float64
        np.testing.assert_allclose(figure(second, first), found)
        np.testing.assert_allclose(figure(first.mT.flip(-1), second.mT.flip(-1)), found)
        np.testing.assert_allclose(figure(first[:1].numpy(), second[:1].numpy()), found[:1])
    assert (ssim(first, second).abs() <= 1 + 1e-12).all()


def test_arguments_are_left_as_they_are():
    """No image is written into."""
    first, second = pair(2, 1, 16, 16)
    before = first.clone(), second.clone()
    ssim(first, second)
    psnr(first, second)
    assert torch.equal(first, before[0])
    assert torch.equal(second, before[1])


GOOD = torch.rand(2, 1, 16, 16, generator=RANDOM)


@pytest.mark.parametrize("figure", [ssim, psnr])
@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (GOOD[0], GOOD, r"first must be floats of \(N, C, H, W\), got torch.float32 of \(1, 16"),
        (GOOD, GOOD.mul(255).byte(), "second must be floats of .* got torch.uint8"),
        (GOOD[:0], GOOD[:0], r"got torch.float32 of \(0, 1, 16, 16\)"),
        (GOOD, GOOD[:1], r"the same shape, got \(2, 1, 16, 16\) and \(1, 1, 16, 16\)"),
        (GOOD * 255, GOOD, "first must lie in 0 to 1, got values from .* to 25"),
        (GOOD, GOOD - 0.5, "second must lie in 0 to 1, got values from -0.4"),
        (GOOD, GOOD * math.nan, "second must lie in 0 to 1, got values from nan to nan"),
    ],
)
def test_refuses(figure, first, second, message):
    """With what was given."""
    with pytest.raises(UserError, match=message):
        figure(first, second)


def test_refuses_too_small_for_the_window():
    """SSIM alone."""
    small = GOOD[..., :10]
    assert psnr(small, small).isinf().all()
    with pytest.raises(UserError, match=r"at least 11 pixels for SSIM, got \(16, 10\)"):
        ssim(small, small)
