"""Which images a generator was trained on, without the images."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .._files import write_atomically

_ABOUT = (
    "source_ids: SHA-256 of the decoded pixels of each training image, sorted, each once; "
    "fingerprint: SHA-256 over them, joined by newlines"
)


def write_training_set(items: Iterable[Mapping[str, Any]], path: str | Path) -> None:
    """Write the pixel hashes of the training images, so that a later study can refuse a leak.

    ``models/training_set.json`` of a run; the same images in any order give the same file. It
    stays beside the weights: no export holds it.

    Args:
        items: of a data set, with ``source_id`` as `medaug.data.ImageCollection` gives it.
        path: of the file, put in place in one step; its folder is made.

    Raises:
        UserError: the file can't be written.
    """
    ids = sorted({str(item["source_id"]) for item in items})
    fingerprint = hashlib.sha256("\n".join(ids).encode()).hexdigest()
    record = {"about": _ABOUT, "fingerprint": fingerprint, "source_ids": ids}
    text = json.dumps(record, indent=1) + "\n"
    write_atomically(Path(path), lambda part: part.write_text(text, encoding="utf-8"))


def training_set_hash(run_dir: str | Path) -> str | None:
    """SHA-256 (hex) of a run's ``models/training_set.json``; None where there is none."""
    path = Path(run_dir) / "models" / "training_set.json"
    return file_hash(path) if path.exists() else None


def file_hash(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
