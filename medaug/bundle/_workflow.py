"""What a configuration's expression can learn of the MONAI workflow that evaluates it.

MONAI hands an expression neither the configuration's path nor what the command line changed; both
stand in the frames that called it (monai 1.6.1, `monai.bundle.workflows`, `monai.bundle.scripts`).
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from monai.utils import ensure_tuple


class Command(NamedTuple):
    """The files and the overrides that a workflow was created from."""

    config_files: tuple[str, ...]
    arguments: dict[str, Any]


def find_root() -> str:
    """The bundle's folder, absolute: the parent of the ``configs`` folder that is being run.

    Returns ``"."`` when no MONAI command is running.
    """
    for frame in _callers():
        folder = _config_folder(frame)
        if folder is not None:
            folder = folder.resolve()
            return str(folder.parent if folder.name == "configs" else folder)
    return "."


def _config_folder(frame: FrameType) -> Path | None:
    module = frame.f_globals.get("__name__")
    if module == "monai.bundle.workflows" and "self" in frame.f_locals:
        # vars, as the workflow's own __getattr__ evaluates what it is asked for.
        folder: Path | None = vars(frame.f_locals["self"]).get("config_root_path")
        return folder
    if module == "monai.bundle.scripts" and frame.f_locals.get("config_file_"):
        return Path(ensure_tuple(frame.f_locals["config_file_"])[0]).parent
    return None


def find_configuration() -> dict[str, Any]:
    """The configuration of the running workflow, overrides included; empty outside of one."""
    for frame in _callers():
        if frame.f_globals.get("__name__") == "monai.bundle.workflows" and "self" in frame.f_locals:
            parser = vars(frame.f_locals["self"]).get("parser")
            if parser is not None:
                return dict(parser.config)
    return {}


def find_command() -> Command | None:
    """How the running workflow was created; None outside of `monai.bundle.create_workflow`."""
    for frame in _callers():
        if (
            frame.f_globals.get("__name__") == "monai.bundle.scripts"
            and frame.f_code.co_name == "create_workflow"
        ):
            files = ensure_tuple(frame.f_locals["config_file"])
            return Command(tuple(map(str, files)), dict(frame.f_locals["_args"]))
    return None


def _callers() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back
