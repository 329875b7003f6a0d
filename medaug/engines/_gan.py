"""The GAN engine: who takes which step when, on which device, at which precision."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from math import isfinite
from typing import Any

import numpy as np
import torch
from ignite import distributed as idist
from ignite.engine import Engine, EventEnum, Events
from monai.engines import Trainer
from monai.engines.utils import IterationEvents
from torch import Tensor, nn

from ..errors import TrainingDivergedError
from ..losses import Penalty
from ._augment import Augmentation
from ._objective import Condition, Objective

LATENT, AUGMENT_REAL, AUGMENT_FAKE, LAYERS = range(4)
"""What random numbers are drawn for; a word of the seed."""


class GanEvents(EventEnum):
    """Fired in each iteration, in this order, beside MONAI's `IterationEvents`."""

    DISCRIMINATOR_COMPLETED = "discriminator_completed"
    GENERATOR_COMPLETED = "generator_completed"


class GanTrainer(Trainer):
    """Train a generator against a discriminator.

    An iteration draws latents, makes fake images, steps the discriminator on real and fake ones,
    then the generator on the same fake ones. The engine knows nothing of a particular GAN: an
    `Objective` has the mathematics.

    All random numbers come from (`seed`, step, purpose), latents for the global batch of which
    each rank takes its slice; so a run is repeated bit for bit on one kind of machine.

    `engine.state.output` holds floats: `loss` (the generator's total), `g_loss` and `d_loss` (the
    adversarial parts), `d_real` = D(x), `d_fake_before` and `d_fake_after` = D(G(z)) before and
    after the discriminator's step, as means of sigmoids; the objective's parts; penalties by name.

    Args:
        device: where to train.
        max_epochs: how many epochs to train.
        train_data_loader: yields batches for the objective; `set_epoch(epoch)` of its sampler and
            data set is called at the start of each epoch where they have it.
        generator: makes images from (latent, *condition); on `device` already, as the optimisers
            hold its parameters.
        discriminator: judges images; on `device` already.
        g_optimizer: of the generator's parameters.
        d_optimizer: of the discriminator's parameters.
        objective: the losses, and what they need of a batch.
        latent_dim: length of a latent vector, N(0, 1).
        seed: of latents, augmentation and random layers.
        augment: applied to real and fake images alike before the discriminator sees them.
        penalties: added to the discriminator's loss, each at its own interval.
        ema_decay: of the moving average of the generator's weights, `ema_generator`, per step;
            early on it follows faster: min(decay, (1 + step) / (10 + step)).
        amp: bfloat16 autocast where the processor has it (float16 on older GPUs).
        train_handlers: Ignite handlers, attached in this order.
        epoch_length: iterations of an epoch; by default the length of the data loader.

    Raises:
        TrainingDivergedError: in `run`, when a loss is no longer finite.
    """

    def __init__(
        self,
        *,
        device: torch.device | str,
        max_epochs: int,
        train_data_loader: Iterable[Any],
        generator: nn.Module,
        discriminator: nn.Module,
        g_optimizer: torch.optim.Optimizer,
        d_optimizer: torch.optim.Optimizer,
        objective: Objective,
        latent_dim: int,
        seed: int = 0,
        augment: Augmentation | None = None,
        penalties: Sequence[Penalty] = (),
        ema_decay: float = 0.996,
        amp: bool = False,
        train_handlers: Sequence[Any] | None = None,
        epoch_length: int | None = None,
    ) -> None:
        # Before the base class, whose __init__ attaches handlers that may look at the engine.
        self.network = self.generator = _channels_last(generator)
        self.discriminator = _channels_last(discriminator)
        self.ema_generator = deepcopy(_bare(generator)).eval().requires_grad_(False)
        self.optimizer = self.g_optimizer = g_optimizer
        self.d_optimizer = d_optimizer
        self.objective = objective
        self.latent_dim = latent_dim
        self.seed = seed
        self.augment = augment
        self.penalties = tuple(penalties)
        self.ema_decay = ema_decay
        self.autocast_dtype = autocast_dtype(torch.device(device)) if amp else None
        self.scalers = [
            torch.amp.GradScaler(
                torch.device(device).type, enabled=self.autocast_dtype is torch.float16
            )
            for _ in range(2)
        ]
        super().__init__(
            device=device,
            max_epochs=max_epochs,
            data_loader=train_data_loader,
            epoch_length=epoch_length,
            event_names=[GanEvents],
            handlers=train_handlers,
            decollate=False,
        )
        self.add_event_handler(Events.EPOCH_STARTED, self._start_epoch)
        # Ignite takes an exception as dealt with once it has a handler: after all others, raise it.
        self.add_event_handler(Events.EXCEPTION_RAISED, _raise)

    def latents(self, num_images: int, step: int) -> Tensor:
        """This rank's latent vectors of a step, (num_images, latent_dim), float32."""
        total = num_images * idist.get_world_size()
        drawn = torch.randn(total, self.latent_dim, generator=self._random(step, LATENT))
        first = num_images * idist.get_rank()
        return drawn[first : first + num_images].to(self.state.device)

    def _start_epoch(self, engine: Engine) -> None:
        engine.state.metrics.clear()  # figures of an epoch are figures of that epoch
        self.generator.train()
        self.discriminator.train()
        for part in ("sampler", "dataset"):
            set_epoch = getattr(getattr(self.data_loader, part, None), "set_epoch", None)
            if set_epoch is not None:
                set_epoch(engine.state.epoch)

    def _random(self, step: int, *words: int) -> torch.Generator:
        entropy = np.random.SeedSequence([self.seed, step, *words])
        return torch.Generator().manual_seed(int(entropy.generate_state(1, np.uint64)[0]))

    def _autocast(self) -> torch.autocast:
        dtype = self.autocast_dtype
        return torch.autocast(self.state.device.type, dtype=dtype, enabled=dtype is not None)

    def _iteration(self, engine: Any, batchdata: dict[str, Tensor]) -> dict[str, float]:
        """Take one step of each network."""
        step = engine.state.iteration
        torch.manual_seed(self._random(step, LAYERS, idist.get_rank()).initial_seed())
        real, condition = self.objective.prepare_batch(batchdata)
        real = real.to(self.state.device).contiguous(memory_format=torch.channels_last)
        condition = tuple(part.to(self.state.device) for part in condition)

        with self._autocast():
            fake = self.generator(self.latents(len(real), step), *condition)
        engine.fire_event(IterationEvents.FORWARD_COMPLETED)
        figures = self._discriminator_step(step, real, fake.detach(), condition)
        engine.fire_event(GanEvents.DISCRIMINATOR_COMPLETED)
        figures |= self._generator_step(step, fake, condition)
        engine.fire_event(GanEvents.GENERATOR_COMPLETED)
        self._update_ema(step)

        output = dict(zip(figures, torch.stack(list(figures.values())).tolist(), strict=True))
        _require_finite(output, step)
        engine.state.output = output
        engine.fire_event(IterationEvents.MODEL_COMPLETED)
        return output

    def _judge(self, images: Tensor, condition: Condition, step: int, purpose: int) -> Any:
        if self.augment is not None:
            images = self.augment(images, self._random(step, purpose, idist.get_rank()))
        return self.objective.discriminate(self.discriminator, images, condition)

    def _discriminator_step(
        self, step: int, real: Tensor, fake: Tensor, condition: Condition
    ) -> dict[str, Tensor]:
        self.d_optimizer.zero_grad(set_to_none=True)
        with self._autocast():
            on_real = self._judge(real, condition, step, AUGMENT_REAL)
            on_fake = self._judge(fake, condition, step, AUGMENT_FAKE)
            losses = self.objective.discriminator_loss(on_real, on_fake, condition)
        total = losses.total
        parts = dict(losses.parts)
        for penalty in self.penalties:
            if step % penalty.every == 0:
                value = penalty(self._scorer(condition, step), real)
                total = total + value
                parts[penalty.name] = value
        self._descend(total, self.d_optimizer, self.scalers[0])
        return _detached(
            parts,
            d_loss=losses.adversarial,
            d_real=self.objective.score(on_real).sigmoid().mean(),
            d_fake_before=self.objective.score(on_fake).sigmoid().mean(),
        )

    def _scorer(self, condition: Condition, step: int) -> Callable[[Tensor], Tensor]:
        def score(images: Tensor) -> Tensor:
            return self.objective.score(self._judge(images, condition, step, AUGMENT_REAL))

        return score

    def _generator_step(self, step: int, fake: Tensor, condition: Condition) -> dict[str, Tensor]:
        self.g_optimizer.zero_grad(set_to_none=True)
        # The discriminator's own gradients would be computed, and reduced over ranks, for nothing.
        self.discriminator.requires_grad_(False)
        with self._autocast():
            on_fake = self._judge(fake, condition, step, AUGMENT_FAKE)
            losses = self.objective.generator_loss(on_fake, condition)
        self._descend(losses.total, self.g_optimizer, self.scalers[1])
        self.discriminator.requires_grad_(True)
        return _detached(
            losses.parts,
            loss=losses.total,
            g_loss=losses.adversarial,
            d_fake_after=self.objective.score(on_fake).sigmoid().mean(),
        )

    def _descend(
        self, loss: Tensor, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler
    ) -> None:
        scaled: Tensor = scaler.scale(loss)
        self.fire_event(IterationEvents.LOSS_COMPLETED)
        scaled.backward()
        self.fire_event(IterationEvents.BACKWARD_COMPLETED)
        scaler.step(optimizer)
        scaler.update()

    @torch.no_grad()
    def _update_ema(self, step: int) -> None:
        weight = 1 - min(self.ema_decay, (1 + step) / (10 + step))
        bare = _bare(self.generator)
        averaged: list[Tensor] = list(self.ema_generator.parameters())
        torch._foreach_lerp_(averaged, list(bare.parameters()), weight)
        for average, current in zip(self.ema_generator.buffers(), bare.buffers(), strict=True):
            average.copy_(current)


def _raise(_: Engine, error: BaseException) -> None:
    raise error


def autocast_dtype(device: torch.device) -> torch.dtype | None:
    """The half-precision type that this device computes in natively, None where it has none."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device.type == "cpu":
        # torch 2.10 may not know the question yet
        able: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
        return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else None
    return None


def _channels_last(network: nn.Module) -> nn.Module:
    # The memory order that convolutions in half precision are fastest in.
    to: Callable[..., nn.Module] = network.to  # older stubs of torch don't know this argument
    return to(memory_format=torch.channels_last)


def _bare(network: nn.Module) -> nn.Module:
    """The network inside a DistributedDataParallel wrapper, or itself."""
    return network.module if isinstance(network, nn.parallel.DistributedDataParallel) else network


def _detached(parts: dict[str, Tensor], **further: Tensor) -> dict[str, Tensor]:
    return {name: value.detach().float() for name, value in {**parts, **further}.items()}


def _require_finite(output: dict[str, float], step: int) -> None:
    broken = {name: value for name, value in output.items() if not isfinite(value)}
    if broken:
        raise TrainingDivergedError(
            f"losses must be finite, got {broken} in iteration {step}; the last saved model is "
            "untouched; a lower learning rate, or --amp false, may help"
        )
