"""Weights from a file that somebody names."""

from collections.abc import Mapping
from hashlib import file_digest
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from .._files import load_tensors
from ..errors import CheckpointError

WRAPPERS = ("state_dict", "model")
"""Keys under which trainings of others keep the weights."""
PREFIXES = ("module.", "model.")
"""Before every name: of DistributedDataParallel, and of our own trainings."""
SHOWN_DIGITS = 12


class Weights(NamedTuple):
    """A state dict, the file that it is from, and how to call that without its folder."""

    state: dict[str, Tensor]
    path: Path
    origin: str


def read_weights(path: str | Path) -> Weights:
    """Read a state dict; nothing in the file is run as code.

    Raises:
        CheckpointError: there is no such file, it can't be read, or holds no state dict.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise CheckpointError(f"--pretrained must be true, false or a file, got {path}: not there")
    state: Any = _safetensors(file) if file.suffix == ".safetensors" else load_tensors(file)
    for key in WRAPPERS:
        if isinstance(state.get(key), Mapping):
            state = state[key]
    for prefix in PREFIXES:
        if state and all(str(name).startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    if not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise CheckpointError(f"{file} must hold a state dict, got something else")
    with file.open("rb") as content:
        digest = file_digest(content, "sha256").hexdigest()[:SHOWN_DIGITS]
    return Weights(dict(state), file, f"pretrained, file {file.name} (SHA-256 {digest}…)")


def _safetensors(file: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError  # timm brings it, and is as slow to load
    from safetensors.torch import load_file

    try:
        return load_file(file)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"{file} must be a safetensors file, got one that is damaged ({type(error).__name__})"
        ) from error
