"""Any network as an extractor: what goes in, what comes out, and in which precision."""

import pytest
import torch
from monai.data import MetaTensor
from torch import Tensor, nn

from medaug.errors import ConfigError, UserError
from medaug.features import Extractor, Features


class Toy(nn.Module):
    """Means of 4 x 4 filters, and logits of three classes."""

    def __init__(self, classes: bool = True) -> None:
        super().__init__()
        self.classes = classes
        self.convolution = nn.Conv2d(3, 8, 4)
        self.norm = nn.BatchNorm2d(8)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(8, 3)

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        maps = self.drop(self.norm(self.convolution(images.expand(-1, 3, -1, -1))))
        vectors = maps.mean((2, 3))
        return (vectors, self.head(vectors)) if self.classes else vectors


def extractor(network: nn.Module | None = None, **options) -> Extractor:
    return Extractor(network or Toy(), name="toy", protocol={"weights": "0"}, **options)


def giving(output: object) -> Extractor:
    """An extractor whose network gives this, whatever it is shown."""

    class Giving(nn.Module):
        def forward(self, images: Tensor) -> object:
            return output

    return extractor(Giving())


IMAGES = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def test_vectors_and_probabilities_of_every_image_in_its_order():
    """Float32 on the CPU, without a gradient, rows of probabilities add up to 1."""
    toy = Toy()
    made = extractor(toy)(IMAGES, batch_size=2)
    assert isinstance(made, Features)
    vectors, logits = toy.eval()(IMAGES)
    torch.testing.assert_close(made.vectors, vectors)
    torch.testing.assert_close(made.probabilities, logits.softmax(1))
    torch.testing.assert_close(made.probabilities.sum(1), torch.ones(5))
    for values in made:
        assert (values.dtype, values.device.type) == (torch.float32, "cpu")
        assert not values.requires_grad


def test_a_network_without_classes_has_no_probabilities():
    """None, rather than something made up."""
    made = extractor(Toy(classes=False))(IMAGES)
    assert made.vectors.shape == (5, 8)
    assert made.probabilities is None


def test_the_network_is_frozen():
    """No dropout, no statistics of batches, no gradients."""
    toy = Toy().train()
    made = extractor(toy)
    assert not toy.training
    assert not any(value.requires_grad for value in toy.parameters())
    assert torch.equal(made(IMAGES).vectors, made(IMAGES).vectors)


def test_precision_is_float32_whatever_the_training_around_it_sets():
    """Inside autocast and with fast products as without, and the settings are as before."""
    made = extractor()
    plain = made(IMAGES).vectors
    torch.set_float32_matmul_precision("medium")
    try:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert torch.equal(made(IMAGES).vectors, plain)
            assert torch.is_autocast_enabled("cpu")
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_images_of_another_precision_are_taken(dtype):
    """They come to the network as float32."""
    images = (IMAGES * 8).round() / 8  # the same numbers in each
    assert torch.equal(extractor_of_means()(images.to(dtype)).vectors, means(images))


def extractor_of_means() -> Extractor:
    class Means(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            assert type(images) is Tensor
            assert images.dtype == torch.float32
            return images.mean((2, 3))

    return extractor(Means())


def means(images: Tensor) -> Tensor:
    return images.mean((2, 3))


def test_meta_tensors_are_plain_tensors_to_the_network():
    """MONAI's images carry metadata, which the network has no use for."""
    made = extractor_of_means()(MetaTensor(IMAGES, meta={"a": 1}))
    assert torch.equal(made.vectors, means(IMAGES))
    assert type(made.vectors) is Tensor


def test_images_of_an_inference_or_with_gradients_are_taken():
    """A generator's own output needs no care."""
    with torch.inference_mode():
        images = IMAGES.clone()
    made = extractor_of_means()
    assert torch.equal(made(images).vectors, means(IMAGES))
    assert torch.equal(made(IMAGES.clone().requires_grad_()).vectors, means(IMAGES))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([1], "tensor of floats of .N, C, H, W., got list"),
        (torch.rand(1, 8, 8), "got torch.float32 of .1, 8, 8."),
        (torch.zeros(1, 1, 8, 8, dtype=torch.uint8), "got torch.uint8"),
        (torch.rand(1, 2, 8, 8), "images must have 1 or 3 channels, got 2"),
        (torch.rand(0, 1, 8, 8), "images must be at least one, .* got .0, 1, 8, 8."),
        (torch.rand(1, 1, 0, 8), "sides of at least 1, got .1, 1, 0, 8."),
        (torch.full((1, 1, 8, 8), 1.1), "must lie in 0 to 1, got values from 1.1 to 1.1"),
        (torch.full((1, 1, 8, 8), -0.1), "must lie in 0 to 1, got values from -0.1"),
        (torch.full((1, 1, 8, 8), torch.nan), "must lie in 0 to 1, got values from nan"),
    ],
    ids=str,
)
def test_images_of_another_form(images, message):
    """Said before anything is computed."""
    with pytest.raises(UserError, match=message):
        extractor()(images)


def test_channels_and_sides_that_a_network_needs():
    """Where it isn't 1 or 3 of any size."""
    strict = extractor(channels=(3,), smallest_side=8)
    with pytest.raises(UserError, match="images must have 3 channels, got 1"):
        strict(IMAGES)
    with pytest.raises(UserError, match=r"sides of at least 8, got \(1, 3, 8, 7\)"):
        strict(torch.rand(1, 3, 8, 7))


def test_a_batch_has_an_image():
    """Else there would be no end."""
    with pytest.raises(ConfigError, match="batch_size must be at least 1, got 0"):
        extractor()(IMAGES, batch_size=0)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (torch.zeros(5, 8, 2, 2), r"must give vectors \(5, D\), .* got \(5, 8, 2, 2\)"),
        (torch.zeros(4, 8), r"for 5 images, got \(4, 8\)"),
        ((torch.zeros(5, 8), torch.zeros(5)), r"logits \(5, K\), for 5 images, got \(5,\)"),
        ((torch.zeros(5, 8),) * 3, "got tuple"),
        ({"features": torch.zeros(5, 8)}, "got dict"),
        (
            torch.full((5, 8), torch.nan),
            "toy must be finite, got NaN or infinity for 5 of 5 images",
        ),
        (torch.tensor([[1.0]] * 4 + [[torch.inf]]), "infinity for 1 of 5 images"),
    ],
    ids=["map", "fewer", "logits", "three", "dict", "nan", "infinity"],
)
def test_networks_that_give_something_else(output, message):
    """A map of features, a part of the batch, NaN."""
    with pytest.raises(UserError, match=message):
        giving(output)(IMAGES)


def test_the_protocol_holds_name_and_precision():
    """And what was given."""
    made = extractor()
    assert made.protocol == {"name": "toy", "precision": "float32", "weights": "0"}
    assert "toy" in repr(made)
