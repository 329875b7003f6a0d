"""Engines and generators whose figures and pictures are known."""

from collections.abc import Callable
from typing import Any

import torch
from ignite.engine import Engine
from torch import Tensor, nn

from medaug.engines import GanEvents


class Ramp(nn.Module):
    """A generator whose picture tells its class, its latent, which way is up and which left.

    Grey grows downwards and, half as fast, to the right; row 0 is black but for its corner.
    """

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.seen: list[tuple[Tensor, Tensor]] = []

    def forward(self, latent: Tensor, label: Tensor) -> Tensor:
        self.seen.append((latent.clone(), label.clone()))
        rows = torch.arange(8.0).view(1, 1, 8, 1) / 14
        columns = torch.arange(6.0).view(1, 1, 1, 6) / 28
        images = (rows + columns).expand(len(latent), 1, 8, 6).clone()
        images[:, 0, 0, 0] = (label + 1) / 10
        return images * self.scale


class Noise(nn.Module):
    """A generator of noise that depends on latent and class."""

    def __init__(self, size: int = 32) -> None:
        super().__init__()
        self.size = size
        self.weight = nn.Parameter(
            torch.randn(4, size**2, generator=torch.Generator().manual_seed(5))
        )

    def forward(self, latent: Tensor, label: Tensor) -> Tensor:
        images = (latent @ self.weight + label[:, None]).sigmoid()
        return images.view(-1, 1, self.size, self.size)


def engine(
    outputs: list[dict[str, Any]],
    *,
    per_epoch: int = 1,
    generator: nn.Module | None = None,
    before: Callable[[int], object] = lambda _: None,
) -> tuple[Engine, Callable[[], object]]:
    """An engine that yields the outputs one by one, and what runs it."""

    def step(engine: Engine, _: Any) -> dict[str, Any]:
        before(engine.state.iteration)
        return outputs[engine.state.iteration - 1]

    made: Any = Engine(step)
    made.register_events(*GanEvents)
    made.data_loader = torch.utils.data.DataLoader(range(per_epoch * 4), batch_size=4)  # type: ignore[arg-type]  # a range is data enough
    made.ema_generator = generator
    made.latent_dim = 4
    epochs = len(outputs) // per_epoch
    return made, lambda: made.run([0] * per_epoch, max_epochs=epochs)
