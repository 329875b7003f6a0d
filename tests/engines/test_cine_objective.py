"""HR-GAN-DTCR's objective against a plain loop, and a step of training by it."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from medaug.engines import CineObjective, Growth, Judged
from medaug.errors import ConfigError
from medaug.losses import HingeLoss, LinearWeight, R1Penalty, RelativisticLoss, ValidatedWeight

from .cine_toy import EPOCH, STAGES, cine_trainer, growth, networks, temporal


def judged(seed: int, num: int = 2) -> Judged:
    """Random scores of three scales of frames and one of windows, and random features."""
    random = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random)

    return Judged(
        images=torch.rand(num, 1, 4, 16, 16, generator=random),
        frames=[draw(num * 4, 1), draw(num * 4, 9), draw(num * 4, 3)],
        clips=[draw(num * 2, 1)],
        features=[draw(num * 4, 3, 5, 5), draw(num * 2, 2, 4, 4)],
    )


def minus_log_sigmoid(scores: Tensor, sign: int) -> float:
    """−log σ(±s), averaged, one score after another in double precision."""
    values = [math.log1p(math.exp(-sign * s)) for s in scores.double().flatten().tolist()]
    return sum(values) / len(values)


def matched(real: Judged, fake: Judged) -> float:
    """Feature matching of batches of even size, feature by feature."""
    layers = []
    for one, other in zip(real.features, fake.features, strict=True):
        middle = len(one) // 2
        products = []
        for r, f in zip(
            one.flatten(1).T.double().tolist(), other.flatten(1).T.double().tolist(), strict=True
        ):
            first = sum(r[:middle]) - sum(f[:middle])
            second = sum(r[middle:]) - sum(f[middle:])
            products.append(first * second / middle**2)
        squares = [value**2 for value in one.double().flatten().tolist()]
        layers.append(sum(products) / len(products) / (sum(squares) / len(squares)))
    return sum(layers) / len(layers)


def test_losses_are_the_plain_sums(tmp_path: Path) -> None:
    """Frames by the mean over scales, windows by their weight, features, and λ times DTCR."""
    dtcr = temporal(tmp_path)
    objective = CineObjective(
        temporal=dtcr, schedule=LinearWeight(steps=10), matching=7.0, clip_weight=0.5
    )
    objective.step = 5
    real, fake = judged(0), judged(1)
    on_both = objective.discriminator_loss(real, fake, ())
    frames = [
        minus_log_sigmoid(r, 1) + minus_log_sigmoid(f, -1)
        for r, f in zip(real.frames, fake.frames, strict=True)
    ]
    clips = minus_log_sigmoid(real.clips[0], 1) + minus_log_sigmoid(fake.clips[0], -1)
    assert float(on_both.total) == pytest.approx(sum(frames) / 3 + 0.5 * clips, rel=1e-6)
    assert float(on_both.parts["d_clips"]) == pytest.approx(clips, rel=1e-6)

    made = objective.generator_loss(fake, (), real)
    frames = [minus_log_sigmoid(score, 1) for score in fake.frames]
    adversarial = sum(frames) / 3 + 0.5 * minus_log_sigmoid(fake.clips[0], 1)
    level = float(dtcr.distances(fake.images, step=5).sum() / 2)
    expected = adversarial + 7 * matched(real, fake) + 0.3 * level
    assert float(made.adversarial) == pytest.approx(adversarial, rel=1e-6)
    assert float(made.total) == pytest.approx(expected, rel=1e-5)
    assert float(made.parts["lambda"]) == pytest.approx(0.3)
    assert float(made.parts["dtcr"]) == pytest.approx(0.3 * level, rel=1e-6)
    assert float(made.parts["matching"]) == pytest.approx(matched(real, fake), rel=1e-5)


def test_target_real_is_the_distance_to_the_real_level(tmp_path: Path) -> None:
    """λ |D(made) − D(real)|, at the same places; both levels are logged."""
    dtcr = temporal(tmp_path, target="real", weight=0.2)
    objective = CineObjective(temporal=dtcr, matching=0.0)
    objective.step = 3
    real, fake = judged(0), judged(1)
    parts = objective.generator_loss(fake, (), real).parts
    ours, theirs = (float(dtcr.level(one.images, step=3)) for one in (fake, real))
    assert float(parts["dtcr"]) == pytest.approx(0.2 * abs(ours - theirs), rel=1e-5)
    assert float(parts["dtcr_fake"]) == pytest.approx(ours, rel=1e-6)
    assert float(parts["dtcr_real"]) == pytest.approx(theirs, rel=1e-6)
    assert "matching" not in parts
    still = fake._replace(images=real.images.clone())
    assert float(objective.generator_loss(still, (), real).parts["dtcr"]) == 0


def test_the_real_level_is_looked_at_now_and_then(tmp_path: Path) -> None:
    """Where the loss doesn't need it: VGG16 costs more than the networks."""
    objective = CineObjective(temporal=temporal(tmp_path), temporal_sequences=1)
    real, fake = judged(0), judged(1)
    steps = []
    for step in range(1, 33):
        objective.step = step
        if "dtcr_real" in objective.generator_loss(fake, (), real).parts:
            steps.append(step)
    assert steps == [16, 32]


