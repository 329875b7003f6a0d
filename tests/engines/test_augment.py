"""Augmentations of batches: what they change, and what they must not."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from medaug.engines import ClassicAugment, DiffAugment

OFF = {"shift": 0.0, "brightness": 0.0, "contrast": (1.0, 1.0), "cutout": 0.0}


def draw(images: torch.Tensor, seed: int = 0, **settings: object) -> torch.Tensor:
    draws = torch.rand(len(images), 6, generator=torch.Generator().manual_seed(seed))
    return DiffAugment(**(OFF | settings))(images, draws)


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(6, 1, 32, 40, generator=torch.Generator().manual_seed(1))


def test_all_off_changes_nothing(images: torch.Tensor) -> None:
    """Strength zero is the identity."""
    torch.testing.assert_close(draw(images), images)


def test_shift_moves_the_whole_image(images: torch.Tensor) -> None:
    """Somewhere within the margin, the interior stands again unchanged, never flipped."""
    shifted = draw(images, shift=0.1)
    inner = images[:, :, 8:-8, 8:-8]
    for before, after in zip(inner, shifted, strict=True):
        windows = after[0].unfold(0, 16, 1).unfold(1, 24, 1)
        assert (windows == before[0]).all(-1).all(-1).any()
    assert not torch.equal(shifted, images)


def test_cut_out_takes_one_square(images: torch.Tensor) -> None:
    """At most a square of the stated side is black; the rest is as before."""
    cut = draw(images, cutout=0.5)
    gone = cut != images
    assert gone.any((1, 2, 3)).all()
    assert gone.sum((1, 2, 3)).max() <= 16 * 20
    assert (cut[gone] == 0).all()


def test_contrast_keeps_the_mean_and_brightness_moves_it(images: torch.Tensor) -> None:
    """Contrast scales around each image's mean; brightness adds at most its strength."""
    means = images.mean((1, 2, 3))
    torch.testing.assert_close(draw(images, contrast=(0.5, 2.0)).mean((1, 2, 3)), means)
    moved = (draw(images, brightness=0.2).mean((1, 2, 3)) - means).abs()
    assert 0.02 < moved.max() <= 0.2


def test_an_image_depends_on_its_own_numbers_alone(images: torch.Tensor) -> None:
    """So that each rank can augment its slice of a global batch."""
    draws = torch.rand(6, DiffAugment.draws, generator=torch.Generator().manual_seed(3))
    whole = DiffAugment()(images, draws)
    parts = [DiffAugment()(images[i : i + 2], draws[i : i + 2]) for i in (0, 2, 4)]
    torch.testing.assert_close(whole, torch.cat(parts))


def test_frames_of_a_sequence_are_augmented_alike(images: torch.Tensor) -> None:
    """A sequence that stands still does so afterwards; as channels of one image it is the same."""
    augment, draws = DiffAugment(), torch.rand(len(images), DiffAugment.draws)
    still = images[:, :, None].expand(-1, -1, 3, -1, -1)
    made = augment(still, draws)
    assert made.shape == still.shape
    assert torch.equal(made[:, :, 0], made[:, :, 2])
    torch.testing.assert_close(made[:, :, 1], augment(images, draws))


def test_gradients_flow_through(images: torch.Tensor) -> None:
    """The generator learns through the augmentation."""
    images.requires_grad_()
    DiffAugment()(images, torch.zeros(6, DiffAugment.draws)).sum().backward()
    assert images.grad is not None
    assert images.grad.abs().sum() > 0


STILL = {"rotation": 0.0, "shift": 0.0, "scale": 0.0, "gamma": (1.0, 1.0)}


def classic(images: torch.Tensor, draws: list[float], **settings: object) -> torch.Tensor:
    """With the same numbers for each image."""
    return ClassicAugment(**(STILL | settings))(images, torch.tensor([draws] * len(images)))


def test_classic_augmentation_of_strength_zero_changes_nothing(images: torch.Tensor) -> None:
    """Whatever is drawn."""
    torch.testing.assert_close(classic(images, [0.9] * 6), images, atol=1e-5, rtol=0)


def test_gamma_lies_within_its_range(images: torch.Tensor) -> None:
    """At the ends of what is drawn, the ends of the range."""
    for drawn, exponent in ((0.0, 0.5), (0.5, 1.25), (1.0, 2.0)):
        made = classic(images, [0.5] * 5 + [drawn], gamma=(0.5, 2.0))
        torch.testing.assert_close(made, images**exponent, atol=1e-5, rtol=0)


def test_classic_augmentation_moves_as_scipy_does() -> None:
    """Turned, stretched and shifted around the middle, also where images aren't square."""
    image = torch.rand(1, 1, 24, 36, generator=torch.Generator().manual_seed(2))
    settings = {"rotation": 0.4, "shift": 0.1, "scale": 0.2}
    drawn = torch.rand(1, 6, generator=torch.Generator().manual_seed(4))
    made = ClassicAugment(**(STILL | settings))(image, drawn)[0, 0].numpy()
    angle, across, down, right, below = (drawn[0, :5].double() * 2 - 1).tolist()
    cosine, sine = np.cos(0.4 * angle), np.sin(0.4 * angle)
    matrix = np.array([[cosine, sine], [-sine, cosine]])  # rows, columns
    matrix *= np.array([[1 + 0.2 * down], [1 + 0.2 * across]])
    middle = (np.array([24, 36]) - 1) / 2
    offset = middle - matrix @ middle + 0.1 * np.array([24 * below, 36 * right])
    found = ndimage.affine_transform(
        image[0, 0].double().numpy(), matrix, offset, order=1, mode="nearest"
    )
    np.testing.assert_allclose(made, found, atol=1e-4)


def test_classic_augmentation_never_flips() -> None:
    """A bright left half stays on the left, however strong the draw."""
    images = torch.zeros(64, 1, 32, 32)
    images[..., :16] = 1
    draws = torch.rand(64, ClassicAugment.draws, generator=torch.Generator().manual_seed(5))
    made = ClassicAugment()(images, draws)
    assert (made[..., :8].mean((1, 2, 3)) > 0.9).all()
    assert (made[..., 24:].mean((1, 2, 3)) < 0.1).all()


def test_classic_augmentation_of_an_image_depends_on_its_own_numbers(images: torch.Tensor) -> None:
    """So that a batch may be parted."""
    draws = torch.rand(6, ClassicAugment.draws, generator=torch.Generator().manual_seed(3))
    whole = ClassicAugment()(images, draws)
    parts = [ClassicAugment()(images[i : i + 2], draws[i : i + 2]) for i in (0, 2, 4)]
    torch.testing.assert_close(whole, torch.cat(parts))
