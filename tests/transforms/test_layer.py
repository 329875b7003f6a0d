"""AIINLayer, in eager networks and in exported ones."""

import copy
import io

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from torch import nn

from medaug.errors import UserError
from medaug.transforms import AIINLayer, aiin

from .images import make_image

DTYPES = [(torch.uint8, 8), (torch.uint16, 12), (torch.int32, 16), (torch.float32, 12)]


def batch(dtype, bits, size=(61, 53), images=3):
    """Return (N, 1, H, W) radiographs of the dtype, floats in [0, 1]."""
    levels = np.stack([make_image("radiograph", *size, bits, seed) for seed in range(images)])
    tensor = torch.from_numpy(levels.astype(np.int32))[:, None]
    return tensor.to(dtype) / (2**bits - 1) if dtype.is_floating_point else tensor.to(dtype)


@pytest.mark.parametrize(("dtype", "bits"), DTYPES)
def test_layer_equals_aiin(dtype, bits):
    """Shape, dtype and every pixel."""
    image = batch(dtype, bits)
    result = AIINLayer((3, 5), 4.0, bits=bits)(image)
    expected = aiin(image, (3, 5), 4.0, bits=bits)
    assert result.dtype == dtype
    assert torch.equal(result, expected)


def test_value_range_is_used_for_floats():
    """Hounsfield-like values come back in their range."""
    image = batch(torch.float32, 12) * 4095 - 1024
    layer = AIINLayer(bits=12, value_range=(-1024, 3071))
    assert torch.equal(layer(image), aiin(image, bits=12, value_range=(-1024, 3071)))


@pytest.mark.parametrize(("dtype", "bits"), DTYPES)
def test_scripted_layer_equals_the_eager_one(dtype, bits):
    """For any size, run again (as TorchScript recompiles), and after saving and loading."""
    layer = AIINLayer((4, 3), bits=bits)
    scripted = torch.jit.script(layer)
    saved = io.BytesIO()
    torch.jit.save(scripted, saved)
    saved.seek(0)
    loaded = torch.jit.load(saved)
    for size in ((61, 53), (64, 48), (2, 1)):
        image = batch(dtype, bits, size)
        for _ in range(3):
            assert torch.equal(scripted(image), layer(image))
        assert torch.equal(loaded(image), layer(image))


@pytest.mark.parametrize(("dtype", "bits"), DTYPES)
def test_exported_layer_equals_the_eager_one(dtype, bits):
    """At its size, for any number of images, and after saving and loading."""
    layer = AIINLayer((4, 3), bits=bits)
    images = torch.export.Dim("images", min=1, max=64)
    program = torch.export.export(layer, (batch(dtype, bits),), dynamic_shapes=[{0: images}])
    saved = io.BytesIO()
    torch.export.save(program, saved)
    saved.seek(0)
    loaded = torch.export.load(saved)
    for number in (1, 3, 7):
        image = batch(dtype, bits, images=number)
        assert torch.equal(program.module()(image), layer(image))
        assert torch.equal(loaded.module()(image), layer(image))


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_traced_layer_equals_the_eager_one():
    """torch.jit.trace, for one size."""
    layer, image = AIINLayer(bits=8), batch(torch.uint8, 8)
    assert torch.equal(torch.jit.trace(layer, (image,))(image), layer(image))


@pytest.mark.parametrize("make", [torch.jit.script, copy.deepcopy])
def test_network_carries_its_normalisation(make):
    """In front of a convolution, half precision, evaluation or training: the same numbers."""
    image = batch(torch.float32, 8)
    network = nn.Sequential(AIINLayer(bits=8), nn.Conv2d(1, 2, 3)).eval()
    with torch.no_grad():
        expected = network[1](aiin(image, bits=8))
        assert torch.equal(make(network)(image), expected)
    half = make(network).half()
    assert torch.equal(half[0](image), aiin(image, bits=8))


def test_metatensors_keep_what_they_know():
    """Batches of MONAI's loaders, in the dtypes that few operations take too."""
    for dtype, bits in DTYPES:
        image = batch(dtype, bits)
        result = AIINLayer(bits=bits)(MetaTensor(image, meta={"source": "a"}))
        assert isinstance(result, MetaTensor)
        assert result.meta["source"] == "a"
        assert torch.equal(result.as_tensor(), AIINLayer(bits=bits)(image))


