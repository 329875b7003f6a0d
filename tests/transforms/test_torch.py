"""The torch implementation has the numbers of the compiled one and of the plain reference."""

from contextlib import ExitStack, contextmanager
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from medaug.errors import UserError
from medaug.transforms import _torch, aiin

from ..references.clahe import clahe
from .images import cases, make_image

SCRIPTED = torch.jit.script(_torch.normalise)
FORMS = ["eager", "small steps", "other device", "script"]


@contextmanager
def form(name):
    """Give `normalise` as it runs on a CPU, there in many steps, on other devices, and scripted."""
    patches = ExitStack()
    if name == "small steps":
        patches.enter_context(mock.patch.object(_torch._apply_in_chunks, "__defaults__", (100,)))
        patches.enter_context(mock.patch.object(_torch._count_by_window, "__defaults__", (1,)))
    elif name == "other device":
        patches.enter_context(mock.patch.object(_torch, "_loops_pay", return_value=False))
    with patches:
        yield SCRIPTED if name == "script" else _torch.normalise


def check(case, bits, name):
    """Compare one drawn case with the compiled implementation and the reference."""
    image, windows, threshold = case
    with form(name) as normalise:
        ours = normalise(torch.from_numpy(image), windows, threshold, bits).numpy()
    assert ours.dtype == image.dtype
    np.testing.assert_array_equal(ours, aiin(image, windows, threshold, bits=bits))
    if np.prod(windows) <= 64:  # the reference takes long over more; test_exact.py compares those
        np.testing.assert_array_equal(ours, clahe(image[None], windows, threshold, bits)[0])


@given(cases(bits=8, largest=50), st.sampled_from(FORMS))
@settings(deadline=None, max_examples=1000)
def test_8_bit_equals_both(case, name):
    """256 bins: no pixel differs."""
    check(case, 8, name)


@given(cases(bits=12), st.sampled_from(FORMS))
@settings(deadline=None, max_examples=400)
def test_12_bit_equals_both(case, name):
    """4,096 bins: no pixel differs."""
    check(case, 12, name)


@given(cases(bits=16, largest=40), st.sampled_from(FORMS))
@settings(deadline=None, max_examples=60)
def test_16_bit_equals_both(case, name):
    """65,536 bins: no pixel differs."""
    check(case, 16, name)


