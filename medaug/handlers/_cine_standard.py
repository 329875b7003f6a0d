"""The handlers that a training of sequences has, with its film strips."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from ignite import distributed as idist
from ignite.engine import Engine, Events
from torch import Tensor
from torch.utils.data import Dataset

from ..engines import CineObjective, ModelSaver, epochs
from ..errors import ConfigError
from ..losses import ValidatedWeight
from ._metrics_csv import MetricsCSV
from ._progress import ProgressBar
from ._samples import save_grid
from ._standard import figures_board
from ._weight_validation import WeightValidation


class FilmStrips:
    """Save a picture with one made cycle a row, a frame a column, always from the same latents.

    Written to ``<directory>/epoch_NNNN.png`` every `interval` epochs and at the end, at the
    resolution that the generator has then. Conditions are left missing.

    Args:
        directory: made if it isn't there.
        num_modalities: they take turns, from row to row.
        interval: in epochs.
        rows: of each modality.
        num_frames: columns.
        seed: of the latents.
    """

    def __init__(
        self,
        directory: str | Path,
        *,
        num_modalities: int,
        interval: int,
        rows: int = 2,
        num_frames: int = 10,
        seed: int = 0,
    ) -> None:
        self.directory = Path(directory)
        self.num_modalities, self.rows = num_modalities, rows
        self.interval = interval
        self.num_frames = num_frames
        self.seed = seed

    def attach(self, engine: Engine) -> None:
        """Register with a `GanTrainer` of sequences."""
        if idist.get_rank() == 0:
            engine.add_event_handler(epochs(self.interval), self._save)

    def _save(self, engine: Any) -> None:
        frames = self._made(engine.ema_generator, engine.latent_dim)
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / f"epoch_{engine.state.epoch:04d}.png"
        save_grid(frames, path, self.num_frames, gap=1)

    @torch.no_grad()
    def _made(self, generator: Any, latent_dim: int) -> Tensor:
        """(rows · T, C, H, W), row by row, on the CPU."""
        device = next(generator.parameters()).device
        num = self.rows * self.num_modalities
        drawn = torch.Generator().manual_seed(self.seed)
        latents = torch.randn(num, latent_dim, generator=drawn).to(device)
        modality = torch.arange(num, device=device) // self.rows
        strips = [
            torch.cat([*generator.stream(z, m, num_frames=self.num_frames)], dim=2)
            for z, m in zip(latents.split(1), modality.split(1), strict=True)
        ]
        return torch.cat(strips).transpose(1, 2).flatten(0, 1).float().cpu()


class GrowthFigures:
    """Put the generator's ``resolution`` and ``alpha`` among the figures of each epoch."""

    def attach(self, engine: Engine) -> None:
        """Register with a `GanTrainer` that grows, before what writes its figures down."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self._tell)

    def _tell(self, engine: Any) -> None:
        grown = engine.ema_generator
        engine.state.metrics |= {"resolution": float(grown.resolution), "alpha": grown.alpha}


def cine_handlers(
    output_dir: str | Path,
    *,
    modalities: Sequence[str],
    interval: int,
    settings: dict[str, Any],
    objective: CineObjective | None = None,
    validation: Dataset[dict[str, Any]] | None = None,
    seed: int = 0,
    resume: bool | str = False,
) -> list[Any]:
    """What writes a training of sequences into `output_dir`, in the order of attachment.

    ``models/`` as `ModelSaver` says; ``samples/epoch_NNNN.png``, film strips; ``metrics.csv`` and
    ``iterations.csv``; ``tensorboard/``; and a progress bar.

    Args:
        output_dir: made if it isn't there.
        modalities: their names.
        interval: epochs between savings and film strips.
        settings: what builds the generator again.
        objective: of the trainer, where validation is to move its λ.
        validation: sequences of other patients, at the resolution of the training's stage.
        seed: of the fixed latents.
        resume: see `ModelSaver`.

    Raises:
        ConfigError: validation is to move λ, and there are no sequences for it.
    """
    folder = Path(output_dir)
    settings = {**settings, "classes": list(modalities)}
    return [
        ModelSaver(folder / "models", interval=interval, settings=settings, resume=resume),
        FilmStrips(
            folder / "samples", num_modalities=len(modalities), interval=interval, seed=seed
        ),
        GrowthFigures(),
        *_validation(objective, validation, interval=interval, seed=seed),
        MetricsCSV(folder / "metrics.csv"),
        *figures_board(folder / "tensorboard"),
        ProgressBar(),
    ]


def _validation(
    objective: CineObjective | None,
    validation: Dataset[dict[str, Any]] | None,
    *,
    interval: int,
    seed: int,
) -> list[Any]:
    """What moves λ, if anything is to."""
    temporal = None if objective is None else objective.temporal
    schedule = None if objective is None else objective.schedule
    if temporal is None or not isinstance(schedule, ValidatedWeight):
        return []
    if validation is None:
        raise ConfigError("validation must be sequences where it is to move λ, got None")
    return [WeightValidation(schedule, temporal, validation, interval=interval, seed=seed)]
