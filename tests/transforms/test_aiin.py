"""What aiin() takes and gives, besides the numbers themselves."""

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Zoom

from medaug._compiled import compiled
from medaug.errors import UserError
from medaug.transforms import _aiin, aiin

from .images import make_image


@pytest.fixture(autouse=True, params=["compiled", "on a device"])
def implementation(request, monkeypatch):
    """Both: tensors on another device go through torch, as those here do in the second round."""
    if request.param != "compiled":
        monkeypatch.setattr(_aiin, "_compiled_for", lambda _: False)


@pytest.fixture
def image8():
    """An 8-bit radiograph whose sides aren't divisible by every grid."""
    return make_image("radiograph", 60, 52, 8)


@pytest.fixture
def image12():
    """The same with 12 bits."""
    return make_image("radiograph", 60, 52, 12)


def as_kinds(array):
    """Return the same image as an array, a tensor and a MetaTensor."""
    tensor = torch.from_numpy(array.copy())
    return array, tensor, MetaTensor(tensor, affine=torch.eye(4) * 2, meta={"source": "a"})


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.int32])
def test_kinds_and_integer_dtypes_give_the_same_numbers(image8, dtype):
    """Type, dtype and shape come out as they went in, and the levels don't depend on them."""
    expected = aiin(image8)
    for given in as_kinds(image8[None].astype(dtype)):
        result = aiin(given, bits=8)
        assert type(result) is type(given)
        assert result.dtype == given.dtype
        assert result.shape == given.shape
        np.testing.assert_array_equal(np.asarray(result)[0], expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64, torch.bfloat16])
def test_floats_are_binned_over_their_bits(image8, dtype):
    """k/255 with bits=8 gives the 8-bit result divided by 255, in every float type."""
    given = (torch.from_numpy(image8).double() / 255).to(dtype)
    result = aiin(given, bits=8)
    assert result.dtype == dtype
    expected = (torch.from_numpy(aiin(image8)).double() / 255).to(dtype)
    if dtype == torch.bfloat16:  # holds 8 bits only: neighbouring levels fall together
        assert result.isfinite().all()
        assert result.max() > 0.9
    else:
        torch.testing.assert_close(result, expected)


def test_value_range_says_what_the_ends_stand_for(image12):
    """Levels mapped to -1000…3095 and back are the 12-bit result, moved by the same amount."""
    given = image12.astype(np.float32) - 1000
    result = aiin(given, bits=12, value_range=(-1000, 3095))
    expected = aiin(image12, bits=12).astype(np.float32) - 1000
    np.testing.assert_allclose(result, expected, atol=1e-3)


def test_result_can_be_normalised_again(image12):
    """Rounding at the ends of an odd range doesn't put values out of it."""
    given = np.float32(0.1) + image12 / np.float32(4095) * np.float32(0.2)
    once = aiin(given, bits=12, value_range=(0.1, 0.3))
    assert aiin(once, bits=12, value_range=(0.1, 0.3)).dtype == np.float32


def test_resampling_just_past_the_end_is_taken():
    """1 + 1e-7, as interpolation leaves it, counts as 1."""
    given = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    beyond = np.nextafter(given, np.float32(2))
    np.testing.assert_array_equal(aiin(beyond, bits=8), aiin(given, bits=8))


def test_metatensor_keeps_what_it_knows(image8):
    """Affine, metadata, applied and pending operations come along; nothing is added."""
    zoomed = Zoom(0.5)(MetaTensor(torch.from_numpy(image8)[None].float(), meta={"bits": 8}))
    given = (zoomed / 255).clamp(0, 1)
    Zoom(0.5, lazy=True)(given)
    result = aiin(given, bits=8)
    assert torch.equal(result.affine, given.affine)
    assert result.applied_operations == given.applied_operations
    assert [o["class"] for o in result.applied_operations] == ["Zoom"]
    assert len(result.pending_operations) == len(given.pending_operations)
    assert result.meta.keys() == given.meta.keys()
    assert result.meta["bits"] == 8


def test_input_is_never_written_to(image8):
    """Arrays, read-only ones, tensors: all as before, and no memory shared with the result."""
    image8.flags.writeable = False
    for given in as_kinds(image8):
        mask = np.zeros(image8.shape, bool)
        mask[:30] = True
        for options in ({}, {"mask": mask}):
            result = aiin(given, **options)
            assert not np.shares_memory(np.asarray(result), np.asarray(given))
            np.testing.assert_array_equal(np.asarray(given), image8)


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[::-1, ::-2],
        lambda a: np.asfortranarray(a),
        lambda a: a.T,
        lambda a: a.astype(">u2"),
    ],
)
def test_memory_layout_does_not_matter(image8, view):
    """Negative strides, column order and big-endian levels give the same numbers."""
    given = view(image8)
    plain = np.array(given, dtype=np.uint8, order="C")
    result = aiin(given, bits=8)
    assert result.dtype == given.dtype
    np.testing.assert_array_equal(result, aiin(plain))


