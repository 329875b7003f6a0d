"""Names of what is kept: hashes of all that went in."""

import hashlib
import json
from pathlib import Path
from typing import Any

from .._files import write_atomically
from .._versions import versions_of

PACKAGES = ("medaug", "monai", "torch", "timm", "pytorch-ignite", "numpy")
SHOWN = 20
"""Hexadecimal digits of a folder's name."""


def versions() -> dict[str, str]:
    """Of the packages that numbers depend on."""
    return versions_of(PACKAGES)


def key_of(content: Any) -> str:
    """A hash of plain values."""
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:SHOWN]


def file_key(path: Path) -> str:
    """A hash of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:SHOWN]


def write_json(path: Path, content: Any) -> None:
    """Put a JSON file in place, whole."""
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))


def read_json(path: Path) -> Any:
    """What `write_json` wrote; None where there is nothing, or not the whole of it."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
