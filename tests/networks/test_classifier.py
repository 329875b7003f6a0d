"""Classifiers of timm's: any size, grey images, pretrained weights, and the raw form for export."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.transforms import Resize
from torch.nn.functional import interpolate

from medaug.errors import CheckpointError, ConfigError, UserError
from medaug.networks import ImageClassifier, RawClassifier, image_classifier
from medaug.networks._classifier import _area_weights
from medaug.transforms import AIIN

timm = pytest.importorskip("timm")
VIT = "vit_tiny_patch16_224"
TINY = {"patch_size": 8, "embed_dim": 16, "depth": 1, "num_heads": 2}


def tiny(**changes: Any) -> ImageClassifier:
    """A vision transformer of a few thousand weights, whose scores differ from image to image."""
    torch.manual_seed(0)
    arguments = {"num_classes": 3, "image_size": 32, **TINY} | changes
    made = image_classifier(VIT, **arguments)
    with torch.no_grad():
        for value in made.parameters():
            value.normal_(0, 0.3)
        head: Any = made.eval().model.get_submodule("head")
        some = torch.rand(8, 1, made.image_size, made.image_size)
        head.weight /= made(some).std(0).mean()
        head.bias -= made(some).mean(0)
    return made


@pytest.mark.parametrize(
    ("name", "size", "options"),
    [
        (VIT, 64, TINY),
        (VIT, 40, {**TINY, "patch_size": 4, "drop_path_rate": 0.1}),
        ("resnet18", 48, {}),
        ("mobilenetv3_small_050", 33, {"drop_rate": 0.2}),
    ],
)
def test_models_take_grey_images_of_a_size(name: str, size: int, options: dict[str, Any]) -> None:
    """Transformers of any patch size and networks of convolutions alike; gradients reach them."""
    made = image_classifier(name, num_classes=4, image_size=size, **options)
    assert made.origin == "from scratch"
    logits = made(torch.rand(2, 1, size, size))
    assert logits.shape == (2, 4)
    logits.sum().backward()
    assert all(weight.grad is not None for weight in made.parameters())


def test_the_input_is_normalised_inside() -> None:
    """By timm's mean and deviation, averaged over colours; only the model's weights are saved."""
    made = image_classifier("resnet18", num_classes=2, image_size=32).eval()
    known = timm.get_pretrained_cfg("resnet18")
    mean, std = sum(known.mean) / 3, sum(known.std) / 3
    image = torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        assert torch.allclose(made(image), made.model((image - mean) / std), atol=1e-5)
    assert all(name.startswith("model.") for name in made.state_dict())
    colour = image_classifier("resnet18", num_classes=2, image_size=32, image_channels=3)
    assert colour.mean.flatten().tolist() == pytest.approx(known.mean)


def test_what_comes_in_can_be_normalised_by_the_batch_or_each_image() -> None:
    """An image's own brightness and contrast then don't matter; in training, nor the batch's."""
    image = torch.rand(4, 1, 32, 32)
    other = 0.5 * image + 0.25
    assert not torch.allclose(tiny()(image), tiny()(other), atol=0.1)
    by_image = tiny(input_norm="instance")
    assert torch.allclose(by_image(image), by_image(other), atol=1e-3)
    by_batch = tiny(input_norm="batch")
    assert "input_norm.running_mean" in by_batch.state_dict()
    by_batch.train()
    assert torch.allclose(by_batch(image), by_batch(other), atol=1e-3)
    assert not torch.allclose(by_batch.eval()(image), by_batch(other), atol=0.1)
    raw = torch.jit.script(RawClassifier(by_batch, bits=8, aiin=False))
    assert torch.allclose(raw(image), by_batch(image).softmax(1), atol=1e-6)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(size=st.integers(1, 90), wanted=st.integers(1, 40))
def test_area_weights_are_torchs_area_mode(size: int, wanted: int) -> None:
    """For every pair of sizes, larger and smaller."""
    line = torch.arange(size, dtype=torch.float32).sin().reshape(1, 1, size)
    expected = interpolate(line, wanted, mode="area").flatten()
    found = _area_weights(size, wanted, torch.device("cpu")) @ line.flatten()
    assert torch.allclose(found, expected, atol=1e-5)


def levels(bits: int, height: int, width: int) -> torch.Tensor:
    """Two images with structure, (2, 1, H, W) int32."""
    torch.manual_seed(1)
    coarse = interpolate(torch.rand(2, 1, 5, 4), (height, width), mode="bilinear")
    share = 0.7 * coarse + 0.3 * torch.rand(2, 1, height, width)
    return (share * (2**bits - 1)).round().to(torch.int32)


@pytest.mark.parametrize("aiin", [True, False])
@pytest.mark.parametrize(("bits", "size"), [(8, (70, 45)), (12, (64, 100))])
def test_raw_images_give_the_pipelines_probabilities(
    bits: int, size: tuple[int, int], aiin: bool
) -> None:
    """Levels or shares of the highest, against AIIN and MONAI's Resize; scripted, too."""
    made = tiny()
    raw = RawClassifier(made, bits=bits, aiin=aiin, windows=(4, 2), contrast_threshold=3.0).eval()
    image = levels(bits, *size)
    share = image.float() / (2**bits - 1)
    normal = AIIN(windows=(4, 2), contrast_threshold=3.0, bits=bits)
    prepared = [torch.as_tensor(normal(one) if aiin else one) for one in share]
    resize = Resize((32, 32), mode="area")
    with torch.no_grad():
        pipeline = torch.stack([torch.as_tensor(resize(one)) for one in prepared])
        expected = made(pipeline).softmax(1)
        for given_image in (image, share, image.to(torch.int64)):
            assert (raw(given_image) - expected).abs().max() <= 1e-5
        scripted = torch.jit.script(raw)
        assert (scripted(image) - expected).abs().max() <= 1e-5
    assert expected.std(0).max() > 0.01  # images that could differ
    assert raw.state_dict().keys() == made.state_dict().keys()


