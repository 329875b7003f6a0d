"""A trained generator as files that need torch alone."""

import json
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser
from torch import Tensor, nn
from torch.export import Dim

from .._files import write_atomically
from ..errors import CheckpointError, ConfigError
from ._image_writer import describe_model
from ._inference import find_model, load_generator

TOLERANCE = 1e-5
"""How much an exported generator's images may differ from the eager one's."""
METADATA = "metadata.json"
"""The extra file inside both forms; MONAI's `load_net_with_metadata` looks for this name."""

_NORMALISATION = ("use_aiin", "aiin_windows", "aiin_threshold")  # what the images look like

Network = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Export:
    """What `export_generator` wrote.

    Attributes:
        differences: by file, the largest difference of a pixel from the eager generator's.
        metadata: as it stands in both files.
    """

    differences: Mapping[Path, float]
    metadata: Mapping[str, Any]


def export_generator(config_file: str | Path, *, run_dir: str | Path, output: str | Path) -> Export:
    """Write ``generator.ts`` (TorchScript) and ``generator.pt2`` (torch.export) of a training.

    Both hold the weights of ``models/model.pt``, take any number of latents (N, latent_dim) and
    labels (N,), and carry `METADATA`: names, versions, what goes in and comes out, SHA-256 of the
    weights. Neither holds a path of this machine. Both are loaded again and compared with the
    eager generator before anything is written.

    Args:
        config_file: a bundle's ``inference.json``, with ``network_def`` and ``settings``.
        run_dir: a training's output folder.
        output: a folder, made if it isn't there; files of the same name are replaced.

    Raises:
        ConfigError: the configuration can't be read or lacks a key, or `output` can't be made.
        CheckpointError: there is no trained model, it doesn't fit the network, or the exported
            generators' images differ by more than `TOLERANCE`.
    """
    find_model(run_dir)
    root, network_def, settings = _configured(Path(config_file), run_dir)
    generator = load_generator(network_def, run_dir, "cpu")
    example = _inputs(settings, 2)
    metadata = _describe(generator, settings, describe_model(run_dir, root))
    text = json.dumps(metadata, indent=1, ensure_ascii=False)
    data = {
        "generator.ts": _torchscript(generator, text),
        "generator.pt2": _torch_export(generator, example, text),
    }
    loaded: dict[str, Network] = {
        "generator.ts": _load_torchscript(data["generator.ts"]),
        "generator.pt2": torch.export.load(BytesIO(data["generator.pt2"])).module(),
    }
    folder = Path(output)
    differences = {
        folder / name: _largest_difference(name, generator, network, settings)
        for name, network in loaded.items()
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"--output must be a folder that can be made, got {folder} ({error.strerror})"
        ) from error
    for name, content in data.items():
        write_atomically(folder / name, _writing(content))
    return Export(differences, metadata)


def _configured(path: Path, run_dir: str | Path) -> tuple[Path, nn.Module, dict[str, Any]]:
    """The bundle's folder, its network, and the settings of the training."""
    if not path.is_file():
        raise ConfigError(f"--config_file must be a bundle's inference.json, got {path}")
    parser = ConfigParser()
    try:
        with warnings.catch_warnings():  # that a configuration may hold code: the user named it
            warnings.filterwarnings("ignore", message="parsing config_file")
            parser.read_config(str(path))
    except ValueError as error:
        raise ConfigError(f"--config_file must be JSON or YAML, got {path}: {error}") from error
    missing = [key for key in ("network_def", "settings") if key not in parser]
    if missing:
        raise ConfigError(
            f"{path} must have the keys network_def and settings, as a bundle's inference.json, "
            f"got none called {' or '.join(missing)}"
        )
    folder = path.resolve().parent
    root = folder.parent if folder.name == "configs" else folder
    parser.update({"bundle_root": str(root), "run_dir": str(run_dir)})
    settings = dict(parser.get_parsed_content("settings"))
    for key in ("latent_dim", "classes"):
        if key not in settings:
            raise ConfigError(f"{path} must give {key} in settings, got {sorted(settings)}")
    network: nn.Module = parser.get_parsed_content("network_def")
    return root, network, settings


def _inputs(settings: Mapping[str, Any], count: int) -> tuple[Tensor, Tensor]:
    """Latents and labels, always the same; all classes take turns."""
    random = torch.Generator().manual_seed(0)
    latent = torch.randn(count, int(settings["latent_dim"]), generator=random)
    return latent, torch.arange(count) % len(settings["classes"])


@torch.no_grad()
def _describe(
    generator: nn.Module, settings: Mapping[str, Any], model: Mapping[str, Any]
) -> dict[str, Any]:
    """What stands in `METADATA`."""
    images = generator(*_inputs(settings, 1))
    return {
        **{key: model[key] for key in ("name", "version", "epoch")},
        "model_sha256": model["sha256"],
        "medaug": version("medaug"),
        "torch": str(torch.__version__),
        "inputs": {
            "latent": {
                "shape": ["N", int(settings["latent_dim"])],
                "dtype": "float32",
                "meaning": "each number drawn from the normal distribution N(0, 1)",
            },
            "label": {
                "shape": ["N"],
                "dtype": "int64",
                "meaning": "index into classes",
                "classes": list(settings["classes"]),
            },
        },
        "output": {
            "shape": ["N", *images.shape[1:]],
            "dtype": "float32",
            "range": [0, 1],
            "meaning": "synthetic images, channels first, upright; not for diagnosis",
            **{key: value for key, value in settings.items() if key in _NORMALISATION},
        },
    }


def _torchscript(generator: nn.Module, metadata: str) -> bytes:
    whole, stripped = BytesIO(), BytesIO()
    with warnings.catch_warnings():  # deprecated, and what hospitals can load today
        warnings.filterwarnings("ignore", message=".*torch.jit.*deprecated")
        torch.jit.save(torch.jit.script(generator), whole, _extra_files={METADATA: metadata})
    # The records for debugging hold the paths of this machine's source files.
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(stripped, "w") as target:
        for record in source.infolist():
            if not record.filename.endswith(".debug_pkl"):
                target.writestr(record, source.read(record))
    return stripped.getvalue()


def _torch_export(generator: nn.Module, example: tuple[Tensor, Tensor], metadata: str) -> bytes:
    batch = {0: Dim("batch")}
    program = torch.export.export(generator, example, dynamic_shapes=(batch, batch))
    for module in program.graph_module.modules():
        for node in getattr(getattr(module, "graph", None), "nodes", ()):
            node.meta.pop("stack_trace", None)  # paths of this machine
    file = BytesIO()
    torch.export.save(program, file, extra_files={METADATA: metadata})
    return file.getvalue()


def _load_torchscript(data: bytes) -> Network:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.jit.*deprecated")
        network: Network = torch.jit.load(BytesIO(data), map_location="cpu")
    return network


@torch.no_grad()
def _largest_difference(
    name: str, generator: nn.Module, network: Network, settings: Mapping[str, Any]
) -> float:
    """Over one image, and over a batch with every class."""
    batches = [_inputs(settings, count) for count in (1, len(settings["classes"]) + 4)]
    differences = [(network(*batch) - generator(*batch)).abs().max() for batch in batches]
    largest = float(torch.stack(differences).max())
    if not largest <= TOLERANCE:  # NaN isn't
        raise CheckpointError(
            f"{name} must give the checkpoint's images within {TOLERANCE}, got {largest:.2g}"
        )
    return largest


def _writing(content: bytes) -> Callable[[Path], int]:
    return lambda path: path.write_bytes(content)
