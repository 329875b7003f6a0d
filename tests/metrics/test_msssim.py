"""MS-SSIM over all pairs, against a plain float64 version of the formula."""

import itertools
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.data import MetaTensor

from medaug.errors import UserError
from medaug.metrics import MSSSIM, msssim_all_pairs

from ..references.msssim import msssim


def make_images(number, *shape, likeness=0.0, seed=0):
    """Return (N, *shape) smooth images with noise; `likeness` is what they share of one image."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(number, shape[0], 6, 6, generator=generator)
    coarse = likeness * coarse[:1] + (1 - likeness) * coarse
    smooth = torch.nn.functional.interpolate(coarse, size=shape[1:], mode="bicubic")
    noise = 0.03 * torch.randn(number, *shape, generator=generator)
    return (0.8 * smooth + 0.1 + noise).clamp(0, 1)


def all_pairs(images, window, sigma, scales, data_range=1.0):
    """Return the pairs' values by the reference, as a symmetric (N, N) array without diagonal."""
    values = np.zeros((len(images), len(images)))
    arrays = images.double().numpy()
    for i, j in itertools.combinations(range(len(images)), 2):
        values[i, j] = values[j, i] = msssim(
            arrays[i], arrays[j], window, sigma, scales, data_range
        )
    return values


FORMS = [
    ((1, 176, 176), 11, 1.5, 5),
    ((1, 161, 170), 11, 1.5, 5),
    ((1, 160, 160), 7, 0.95, 5),
    ((1, 128, 128), 7, 0.95, 5),
    ((1, 97, 101), 7, 0.95, 5),
    ((1, 96, 96), 7, 0.95, 4),
    ((3, 64, 64), 7, 0.95, 4),
    ((2, 49, 57), 7, 0.95, 4),
    ((1, 48, 64), 7, 0.95, 3),
    ((1, 32, 32), 7, 0.95, 3),
    ((1, 16, 16), 7, 0.95, 2),
    ((1, 7, 9), 7, 0.95, 1),
]


@pytest.mark.parametrize(("shape", "window", "sigma", "scales"), FORMS)
@pytest.mark.parametrize("likeness", [0.0, 0.7])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_the_formula(shape, window, sigma, scales, likeness, dtype):
    """Mean, each image's mean and the name, over related and unrelated images of any size."""
    images = make_images(4, *shape, likeness=likeness).to(dtype)
    expected = all_pairs(images, window, sigma, scales)
    result = msssim_all_pairs(images)
    tolerance = 2e-5 if dtype == torch.float32 else 1e-9
    assert result.name == f"msssim_w{window}_s{sigma}_{scales}scales"
    assert result.mean == pytest.approx(expected.sum() / 12, abs=tolerance)
    np.testing.assert_allclose(result.image_means, expected.sum(axis=1) / 3, atol=tolerance)
    assert result.image_means.dtype == torch.float64


@given(
    st.integers(2, 5),
    st.integers(1, 2),
    st.tuples(st.integers(9, 70), st.integers(9, 70)),
    st.sampled_from([3, 5, 7, 9]),
    st.floats(0, 1),
    st.integers(0, 99),
)
@settings(max_examples=30, deadline=None)
def test_drawn_sets_equal_the_formula(number, channels, size, window, likeness, seed):
    """Any number, size, window and likeness."""
    images = make_images(number, channels, *size, likeness=likeness, seed=seed).double()
    scales = sum(min(size) > (window - 1) * 2**i for i in range(5))
    expected = all_pairs(images, window, round(1.5 * window / 11, 2), scales)
    result = msssim_all_pairs(images, window=window)
    assert result.mean == pytest.approx(expected.sum() / number / (number - 1), abs=1e-9)


def test_agrees_with_values_of_pytorch_msssim():
    """Frozen from pytorch-msssim 1.0.0 on images that anybody can make again, one pair cut to 0."""
    y, x = torch.meshgrid(torch.arange(176.0), torch.arange(176.0), indexing="ij")
    waves = [torch.sin(x / (9 + k)) * torch.cos(y / 7) for k in range(3)]
    result = msssim_all_pairs((0.5 + 0.4 * torch.stack(waves)[:, None]).double())
    pairs = {(0, 1): 0.5165527, (0, 2): 0.0, (1, 2): 0.6528187}
    expected = [sum(v for pair, v in pairs.items() if i in pair) / 2 for i in range(3)]
    np.testing.assert_allclose(result.image_means, expected, atol=1e-5)
    assert result.zeroed == pytest.approx(1 / 3)


