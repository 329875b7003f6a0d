"""From a trained model to image files."""

import json
import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from PIL import Image
from torch import nn

from ..errors import CheckpointError, ConfigError
from ..handlers import to_uint8

logger = logging.getLogger("medaug")


def trained_settings(run_dir: str | Path, **defaults: Any) -> dict[str, Any]:
    """What a generator was built with: ``models/model.json`` of a training, or `defaults`.

    The defaults stand in where there is no training yet, so that the network can be looked at.

    Raises:
        CheckpointError: the file is there but damaged.
    """
    path = Path(run_dir) / "models" / "model.json"
    if not path.exists():
        return defaults
    try:
        settings: dict[str, Any] = defaults | json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{path} must be JSON as a training writes it: {error}") from error
    return settings


def load_generator(
    network: nn.Module, run_dir: str | Path, device: torch.device | str
) -> nn.Module:
    """Load ``models/model.pt`` of a training into the network, ready to generate on `device`.

    Raises:
        CheckpointError: there is no such file, it is damaged, or it belongs to another network.
    """
    path = Path(run_dir) / "models" / "model.pt"
    if not path.exists():
        raise CheckpointError(
            f"{path} is not there: train first, or name a training's output folder by --run_dir"
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever torch's unpickler, zip reader or file system raises
        raise CheckpointError(
            f"{path} must be a state dict as a training saves it, got a file that is damaged or "
            f"holds more than weights ({type(error).__name__})"
        ) from error
    try:
        network.load_state_dict(state)
    except (RuntimeError, TypeError) as error:  # torch's first line of several only names the class
        reason = " ".join(str(error).split("\n\t")[-1].split())
        name = type(network).__name__
        raise CheckpointError(
            f"{path} must hold the weights of {name} as it is configured: {reason}"
        ) from error
    return network.to(device).eval()


def labels_of(class_names: Sequence[str | int] | str | int, classes: Sequence[str]) -> list[int]:
    """The labels of the chosen classes; of all for an empty choice.

    Raises:
        ConfigError: a class that the model doesn't know.
    """
    given = class_names if isinstance(class_names, list | tuple) else [class_names]
    chosen = [str(name) for name in given]  # a command line makes a number of '0'
    unknown = [name for name in chosen if name not in classes]
    if unknown:
        raise ConfigError(
            f"--class_names must be among {list(classes)}, which the model knows, got {unknown}"
        )
    return [list(classes).index(name) for name in chosen] or list(range(len(classes)))


def require_same_classes(
    found: Sequence[str], trained: Sequence[str], dataset_dir: str | Path
) -> None:
    """Refuse to compare a model with images of other classes.

    Raises:
        ConfigError: naming both sets of classes.
    """
    if list(found) != list(trained):
        raise ConfigError(
            f"{dataset_dir} must hold the classes {list(trained)}, which the model was trained on, "
            f"got {list(found)}"
        )


class ImageWriter:
    """Write what an evaluator generates as 8-bit PNG: ``<directory>/<class>/<class>_NNNNN.png``.

    Args:
        directory: made if it isn't there; files of the same name are replaced.
        classes: names, in the order of the labels; what a file's name can't hold becomes ``_``.
    """

    def __init__(self, directory: str | Path, classes: Sequence[str]) -> None:
        self.directory = Path(directory)
        # A class from a list may be called a/b, or ../b by somebody who means harm.
        self.classes = tuple(re.sub(r"[^\w. +-]|^\.+", "_", name) for name in classes)
        self._written = 0

    def attach(self, engine: Engine) -> None:
        """Register with a `SupervisedEvaluator` over a `LatentDataset`."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self._write)
        engine.add_event_handler(Events.COMPLETED, self._finish)

    def _write(self, engine: Engine) -> None:
        output: Any = engine.state.output
        for image, label in zip(to_uint8(output["pred"]), output["label"].tolist(), strict=True):
            name = self.classes[label]
            folder = self.directory / name
            folder.mkdir(parents=True, exist_ok=True)
            picture = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
            picture.save(folder / f"{name}_{self._written:05d}.png")
            self._written += 1

    def _finish(self) -> None:
        logger.info("%d images written to %s", self._written, self.directory.absolute())
