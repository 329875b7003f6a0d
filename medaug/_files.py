"""Files that are whole or not there: written aside, synced, put in place; read without pickle."""

import io
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import torch

from .errors import CheckpointError, UserError


def write_atomically(path: Path, write: Callable[[Path], object], *, sync: bool = True) -> None:
    """Let `write` fill a temporary file beside `path`, sync it, and put it in place of `path`.

    The folder is made if it isn't there. Without `sync`, which may take a tenth of a second, a file
    written just before a power cut may be lost.

    Raises:
        UserError: when it cannot be written, naming the file; what stood there before still does.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}_{threading.get_native_id()}.tmp")
    try:
        with suppress(FileExistsError):  # where that is a file, writing says so in plainer words
            path.parent.mkdir(parents=True)
        write(temporary)
        if sync:
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
        temporary.replace(path)
        if sync:
            _sync_folder(path.parent)
    except BaseException as error:
        with suppress(OSError):  # what lacks its folder can't be removed, either
            temporary.unlink()
        if not isinstance(error, OSError):
            raise
        raise UserError(
            f"{path} could not be written, what was there is kept: {error.strerror or error}"
        ) from error


def _sync_folder(folder: Path) -> None:
    """Bring the new name to the disk, too, where the system can."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_temporary(folder: Path) -> None:
    """Remove what a process that was killed while writing left behind."""
    for path in folder.glob(".*.[0-9]*.tmp"):
        path.unlink(missing_ok=True)


def save_tensors(state: Mapping[str, Any], path: Path) -> None:
    """Save tensors and plain values so that the same ones give the same bytes at any path."""
    # Into a path, torch would write the file's name, and make a riddle of a full disk.
    content = io.BytesIO()
    torch.save(dict(state), content)
    path.write_bytes(content.getbuffer())


def load_tensors(path: Path) -> dict[str, Any]:
    """Read what `save_tensors` wrote, onto the CPU; never a pickle with code in it.

    Raises:
        CheckpointError: the file is damaged, or holds more than tensors and plain values.
    """
    try:
        with ZipFile(path) as archive:  # torch.load doesn't look at the checksums
            damaged = archive.testzip()
        if damaged is not None:
            raise BadZipFile(damaged)
        state = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(state, dict):
            raise TypeError(type(state).__name__)
    except Exception as error:  # whatever torch's unpickler, zip reader or file system raises
        raise CheckpointError(
            f"{path} must be a state dict as a training saves it, got a file that is damaged or "
            f"holds more than weights ({type(error).__name__})"
        ) from error
    return dict(state)


def first_reason(error: BaseException) -> str:
    """The last line of torch's message; the first only names the class."""
    return " ".join(str(error).split("\n\t")[-1].split())