def test_no_gradient_is_asked_for_or_given(image8):
    """A tensor that requires a gradient is taken; the result is detached."""
    given = (torch.from_numpy(image8) / 255).requires_grad_()
    assert not aiin(given, bits=8).requires_grad


def test_each_plane_is_normalised_by_itself():
    """(2, 3, H, W) is six images."""
    stack = np.stack([make_image("radiograph", 33, 40, 8, seed) for seed in range(6)])
    result = aiin(stack.reshape(2, 3, 33, 40)).reshape(6, 33, 40)
    for plane, expected in zip(result, stack, strict=True):
        np.testing.assert_array_equal(plane, aiin(expected))


def test_pooled_frames_share_their_look_ups():
    """A level at one place maps to one level in every frame; frame by frame it doesn't."""
    frames = np.stack([make_image("radiograph", 48, 48, 8, seed) for seed in range(4)])
    frames[:, 20, 20] = 90
    pooled, alone = aiin(frames, pool_frames=True), aiin(frames)
    assert len(set(pooled[:, 20, 20])) == 1
    assert len(set(alone[:, 20, 20])) > 1
    np.testing.assert_array_equal(aiin(frames[:1], pool_frames=True), alone[:1])


def test_12_bits_stay_12_bits(image12):
    """The contrast grows within 0…4095; over 65,536 bins the same values lose half of theirs."""
    result = aiin(image12, bits=12)
    assert result.max() <= 4095
    assert result.std() > aiin(image12).std() / 16


@pytest.mark.parametrize("bits", [8, 12])
def test_full_mask_changes_nothing(bits):
    """All pixels valid is the same as no mask, padding included."""
    image = make_image("radiograph", 61, 53, bits)
    full = np.ones(image.shape, bool)
    np.testing.assert_array_equal(aiin(image, bits=bits, mask=full), aiin(image, bits=bits))


def test_pixels_outside_the_mask_do_not_count_and_stay(image8):
    """Whatever stands in the border, the inside is the same and the border comes back."""
    mask = np.ones(image8.shape, bool)
    mask[:, :20] = False
    results = []
    for filler in (0, 255):
        given = np.where(mask, image8, filler).astype(np.uint8)
        results.append(aiin(given, mask=mask))
        assert (results[-1][~mask] == filler).all()
    np.testing.assert_array_equal(results[0][mask], results[1][mask])


def test_masked_pixels_may_hold_anything():
    """NaN and values out of range outside the mask are neither refused nor changed."""
    given = make_image("radiograph", 40, 40, 8).astype(np.float32) / 255
    mask = np.ones(given.shape, bool)
    mask[:3] = False
    given[0], given[1], given[2] = np.nan, np.inf, -2000
    result = aiin(given, bits=8, mask=mask)
    np.testing.assert_array_equal(result[:3], given[:3])
    assert np.isfinite(result[3:]).all()


def test_window_without_valid_pixels_borrows_from_its_neighbours():
    """With one column of windows valid, all others take that column's look-ups, row by row."""
    image = make_image("noise", 40, 40, 8)
    left = np.zeros(image.shape, bool)
    left[:, :10] = True  # the first of four columns of windows
    whole = aiin(image[:, :10], (4, 1))
    np.testing.assert_array_equal(aiin(image, (4, 4), mask=left)[:, :10], whole)


def test_empty_mask_returns_the_image(image8):
    """Nothing valid: nothing changed."""
    np.testing.assert_array_equal(aiin(image8, mask=np.zeros(image8.shape, bool)), image8)


def test_mask_broadcasts_over_leading_axes(image8):
    """(H, W), (1, H, W) and tensors of 0 and 1 all mask every plane."""
    stack = np.stack([image8, image8[::-1]])
    mask = np.zeros(image8.shape, bool)
    mask[5:50, 5:50] = True
    expected = aiin(stack, mask=np.stack([mask, mask]))
    for given in (mask, mask[None], torch.from_numpy(mask), mask.astype(np.float32)):
        np.testing.assert_array_equal(aiin(stack, mask=given), expected)


