"""The GAN engine: who takes which step when, on which device, at which precision."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from ignite import distributed as idist
from ignite.engine import Engine, Events
from monai.engines.utils import IterationEvents
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from .._precision import autocast_dtype
from ..errors import ConfigError
from ..losses import Penalty
from ._augment import Augmentation
from ._distributed import mean_over_ranks, own_slice, share_weights
from ._ema import MovingAverage
from ._events import GanEvents
from ._faults import raise_again, require_finite
from ._objective import Condition, Objective
from ._player import Player, channels_last
from ._repeatable import AUGMENT_FAKE, AUGMENT_REAL, LATENT, Repeatable


class MicroBatch(NamedTuple):
    """What one forward and backward pass is made for.

    Attributes:
        real: (n, C, H, W).
        latent: (n, latent_dim).
        condition: what the generator is told beside.
        draws_real: (n, k), for the augmentation of real images.
        draws_fake: (n, k), for that of generated ones.
    """

    real: Tensor
    latent: Tensor
    condition: Condition
    draws_real: Tensor
    draws_fake: Tensor


class GanTrainer(Repeatable):
    """Train a generator against a discriminator.

    An iteration takes a batch, makes as many fake images, steps the discriminator on real and fake
    ones, then the generator on the same fake ones. The engine knows nothing of a particular GAN: an
    `Objective` has the mathematics.

    **Repeatable.** All random numbers come from (`seed`, step, purpose), those of latents and
    augmentation for the global batch, of which each rank takes its slice; Python's, NumPy's and
    torch's global generators are seeded anew for each batch. So nothing random has to be saved: a
    run that goes on from `checkpoint()` is the run that never stopped, bit for bit on one kind of
    machine.

    **Several processes**: see `start_distributed`. Gradients and figures are means over ranks.

    `engine.state.output` holds floats: `loss` (the generator's total), `g_loss` and `d_loss` (the
    adversarial parts), `d_real` = D(x), `d_fake_before` and `d_fake_after` = D(G(z)) before and
    after the discriminator's step, as means of sigmoids; the objective's parts; penalties by name.
    Losses whose scores are no logits of probabilities have `score_real`, `score_fake_before` and
    `score_fake_after` instead, raw means. The generator's figures are those of its own steps.

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
        ema_decay: of `ema_generator`, the `MovingAverage` of the generator, per step; 0 for none.
        amp: bfloat16 autocast where the processor has it (float16 on older GPUs).
        d_steps: steps of the discriminator, each on a batch of its own, for one of the generator.
        accumulation: micro-batches that a batch is cut into to save memory; their gradients add
            up to those of the whole, unless layers look at the whole batch.
        clip_norm: largest norm of a network's gradients; None leaves them.
        schedulers: of the learning rates, stepped after each epoch.
        train_handlers: Ignite handlers, attached in this order.
        epoch_length: iterations of an epoch; by default the length of the data loader.

    Raises:
        ConfigError: a batch can't be cut into `accumulation` equal parts.
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
        d_steps: int = 1,
        accumulation: int = 1,
        clip_norm: float | None = None,
        schedulers: Sequence[LRScheduler] = (),
        train_handlers: Sequence[Any] | None = None,
        epoch_length: int | None = None,
    ) -> None:
        # Before the base class, whose __init__ attaches handlers that may look at the engine.
        device = torch.device(device)
        self.network = self.generator = channels_last(share_weights(generator, device))
        self.discriminator = channels_last(share_weights(discriminator, device))
        self.ema = MovingAverage(self.generator, ema_decay)
        self.ema_generator = self.ema.network
        self.autocast_dtype = autocast_dtype(device) if amp else None
        scaled = self.autocast_dtype is torch.float16
        self.optimizer = g_optimizer
        self.players = {
            "generator": Player(self.generator, g_optimizer, clip_norm=clip_norm, scaled=scaled),
            "discriminator": Player(
                self.discriminator, d_optimizer, clip_norm=clip_norm, scaled=scaled
            ),
        }
        self.objective = objective
        self.latent_dim = latent_dim
        self.seed = seed
        self.augment = augment
        self.penalties = tuple(penalties)
        self.d_steps = d_steps
        self.accumulation = accumulation
        self.schedulers = tuple(schedulers)
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
        self.add_event_handler(Events.EPOCH_COMPLETED, self._step_schedulers)
        # After all other handlers.
        self.add_event_handler(Events.EXCEPTION_RAISED, raise_again)

    @property
    def saved_network(self) -> nn.Module:
        """The EMA generator."""
        return self.ema_generator

    def checkpoint(self) -> dict[str, Any]:
        """Everything that the next iteration depends on, as tensors and plain values."""
        return {
            "players": {name: player.state_dict() for name, player in self.players.items()},
            "ema_generator": self.ema_generator.state_dict(),
            **self._position(),
        }

    def restore(self, checkpoint: Mapping[str, Any]) -> None:
        """Go on from a `checkpoint` when run next; in the middle of an epoch, too.

        Raises:
            RuntimeError, KeyError, ValueError: it is of other networks or optimisers.
        """
        for name, player in self.players.items():
            player.load_state_dict(checkpoint["players"][name])
        self.ema_generator.load_state_dict(checkpoint["ema_generator"])
        self._go_to(checkpoint)

    def latents(self, num_images: int, step: int) -> Tensor:
        """This rank's latent vectors of a step, (num_images, latent_dim), float32."""
        total = num_images * idist.get_world_size()
        drawn = torch.randn(total, self.latent_dim, generator=self._random(step, LATENT))
        return own_slice(drawn).to(self.state.device)

    def _start_epoch(self, engine: Engine) -> None:
        super()._start_epoch(engine)
        self.generator.train()
        self.discriminator.train()

    def _autocast(self) -> torch.autocast:
        dtype = self.autocast_dtype
        return torch.autocast(self.state.device.type, dtype=dtype, enabled=dtype is not None)

    def _iteration(self, engine: Any, batchdata: dict[str, Any]) -> dict[str, float]:
        """Take one step of each network."""
        step = self.objective.step = engine.state.iteration
        self._seed_layers(step)
        parts = self._micro_batches(batchdata, step)
        g_steps = step % self.d_steps == 0
        fakes = self._generate(parts, keep_graph=g_steps and len(parts) == 1)
        engine.fire_event(IterationEvents.FORWARD_COMPLETED)
        figures = self._step("discriminator", self._discriminator_losses(parts, fakes, step))
        engine.fire_event(GanEvents.DISCRIMINATOR_COMPLETED)
        if g_steps:
            figures |= self._step("generator", self._generator_losses(parts, fakes))
            engine.fire_event(GanEvents.GENERATOR_COMPLETED)
            with self._autocast():
                part = parts[0]
                self.ema.update(self.generator, step // self.d_steps, part.latent, part.condition)
        values = mean_over_ranks(torch.stack(list(figures.values())))
        output = dict(zip(figures, values.tolist(), strict=True))
        require_finite(output, step, batchdata)
        engine.state.output = output
        engine.fire_event(IterationEvents.MODEL_COMPLETED)
        return output

    def _micro_batches(self, batchdata: Mapping[str, Any], step: int) -> list[MicroBatch]:
        device = self.state.device
        real, condition = self.objective.prepare_batch(batchdata)
        count = len(real)
        if count % self.accumulation:
            raise ConfigError(
                f"accumulation must cut a batch into equal parts, got {self.accumulation} for "
                f"{count} images"
            )
        draws = [self._draws(count, step, use) for use in (AUGMENT_REAL, AUGMENT_FAKE)]
        whole = (
            real.to(device, non_blocking=True).contiguous(memory_format=torch.channels_last),
            self.latents(count, step),
            *draws,
            *(part.to(device, non_blocking=True) for part in condition),
        )
        chunks = zip(*(value.chunk(self.accumulation) for value in whole), strict=True)
        return [MicroBatch(x, z, tuple(told), dr, df) for x, z, dr, df, *told in chunks]

    def _draws(self, count: int, step: int, purpose: int) -> Tensor:
        total, wanted = count * idist.get_world_size(), self.augment.draws if self.augment else 0
        drawn = torch.rand(total, wanted, generator=self._random(step, purpose))
        return own_slice(drawn).to(self.state.device)

    def _generate(self, parts: Sequence[MicroBatch], *, keep_graph: bool) -> list[Tensor]:
        with torch.set_grad_enabled(keep_graph), self._autocast():
            return [self.generator(part.latent, *part.condition) for part in parts]

    def _judge(self, images: Tensor, draws: Tensor, condition: Condition) -> Any:
        if self.augment is not None:
            images = self.augment(images, draws)
        return self.objective.discriminate(self.discriminator, images, condition)

    def _discriminator_losses(
        self, parts: Sequence[MicroBatch], fakes: Sequence[Tensor], step: int
    ) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
        for part, made in zip(parts, fakes, strict=True):
            fake = made.detach()
            with self._autocast():
                on_real = self._judge(part.real, part.draws_real, part.condition)
                on_fake = self._judge(fake, part.draws_fake, part.condition)
                losses = self.objective.discriminator_loss(on_real, on_fake, part.condition)
            penalties = {
                penalty.name: penalty(self._scorer(part), part.real, fake)
                for penalty in self.penalties
                if step % penalty.every == 0
            }
            total = torch.stack([losses.total, *penalties.values()]).sum()
            figures = losses.parts | penalties | {"d_loss": losses.adversarial}
            figures |= self._shown("real", on_real) | self._shown("fake_before", on_fake)
            yield total, figures

    def _scorer(self, part: MicroBatch) -> Callable[[Tensor], Tensor]:
        # Gradients of gradients fit into bfloat16, not into float16, whose loss scale they lack.
        low = self.autocast_dtype is torch.bfloat16

        def score(images: Tensor) -> Tensor:
            with torch.autocast(self.state.device.type, torch.bfloat16, enabled=low):
                output = self._judge(images, part.draws_real, part.condition)
            return self.objective.score(output)

        return score

    def _generator_losses(
        self, parts: Sequence[MicroBatch], fakes: Sequence[Tensor]
    ) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
        # The discriminator's own gradients would be computed for nothing.
        self.discriminator.requires_grad_(False)
        for index, part in enumerate(parts):
            fake = fakes[index]
            if not fake.requires_grad:
                (fake,) = self._generate([part], keep_graph=True)
            with self._autocast():
                on_fake = self._judge(fake, part.draws_fake, part.condition)
                on_real = None
                if self.objective.paired:
                    with torch.no_grad():
                        on_real = self._judge(part.real, part.draws_real, part.condition)
                losses = self.objective.generator_loss(on_fake, part.condition, on_real)
            figures = losses.parts | {"loss": losses.total, "g_loss": losses.adversarial}
            yield losses.total, figures | self._shown("fake_after", on_fake)
        self.discriminator.requires_grad_(True)

    def _shown(self, name: str, output: Any) -> dict[str, Tensor]:
        """D(x) or D(G(z)): the mean probability of being real, or the mean raw score."""
        score = self.objective.score(output).detach().float()
        if self.objective.probabilistic:
            return {f"d_{name}": score.sigmoid().mean()}
        return {f"score_{name}": score.mean()}

    def _step(
        self, name: str, losses: Iterable[tuple[Tensor, dict[str, Tensor]]]
    ) -> dict[str, Tensor]:
        """Move one player by the mean of the micro-batches' losses; give the mean figures."""
        player = self.players[name]
        player.optimizer.zero_grad(set_to_none=True)
        found = []
        for total, figures in losses:
            self.fire_event(IterationEvents.LOSS_COMPLETED)
            player.backward(total / self.accumulation)
            self.fire_event(IterationEvents.BACKWARD_COMPLETED)
            found.append({name: value.detach().float() for name, value in figures.items()})
        player.step()
        return {name: torch.stack([part[name] for part in found]).mean() for name in found[0]}
