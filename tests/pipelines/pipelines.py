"""The pipelines under ``transforms/``, and how a test gets at them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import ConfigParser
from monai.transforms import Compose

ROOT = Path(__file__).parents[2]
PIPELINES = sorted(path for path in (ROOT / "transforms").iterdir() if path.is_dir())
PHANTOM = {"seed": 0, "num_images": 6}
CINES = ["cardiac_cine_aiin"]

each_pipeline = pytest.mark.parametrize("folder", PIPELINES, ids=lambda path: path.name)
each_radiograph_pipeline = pytest.mark.parametrize(
    "folder",
    [path for path in PIPELINES if path.name not in CINES],
    ids=lambda path: path.name,
)


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def read(path: Path) -> dict[str, Any]:
    """A JSON file."""
    content: dict[str, Any] = json.loads(_text(path))
    return content


def config(folder: Path) -> Path:
    """A pipeline's configuration."""
    return folder / "configs" / "transform.json"


def load(folder: Path, **overrides: Any) -> Compose:
    """A pipeline as a `Compose`, with some keys changed."""
    # a dictionary, not the path: MONAI warns whenever it reads a file
    preprocessing = ConfigParser(read(config(folder)) | overrides).get_parsed_content(
        "preprocessing"
    )
    assert isinstance(preprocessing, Compose)
    return preprocessing


def apply(folder: Path, file: Path, **overrides: Any) -> Any:
    """What a pipeline makes of one file."""
    result: Any = load(folder, **overrides)({"image": str(file)})
    return result["image"]
