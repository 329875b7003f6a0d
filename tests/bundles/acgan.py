"""The bundle aiin_acgan, driven in-process for the tests."""

from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import create_workflow

from medaug.errors import UserError

from ..bundle.process import mistake

BUNDLE = Path(__file__).parents[2] / "bundles" / "aiin_acgan"
SMALL = {"image_size": 32, "max_epochs": 1, "batch_size": 4, "val_interval": 1, "latent_dim": 8}


def workflow(name: str, **overrides: Any) -> Any:
    """The workflow of one of the bundle's configurations, initialised."""
    kind = "train" if name == "train" else "infer"
    config = str(BUNDLE / "configs" / f"{name}.json")
    return create_workflow(config_file=config, workflow_type=kind, logging_file=False, **overrides)


def train(data: Path, out: Path, **overrides: Any) -> Path:
    """Train for one epoch; returns the output folder."""
    settings = SMALL | {"dataset_dir": str(data), "output_dir": str(out)} | overrides
    made = workflow("train", **settings)
    made.run()
    made.finalize()
    return out


def refused(name: str, **overrides: Any) -> str:
    """The message of the UserError that a run ends with."""
    with pytest.raises((RuntimeError, UserError)) as raised:
        workflow(name, **overrides).run()
    return str(mistake(raised.value))


def weights(run: Path) -> dict[str, torch.Tensor]:
    loaded: dict[str, torch.Tensor] = torch.load(run / "models" / "model.pt", weights_only=True)
    return loaded