IMAGE = np.arange(64, dtype=np.uint8).reshape(8, 8)
FLOAT = IMAGE / np.float32(255)


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (FLOAT, {}, "bits must be given for a float image"),
        (IMAGE.astype(np.int16), {}, "bits must be given for an image of int16"),
        (IMAGE, {"bits": 9}, "bits must be 1 to 8 for an image of uint8, got 9"),
        (IMAGE, {"bits": 0}, "bits must be an integer from 1 to 16, got 0"),
        (FLOAT, {"bits": 17}, "bits must be an integer from 1 to 16, got 17"),
        (FLOAT, {"bits": 8.0}, r"bits must be an integer from 1 to 16, got 8\.0"),
        (IMAGE, {"bits": 5}, r"image must lie in 0 to 31 \(bits=5\), got values from 0 to 63"),
        (IMAGE.astype(np.uint16) * 100, {"bits": 12}, "0 to 4095 .*got values from 0 to 6300"),
        (IMAGE.astype(np.int16) - 1, {"bits": 8}, "0 to 255 .*got values from -1 to 62"),
        (FLOAT + 1, {"bits": 8}, r"image must lie in 0 to 1 .*got values from 1 to 1\.2"),
        (FLOAT, {"bits": 8, "value_range": (0, 0.1)}, r"image must lie in 0 to 0\.1"),
        (FLOAT, {"bits": 8, "value_range": (1, 1)}, "value_range must be two numbers"),
        (FLOAT, {"bits": 8, "value_range": (0, np.inf)}, "value_range must be two numbers"),
        (FLOAT, {"bits": 8, "value_range": 255}, "value_range must be two numbers.*got 255"),
        (IMAGE, {"value_range": (0, 255)}, "value_range must be None for an image of uint8"),
        (FLOAT * np.nan, {"bits": 8}, "finite values, got NaN or infinity in 64 pixels"),
        (np.where(IMAGE, FLOAT, np.inf), {"bits": 8}, "NaN or infinity in 1 pixels"),
        (IMAGE[:0], {}, r"at least one pixel, got shape \(0, 8\)"),
        (IMAGE[None][:0], {}, r"at least one pixel, got shape \(0, 8, 8\)"),
        (IMAGE[0], {}, r"at least two axes \(\.\.\., H, W\), got shape \(8,\)"),
        (
            IMAGE,
            {"pool_frames": True},
            r"frame_axis must be an axis before H and W.* got -3 for an image of shape \(8, 8\)",
        ),
        (IMAGE, {"windows": (0, 4)}, r"windows must be two integers from 1 to 1024.*got \(0, 4\)"),
        (IMAGE, {"windows": (4, -1)}, "windows must be two integers"),
        (IMAGE, {"windows": (4, 4.5)}, "windows must be two integers"),
        (IMAGE, {"windows": (True, 4)}, "windows must be two integers"),
        (IMAGE, {"windows": 4}, "windows must be two integers.*got 4"),
        (IMAGE, {"windows": "44"}, "windows must be two integers.*got '44'"),
        (IMAGE, {"windows": (4, 4, 4)}, "windows must be two integers"),
        (IMAGE, {"windows": (10**9, 1)}, "windows must be two integers from 1 to 1024"),
        (IMAGE.astype("u2"), {"windows": (1024, 1024)}, r"at most 2\^28 look-up entries"),
        (IMAGE, {"contrast_threshold": 0}, "contrast_threshold must be a finite number above 0"),
        (IMAGE, {"contrast_threshold": -1.0}, "contrast_threshold must be .* got -1"),
        (IMAGE, {"contrast_threshold": np.nan}, "contrast_threshold must be .* got nan"),
        (IMAGE, {"contrast_threshold": np.inf}, "contrast_threshold must be .* got inf"),
        (IMAGE, {"contrast_threshold": 1e12}, r"at most 1\.374e\+11 for windows of 4 pixels"),
        (IMAGE, {"contrast_threshold": "10"}, "contrast_threshold must be .* got '10'"),
        (IMAGE, {"mask": np.ones((8, 7), bool)}, r"mask must have the shape \(8, 8\).*\(8, 7\)"),
        (IMAGE, {"mask": np.ones((1, 1), bool)}, "mask must have the shape"),
        (IMAGE, {"mask": np.ones((3, 8, 8), bool)}, "mask must have the shape"),
        (IMAGE, {"mask": IMAGE}, "mask must hold only True and False"),
    ],
)
@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
def test_bad_values_are_refused_in_one_line(image, options, message, kind):
    """A UserError, which is a ValueError, says what was given and what is allowed."""
    given = image.copy()
    with pytest.raises(UserError, match=message) as raised:
        aiin(kind(given), **options)
    assert "\n" not in str(raised.value)
    np.testing.assert_array_equal(given, image)


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (IMAGE > 3, {}, "integer or float dtype, got bool"),
        (IMAGE * 1j, {}, "integer or float dtype, got complex128"),
        (torch.ones(4, 4, dtype=torch.bool), {}, "integer or float dtype, got bool"),
        (IMAGE.astype(str), {}, "integer or float dtype, got <U"),
        ([[1, 2], [3, 4]], {}, "image must be a NumPy array or a torch tensor, got list"),
        (None, {}, "image must be a NumPy array or a torch tensor, got NoneType"),
        (IMAGE, {"mask": [[True]]}, "mask must be a NumPy array or a torch tensor, got list"),
    ],
)
def test_wrong_types_are_refused(image, options, message):
    """A TypeError for what isn't an image at all."""
    with pytest.raises(TypeError, match=message):
        aiin(image, **options)


def test_kernels_compile_where_no_cache_can_be_written():
    """A function without a file can't be cached by numba; it's compiled all the same."""
    namespace = {}
    exec("def double(x):\n    return 2 * x", namespace)
    assert compiled(namespace["double"])(21) == 42
