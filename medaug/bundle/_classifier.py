"""The beginning and the end of a classifier's runs."""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from ignite import distributed as idist
from torch import nn

from ..errors import DataError
from ..networks import ImageClassifier
from ._inference import load_generator
from ._run import _short, as_resume

logger = logging.getLogger("medaug")

TOLD = ("balanced_accuracy", "f1_macro", "auroc_macro", "auprc_macro")
"""Figures for a person; the others stand in the tables."""
OTHER_DATA = (
    "these are not the images, or not the split, that the classifier was trained on: some that it "
    "has seen may be among those that it is tested by"
)


def as_pretrained(value: object) -> bool | str:
    """What ``--pretrained`` says: False for None, 'false' and the like; True; else a file."""
    return as_resume(value)


def load_classifier(
    network: ImageClassifier, run_dir: str | Path, device: torch.device | str
) -> nn.Module:
    """Load ``models/model.pt`` of a training into the network, ready to judge images on `device`.

    Raises:
        CheckpointError: as `load_generator`.
    """
    return load_generator(network, run_dir, device)


def tell_origin(network: ImageClassifier, name: str) -> None:
    """Say, before a training, what is trained and where its weights come from."""
    if idist.get_rank() == 0:
        weights = sum(weight.numel() for weight in network.parameters())
        logger.info("%s, %.1f million weights, %s", name, weights / 1e6, network.origin)


def require_test_images(
    items: Sequence[object], dataset_dir: str | Path, *, what: str = "images"
) -> None:
    """Refuse to test a model by nothing.

    Args:
        items: to test by.
        dataset_dir: where they would be.
        what: they are.

    Raises:
        DataError: there is none.
    """
    if not items:
        raise DataError(
            f"{dataset_dir}: must have {what} to test by, got none: too few patients, or a list "
            "without test"
        )


def warn_of_other_data(trained: str | None, fingerprint: str) -> None:
    """Warn when a classifier is tested by other images or splits than belong to its training.

    Args:
        trained: fingerprint of the training's collection; None where there was no training yet.
        fingerprint: of the present one.
    """
    if trained != fingerprint:
        logger.warning(OTHER_DATA)


def tell_figures(path: str | Path) -> None:
    """Say what `medaug.handlers.ClassificationMetrics` has written, in a few lines."""
    found = json.loads(Path(path).read_text(encoding="utf-8"))
    count = sum(found["images"].values())
    logger.info("%d test images: %s\nall figures   %s", count, _listed(found["figures"]), path)


def announce_classifier(output_dir: str | Path, *, bundle_root: str) -> None:
    """Say what came out of a training, where everything is, and the commands to try next."""
    if idist.get_rank() > 0:
        return
    folder = Path(output_dir).absolute()
    trained = json.loads((folder / "models" / "model.json").read_text(encoding="utf-8"))
    best = "the last network"
    if "validation" in trained:
        figures = {key.partition("_")[2]: value for key, value in trained["validation"].items()}
        best = f"best on validation: epoch {trained['epoch']}, {_listed(figures)}"
    configs, run = Path(bundle_root) / "configs", _short(folder)
    command = "  python -m monai.bundle run --config_file"
    lines = [
        "",
        best,
        f"classifier    {folder / 'models' / 'model.pt'}",
        f"figures       {folder / 'metrics.csv'}  (tensorboard --logdir {folder / 'tensorboard'})",
        f"this run      {folder / 'run.json'}",
        "next: its figures on test patients; probabilities of your own images:",
        f"{command} {_short(configs / 'evaluate.json')} --run_dir {run}",
        f"{command} {_short(configs / 'inference.json')} --run_dir {run} --dataset_dir FOLDER",
    ]
    logger.info("\n".join(lines))


def _listed(figures: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {figures[key]:.3f}" for key in TOLD if key in figures)
