"""Every bundle's copy of the preprocessing is the pipeline that its metadata names, if any.

Bundles keep copies so that other tools can open one file and find it whole; this keeps the copies
from drifting.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import ConfigParser

from .pipelines import ROOT, read
from .structure import difference, resolved, resolved_pipeline


def places(content: Any, above: str = "") -> Iterator[str]:
    """Where a configuration has a component called ``preprocessing``, such as ``train::…``."""
    for key, value in content.items() if isinstance(content, dict) else ():
        if key == "preprocessing" and isinstance(value, dict) and "_target_" in value:
            yield f"{above}{key}"
        yield from places(value, f"{above}{key}::")


COPIES = [
    (path, place)
    for path in sorted((ROOT / "bundles").glob("*/configs/*.json"))
    if path.name != "metadata.json"
    and "preprocessing_pipeline" in read(path.with_name("metadata.json"))
    for place in places(read(path))
]


def with_aiin(content: dict[str, Any], use_aiin: bool) -> dict[str, Any]:
    """A configuration with AIIN on or off: its own key, or what a training recorded."""
    if "use_aiin" in content:
        return content | {"use_aiin": use_aiin}
    assert "use_aiin" in content["settings"]
    return content | {"settings": content["settings"] | {"use_aiin": use_aiin}}


def drift(content: dict[str, Any], place: str, folder: Path) -> str:
    """How the copy differs from the pipeline in `folder`."""
    return difference(resolved(ConfigParser(content), place), resolved_pipeline(folder))


@pytest.fixture(autouse=True)
def _no_training_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """evaluate.json takes its settings from a run where there is one, else its defaults."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("use_aiin", [True, False], ids=["aiin", "control"])
@pytest.mark.parametrize(
    ("path", "place"), COPIES, ids=lambda value: getattr(value, "stem", str(value))
)
def test_copy_is_the_pipeline(path: Path, place: str, use_aiin: bool) -> None:
    """Resolved with default keys, argument by argument."""
    named = read(path.with_name("metadata.json"))["preprocessing_pipeline"]
    folder = ROOT / "transforms" / named["use_aiin" if use_aiin else "no_aiin"]
    assert folder.name == ("chest_xray_aiin" if use_aiin else "chest_xray_rescale")
    found = drift(with_aiin(read(path), use_aiin), place, folder)
    where = f"{path.relative_to(ROOT)}, {place}"
    assert not found, f"{where} is not transforms/{folder.name}:\n{found}"


def test_default_is_aiin() -> None:
    """A configuration as it stands is the first of the two."""
    for path, place in COPIES:
        assert drift(read(path), place, ROOT / "transforms" / "chest_xray_aiin") == ""


def test_training_and_evaluation_are_looked_at() -> None:
    """The copies are found, in whichever part of a configuration they stand."""
    assert {
        (path.parent.parent.name, path.name, place) for path, place in COPIES
    } >= {
        ("aiin_acgan", "train.json", "train::preprocessing"),
        ("aiin_acgan", "evaluate.json", "preprocessing"),
        ("aiin_dcgan", "train.json", "train::preprocessing"),
        ("aiin_dcgan", "evaluate.json", "preprocessing"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ('"mode": "area"', '"mode": "bilinear"', '+   "mode": "bilinear"'),
        ('"mode": "area"', '"anti_aliasing": false', '-   "mode": "area"'),
        ('"medaug.transforms.AIINd"', '"Flipd"', '+   "_target_": "Flipd"'),
        ('"aiin_threshold": 10.0', '"aiin_threshold": 9.0', '+   "contrast_threshold": 9.0'),
        ('"image_size": 64', '"image_size": 128', "+    128"),
        ("as_bool(@", "as_bool(not @", '-   "_target_": "medaug.transforms.AIINd"'),
    ],
)
@pytest.mark.parametrize(
    ("path", "place"), COPIES, ids=lambda value: getattr(value, "stem", str(value))
)
def test_drift_is_seen_and_shown(path: Path, place: str, old: str, new: str, shown: str) -> None:
    """One thing changed at a time."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    found = drift(json.loads(text.replace(old, new)), place, ROOT / "transforms/chest_xray_aiin")
    assert shown in found.splitlines() or f"{shown}," in found.splitlines()
