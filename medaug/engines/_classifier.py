"""The engine that trains classifiers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from copy import deepcopy
from typing import Any

import torch
from ignite import distributed as idist
from ignite.engine import Events
from monai.engines import SupervisedTrainer
from monai.engines.utils import IterationEvents
from monai.inferers import Inferer, SimpleInferer
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.optim.lr_scheduler import LRScheduler

from .._precision import autocast_dtype
from ._augment import Augmentation
from ._distributed import mean_over_ranks, share_weights
from ._events import GanEvents
from ._faults import raise_again, require_finite
from ._player import Player
from ._repeatable import AUGMENT_REAL, Repeatable


class ClassifierTrainer(Repeatable, SupervisedTrainer):
    """MONAI's `SupervisedTrainer` with what a long training needs.

    A run that goes on from `checkpoint()` is the run that never stopped, bit for bit on one kind of
    machine; `ModelSaver` and `MetricsCSV` take it as they take a `GanTrainer`. Gradients and
    figures are means over ranks (see `start_distributed`). The network that is saved is the best
    one so far, where something judges it (`BestNetwork`); else the present one.

    `engine.state.output` holds floats: `loss`, `accuracy` (of the batch) and `lr`, the learning
    rate of the step.

    Args:
        device: where to train.
        max_epochs: how many epochs to train.
        train_data_loader: yields dictionaries with ``image`` (N, C, H, W) and ``label`` (N,);
            `set_epoch(epoch)` of its sampler and data set is called at the start of each epoch
            where they have it.
        network: images to logits (N, K); on `device` already, as the optimiser holds its
            parameters.
        optimizer: of the network's parameters.
        loss_function: of logits and labels, such as `torch.nn.CrossEntropyLoss`.
        seed: of random layers, of augmentation, and of all that transforms draw.
        augment: of the images, each batch anew; see `ClassicAugment`.
        inferer: how the network is called; see `AutocastInferer`.
        clip_norm: largest norm of all gradients together; None leaves them.
        schedulers: of the learning rate, stepped after each iteration.
        train_handlers: Ignite handlers, attached in this order.
        epoch_length: iterations of an epoch; by default the length of the data loader.

    Raises:
        TrainingDivergedError: in `run`, when the loss is no longer finite.
    """

    def __init__(
        self,
        *,
        device: torch.device | str,
        max_epochs: int,
        train_data_loader: Iterable[Any],
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        loss_function: Callable[[Tensor, Tensor], Tensor],
        seed: int = 0,
        augment: Augmentation | None = None,
        inferer: Inferer | None = None,
        clip_norm: float | None = None,
        schedulers: Sequence[LRScheduler] = (),
        train_handlers: Sequence[Any] | None = None,
        epoch_length: int | None = None,
    ) -> None:
        # Before the base class, whose __init__ attaches handlers that may look at the engine.
        device = torch.device(device)
        network = share_weights(network, device)
        self.seed = seed
        self.augment = augment
        self.schedulers = tuple(schedulers)
        self.player = Player(network, optimizer, clip_norm=clip_norm, scaled=False)
        self.best_network = deepcopy(network).eval().requires_grad_(False)
        self.best_figures: dict[str, float] = {}
        if isinstance(loss_function, nn.Module):
            loss_function = loss_function.to(device)
        super().__init__(
            device=device,
            max_epochs=max_epochs,
            train_data_loader=train_data_loader,
            network=network,
            optimizer=optimizer,
            loss_function=loss_function,
            epoch_length=epoch_length,
            inferer=inferer,
            event_names=[GanEvents],
            train_handlers=train_handlers,
            decollate=False,
            optim_set_to_none=True,
        )
        self.add_event_handler(Events.EPOCH_STARTED, self._start_epoch)
        self.add_event_handler(IterationEvents.BACKWARD_COMPLETED, self.player.gather)
        self.add_event_handler(Events.ITERATION_COMPLETED, self._step_schedulers)
        # After all other handlers.
        self.add_event_handler(Events.EXCEPTION_RAISED, raise_again)

    @property
    def saved_network(self) -> nn.Module:
        """The best one so far, where something judges it."""
        return self.best_network if self.best_epoch else self.network

    @property
    def best_epoch(self) -> int:
        """The epoch of `best_network`; 0 where none has been judged."""
        return max(int(self.state.best_metric_epoch), 0)

    def keep_best(self, value: float, figures: Mapping[str, Any]) -> None:
        """Take the present network for the best so far.

        Args:
            value: what it was judged by.
            figures: what to tell about it; those that are no numbers are left out.
        """
        self.best_network.load_state_dict(self.network.state_dict())
        self.best_figures = {
            name: value for name, value in figures.items() if isinstance(value, int | float)
        }
        self.state.best_metric, self.state.best_metric_epoch = value, self.state.epoch

    def checkpoint(self) -> dict[str, Any]:
        """Everything that the next iteration depends on, as tensors and plain values."""
        return {
            "player": self.player.state_dict(),
            "best": {
                "network": self.best_network.state_dict(),
                "figures": self.best_figures,
                "metric": float(self.state.best_metric),
                "epoch": self.state.best_metric_epoch,
            },
            **self._position(),
        }

    def about_model(self) -> dict[str, Any]:
        """The epoch that is saved, and its figures."""
        if not self.best_epoch:
            return super().about_model()
        return {"epoch": self.best_epoch, "validation": self.best_figures}

    def restore(self, checkpoint: Mapping[str, Any]) -> None:
        """Go on from a `checkpoint` when run next; in the middle of an epoch, too.

        Raises:
            RuntimeError, KeyError, ValueError: it is of another network or optimiser.
        """
        self.player.load_state_dict(checkpoint["player"])
        best = checkpoint["best"]
        self.best_network.load_state_dict(best["network"])
        self.best_figures = dict(best["figures"])
        self.state.best_metric, self.state.best_metric_epoch = best["metric"], best["epoch"]
        self._go_to(checkpoint)

    def _iteration(self, engine: Any, batchdata: dict[str, Any]) -> dict[str, float]:
        """MONAI's, whose tensors are then reduced to figures."""
        step = engine.state.iteration
        self._seed_layers(step)
        made = super()._iteration(engine, self._augmented(batchdata, step))
        right = (made["pred"].detach().argmax(1) == made["label"]).float().mean()
        values = mean_over_ranks(torch.stack([made["loss"].detach().float(), right]))
        output = dict(zip(("loss", "accuracy"), values.tolist(), strict=True))
        require_finite(output, step, batchdata)
        output["lr"] = float(self.optimizer.param_groups[0]["lr"])
        engine.state.output = output
        return output

    def _augmented(self, batch: dict[str, Any], step: int) -> dict[str, Any]:
        if self.augment is None:
            return batch
        images, device = batch["image"], self.state.device
        random = self._random(step, AUGMENT_REAL, idist.get_rank())
        draws = torch.rand(len(images), self.augment.draws, generator=random)
        return {**batch, "image": self.augment(images.to(device), draws.to(device))}


class AutocastInferer(SimpleInferer):
    """Call the network in bfloat16 where the processor has it; what comes out is float32.

    Args:
        device: where the network is.
        amp: whether to do so; else it is called as it is.
    """

    def __init__(self, device: torch.device | str, *, amp: bool = True) -> None:
        super().__init__()
        self.device = torch.device(device)
        dtype = autocast_dtype(self.device) if amp else None
        # float16, which older GPUs have instead, would need a loss scale.
        self.dtype = dtype if dtype is torch.bfloat16 else None

    def __call__(
        self, inputs: Tensor, network: Callable[..., Tensor], *args: Any, **kwargs: Any
    ) -> Tensor:
        """The network's output for `inputs`."""
        enabled = self.dtype is not None
        with ExitStack() as stack:
            stack.enter_context(torch.autocast(self.device.type, dtype=self.dtype, enabled=enabled))
            if enabled and self.device.type == "cpu":
                # On processors the backward pass of torch's fused attention in bfloat16 takes ten
                # times as long as in float32: half of a small transformer's step.
                stack.enter_context(sdpa_kernel(SDPBackend.MATH))
            return network(inputs, *args, **kwargs).float()