@given(
    cases(bits=10, largest=40),
    st.integers(1, 3),
    st.integers(1, 3),
    st.floats(0, 1),
    st.booleans(),
    st.sampled_from(FORMS),
)
@settings(deadline=None, max_examples=200)
def test_masked_and_pooled_equal_both(case, groups, frames, share, whole, name):
    """(G, F, H, W) pooled over F, random masks, windows and groups without a valid pixel."""
    image, windows, threshold = case
    stack = np.stack([np.roll(image, k, axis=1) for k in range(groups * frames)])
    stack = stack.reshape(groups, frames, *image.shape)
    valid = np.random.default_rng(groups).random(stack.shape) < share
    valid[:, :, : image.shape[0] // 2] &= whole
    with form(name) as normalise:
        ours = normalise(
            torch.from_numpy(stack), windows, threshold, 10, None, torch.from_numpy(valid), True
        ).numpy()
    theirs = aiin(stack, windows, threshold, bits=10, mask=valid, pool_frames=True)
    np.testing.assert_array_equal(ours, theirs)
    for group in range(groups):
        expected = clahe(stack[group], windows, threshold, 10, valid[group])
        np.testing.assert_array_equal(ours[group], expected)


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("bits", [8, 12])
def test_a_radiograph_equals_the_compiled_numbers(name, bits):
    """A size at which windows are counted one by one and rows interpolated in several runs."""
    image = make_image("radiograph", 700, 900, bits)
    with form(name) as normalise:
        ours = normalise(torch.from_numpy(image), (4, 5), 10.0, bits)
    np.testing.assert_array_equal(ours.numpy(), aiin(image, (4, 5), bits=bits))


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("axis", [-3, -4, -5, 0, 1, 2])
def test_frames_are_pooled_along_any_leading_axis(name, axis):
    """Each position along the other leading axes has look-ups of its own."""
    stack = np.stack([make_image("radiograph", 20, 24, 8, seed) for seed in range(12)])
    stack = stack.reshape(2, 3, 2, 20, 24)
    with form(name) as normalise:
        ours = normalise(
            torch.from_numpy(stack), (2, 3), 5.0, 8, None, None, pool_frames=True, frame_axis=axis
        )
    expected = aiin(stack, (2, 3), 5.0, pool_frames=True, frame_axis=axis)
    np.testing.assert_array_equal(ours.numpy(), expected)
    assert (expected != aiin(stack, (2, 3), 5.0)).any()


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("value_range", [(0.0, 1.0), (0.1, 0.3), (-1024.0, 3071.0)])
def test_floats_equal_the_compiled_numbers(name, dtype, value_range):
    """Binned and turned back in the same precision; masked pixels keep what they hold, NaN too."""
    low, high = value_range
    shares = torch.from_numpy(np.random.default_rng(0).random((2, 31, 33)))
    if dtype == torch.bfloat16:  # so coarse that its nearest number may lie out of range
        shares = 0.01 + 0.98 * shares
    else:
        shares[0, 0, :2] = torch.tensor([0.0, 1.0])
    image = (low + shares * (high - low)).to(dtype)
    mask = torch.ones(31, 33)
    mask[:, 5:9] = 0
    image[0, 3, 6], image[0, 4, 6] = torch.nan, torch.inf
    with form(name) as normalise:
        ours = normalise(image, (3, 4), 10.0, 11, value_range, mask)
    expected = aiin(image, (3, 4), 10.0, bits=11, value_range=value_range, mask=mask)
    assert ours.dtype == dtype
    torch.testing.assert_close(ours, expected, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize(
    "dtype", [torch.int8, torch.uint8, torch.int16, torch.uint16, torch.int32, torch.int64]
)
def test_integer_dtypes_do_not_matter(dtype):
    """Levels of 7 bits in any integer dtype give the same levels in that dtype."""
    image = torch.from_numpy(make_image("radiograph", 40, 30, 7))
    for name in FORMS:
        with form(name) as normalise:
            ours = normalise(image.to(dtype), (4, 4), 10.0, 7)
        assert ours.dtype == dtype
        assert torch.equal(ours.to(torch.uint8), _torch.normalise(image, (4, 4), 10.0, 7))


@pytest.mark.parametrize("name", FORMS)
def test_layout_input_and_gradient(name):
    """Strided images give the same numbers, inputs aren't written to, no gradient flows."""
    image = torch.from_numpy(make_image("radiograph", 64, 60, 8) / np.float32(255))
    turned = image.flip(0).T.contiguous().T.flip(0).requires_grad_()
    before = turned.detach().clone()
    mask = torch.ones(64, 60, dtype=torch.bool)
    mask[:9] = False
    with form(name) as normalise:
        ours = normalise(turned, (4, 4), 10.0, 8, (0.0, 1.0), mask)
    assert not ours.requires_grad
    assert torch.equal(turned, before)
    np.testing.assert_array_equal(ours, aiin(image, bits=8, mask=mask))


def test_thresholds_beyond_all_counts_mean_no_limit():
    """As far as a float goes, without an overflow."""
    image = torch.from_numpy(make_image("sparse", 50, 50, 8))
    for name in FORMS:
        with form(name) as normalise:
            assert torch.equal(
                normalise(image, (2, 2), 1e300, 8), normalise(image, (2, 2), 256.0, 8)
            )


def test_tables_are_those_of_each_group():
    """(G, windows_h, windows_w, 2^bits) whole numbers, that apply() takes for other frames."""
    frames = torch.from_numpy(make_image("radiograph", 3 * 32, 32, 8)).reshape(1, 3, 32, 32)
    tables = _torch.fit(frames, None, (2, 4), 10.0, 8)
    assert tables.shape == (1, 2, 4, 256)
    assert torch.equal(tables, tables.round().clamp(0, 255))
    pooled = _torch.normalise(frames, (2, 4), 10.0, 8, pool_frames=True)
    for frame in range(3):
        alone = _torch.apply(frames[:, frame : frame + 1], tables)
        assert torch.equal(alone[:, 0], pooled[:, frame])


def test_scripts_for_other_devices_give_the_same_tables_and_levels():
    """What a script runs there instead of loops over windows and rows."""
    levels = torch.from_numpy(make_image("radiograph", 4 * 33, 35, 12).astype(np.int32))
    levels = levels.reshape(2, 2, 33, 35)
    tables = _torch.fit(levels, None, (3, 4), 10.0, 12)
    padded = _torch._pad(levels, 3, 1)
    counts = torch.jit.script(_torch._count_at_once)(padded, None, (3, 4), 12)
    assert torch.equal(counts, _torch._count_by_window(padded, (3, 4), 12, least=1))
    apply_at_once = torch.jit.script(_torch._apply_at_once)
    assert torch.equal(apply_at_once(levels, tables), _torch.apply(levels, tables))


FLOAT = torch.arange(64.0).reshape(8, 8) / 255


@pytest.mark.parametrize(
    ("image", "bits", "value_range", "message"),
    [
        (FLOAT + 1, 8, (0.0, 1.0), r"must lie in 0 to 1 .*got values from 1 to 1\.2"),
        (FLOAT.to(torch.bfloat16) - 1, 8, (0.0, 1.0), "must lie in 0 to 1 .*from -1"),
        (FLOAT.half() * torch.nan, 8, (0.0, 1.0), "NaN or infinity in 64 pixels"),
        (FLOAT * 255 + 1, 6, (0.0, 63.0), r"must lie in 0 to 63 .*to 64"),
        ((FLOAT * 255).to(torch.uint16), 5, None, r"0 to 31 \(bits=5\), got values from 0 to 63"),
        ((FLOAT * 255).to(torch.int16) - 1, 8, None, "0 to 255 .*got values from -1 to 62"),
    ],
)
def test_values_are_refused_in_the_words_of_aiin(image, bits, value_range, message):
    """check_values() for tensors on a device raises what aiin() raises for one on the CPU."""
    with pytest.raises(UserError, match=message) as ours:
        _torch.check_values(image, bits, value_range, None)
    with pytest.raises(UserError, match=message) as theirs:
        aiin(image, bits=bits, value_range=value_range)
    assert str(ours.value) == str(theirs.value)


def test_values_that_aiin_takes_are_not_refused():
    """A rounding past the end, and anything at all where the mask is False."""
    beyond = torch.nextafter(torch.ones(4, 4), torch.full((4, 4), 2.0))
    _torch.check_values(beyond, 8, (0.0, 1.0), None)
    beyond[0] = torch.nan
    mask = torch.ones(4, 4)
    mask[0] = 0
    _torch.check_values(beyond[None], 8, (0.0, 1.0), mask)
    with pytest.raises(UserError, match="NaN or infinity in 4 pixels"):
        _torch.check_values(beyond, 8, (0.0, 1.0), None)
    _torch.check_values(torch.full((4, 4), 4095, dtype=torch.uint16), 12, None, None)
