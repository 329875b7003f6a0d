"""The ACGAN's losses against the paper's equations, written out in float64."""

from typing import Any

import numpy as np
import pytest
import torch

from medaug.engines import ACGANObjective, ConditionalObjective, DCGANObjective, Objective
from medaug.errors import ConfigError
from medaug.losses import NonSaturatingLoss

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


def tensors(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.tensor(array) for array in arrays]


def test_the_class_head_can_learn_on_real_images_alone() -> None:
    """The made ones' class loss is no part of the discriminator's; the generator's is as before."""
    objective = ACGANObjective(class_weight=0.7, class_head="real")
    losses = objective.discriminator_loss(as_tensors(REAL), as_tensors(FAKE), CONDITION)
    assert losses.total.item() == pytest.approx(SOURCE_D + 0.7 * class_loss(REAL[1]), rel=1e-6)
    assert losses.parts["d_class_loss"].item() == pytest.approx(class_loss(REAL[1]), rel=1e-6)
    made = objective.generator_loss(as_tensors(FAKE), CONDITION)
    assert made.total.item() == pytest.approx(SOURCE_G + 0.7 * class_loss(FAKE[1]), rel=1e-6)
    with pytest.raises(ConfigError, match="class_head must be 'both' or 'real', got 'fake'"):
        ACGANObjective(class_head="fake")  # type: ignore[arg-type]  # the mistake to be refused


@pytest.mark.parametrize(("step", "share"), [(0, 0.0), (1, 0.25), (3, 0.75), (4, 1.0), (99, 1.0)])
def test_the_class_weight_grows(step: int, share: float) -> None:
    """Evenly, within the ramp's four steps; both players' alike."""
    objective = ACGANObjective(class_weight=0.7, ramp=4)
    objective.step = step
    discriminator = objective.discriminator_loss(as_tensors(REAL), as_tensors(FAKE), CONDITION)
    classes = class_loss(REAL[1]) + class_loss(FAKE[1])
    assert discriminator.total.item() == pytest.approx(SOURCE_D + 0.7 * share * classes, rel=1e-6)
    generator = objective.generator_loss(as_tensors(FAKE), CONDITION)
    expected = SOURCE_G + 0.7 * share * class_loss(FAKE[1])
    assert generator.total.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("kind", [DCGANObjective, ConditionalObjective])
def test_one_score_is_the_textbooks_loss(kind: type[Objective]) -> None:
    """Loss_D = −[log D(x) + log(1 − D(G(z)))], Loss_G = −log D(G(z)); nothing beside."""
    real, fake = tensors(REAL[0], FAKE[0])
    losses = kind().discriminator_loss(real, fake, CONDITION)
    assert losses.total.item() == losses.adversarial.item() == pytest.approx(SOURCE_D, rel=1e-6)
    made = kind().generator_loss(fake, CONDITION)
    assert made.total.item() == made.adversarial.item() == pytest.approx(SOURCE_G, rel=1e-6)
    assert losses.parts == made.parts == {}


def test_smoothed_labels_lower_the_target_of_real_images() -> None:
    """(1 − s) log D(x) + s log(1 − D(x)) in place of log D(x); fake ones as before."""
    smooth, (real, fake) = NonSaturatingLoss(label_smoothing=0.1), tensors(REAL[0], FAKE[0])
    for objective in (DCGANObjective(adversarial=smooth), ConditionalObjective(adversarial=smooth)):
        losses = objective.discriminator_loss(real, fake, CONDITION)
        on_real = 0.9 * log_sigmoid(REAL[0]) + 0.1 * log_sigmoid(-REAL[0])
        expected = -(on_real + log_sigmoid(-FAKE[0])).mean()
        assert losses.total.item() == pytest.approx(expected, rel=1e-6)
        made = objective.generator_loss(fake, CONDITION)
        assert made.total.item() == pytest.approx(SOURCE_G, rel=1e-6)


def test_dcgan_tells_nobody_the_label() -> None:
    """Neither generator nor discriminator; the first of the discriminator's heads is the score."""
    batch = {"image": torch.rand(2, 1, 4, 4), "label": torch.tensor([1, 0])}
    objective = DCGANObjective()
    images, condition = objective.prepare_batch(batch)
    assert condition == ()
    network: Any = lambda x: (x.mean((1, 2, 3)).half(), None)  # noqa: E731  # a network in short
    score = objective.score(objective.discriminate(network, images, condition))
    assert score.dtype == torch.float32
    torch.testing.assert_close(score, images.mean((1, 2, 3)), atol=1e-3, rtol=0)


@pytest.mark.parametrize(("ramp", "step", "share"), [(0, 0, 1.0), (8, 2, 0.25), (8, 20, 1.0)])
def test_what_the_label_adds_to_the_score_grows(ramp: int, step: int, share: float) -> None:
    """Image score plus the share of the label score, of the labels of the batch."""
    objective = ConditionalObjective(ramp=ramp)
    objective.step = step
    network: Any = lambda x, label: (x.mean((1, 2, 3)), 3.0 * label)  # noqa: E731  # in short
    images, label = torch.rand(3, 1, 4, 4), torch.tensor([0, 1, 2])
    score = objective.discriminate(network, images, (label,))
    torch.testing.assert_close(score, images.mean((1, 2, 3)) + share * 3.0 * label)
    assert objective.prepare_batch({"image": images, "label": label}) == (images, (label,))
