"""The engine: what it computes, in which order, and that it can be repeated bit for bit."""

import errno
import os
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Events
from monai.engines.utils import IterationEvents
from monai.transforms import Compose, RandGaussianNoised
from torch import Tensor

from medaug.engines import (
    ACGANObjective,
    ConditionalObjective,
    GanEvents,
    GanTrainer,
    Losses,
    ModelSaver,
    Objective,
)
from medaug.errors import ConfigError, TrainingDivergedError, UserError
from medaug.losses import HingeLoss, NonSaturatingLoss, R1Penalty, R2Penalty, RelativisticLoss

from .toy import PlainDiscriminator, PlainGenerator, toy_trainer


def weights(trainer: GanTrainer) -> Tensor:
    networks = (trainer.generator, trainer.discriminator, trainer.ema_generator)
    return torch.cat([v.flatten().double() for n in networks for v in n.state_dict().values()])


def random_transform() -> Compose:
    return Compose([RandGaussianNoised("image", prob=0.7, std=0.2)])


def sgd_trainer(**changes: Any) -> GanTrainer:
    """Adam would turn rounding in tiny gradients into whole steps."""
    settings = {"augment": None, "penalties": (), "optimizer": partial(torch.optim.SGD, lr=0.1)}
    return toy_trainer(**(settings | changes))


def test_output_has_the_reports_figures() -> None:
    """Loss_D, Loss_G, D(x), D(G(z)) before and after, and the objective's parts, as floats."""
    trainer = toy_trainer(max_epochs=1)
    trainer.run()
    output = trainer.state.output
    assert {"loss", "g_loss", "d_loss", "d_real", "d_fake_before", "d_fake_after"} <= set(output)
    assert {"d_class_loss", "g_class_loss", "class_accuracy_real"} <= set(output)
    assert all(isinstance(value, float) for value in output.values())
    assert all(0 <= output[name] <= 1 for name in ("d_real", "d_fake_before", "d_fake_after"))


def test_one_step_equals_the_plain_loop() -> None:
    """Without augmentation and penalty: the same weights as the textbook's ten lines."""
    trainer = sgd_trainer(max_epochs=1, epoch_length=1)
    trainer.data_loader.sampler.set_epoch(1)
    batch = next(iter(trainer.data_loader))
    plain = sgd_trainer()
    g, d, objective = plain.generator.train(), plain.discriminator.train(), ACGANObjective()
    fake = g(plain.latents(8, 1), batch["label"])
    real = batch["image"].contiguous(memory_format=torch.channels_last)
    on_real, on_fake = d(real), d(fake.detach())
    objective.discriminator_loss(on_real, on_fake, (batch["label"],)).total.backward()
    plain.players["discriminator"].optimizer.step()
    g.zero_grad()
    objective.generator_loss(d(fake), (batch["label"],)).total.backward()
    plain.players["generator"].optimizer.step()

    trainer.run()
    for ours, theirs in ((trainer.generator, g), (trainer.discriminator, d)):
        for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(mine, other, atol=1e-6, rtol=1e-5)


def test_generator_step_leaves_the_discriminator_alone() -> None:
    """Neither weights nor gradients of D come from G's loss."""
    trainer = toy_trainer(max_epochs=1, epoch_length=1)
    seen: dict[str, Any] = {}

    def remember(name: str) -> None:
        seen[name] = [
            (p.detach().clone(), p.grad.clone()) for p in trainer.discriminator.parameters()
        ]

    trainer.add_event_handler(GanEvents.DISCRIMINATOR_COMPLETED, lambda: remember("d"))
    trainer.add_event_handler(GanEvents.GENERATOR_COMPLETED, lambda: remember("g"))
    trainer.run()
    for (w1, g1), (w2, g2) in zip(seen["d"], seen["g"], strict=True):
        assert torch.equal(w1, w2)
        assert torch.equal(g1, g2)
    assert all(p.requires_grad for p in trainer.discriminator.parameters())


