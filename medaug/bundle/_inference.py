"""What a training left, taken up again."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import CheckpointError, ConfigError


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


def find_model(run_dir: str | Path) -> Path:
    """``models/model.pt`` of a training.

    Raises:
        CheckpointError: it isn't there.
    """
    path = Path(run_dir) / "models" / "model.pt"
    if not path.is_file():
        raise CheckpointError(
            f"{path} is not there: train first, or name a training's output folder by --run_dir"
        )
    return path


def load_generator(
    network: nn.Module, run_dir: str | Path, device: torch.device | str
) -> nn.Module:
    """Load ``models/model.pt`` of a training into the network, ready to generate on `device`.

    Raises:
        CheckpointError: there is no such file, it is damaged or holds code, or it belongs to
            another network; the message names the first weight that differs, and the sizes that
            the training had.
    """
    path = find_model(run_dir)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever torch's unpickler, zip reader or file system raises
        raise CheckpointError(
            f"{path} must be a state dict as a training saves it, got a file that is damaged or "
            f"holds more than weights ({type(error).__name__})"
        ) from error
    difference = _difference(network.state_dict(), state)
    if difference:
        raise CheckpointError(
            f"{path} must hold the weights of {type(network).__name__} as it is configured: "
            f"{difference}{_sizes(run_dir)}"
        )
    network.load_state_dict(state)
    return network.to(device).eval()


def _difference(wanted: Mapping[str, Tensor], found: object) -> str:
    """What keeps weights from being loaded; empty where nothing does."""
    if not isinstance(found, Mapping) or not all(isinstance(v, Tensor) for v in found.values()):
        return "got no state dict"
    missing = [name for name in wanted if name not in found]
    unknown = [str(name) for name in found if name not in wanted]
    if missing or unknown:
        counts = f"{len(missing)} of its {len(wanted)} are missing, {len(unknown)} are unknown"
        return f"{counts}, the first is {(missing + unknown)[0]}"
    for name, tensor in wanted.items():
        if tensor.shape != found[name].shape:
            return f"{name} must be {tuple(tensor.shape)}, got {tuple(found[name].shape)}"
    return ""


def _sizes(run_dir: str | Path) -> str:
    """The sizes that a training had, as far as it has recorded them."""
    settings = trained_settings(run_dir)
    keys = ("image_size", "resolution", "latent_dim")
    sizes = [f"{key} {settings[key]}" for key in keys if key in settings]
    if isinstance(settings.get("classes"), list):
        sizes.append(f"{len(settings['classes'])} classes")
    return f"; the training had {', '.join(sizes)}" if sizes else ""


def labels_of(
    class_names: Sequence[str | int] | str | int,
    classes: Sequence[str],
    *,
    option: str = "--class_names",
) -> list[int]:
    """The labels of the chosen classes; of all for an empty choice.

    Args:
        class_names: the choice.
        classes: in the order of the labels.
        option: what a message calls the choice.

    Raises:
        ConfigError: a class that the model doesn't know.
    """
    given = class_names if isinstance(class_names, list | tuple) else [class_names]
    chosen = [str(name) for name in given]  # a command line makes a number of '0'
    unknown = [name for name in chosen if name not in classes]
    if unknown:
        raise ConfigError(
            f"{option} must be among {list(classes)}, which the model knows, got {unknown}"
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