def test_some_sequences_stand_for_all(tmp_path: Path) -> None:
    """DTCR of the first ones alone."""
    dtcr = temporal(tmp_path, weight=1.0)
    objective = CineObjective(temporal=dtcr, temporal_sequences=1)
    objective.step = 1
    fake = judged(1)
    parts = objective.generator_loss(fake, (), judged(0)).parts
    assert float(parts["dtcr"]) == pytest.approx(float(dtcr.level(fake.images[:1], step=1)))


@pytest.mark.parametrize("adversarial", [HingeLoss(), RelativisticLoss()])
def test_any_adversarial_loss_will_do(adversarial: Any) -> None:
    """Of one scale of frames and one of windows: twice the loss of one where they are the same."""
    objective = CineObjective(adversarial=adversarial, matching=0.0)
    real, fake = (Judged(torch.zeros(2, 1), [s], [s], []) for s in torch.randn(2, 8, 1))
    expected = 2 * adversarial.discriminator(real.frames[0], fake.frames[0])
    torch.testing.assert_close(objective.discriminator_loss(real, fake, ()).total, expected)
    expected = 2 * adversarial.generator(fake.frames[0], real.frames[0])
    torch.testing.assert_close(objective.generator_loss(fake, (), real).total, expected)


def test_score_is_one_number_a_sequence() -> None:
    """The mean of each scale's scores that are its own."""
    found = judged(0, num=3)
    first = [float(s.reshape(3, -1)[0].mean()) for s in [*found.frames, *found.clips]]
    score = CineObjective().score(found)
    assert score.shape == (3,)
    assert float(score[0]) == pytest.approx(sum(first) / 4, rel=1e-5)


def test_real_images_fade_in_as_made_ones_do() -> None:
    """At α = 0 half their resolution, in between blended."""
    stages = growth()
    objective = CineObjective(growth=stages)
    batch = {
        "image": torch.rand(2, 1, 2, 128, 128), "modality": torch.zeros(2, dtype=torch.int64),
        "conditions": torch.zeros(2, 1), "phase": torch.zeros(2, 2),
    }  # fmt: skip
    image = batch["image"]
    half = F.interpolate(image, scale_factor=(1, 0.5, 0.5), mode="area")
    coarse = half.repeat_interleave(2, 3).repeat_interleave(2, 4)
    for step, alpha in ((5, 0.0), (6, 1 / 3), (8, 1.0)):
        objective.step = step
        faded, told = objective.prepare_batch(batch)
        torch.testing.assert_close(faded, (1 - alpha) * coarse + alpha * image)
        assert len(told) == 3


def test_one_iteration_moves_all_networks(tmp_path: Path) -> None:
    """Frames, windows, generator and its average; the figures are there, as finite floats."""
    first = Growth([STAGES[0]], epoch_length=1)
    dtcr = temporal(tmp_path, target="real")
    objective = CineObjective(temporal=dtcr, schedule=LinearWeight(steps=4), growth=first)
    trainer = cine_trainer(
        first, objective=objective, max_epochs=1, penalties=[R1Penalty(0.1, every=1)]
    )
    generator, discriminator = networks()
    trainer.run()
    for ours, before in (
        (trainer.generator, generator),
        (trainer.ema_generator, generator),
        (trainer.discriminator.get_submodule("frames"), discriminator.frames),
        (trainer.discriminator.get_submodule("clips"), discriminator.clips),
    ):
        moved = [
            not torch.equal(a, b)
            for a, b in zip(ours.parameters(), before.parameters(), strict=True)
        ]
        assert sum(moved) >= len(moved) / 2
    output = trainer.state.output
    wanted = {"loss", "d_real", "d_frames", "d_clips", "g_frames", "g_clips", "matching", "dtcr"}
    assert wanted | {"dtcr_real", "dtcr_fake", "lambda", "r1"} <= output.keys()
    assert all(math.isfinite(value) for value in output.values())
    assert output["lambda"] == pytest.approx(0.2)


def test_dtcr_moves_the_generator(tmp_path: Path) -> None:
    """A large λ gives other weights than none, in the first step already."""
    found = []
    for weight in (0.0, 100.0):
        stages = Growth([STAGES[0]], epoch_length=EPOCH)
        objective = CineObjective(temporal=temporal(tmp_path, weight=weight), growth=stages)
        trainer = cine_trainer(stages, objective=objective, max_epochs=1)
        trainer.run()
        found.append(trainer.generator.state_dict()["motion.weight"])
    assert not torch.equal(*found)


def test_a_lambda_that_validation_moves_is_in_the_checkpoint(tmp_path: Path) -> None:
    """And taken up from there."""
    found = []
    for _ in range(2):
        schedule = ValidatedWeight(increment=0.1)
        objective = CineObjective(temporal=temporal(tmp_path), schedule=schedule)
        found.append((cine_trainer(objective=objective), schedule))
    (first, moved), (second, other) = found
    moved.update(2.0)
    second.restore(first.checkpoint())
    assert other.value == moved.value == pytest.approx(0.2)


@pytest.mark.parametrize(
    "settings", [{"matching": -1.0}, {"clip_weight": -0.5}, {"temporal_sequences": 0}]
)
def test_impossible_weights_are_refused(settings: dict[str, Any]) -> None:
    """In one line."""
    with pytest.raises(ConfigError, match=r"must be at least 0, temporal_sequences at least 1"):
        CineObjective(**settings)


def test_real_sequences_are_needed() -> None:
    """The generator is told how real ones look."""
    with pytest.raises(ConfigError, match="real must be what is said of real sequences, got None"):
        CineObjective().generator_loss(judged(0), ())