def test_events_come_in_order() -> None:
    """MONAI's iteration events and ours, once a step of each network."""
    trainer = toy_trainer(max_epochs=1, epoch_length=1)
    fired: list[str] = []
    for event in (*GanEvents, *IterationEvents):
        if "inner" in event.value:  # for metrics within an iteration: not an event of engines
            continue
        trainer.add_event_handler(event, partial(fired.append, event.value))
    trainer.run()
    one = ["loss_completed", "backward_completed"]
    assert fired == [
        *("forward_completed", *one, "discriminator_completed"),
        *(*one, "generator_completed", "model_completed"),
    ]


def test_penalties_follow_their_schedule() -> None:
    """A penalty of every second step is in the output of every second step."""
    trainer = toy_trainer(max_epochs=1, epoch_length=4)
    seen: list[bool] = []
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED, lambda: seen.append("r1" in trainer.state.output)
    )
    trainer.run()
    assert seen == [False, True, False, True]


def test_ema_is_the_stated_average() -> None:
    """With a decay of 0.1 after one step: 0.1 of the start and 0.9 of the new weights."""
    trainer = toy_trainer(max_epochs=1, epoch_length=1, ema_decay=0.1)
    before = [p.detach().clone() for p in trainer.generator.parameters()]
    trainer.run()
    after = trainer.generator.parameters()
    for mean, old, new in zip(trainer.ema_generator.parameters(), before, after, strict=True):
        torch.testing.assert_close(mean, 0.1 * old + 0.9 * new)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_same_seed_gives_the_same_weights(num_workers: int) -> None:
    """Bit for bit, random transforms on, whatever else drew from the global generators."""
    first = toy_trainer(transform=random_transform())
    first.run()
    second = toy_trainer(transform=random_transform(), num_workers=num_workers)
    torch.rand(13)
    second.run()
    assert torch.equal(weights(first), weights(second))


def test_another_seed_gives_other_weights() -> None:
    """The seed reaches the latents."""
    first, second = toy_trainer(), toy_trainer(seed=1)
    first.run()
    second.run()
    assert not torch.equal(weights(first), weights(second))


def test_penalties_in_half_precision_stay_near_float32() -> None:
    """R1 and R2 by bfloat16, where this processor has it, are those by float32 within 3 %."""
    penalties = [R1Penalty(gamma=0.1, every=1), R2Penalty(gamma=0.1, every=1)]
    settings = {"epoch_length": 1, "max_epochs": 1, "penalties": penalties}
    full, half = toy_trainer(**settings), toy_trainer(**settings, amp=True)
    full.run()
    half.run()
    for name in ("r1", "r2"):
        assert half.state.output[name] == pytest.approx(full.state.output[name], rel=0.03)


def test_half_precision_stays_near_float32() -> None:
    """A step under autocast, where this processor has it, leads nearly to the same losses."""
    full, half = (
        toy_trainer(epoch_length=1, max_epochs=1),
        toy_trainer(epoch_length=1, max_epochs=1, amp=True),
    )
    full.run()
    half.run()
    assert half.state.output == pytest.approx(full.state.output, abs=0.05)


def test_a_loss_that_is_not_finite_ends_the_run() -> None:
    """The error names the loss and the iteration."""
    trainer = toy_trainer()

    @trainer.on(Events.ITERATION_STARTED(once=3))
    def break_it() -> None:
        next(trainer.generator.parameters()).data.fill_(float("nan"))

    with pytest.raises(
        TrainingDivergedError, match=r"must be finite, got .*g_loss.* in iteration 3"
    ):
        trainer.run()


def test_a_new_gan_needs_no_line_of_the_engine() -> None:
    """Least squares, between networks that know of no classes, is a subclass of Objective."""

    class LeastSquares(Objective):
        def prepare_batch(self, batch: Any) -> Any:
            return batch["image"], ()

        def discriminate(self, discriminator: Any, images: Tensor, condition: Any) -> Tensor:
            return discriminator(images).flatten()

        def score(self, output: Tensor) -> Tensor:
            return output

        def discriminator_loss(self, real: Tensor, fake: Tensor, condition: Any) -> Losses:
            total = (real - 1).square().mean() + fake.square().mean()
            return Losses(total, total, {})

        def generator_loss(self, fake: Tensor, condition: Any, real: Any = None) -> Losses:
            total = (fake - 1).square().mean()
            return Losses(total, total, {})

    g = torch.nn.Sequential(
        torch.nn.Linear(8, 1024), torch.nn.Sigmoid(), torch.nn.Unflatten(1, (1, 32, 32))
    )
    d = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(1024, 1))
    trainer = toy_trainer(
        generator=g,
        discriminator=d,
        g_optimizer=torch.optim.SGD(g.parameters(), 0.01),
        d_optimizer=torch.optim.SGD(d.parameters(), 0.01),
        objective=LeastSquares(),
    )
    trainer.run()
    assert trainer.state.iteration == 2 * 3