def test_aiin_parameters_of_the_raw_form_are_checked() -> None:
    """When it is made."""
    with pytest.raises(UserError, match="bits must be"):
        RawClassifier(tiny(), bits=17)


def saved(made: ImageClassifier, path: Path) -> str:
    """As a training saves it."""
    torch.save(made.state_dict(), path)
    return str(path)


def test_a_trainings_own_file_begins_another(tmp_path: Path) -> None:
    """Same size and classes: the same network; the origin names the file, not its folder."""
    first = tiny()
    file = saved(first, tmp_path / "model.pt")
    second = image_classifier(VIT, num_classes=3, image_size=32, pretrained=file, **TINY).eval()
    image = torch.rand(2, 1, 32, 32)
    with torch.no_grad():
        assert torch.equal(first(image), second(image))
    assert re.fullmatch(r"pretrained, file model\.pt \(SHA-256 \w{12}…\)", second.origin)
    assert "state_dict" not in second.model.pretrained_cfg
    torch.jit.script(second)


def test_a_file_is_fitted_to_size_patch_classes_and_channels(tmp_path: Path) -> None:
    """Of a colour model with 1,000 classes, in safetensors: all but the head is taken over."""
    save_file = pytest.importorskip("safetensors.torch").save_file
    torch.manual_seed(1)
    source = timm.create_model(VIT, img_size=64, **(TINY | {"patch_size": 16}))
    path = tmp_path / "vit.safetensors"
    save_file(source.state_dict(), path)
    made = image_classifier(VIT, num_classes=3, image_size=32, pretrained=str(path), **TINY)
    theirs, ours = source.state_dict(), made.model.state_dict()
    for name in ("blocks.0.attn.qkv.weight", "norm.weight", "cls_token"):
        assert torch.equal(theirs[name], ours[name])
    same = image_classifier(
        VIT, num_classes=3, image_size=64, pretrained=str(path), **(TINY | {"patch_size": 16})
    ).model.state_dict()
    stem = "patch_embed.proj.weight"
    torch.testing.assert_close(same[stem], theirs[stem].sum(1, keepdim=True))
    assert ours["head.weight"].shape == (3, 16)
    assert ours["pos_embed"].shape == (1, 17, 16)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "vit_tiny_patch16_225"}, r"of timm's models, got .*nearest is vit_tiny"),
        ({"num_classes": 1}, "num_classes must be at least 2, got 1"),
        ({"image_size": 0}, "image_size must be at least 1, got 0"),
        ({"image_size": 36}, "image_size must be a multiple of the patch size of .*, 8, got 36"),
        ({"image_size": 4}, "image_size must be a multiple of the patch size of .*, 8, got 4"),
        ({"input_norm": "layer"}, "input_norm must be one of fixed, batch, instance, got 'layer'"),
        ({"heads": 3}, "model_options must fit timm's .*heads"),
        ({"num_heads": 3}, "model_options must fit timm's .*num_heads 3"),
        ({"name": "swin_tiny_patch4_window7_224", "image_size": 30}, "must be a multiple|must fit"),
    ],
)
def test_what_cant_be_built_is_refused(changes: dict[str, Any], message: str) -> None:
    """In one line."""
    arguments: dict[str, Any] = {"name": VIT, "num_classes": 2, "image_size": 32, **TINY} | changes
    if "swin" in arguments["name"]:
        arguments = {key: arguments[key] for key in ("name", "num_classes", "image_size")}
    with pytest.raises(ConfigError, match=message) as caught:
        image_classifier(**arguments)
    assert "\n" not in str(caught.value)


class Malicious:
    """A pickle that writes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return self.path.touch, ()


@pytest.mark.parametrize("kind", ["missing", "text", "code", "other model", "empty", "safetensors"])
def test_a_file_that_doesnt_fit_is_refused(kind: str, tmp_path: Path) -> None:
    """In one line that names it; code in it isn't run, and no weight is silently left out."""
    path, written = tmp_path / "weights.pt", tmp_path / "written"
    if kind == "text":
        path.write_text("no weights")
    elif kind == "code":
        torch.save({"model.head.bias": Malicious(written)}, path)
    elif kind == "other model":
        saved(tiny(depth=2), path)
    elif kind == "empty":
        torch.save({}, path)
    elif kind == "safetensors":
        path = path.with_suffix(".safetensors")
        path.write_bytes(b"\0" * 20)
    with pytest.raises(CheckpointError, match=re.escape(path.stem)) as caught:
        image_classifier(VIT, num_classes=3, image_size=32, pretrained=str(path), **TINY)
    assert "\n" not in str(caught.value)
    assert not written.exists()


def test_the_hub_without_a_network_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With both ways out."""
    hub = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    message = r"the weights of vit_tiny.* timm's hub, got .*--pretrained PATH.*--pretrained false"
    with pytest.raises(CheckpointError, match=message) as caught:
        image_classifier("vit_tiny_patch16_224", num_classes=2, image_size=32, pretrained=True)
    assert "\n" not in str(caught.value)