def test_the_reduced_form_agrees_with_values_of_pytorch_msssim():
    """Frozen like those above, with a window of 7: two unlike waves, a mixture, and one shifted."""
    y, x = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="ij")
    one, two = (torch.sin(x / period) * torch.cos(y / 7) for period in (9, 10))
    waves = torch.stack([one, two, 0.7 * one + 0.3 * two, one.roll(3, 1)])
    result = msssim_all_pairs((0.5 + 0.4 * waves[:, None]).double())
    pairs = {
        (0, 1): 0.7135688,
        (0, 2): 0.9688908,
        (0, 3): 0.9346382,
        (1, 2): 0.8386436,
        (1, 3): 0.8729359,
        (2, 3): 0.9806448,
    }
    expected = [sum(v for pair, v in pairs.items() if i in pair) / 3 for i in range(4)]
    np.testing.assert_allclose(result.image_means, expected, atol=2e-5)


@pytest.mark.parametrize(("side", "window", "sigma"), [(176, 11, 1.5), (128, 7, 0.95)])
@pytest.mark.parametrize("likeness", [0.0, 0.9])
def test_agrees_with_pytorch_msssim(side, window, sigma, likeness):
    """Related and unrelated images, in float64, beside the package itself where it is installed."""
    peer = pytest.importorskip("pytorch_msssim")
    images = make_images(4, 1, side, side, likeness=likeness).double()
    values = torch.zeros(4, 4, dtype=torch.float64)
    for i, j in itertools.combinations(range(4), 2):
        values[i, j] = values[j, i] = peer.ms_ssim(
            images[i, None], images[j, None], data_range=1.0, win_size=window, win_sigma=sigma
        )
    result = msssim_all_pairs(images)
    torch.testing.assert_close(result.image_means, values.sum(dim=1) / 3, atol=2e-5, rtol=0)


def test_more_images_than_lie_beside_each_other():
    """Several blocks of images, the last not full, and tiles of which none is whole."""
    images = make_images(34, 1, 20, 40, likeness=0.5).double()
    expected = all_pairs(images, 7, 0.95, 2)
    np.testing.assert_allclose(
        msssim_all_pairs(images).image_means, expected.sum(axis=1) / 33, atol=1e-9
    )


def test_the_number_of_threads_does_not_matter(monkeypatch):
    """Tiles are added in their order, whoever is done first."""
    monkeypatch.setattr("medaug.metrics._cross_terms.ALONE", 0)
    images, before = make_images(20, 1, 90, 90), torch.get_num_threads()
    found = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            found.append(msssim_all_pairs(images).image_means)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*found)


@pytest.mark.parametrize("number", [3, 4, 9])
def test_standard_error_is_the_jackknife_over_images(number):
    """The same as leaving out each image by hand."""
    images = make_images(number, 1, 32, 32, likeness=0.5).double()
    result = msssim_all_pairs(images)
    without = [
        msssim_all_pairs(torch.cat([images[:i], images[i + 1 :]])).mean for i in range(number)
    ]
    variance = (number - 1) / number * np.sum((without - np.mean(without)) ** 2)
    assert np.mean(without) == pytest.approx(result.mean, abs=1e-12)
    assert result.standard_error == pytest.approx(np.sqrt(variance), rel=1e-9)
    assert result.standard_error > 0


def test_two_images_have_no_standard_error():
    """One pair says nothing of how pairs differ."""
    assert np.isnan(msssim_all_pairs(make_images(2, 1, 16, 16)).standard_error)


def test_equal_images_give_one():
    """Complete collapse: every pair is the same image."""
    images = make_images(1, 1, 64, 64).expand(5, 1, 64, 64)
    result = msssim_all_pairs(images)
    assert result.mean == pytest.approx(1.0, abs=1e-5)
    assert result.zeroed == 0


def test_likeness_raises_the_value():
    """The more images share, the higher."""
    means = [msssim_all_pairs(make_images(6, 1, 64, 64, likeness=k)).mean for k in (0, 0.5, 0.9)]
    assert means == sorted(means)
    assert means[0] < 0.5 < means[2]


def test_negative_terms_cut_pairs_to_zero_and_are_counted():
    """An image and its negative have a negative contrast term; 2 of the 3 pairs are such."""
    image = make_images(1, 1, 64, 64)
    result = msssim_all_pairs(torch.cat([image, image, 1 - image]))
    assert result.zeroed == pytest.approx(2 / 3)
    assert result.mean == pytest.approx(1 / 3, abs=1e-5)
    np.testing.assert_allclose(result.image_means, [0.5, 0.5, 0], atol=1e-5)


