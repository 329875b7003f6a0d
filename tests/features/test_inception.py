"""The network of FID beside torch-fidelity's, with the same random weights."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from medaug.errors import CheckpointError
from medaug.features import Extractor, inception2015
from medaug.features._inception import InceptionV3, load_inception, quantise, resize

from .fidelity import pictures, random_fidelity


@pytest.fixture(scope="module")
def peer() -> nn.Module:
    return random_fidelity()


@pytest.fixture(scope="module")
def ours(peer: nn.Module, tmp_path_factory) -> Extractor:
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(peer.state_dict(), path)
    return inception2015(path)


def relative(ours: Tensor, theirs: Tensor) -> float:
    """The largest distance of two rows by the length of one."""
    return ((ours - theirs).norm(dim=1) / theirs.norm(dim=1)).max().item()


@pytest.mark.parametrize(("height", "width"), [(64, 64), (299, 299), (400, 150)])
def test_the_same_vectors_and_classes_as_torch_fidelity(peer, ours, height, width):
    """Within 1e-5 of a vector's length and of the probabilities; smaller and larger images."""
    levels = pictures(height, width, num=3)
    vectors, logits = peer(levels)
    made = ours(levels / 255)
    assert made.vectors.shape == (3, 2048)
    assert made.vectors.dtype == torch.float32
    assert relative(made.vectors, vectors) < 1e-5
    torch.testing.assert_close(made.vectors, vectors, rtol=0, atol=1e-5 * vectors.max().item())
    torch.testing.assert_close(made.probabilities, logits.softmax(1), rtol=1e-5, atol=0)
    # else the comparison could not fail
    assert relative(vectors[:1], vectors[1:]) > 0.05
    assert (logits.softmax(1)[0] / logits.softmax(1)[1] - 1).abs().max() > 0.05


def test_grey_images_are_three_equal_channels(peer, ours):
    """Resized once, and the same vectors."""
    levels = pictures(64, 48, channels=1, num=2)
    vectors, _ = peer(levels.expand(-1, 3, -1, -1))
    assert relative(ours(levels / 255).vectors, vectors) < 1e-5


def test_images_between_levels_are_rounded(ours):
    """To the nearest of 256, not down."""
    levels = pictures(64, 64).float()
    near = levels / 255 + torch.where(levels < 128, 0.4, -0.4) / 255
    assert torch.equal(quantise(near), (levels - 128) / 128)
    assert torch.equal(ours(near[:1]).vectors, ours(levels[:1] / 255).vectors)


@pytest.mark.parametrize("size", [1, 2, 32, 64, 100, 298, 300, 512, 1000])
def test_resizing_is_that_of_tensorflow_1(size):
    """Torch-fidelity's, which is bit-exact to it, to 1e-4 of 255 levels; the rim included."""
    module = pytest.importorskip("torch_fidelity.interpolate_compat_tensorflow")
    levels = torch.randint(0, 256, (1, 2, size, max(1, size // 2)), dtype=torch.uint8).float()
    theirs = module.interpolate_bilinear_2d_like_tensorflow1x(
        levels, size=(299, 299), align_corners=False
    )
    torch.testing.assert_close(resize(levels), theirs, rtol=0, atol=1e-4)


def test_an_image_of_299_pixels_is_left_as_it_is():
    """Not even copied."""
    image = torch.rand(1, 3, 299, 299)
    assert resize(image) is image


def test_vectors_do_not_depend_on_the_batch(ours):
    """But for rounding."""
    images = pictures(64, 64, num=3) / 255
    assert relative(ours(images, batch_size=1).vectors, ours(images, batch_size=2).vectors) < 1e-6


def test_other_weights_have_another_name(ours):
    """Ten networks of one name would be ten metrics of one name."""
    digest = ours.protocol["weights"]
    assert len(digest) == 64
    assert ours.name == f"inception2015_tf1_{digest[:8]}" == ours.protocol["name"]
    assert ours.protocol["resize"] == "bilinear of TensorFlow 1 to 299"
    assert (ours.protocol["precision"], ours.protocol["folded"]) == ("float32", "yes")


def test_the_random_state_stays(peer):
    """Building the network draws nothing from it."""
    before = torch.get_rng_state()
    assert isinstance(load_inception(peer.state_dict(), Path("weights.pth")), InceptionV3)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"fc.weight": torch.zeros(1000, 2048)},
            "graph of 2015 with 1008 classes, got 1000: torch",
        ),
        ({"fc.bias": None}, r"fc.bias of \(1008,\), got none"),
        ({"Mixed_5b.branch1x1.bn.running_var": None}, "Mixed_5b.branch1x1.bn.running_va"),
        (
            {"Mixed_6b.branch7x7_2.conv.weight": torch.zeros(128, 128, 7, 1)},
            r"branch7x7_2.conv.weight of \(128, 128, 1, 7\), got \(128, 128, 7, 1\)",
        ),
        (
            {"AuxLogits.fc.bias": torch.zeros(1)},
            "network alone, got AuxLogits.fc.bias .1 names too",
        ),
        ({"fc.weight": torch.tensor(1.0)}, r"fc.weight of \(1008, 2048\), got \(\)"),
    ],
    ids=str,
)
def test_another_graph_is_refused(peer, change, message):
    """Naming the file and the first thing that differs; nothing loads by chance."""
    state = {k: v for k, v in (peer.state_dict() | change).items() if v is not None}
    with pytest.raises(CheckpointError, match=f"weights.pth must hold .*{message}"):
        load_inception(state, Path("weights.pth"))


def test_counters_of_batches_may_be_missing(peer):
    """Older files have none."""
    state = {k: v for k, v in peer.state_dict().items() if "num_batches" not in k}
    assert load_inception(state, Path("weights.pth")) is not None