def plain_trainer(**changes: Any) -> GanTrainer:
    """Of networks that look at each image by itself, moved by plain gradient descent."""
    torch.manual_seed(1)
    generator, discriminator = PlainGenerator(), PlainDiscriminator()
    settings: dict[str, Any] = {
        "generator": generator,
        "discriminator": discriminator,
        "g_optimizer": torch.optim.SGD(generator.parameters(), 0.1),
        "d_optimizer": torch.optim.SGD(discriminator.parameters(), 0.1),
        "objective": ConditionalObjective(),
        "penalties": [R1Penalty(gamma=0.1, every=2), R2Penalty(gamma=0.1, every=3)],
    }
    return toy_trainer(**(settings | changes))


def outputs(trainer: GanTrainer) -> list[dict[str, float]]:
    """What each iteration of a run gives."""
    seen: list[dict[str, float]] = []
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED, lambda: seen.append(dict(trainer.state.output))
    )
    trainer.run()
    return seen


@pytest.mark.parametrize("parts", [2, 4])
@pytest.mark.parametrize("loss", [NonSaturatingLoss, RelativisticLoss])
def test_micro_batches_are_the_whole_batch(parts: int, loss: Any) -> None:
    """Figures and weights, with augmentation and penalties; R1 and R2 where they are due."""
    whole, cut = (
        plain_trainer(objective=ConditionalObjective(adversarial=loss()), accumulation=number)
        for number in (1, parts)
    )
    expected = outputs(whole)
    for ours, theirs in zip(outputs(cut), expected, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-5, abs=1e-6)
    torch.testing.assert_close(weights(cut), weights(whole), atol=1e-6, rtol=1e-5)
    assert [("r1" in output, "r2" in output) for output in expected] == [
        (step % 2 == 0, step % 3 == 0) for step in range(1, 7)
    ]


def test_unequal_micro_batches_are_refused() -> None:
    """Their mean would not be the batch's."""
    with pytest.raises(ConfigError, match="equal parts, got 3 for 8 images"):
        toy_trainer(accumulation=3).run()


def test_gradients_are_clipped_to_the_norm() -> None:
    """Both networks'; a norm that is never reached changes nothing."""

    def norms(trainer: GanTrainer) -> list[float]:
        found = []
        for player in trainer.players.values():
            gradients = [
                p.grad.flatten() for p in player.network.parameters() if p.grad is not None
            ]
            found.append(torch.cat(gradients).norm().item())
        return found

    free, clipped, wide = (plain_trainer(clip_norm=norm) for norm in (None, 1e-3, 1e6))
    for trainer in (free, clipped, wide):
        trainer.run()
    assert min(norms(free)) > 2e-3
    assert norms(clipped) == pytest.approx([1e-3, 1e-3], rel=1e-3)
    assert torch.equal(weights(wide), weights(free))


def test_the_generator_takes_every_third_step() -> None:
    """The discriminator takes all; figures of a step that wasn't taken aren't there."""
    trainer = plain_trainer(d_steps=3)
    moved: list[bool] = []
    before = [p.detach().clone() for p in trainer.generator.parameters()]

    def look() -> None:
        now = [p.detach().clone() for p in trainer.generator.parameters()]
        moved.append(not all(map(torch.equal, before, now)))
        before[:] = now

    trainer.add_event_handler(Events.ITERATION_COMPLETED, look)
    seen = outputs(trainer)
    assert moved == [False, False, True] * 2
    for output, stepped in zip(seen, moved, strict=True):
        assert {"d_loss", "d_real", "d_fake_before"} <= output.keys()
        assert [name in output for name in ("loss", "g_loss", "d_fake_after")] == [stepped] * 3