def test_order_does_not_matter():
    """A permutation of the images permutes their means."""
    images = make_images(6, 1, 40, 40)
    order = torch.tensor([3, 1, 5, 0, 2, 4])
    result, shuffled = msssim_all_pairs(images), msssim_all_pairs(images[order])
    assert shuffled.mean == pytest.approx(result.mean, abs=1e-6)
    torch.testing.assert_close(shuffled.image_means, result.image_means[order], atol=1e-6, rtol=0)


def test_data_range_scales_the_constants():
    """Images in 0…255 with data_range=255 give what they give in 0…1."""
    images = make_images(3, 1, 64, 64).double()
    scaled = msssim_all_pairs(images * 255, data_range=255)
    assert scaled.mean == pytest.approx(msssim_all_pairs(images).mean, abs=1e-9)
    wide = msssim_all_pairs(images, data_range=2.0)
    expected = all_pairs(images, 7, 0.95, 4, data_range=2.0)
    assert wide.mean == pytest.approx(expected.sum() / 6, abs=1e-9)


def test_half_precision_and_metatensors_are_taken():
    """bfloat16 is computed in float32; a MetaTensor gives a plain result."""
    images = make_images(3, 1, 64, 64)
    assert msssim_all_pairs(images.bfloat16()).mean == pytest.approx(
        msssim_all_pairs(images.bfloat16().float()).mean
    )
    result = msssim_all_pairs(MetaTensor(images))
    assert type(result.image_means) is torch.Tensor
    assert isinstance(result, MSSSIM)


def test_gradients_and_input_are_left_alone():
    """Nothing is written to the images, and threads are as before."""
    images = make_images(3, 1, 64, 64).requires_grad_()
    before, threads = images.detach().clone(), torch.get_num_threads()
    assert not msssim_all_pairs(images).image_means.requires_grad
    assert torch.equal(images, before)
    assert torch.get_num_threads() == threads


def test_a_hundred_images_are_compared_quickly():
    """4,950 pairs at 64 px: measured 0.2 s, on a shared machine at most 3 s."""
    images = make_images(100, 1, 64, 64)
    start = time.perf_counter()
    msssim_all_pairs(images)
    assert time.perf_counter() - start < 3


GOOD = make_images(2, 1, 16, 16)


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (GOOD[:1], {}, "images must be at least 2 to make a pair, got 1"),
        (GOOD[:0], {}, "images must be at least 2 to make a pair, got 0"),
        (GOOD[0], {}, r"must have the shape \(N, C, H, W\), got \(1, 16, 16\)"),
        (GOOD[:, :0], {}, r"must have the shape \(N, C, H, W\), got \(2, 0, 16, 16\)"),
        (GOOD[..., :6], {}, "sides of at least 7 pixels .* window of 7, got 6"),
        (GOOD, {"window": 17}, "sides of at least 17 pixels .* got 16"),
        (GOOD, {"window": 4}, "window must be an odd integer, 3 or more, got 4"),
        (GOOD, {"window": 1}, "window must be an odd integer"),
        (GOOD, {"window": 7.0}, r"window must be an odd integer, 3 or more, got 7\.0"),
        (GOOD * 2 - 1, {}, r"images must lie in 0 to 1 \(data_range\), got values from -0\."),
        (GOOD * 255, {}, r"images must lie in 0 to 1 \(data_range\)"),
        (GOOD * 3, {"data_range": 2}, r"images must lie in 0 to 2"),
        (GOOD * torch.nan, {}, "finite values, got NaN or infinity"),
        (GOOD / 0, {}, "finite values, got NaN or infinity"),
        (GOOD, {"data_range": 0}, "data_range must be a finite number above 0, got 0"),
        (GOOD, {"data_range": float("nan")}, "data_range must be a finite number above 0"),
        ((GOOD * 255).byte(), {}, r"images must be a tensor of floats, got torch\.uint8"),
        (GOOD.numpy(), {}, "images must be a tensor of floats, got ndarray"),
    ],
)
def test_bad_input_is_refused_in_one_line(images, options, message):
    """A UserError says what was given and what is allowed."""
    with pytest.raises(UserError, match=message) as raised:
        msssim_all_pairs(images, **options)
    assert "\n" not in str(raised.value)
