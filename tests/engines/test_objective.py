"""The ACGAN's losses against the paper's equations, written out in float64."""

import numpy as np
import pytest
import torch

from medaug.engines import ACGANObjective

REAL = (np.array([1.2, -0.3]), np.array([[2.0, 0.1, -1.0], [0.3, 0.2, 0.9]]))
FAKE = (np.array([-0.8, 0.4]), np.array([[0.5, 1.5, 0.0], [-0.2, 0.1, 2.2]]))
LABELS = np.array([0, 2])


def log_sigmoid(x: np.ndarray) -> np.ndarray:
    return -np.log1p(np.exp(-x))


def class_loss(logits: np.ndarray) -> float:
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return float(-np.log(shares[np.arange(2), LABELS]).mean())


def as_tensors(output: tuple[np.ndarray, np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor(output[0]), torch.tensor(output[1])


CONDITION = (torch.tensor(LABELS),)
SOURCE_D = -(log_sigmoid(REAL[0]) + log_sigmoid(-FAKE[0])).mean()
SOURCE_G = -log_sigmoid(FAKE[0]).mean()


def test_discriminator_loss_is_source_plus_weighted_class_loss() -> None:
    """L_S of real and fake, and w times L_C of both."""
    objective = ACGANObjective(class_weight=0.7)
    losses = objective.discriminator_loss(as_tensors(REAL), as_tensors(FAKE), CONDITION)
    classes = class_loss(REAL[1]) + class_loss(FAKE[1])
    assert losses.adversarial.item() == pytest.approx(SOURCE_D, rel=1e-6)
    assert losses.total.item() == pytest.approx(SOURCE_D + 0.7 * classes, rel=1e-6)
    assert losses.parts["class_accuracy_real"].item() == 1.0


def test_generator_loss_is_source_plus_weighted_class_loss() -> None:
    """−log D(G(z)) and w times L_C of the fake images."""
    losses = ACGANObjective(class_weight=0.7).generator_loss(as_tensors(FAKE), CONDITION)
    assert losses.adversarial.item() == pytest.approx(SOURCE_G, rel=1e-6)
    assert losses.total.item() == pytest.approx(SOURCE_G + 0.7 * class_loss(FAKE[1]), rel=1e-6)
    assert losses.parts["class_accuracy_fake"].item() == 0.5


def test_fake_images_are_asked_for_by_the_batchs_labels() -> None:
    """Real images and condition come from the keys that were named."""
    batch = {"picture": torch.rand(2, 1, 4, 4), "kind": torch.tensor([1, 0])}
    images, condition = ACGANObjective(image_key="picture", label_key="kind").prepare_batch(batch)
    assert images is batch["picture"]
    assert condition == (batch["kind"],)
