"""All GAN bundles alike, driven in-process for the tests."""

from pathlib import Path
from typing import Any

from monai.bundle import create_workflow

BUNDLES = Path(__file__).parents[2] / "bundles"
NAMES = ("aiin_acgan", "aiin_dcgan", "cgan")
SMALL = {"image_size": 32, "max_epochs": 1, "batch_size": 4, "val_interval": 1, "latent_dim": 8}


def own(name: str, data: Path) -> dict[str, Any]:
    """What a bundle wants beside `SMALL` to train on a small folder."""
    place = {"dataset_dir": str(data)}
    return place | ({"dataset": "folder"} if name == "cgan" else {})


def configs(name: str, *files: str) -> list[str]:
    """Paths of a bundle's configurations."""
    return [str(BUNDLES / name / "configs" / f"{file}.json") for file in files]


def workflow(name: str, *files: str, **overrides: Any) -> Any:
    """The workflow of a bundle's configuration with its overlays, initialised."""
    return create_workflow(
        config_file=configs(name, *files),
        workflow_type="train" if files[0] == "train" else "infer",
        logging_file=False,
        **overrides,
    )


def train(name: str, data: Path, out: Path, **overrides: Any) -> Path:
    """Train for one epoch; returns the output folder."""
    made = workflow(
        name, "train", **(SMALL | own(name, data) | {"output_dir": str(out)} | overrides)
    )
    made.run()
    made.finalize()
    return out
