"""DiffAugment: what it changes, and what it must not."""

import pytest
import torch

from medaug.engines import DiffAugment

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
