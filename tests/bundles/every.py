"""All bundles alike, driven in-process for the tests."""

from pathlib import Path
from typing import Any

from monai.bundle import create_workflow

BUNDLES = Path(__file__).parents[2] / "bundles"
GANS = ("aiin_acgan", "aiin_dcgan", "cgan")
CLASSIFIERS = ("vit_classifier",)
SMALL = {"image_size": 32, "max_epochs": 1, "batch_size": 4, "val_interval": 1, "latent_dim": 8}
SMALL_VIT = {
    **{key: value for key, value in SMALL.items() if key != "latent_dim"},
    "model_options": {"patch_size": 8, "embed_dim": 16, "depth": 1, "num_heads": 2},
}


def own(name: str, data: Path) -> dict[str, Any]:
    """What a bundle wants beside `small` to train on a small folder."""
    place = {"dataset_dir": str(data)}
    return place | ({"dataset": "folder"} if name == "cgan" else {})


def small(name: str) -> dict[str, Any]:
    """Settings of a training that a test can wait for."""
    return SMALL_VIT if name in CLASSIFIERS else SMALL


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
        name, "train", **(small(name) | own(name, data) | {"output_dir": str(out)} | overrides)
    )
    made.run()
    made.finalize()
    return out
