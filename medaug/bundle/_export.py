"""A trained network as files that need torch, or an ONNX runtime, alone."""

import json
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import torch
from monai.bundle import ConfigParser
from torch import Tensor, nn
from torch.export import Dim

from .._files import write_atomically
from ..errors import CheckpointError, ConfigError
from ._generator_export import GeneratorExport
from ._image_writer import describe_model
from ._inference import find_model, load_generator
from ._onnx import load_onnx, to_onnx
from ._overrides import check_override

TOLERANCE = 1e-5
"""How much an exported network's output may differ from what is expected of it."""
METADATA = "metadata.json"
"""The extra file inside both forms of torch; MONAI's `load_net_with_metadata` looks for this name.
ONNX has it among its properties."""
NO_ONNX = "onnx isn't installed: pip install 'medaug[onnx]'"

Network = Callable[..., Tensor]


class Exported(Protocol):
    """What is exported: said by the configuration's ``export``, or else `GeneratorExport`.

    Attributes:
        stem: of the files' names.
        forms: their suffixes: ``.ts``, ``.pt2``, ``.onnx``.
        what: the network's outputs, in a message.
        settings: of the training, with ``classes``.
        input_names: of the inputs, in ONNX.
    """

    stem: str
    forms: Sequence[str]
    what: str
    settings: Mapping[str, Any]
    input_names: Sequence[str]

    def batch(self, count: int) -> tuple[Tensor, ...]:
        """Inputs for `count` outputs, always the same; the first axis of each is the batch's."""

    def expected(self, network: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        """What the exported network must give."""

    def describe(self, network: nn.Module) -> dict[str, Any]:
        """``inputs`` and ``output``, for the metadata."""

    def usage(self, files: Sequence[Path], metadata: Mapping[str, Any]) -> list[str]:
        """Lines of Python that use the first file, with torch alone."""


@dataclass(frozen=True)
class Export:
    """What `export_model` wrote.

    Attributes:
        differences: by file, the largest difference of an output from the one expected.
        metadata: as it stands in all files.
        usage: lines of Python that use the first file with torch alone.
        what: the network's outputs, in words.
        left_out: by name, why a file wasn't written.
    """

    differences: Mapping[Path, float]
    metadata: Mapping[str, Any]
    usage: Sequence[str] = ()
    what: str = "images"
    left_out: Mapping[str, str] = field(default_factory=dict)


def export_model(
    config_file: str | Path, *, run_dir: str | Path, output: str | Path, **overrides: Any
) -> Export:
    """Write a training's network as TorchScript (.ts), torch.export (.pt2) and, maybe, ONNX.

    All hold the weights of ``models/model.pt`` and take any number of inputs at once: latents
    (N, latent_dim) and labels (N,) of a generator, images of a classifier, whose size and bit depth
    are the configuration's. All carry `METADATA`: names, versions, what goes in and comes out,
    SHA-256 of the weights. None holds a path of this machine. All are loaded again, and compared
    with the eager generator, or with the classifier behind the Python pipeline, before anything is
    written.

    Args:
        config_file: a bundle's ``inference.json``, with ``network_def`` and ``settings``.
        run_dir: a training's output folder.
        output: a folder, made if it isn't there; files of the same name are replaced.
        overrides: other keys of the configuration, such as a classifier's `bits`, `input_size`.

    Raises:
        ConfigError: the configuration can't be read or lacks a key, or `output` can't be made.
        CheckpointError: there is no trained model, it doesn't fit the network, or what the exported
            networks give differs by more than `TOLERANCE`.
    """
    find_model(run_dir)
    parser, root = _configured(Path(config_file), run_dir, overrides)
    exported = _exported(parser, Path(config_file))
    network = load_generator(parser.get_parsed_content("network_def"), run_dir, "cpu")
    metadata = _metadata(exported, network, describe_model(run_dir, root))
    text = json.dumps(metadata, indent=1, ensure_ascii=False)
    data, left_out = _written(exported, network, text)
    folder = Path(output)
    differences = {
        folder / name: _largest_difference(name, exported, network, _load(name, content))
        for name, content in data.items()
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"--output must be a folder that can be made, got {folder} ({error.strerror})"
        ) from error
    for name, content in data.items():
        write_atomically(folder / name, _writing(content))
    usage = exported.usage([*differences], metadata)
    return Export(differences, metadata, usage, exported.what, left_out)


def _configured(
    path: Path, run_dir: str | Path, overrides: Mapping[str, Any]
) -> tuple[ConfigParser, Path]:
    """The configuration, and the bundle's folder."""
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
    for key, value in overrides.items():
        check_override(key, value, parser.get())
    folder = path.resolve().parent
    root = folder.parent if folder.name == "configs" else folder
    parser.update({"bundle_root": str(root), "run_dir": str(run_dir), **overrides})
    return parser, root


def _exported(parser: ConfigParser, path: Path) -> Exported:
    if "export" in parser:
        named: Exported = parser.get_parsed_content("export")
        return named
    settings = dict(parser.get_parsed_content("settings"))
    for key in ("latent_dim", "classes"):
        if key not in settings:
            raise ConfigError(f"{path} must give {key} in settings, got {sorted(settings)}")
    return GeneratorExport(settings)


@torch.no_grad()
def _metadata(exported: Exported, network: nn.Module, model: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{key: model[key] for key in ("name", "version", "epoch")},
        "model_sha256": model["sha256"],
        "medaug": version("medaug"),
        "torch": str(torch.__version__),
        **exported.describe(network),
    }


def _written(
    exported: Exported, network: nn.Module, text: str
) -> tuple[dict[str, bytes], dict[str, str]]:
    """The files' contents by name, and why there are no others."""
    example = exported.batch(2)
    data, left_out = {}, {}
    for form in exported.forms:
        name = f"{exported.stem}{form}"
        if form == ".ts":
            data[name] = _torchscript(network, text)
        elif form == ".pt2":
            data[name] = _torch_export(network, example, text)
        elif find_spec("onnx") is None:
            left_out[name] = NO_ONNX
        else:
            data[name] = to_onnx(network, example, exported.input_names, {METADATA: text})
    return data, left_out


def _load(name: str, content: bytes) -> Network:
    if name.endswith(".ts"):
        return _load_torchscript(content)
    if name.endswith(".onnx"):
        return load_onnx(content)
    network: Network = torch.export.load(BytesIO(content)).module()
    return network


def _torchscript(network: nn.Module, metadata: str) -> bytes:
    whole, stripped = BytesIO(), BytesIO()
    with warnings.catch_warnings():  # deprecated, and what hospitals can load today
        warnings.filterwarnings("ignore", message=".*torch.jit.*deprecated")
        torch.jit.save(torch.jit.script(network), whole, _extra_files={METADATA: metadata})
    # The records for debugging hold the paths of this machine's source files.
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(stripped, "w") as target:
        for record in source.infolist():
            if not record.filename.endswith(".debug_pkl"):
                target.writestr(record, source.read(record))
    return stripped.getvalue()


def _torch_export(network: nn.Module, example: tuple[Tensor, ...], metadata: str) -> bytes:
    batch = {0: Dim("batch")}
    program = torch.export.export(network, example, dynamic_shapes=(batch,) * len(example))
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
    name: str, exported: Exported, network: nn.Module, loaded: Network
) -> float:
    """Over one input, and over a batch with every class."""
    counts = (1, len(exported.settings["classes"]) + 4)
    batches = [exported.batch(count) for count in counts]
    differences = [
        (loaded(*batch) - exported.expected(network, batch)).abs().max() for batch in batches
    ]
    largest = float(torch.stack(differences).max())
    if not largest <= TOLERANCE:  # NaN isn't
        raise CheckpointError(
            f"{name} must give the checkpoint's {exported.what} within {TOLERANCE}, got "
            f"{largest:.2g}"
        )
    return largest


def _writing(content: bytes) -> Callable[[Path], int]:
    return lambda path: path.write_bytes(content)
