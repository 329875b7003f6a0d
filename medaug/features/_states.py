"""State dicts from files, and whether they are the right network's."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..errors import CheckpointError
from ._optional import optional


def load_state(path: Path) -> dict[str, Tensor]:
    """Tensors by name from a file of torch's or of safetensors'; never a pickle with code in it.

    Raises:
        CheckpointError: the file is damaged, or holds something else.
        UserError: it needs the package safetensors, which isn't there.
    """
    load = _torch_load
    if path.suffix == ".safetensors":
        load = optional("safetensors.torch", path.name).load_file
    try:
        state = dict(load(path))
        if not all(isinstance(value, Tensor) for value in state.values()):
            raise TypeError("values that aren't tensors")
    except Exception as error:  # whatever torch's unpickler, zip reader or file system raises
        raise CheckpointError(
            f"{path} must be a state dict, tensors by name, got a file that is damaged or holds "
            f"something else ({type(error).__name__})"
        ) from error
    return state


def _torch_load(path: Path) -> dict[str, Tensor]:
    return dict(torch.load(path, map_location="cpu", weights_only=True))


def check_state(
    state: Mapping[str, Tensor],
    expected: Mapping[str, tuple[int, ...]],
    path: Path,
    *,
    others: bool = False,
) -> None:
    """Refuse a state dict without the `expected` names and shapes, or with others.

    Raises:
        CheckpointError: naming the first thing that differs.
    """
    for name, shape in expected.items():
        if name not in state:
            raise CheckpointError(f"{path} must hold {name} of {shape}, got none")
        if tuple(state[name].shape) != shape:
            given = tuple(state[name].shape)
            raise CheckpointError(f"{path} must hold {name} of {shape}, got {given}")
    surplus = [name for name in state if name not in expected]
    if surplus and not others:
        raise CheckpointError(
            f"{path} must hold the weights of this network alone, got {surplus[0]} "
            f"({len(surplus)} names too many)"
        )
