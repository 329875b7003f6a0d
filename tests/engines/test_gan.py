"""The engine: what it computes, in which order, and that it can be repeated bit for bit."""

from functools import partial
from typing import Any

import pytest
import torch
from ignite.engine import Events
from monai.engines.utils import IterationEvents
from monai.transforms import Compose, RandGaussianNoised
from torch import Tensor

from medaug.engines import ACGANObjective, GanEvents, GanTrainer
from medaug.errors import TrainingDivergedError

from .toy import toy_trainer


def weights(trainer: GanTrainer) -> Tensor:
    networks = (trainer.generator, trainer.discriminator, trainer.ema_generator)
    return torch.cat([v.flatten().double() for n in networks for v in n.state_dict().values()])


def random_transform() -> Compose:
    return Compose([RandGaussianNoised("image", prob=0.7, std=0.2)])


def sgd_trainer(**changes: Any) -> GanTrainer:
    """Adam would turn rounding in tiny gradients into whole steps."""
    trainer = toy_trainer(augment=None, penalties=(), **changes)
    trainer.g_optimizer = torch.optim.SGD(trainer.generator.parameters(), 0.1)
    trainer.d_optimizer = torch.optim.SGD(trainer.discriminator.parameters(), 0.1)
    return trainer


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
    plain.d_optimizer.step()
    g.zero_grad()
    objective.generator_loss(d(fake), (batch["label"],)).total.backward()
    plain.g_optimizer.step()

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
    """An unconditional GAN, whose discriminator has one head, is a subclass of Objective."""
    from medaug.engines import Losses, Objective
    from medaug.losses import NonSaturatingLoss

    class Plain(Objective):
        loss = NonSaturatingLoss()

        def prepare_batch(self, batch: Any) -> Any:
            return batch["image"], ()

        def discriminate(self, discriminator: Any, images: Tensor, condition: Any) -> Tensor:
            return discriminator(images).flatten()

        def score(self, output: Tensor) -> Tensor:
            return output

        def discriminator_loss(self, real: Tensor, fake: Tensor, condition: Any) -> Losses:
            total = self.loss.discriminator(real, fake)
            return Losses(total, total, {})

        def generator_loss(self, fake: Tensor, condition: Any) -> Losses:
            total = self.loss.generator(fake)
            return Losses(total, total, {})

    g = torch.nn.Sequential(
        torch.nn.Linear(8, 1024), torch.nn.Sigmoid(), torch.nn.Unflatten(1, (1, 32, 32))
    )
    d = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(1024, 1))
    trainer = toy_trainer(
        generator=g,
        discriminator=d,
        g_optimizer=torch.optim.SGD(g.parameters(), 0.1),
        d_optimizer=torch.optim.SGD(d.parameters(), 0.1),
        objective=Plain(),
    )
    trainer.run()
    assert trainer.state.iteration == 2 * 3