def test_layer_has_nothing_to_learn_and_passes_no_gradient():
    """No parameters, no state; the result is detached."""
    layer = AIINLayer(bits=8)
    assert not list(layer.parameters())
    assert not layer.state_dict()
    for module in (layer, torch.jit.script(layer)):
        assert not module(batch(torch.float32, 8).requires_grad_()).requires_grad


@pytest.mark.parametrize("make", ["eager", "script", "export"])
def test_values_out_of_range_count_as_the_nearest_end(make):
    """Infinities too; NaN counts as the lowest level. Nothing is refused, nothing undefined."""
    layer = AIINLayer((2, 2), bits=8, value_range=(0.0, 2.0))
    image = batch(torch.float32, 8, (20, 20), 1) * 2
    meant = image.clone()
    wild = [torch.nan, torch.inf, -torch.inf, -3.0, 7.0, 1e38]
    image[0, 0, 0, :6] = torch.tensor(wild)
    meant[0, 0, 0, :6] = torch.tensor([0.0, 2.0, 0.0, 0.0, 2.0, 2.0])
    levels = torch.tensor([[-5, 0, 100, 255, 256, 2**31 - 1]]).to(torch.int32)
    expected = layer(meant), AIINLayer((2, 2), bits=8)(levels.clamp(0, 255))

    for given, want in zip((image, levels), expected, strict=True):
        module = {
            "eager": lambda: layer,
            "script": lambda: torch.jit.script(layer),
            "export": lambda g=given: torch.export.export(layer, (g,)).module(),
        }[make]()
        assert torch.equal(module(given), want)


def test_settings_of_torch_do_not_matter():
    """Default dtype, deterministic algorithms, autocast and inference mode."""
    layer, image = AIINLayer(bits=12), batch(torch.float32, 12)
    expected = layer(image)
    torch.set_default_dtype(torch.float64)
    torch.use_deterministic_algorithms(True)
    try:
        for module in (layer, torch.jit.script(layer)):
            assert torch.equal(module(image), expected)
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
                assert torch.equal(module(image), expected)
    finally:
        torch.set_default_dtype(torch.float32)
        torch.use_deterministic_algorithms(False)


def test_parameters_are_named_when_printed():
    """As other layers do."""
    assert repr(AIINLayer((2, 3), 5, bits=12)) == (
        "AIINLayer(windows=(2, 3), contrast_threshold=5.0, bits=12, value_range=(0.0, 1.0))"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"windows": (0, 4)}, r"windows must be two integers.*got \(0, 4\)"),
        ({"contrast_threshold": -1}, "contrast_threshold must be .* got -1"),
        ({"bits": 17}, "bits must be an integer from 1 to 16, got 17"),
        ({"bits": None}, "bits must be an integer from 1 to 16, got None"),
        ({"value_range": (1, 0)}, r"value_range must be two numbers.*got \(1, 0\)"),
    ],
)
def test_bad_parameters_are_refused_when_the_layer_is_made(options, message):
    """In the words of aiin()."""
    with pytest.raises(UserError, match=message):
        AIINLayer(**({"bits": 8} | options))


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (torch.ones(4), UserError, r"at least two axes \(\.\.\., H, W\), got shape .*4"),
        (torch.ones(0, 4, 4), UserError, "at least one pixel, got shape .*0, 4, 4"),
        (torch.ones(4, 4, dtype=torch.bool), TypeError, "integer or float dtype, got"),
        (torch.ones(4, 4, dtype=torch.complex64), TypeError, "integer or float dtype, got"),
        (torch.ones(4, 4, dtype=torch.uint8), UserError, "bits must be 1 to 8 for an image of"),
        (torch.ones(4, 4, dtype=torch.int8), UserError, "bits must be 1 to 7 for an image of"),
        (torch.ones(4, 4, dtype=torch.int16), UserError, "bits must be 1 to 15 for an image of"),
    ],
)
def test_images_that_cannot_be_normalised_are_refused(image, error, message):
    """By the eager layer with our errors, by a script with TorchScript's own."""
    layer = AIINLayer(bits=16)
    with pytest.raises(error, match=message):
        layer(image)
    with pytest.raises(torch.jit.Error, match=message):
        torch.jit.script(layer)(image)
