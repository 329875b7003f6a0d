"""The domain's classifier: form, training, and what it gives."""

import pytest
import torch
from torch import Tensor

from medaug.data import LoadPictured, PictureCollection
from medaug.errors import ConfigError, UserError
from medaug.features import DomainClassifier, train_classifier

from ..shared import SHARED, needs_shared


def stripes(num: int, side: int = 16, channels: int = 1, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Noisy stripes, of class 0 upright, of class 1 lying; the classes in turn."""
    random = torch.Generator().manual_seed(seed)
    labels = torch.arange(num) % 2
    wave = (torch.arange(side) // 2 % 2).float()
    upright = wave.expand(side, side)
    images = torch.where(labels[:, None, None, None] == 0, upright, upright.T)
    noise = torch.rand(num, channels, side, side, generator=random)
    return 0.5 * images + 0.5 * noise, labels


def trained(images: Tensor, labels: Tensor, **options: object) -> DomainClassifier:
    """Two classes, four epochs of small batches."""
    settings = {"num_classes": 2, "epochs": 4, "batch_size": 8} | options
    return train_classifier(images, labels, **settings)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 30), (32, 32), (64, 48)])
def test_every_size_and_colour(channels, height, width):
    """Logits of all classes, and 128 features that are at least 0."""
    model = DomainClassifier(num_classes=5, channels=channels).eval()
    images = torch.rand(3, channels, height, width)
    assert model(images).shape == (3, 5)
    features = model.features(images)
    assert features.shape == (3, 128)
    assert features.min() >= 0
    torch.testing.assert_close(model.head(features), model(images))


def test_predictions_do_not_depend_on_the_batch():
    """One by one as all at once; float32 on the CPU, without a gradient; the mode is kept."""
    model = DomainClassifier(num_classes=4)
    images = torch.rand(7, 1, 16, 16)
    model.train()
    features, classes = model.predict(images, batch_size=3)
    assert model.training
    one_by_one, same = model.predict(images, batch_size=1)
    torch.testing.assert_close(features, one_by_one)
    assert torch.equal(classes, same)
    assert (features.shape, features.dtype) == ((7, 128), torch.float32)
    assert not features.requires_grad
    model.eval()
    assert torch.equal(classes, model(images).argmax(dim=1))
    torch.testing.assert_close(features, model.features(images))


@pytest.mark.parametrize("channels", [1, 3])
def test_learns_what_tells_the_classes_apart(channels):
    """Fresh stripes, grey and in colour, are told apart without a fault."""
    model = trained(*stripes(64, channels=channels))
    assert not model.training
    images, labels = stripes(50, channels=channels, seed=1)
    assert torch.equal(model.predict(images)[1], labels)


def test_depends_on_the_seed_alone_and_leaves_the_random_state():
    """The same weights bit for bit, whatever the global state, which stays as it was."""
    images, labels = stripes(20)
    torch.manual_seed(1)
    first = trained(images, labels, seed=3).state_dict()
    torch.manual_seed(2)
    before = torch.get_rng_state()
    second = trained(images, labels, seed=3).state_dict()
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(first[name], second[name]) for name in first)
    other = trained(images, labels, seed=4).state_dict()
    assert not torch.equal(first["head.weight"], other["head.weight"])


def test_images_and_labels_are_not_changed():
    """Shifts and half precision work on copies."""
    images, labels = stripes(10)
    copies = images.clone(), labels.clone()
    trained(images, labels)
    assert torch.equal(images, copies[0])
    assert torch.equal(labels, copies[1])


def test_shifted_images_are_moved_by_whole_pixels_both_ways():
    """Every shift from -2 to 2 comes along each axis, filled up with 0; colours move together."""
    from medaug.features._train import _shifted

    images = torch.zeros(400, 3, 8, 8)
    images[:, :, 4, 4] = torch.tensor([0.1, 0.2, 0.3])
    moved = _shifted(images, 0.25, torch.Generator().manual_seed(0))
    assert torch.equal(moved.sum(dim=(2, 3)), images.sum(dim=(2, 3)))
    places = moved[:, 2].nonzero()[:, 1:]
    assert torch.equal(places, moved[:, 0].nonzero()[:, 1:])
    assert {tuple(place) for place in places.tolist()} == {
        (y, x) for y in range(2, 7) for x in range(2, 7)
    }
    assert _shifted(images, 0.1, torch.Generator()) is images


def held_out_accuracy(found: PictureCollection, side: int, epochs: int) -> float:
    """Of a classifier of the training pictures, on the test pictures."""
    load = LoadPictured("image", image_size=side)

    def tensors(items):
        images = torch.stack([load(item)["image"] for item in items])
        return images, torch.tensor([item["label"] for item in items])

    model = train_classifier(*tensors(found.train), num_classes=10, epochs=epochs)
    images, labels = tensors(found.test)
    return (model.predict(images)[1] == labels).float().mean().item()


def test_digits_are_learned():
    """Scikit-learn's, enlarged to 16 x 16."""
    assert held_out_accuracy(PictureCollection("digits"), 16, epochs=12) > 0.96


@pytest.mark.slow
@needs_shared
def test_mnist_is_learned_well_enough_to_judge_by():
    """At 32 x 32, above 99 % after two passes."""
    mnist = PictureCollection("mnist", SHARED / "data" / "mnist")
    assert held_out_accuracy(mnist, 32, epochs=2) >= 0.99


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"batch_size": 1}, "batch_size must be at least 2, got 1"),
        ({"max_shift": 0.5}, "max_shift must be at least 0 and below 0.5, got 0.5"),
        ({"max_shift": -0.1}, "max_shift must be at least 0 and below 0.5, got -0.1"),
        ({"num_classes": 1}, r"labels must be 0 to 0, got 0 to 1"),
    ],
)
def test_options_out_of_range(options, message):
    """Each with what was given."""
    with pytest.raises(UserError, match=message):
        trained(*stripes(8), **options)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.rand(4, 16, 16), r"tensor of floats of \(N, C, H, W\), got torch.float32 of \(4, 1"),
        (torch.zeros(4, 1, 16, 16, dtype=torch.uint8), "got torch.uint8"),
        ([1], "got list"),
        (torch.rand(4, 2, 16, 16), "images must have 1 or 3 channels, got 2"),
        (torch.rand(4, 1, 16, 15), "sides of at least 16, got"),
        (torch.rand(0, 1, 16, 16), "at least one"),
        (torch.rand(4, 1, 16, 16) + 0.5, "must lie in 0 to 1, got values from"),
        (torch.full((4, 1, 16, 16), torch.nan), "must lie in 0 to 1, got values from nan"),
        (torch.rand(1, 1, 16, 16), "must be at least 2 to learn from, got 1"),
    ],
    ids=str,
)
def test_images_of_another_form(images, message):
    """Said before anything is computed."""
    with pytest.raises(UserError, match=message):
        trained(images, torch.zeros(len(images), dtype=torch.int64))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.tensor([0, 1, 2, 1]), "labels must be 0 to 1, got 0 to 2"),
        (torch.tensor([0, 1, -1, 1]), "labels must be 0 to 1, got -1 to 1"),
        (torch.tensor([0, 1]), r"labels must be 4 integers, .* got torch.int64 of \(2,\)"),
        (torch.rand(4), "labels must be 4 integers, .* got torch.float32"),
    ],
    ids=str,
)
def test_labels_of_another_form(labels, message):
    """With the range and what was given."""
    with pytest.raises(UserError, match=message):
        trained(torch.rand(4, 1, 16, 16), labels)


def test_network_that_cannot_be():
    """One class, or two channels."""
    with pytest.raises(ConfigError, match="num_classes must be at least 2, got 1"):
        DomainClassifier(num_classes=1)
    with pytest.raises(ConfigError, match="channels must be 1 or 3, got 2"):
        DomainClassifier(num_classes=2, channels=2)


def test_predict_refuses_other_channels():
    """Colour to a network for grey."""
    with pytest.raises(UserError, match="images must have 1 channels, got 3"):
        DomainClassifier(num_classes=2).predict(torch.rand(2, 3, 16, 16))
