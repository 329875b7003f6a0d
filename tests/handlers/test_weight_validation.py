"""λ moved by validation."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from medaug.engines import CineObjective
from medaug.errors import ConfigError
from medaug.handlers import MetricsCSV, WeightValidation, cine_handlers
from medaug.losses import ValidatedWeight
from medaug.networks import fade_in

from ..engines.cine_toy import ToyCines, cine_trainer, growth, temporal, weights
from .fakes import engine

SIDE = 8


class Beating:
    """Sequences of one brightness that swings with the phase; also what a stage would give."""

    def __init__(self, count: int = 3) -> None:
        self.count, self.epochs = count, list[int]()

    def __len__(self) -> int:
        return self.count

    def set_epoch(self, epoch: int) -> None:
        self.epochs.append(epoch)

    def __getitem__(self, index: int) -> dict[str, Any]:
        phase = torch.arange(4) / 4
        return {
            "image": swing(phase, 0.1 * (index + 1)),
            "modality": index % 2,
            "conditions": torch.tensor([0.1 * (index + 1)]),
            "phase": phase,
        }


def swing(phase: Tensor, size: float) -> Tensor:
    """(1, T, 8, 8)."""
    waves = 0.5 + size * torch.sin(2 * torch.pi * phase)
    return waves.view(1, -1, 1, 1).expand(-1, -1, SIDE, SIDE)


class Swinging(nn.Module):
    """A generator that does as it is told, more or less."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(factor))
        self.alpha, self.modalities = 1.0, list[int]()

    def forward(self, latent: Tensor, modality: Tensor, told: Tensor, phase: Tensor) -> Tensor:
        self.modalities += modality.tolist()
        assert latent.shape == (1, 4)
        return swing(phase[0], float(self.factor * told))[None]


class Plain:
    """Mean squared differences of consecutive frames, without a network."""

    def distances(self, sequences: Tensor, *, step: int) -> Tensor:
        del step
        return (sequences[:, :, 1:] - sequences[:, :, :-1]).square().mean((1, 3, 4))


@pytest.mark.parametrize(("factor", "expected"), [(1.0, 0.3), (2.0, 0.4), (0.0, 0.2), (0.5, 0.2)])
def test_the_ratio_moves_lambda(factor: float, expected: float) -> None:
    """Made by real, as the squares of the swings; for each real one, what it is told."""
    schedule = ValidatedWeight(start=0.1, end=0.5, increment=0.1)
    schedule.value = 0.3
    data: Any = Beating()
    generator = Swinging(factor)
    made, run = engine([{}] * 3, generator=generator)
    plain: Any = Plain()
    WeightValidation(schedule, plain, data, interval=3).attach(made)
    run()
    assert made.state.metrics["frame_distance_ratio"] == pytest.approx(factor**2)
    assert schedule.value == pytest.approx(expected)
    assert generator.modalities == [0, 1, 0]
    assert data.epochs == [3]


def test_real_sequences_fade_in_as_made_ones_do() -> None:
    """What is beyond the resolution that the generator has come to doesn't count."""
    checks = torch.ones(1, 4, SIDE, SIDE)
    checks[..., ::2, ::2] = 0
    checks[..., 1::2, 1::2] = 0
    image = checks * torch.tensor([0.0, 1.0, 0.0, 1.0]).view(1, 4, 1, 1)

    class Checks(Beating):
        def __getitem__(self, index: int) -> dict[str, Any]:
            return super().__getitem__(index) | {"image": image}

    generator = Swinging(1.0)
    generator.alpha = 0.5
    made, run = engine([{}], generator=generator)
    data: Any = Checks(1)
    plain: Any = Plain()
    WeightValidation(ValidatedWeight(), plain, data, interval=1).attach(made)
    run()
    real = plain.distances(fade_in(image[None], 0.5), step=0).mean()
    ours = plain.distances(swing(torch.arange(4) / 4, 0.1)[None], step=0).mean()
    assert made.state.metrics["frame_distance_ratio"] == pytest.approx(float(ours / real))


def validated(folder: Path, begin: float = 0.3, **changes: Any) -> tuple[Any, ValidatedWeight]:
    """A trainer whose λ is moved after each epoch."""
    stages = growth()
    dtcr, schedule = temporal(folder), ValidatedWeight(increment=0.07, tolerance=0)
    schedule.value = begin
    objective = CineObjective(temporal=dtcr, schedule=schedule, growth=stages)
    handler = WeightValidation(schedule, dtcr, ToyCines(stages), interval=1)
    handlers = [handler, MetricsCSV(folder / "metrics.csv")]
    return cine_trainer(stages, objective=objective, train_handlers=handlers, **changes), schedule


def test_a_run_that_goes_on_has_the_same_lambda(tmp_path: Path) -> None:
    """And so the same weights, through both stages."""
    whole, schedule = validated(tmp_path)
    whole.run()
    rows = (tmp_path / "metrics.csv").read_text().splitlines()
    assert "frame_distance_ratio" in rows[0]
    half, moved = validated(tmp_path, max_epochs=2)
    half.run()
    assert moved.value != 0.3
    rest, last = validated(tmp_path, begin=0.5)
    rest.restore(half.checkpoint())
    assert last.value == moved.value
    rest.run()
    assert last.value == schedule.value
    assert torch.equal(weights(rest), weights(whole))


def test_handlers_validate_only_where_lambda_is_to_be_moved(tmp_path: Path) -> None:
    """By a `ValidatedWeight`; then there must be sequences."""
    dtcr = temporal(tmp_path)
    options: Any = {"modalities": ("mri", "ct"), "interval": 1, "settings": {}}

    def made(objective: CineObjective | None, **more: Any) -> set[str]:
        found = cine_handlers(tmp_path / "run", objective=objective, **options, **more)
        return {type(one).__name__ for one in found}

    assert "WeightValidation" not in made(CineObjective(temporal=dtcr)) | made(None)
    objective = CineObjective(temporal=dtcr, schedule=ValidatedWeight())
    assert "WeightValidation" in made(objective, validation=Beating())
    assert "WeightValidation" not in made(CineObjective(schedule=ValidatedWeight()))
    with pytest.raises(ConfigError, match="validation must be sequences where it is to move λ"):
        made(objective)