def test_schedulers_step_each_epoch() -> None:
    """The learning rate of an epoch is that of all its iterations."""
    trainer = plain_trainer(max_epochs=3)
    optimizers = [player.optimizer for player in trainer.players.values()]
    trainer.schedulers = tuple(torch.optim.lr_scheduler.ExponentialLR(o, 0.5) for o in optimizers)
    seen: list[list[float]] = []
    trainer.add_event_handler(
        Events.ITERATION_COMPLETED,
        lambda: seen.append([o.param_groups[0]["lr"] for o in optimizers]),
    )
    trainer.run()
    assert seen == [[rate, rate] for rate in (0.1, 0.05, 0.025) for _ in range(3)]


@pytest.mark.parametrize("loss", [HingeLoss, RelativisticLoss])
def test_scores_that_are_no_probabilities_are_shown_raw(loss: Any) -> None:
    """As score_*, not d_*; they are the discriminator's own means."""
    trainer = plain_trainer(
        objective=ConditionalObjective(adversarial=loss()), max_epochs=1, epoch_length=1
    )
    raw: list[float] = []
    discriminate = trainer.objective.discriminate

    def note(*arguments: Any) -> Tensor:
        score = discriminate(*arguments)
        raw.append(score.mean().item())
        return score

    trainer.objective.discriminate = note  # type: ignore[method-assign]  # to look on
    (output,) = outputs(trainer)
    assert not any(name.startswith(("d_real", "d_fake")) for name in output)
    names = ("score_real", "score_fake_before", "score_fake_after")
    assert [output[name] for name in names] == pytest.approx(raw[:3], rel=1e-5)


def test_a_paired_loss_has_the_real_scores_in_the_generators_step() -> None:
    """Loss_G = softplus(D(x) − D(G(z))) after the discriminator's step, pair by pair."""
    trainer = plain_trainer(
        objective=ConditionalObjective(adversarial=RelativisticLoss()),
        augment=None,
        penalties=(),
        max_epochs=1,
        epoch_length=1,
    )
    batch: list[Any] = []
    before = deepcopy(trainer.generator)
    trainer.add_event_handler(Events.ITERATION_STARTED, lambda e: batch.append(e.state.batch))
    (output,) = outputs(trainer)
    label = batch[0]["label"]
    with torch.no_grad():
        real = sum(trainer.discriminator(batch[0]["image"], label))
        fake = sum(trainer.discriminator(before(trainer.latents(8, 1), label), label))
    expected = torch.nn.functional.softplus(real - fake).mean()
    assert output["g_loss"] == pytest.approx(expected.item(), rel=1e-5)


def test_a_loss_that_is_not_finite_names_the_images(tmp_path: Path) -> None:
    """By twelve digits of their pixels' hashes; the last checkpoint can be gone on from."""
    trainer = plain_trainer(train_handlers=[ModelSaver(tmp_path, interval=1, settings={})])
    batch: list[Any] = []

    @trainer.on(Events.ITERATION_STARTED(once=5))
    def break_it(engine: Any) -> None:
        batch.extend(engine.state.batch["source_id"])
        next(trainer.discriminator.parameters()).data.fill_(float("inf"))

    with pytest.raises(TrainingDivergedError, match="in iteration 5") as caught:
        trainer.run()
    names = str(caught.value).rpartition("pixel hashes of its images: ")[2].split(", ")
    assert names == [name[:12] for name in batch]
    assert len(names) == 8
    again = plain_trainer(
        train_handlers=[ModelSaver(tmp_path, interval=1, settings={}, resume=True)]
    )
    again.run()
    whole = plain_trainer()
    whole.run()
    assert torch.equal(weights(again), weights(whole))


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT])
def test_a_full_disk_is_told_in_one_line(code: int) -> None:
    """Whichever handler found it so."""
    trainer = plain_trainer()

    @trainer.on(Events.EPOCH_COMPLETED)
    def write() -> None:
        raise OSError(code, os.strerror(code), "samples/epoch_0001.png")

    text = rf"epoch_0001.png could not be written: {os.strerror(code)}"
    with pytest.raises(UserError, match=text):
        trainer.run()
