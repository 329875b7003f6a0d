"""A pipeline as others load it: from its JSON, into a `Compose`."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.transforms import Compose

from ..bundle.process import TRUSTED
from . import beating
from .pipelines import PIPELINES, ROOT, apply, config, each_pipeline, load, read
from .structure import difference, resolved_pipeline

OWN_KEYS = {"imports", "input", "output", "preprocessing", "dataset", "initialize", "run"}
Sample = Callable[[Path], Path]
# what the names in a metadata's shape stand for, of the phantoms
SIZES = {
    "image_size": 64, "Rows": 448, "Columns": 488, "slices": 1, "phases": beating.PHASES,
}  # fmt: skip
FILES = ["LICENSE", "configs", "docs", "golden.json"]


def card(folder: Path) -> str:
    """A pipeline's README."""
    return (folder / "docs" / "README.md").read_text(encoding="utf-8")


def parameters(folder: Path) -> dict[str, Any]:
    """The keys that a person may change, but for the folders."""
    return {key: value for key, value in read(config(folder)).items() if key not in OWN_KEYS}


@each_pipeline
def test_folder_is_complete(folder: Path) -> None:
    """Nothing is missing, and no Python lies there."""
    assert sorted(path.name for path in folder.iterdir()) == FILES
    configs = sorted(path.name for path in (folder / "configs").iterdir())
    assert configs == ["logging.conf", "metadata.json", "transform.json"]
    assert (folder / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    logs = {(path / "configs" / "logging.conf").read_bytes() for path in PIPELINES}
    assert len(logs) == 1
    assert set(read(config(folder))) >= OWN_KEYS


@each_pipeline
def test_metadata_and_card_tell_the_parameters(folder: Path) -> None:
    """Names, defaults and units, the same in all three places; the version in two."""
    metadata = read(folder / "configs" / "metadata.json")
    told = {key: value["default"] for key, value in metadata["parameters"].items()}
    assert told == parameters(folder)
    for key, value in metadata["parameters"].items():
        assert f"| `{key}` | {value['default']} | {value['unit']} |" in card(folder)
    assert f"Version {metadata['version']}." in card(folder)
    command = f"--config_file transforms/{folder.name}/configs/transform.json --input DIR"
    assert f"    python -m monai.bundle run {command} --output DIR\n" in card(folder)


@each_pipeline
def test_compose_with_default_keys(folder: Path, sample: Sample) -> None:
    """A plain tensor, as metadata says, without anything of the file; the same each time."""
    output = read(folder / "configs" / "metadata.json")["output"]
    result: Any = load(folder)({"image": str(sample(folder))})
    image = result["image"]
    assert sample(folder).stem not in repr(result)
    assert type(image) is torch.Tensor
    assert list(image.shape) == [SIZES.get(side, side) for side in output["shape"]]
    assert str(image.dtype) == f"torch.{output['dtype']}"
    low, high = output["value_range"]
    assert low <= float(image.min()) < float(image.max()) <= high
    assert torch.equal(image, apply(folder, sample(folder)))


@each_pipeline
def test_every_parameter_does_something(folder: Path, sample: Sample) -> None:
    """Each by itself changes the image; the others are those of writing it."""
    others = {"image_size": 96, "aiin_windows": [2, 6], "aiin_threshold": 3.0, "slices": 0}
    before = apply(folder, sample(folder))
    steps = json.dumps(read(config(folder))["preprocessing"])
    used = [key for key in parameters(folder) if f"@{key}" in steps]
    assert set(parameters(folder)) - set(used) <= {"bits"}
    for key in used:
        after = apply(folder, sample(folder), **{key: others[key]})
        assert after.shape[-1] == (96 if key == "image_size" else 64)
        assert after.shape != before.shape or (after - before).abs().max() > 0.02, key


def test_control_differs_by_aiin_alone() -> None:
    """The same steps with the same arguments in the same order, but one."""
    aiin, control = (
        resolved_pipeline(ROOT / "transforms" / name)
        for name in ("chest_xray_aiin", "chest_xray_rescale")
    )
    names = [step["_target_"] for step in aiin["transforms"]]
    assert names.count("medaug.transforms.AIINd") == 1
    del aiin["transforms"][names.index("medaug.transforms.AIINd")]
    assert difference(aiin, control) == ""


@TRUSTED
@each_pipeline
def test_code_of_the_card(
    folder: Path, sample: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs as it stands, from a folder that has transforms/ and the file."""
    blocks = re.findall(r"```python\n(.*?)```", card(folder), re.DOTALL)
    assert len(blocks) == 1
    (file,) = re.findall(r'"image": "(.*?)"', blocks[0])
    (tmp_path / "transforms").symlink_to(ROOT / "transforms")
    (tmp_path / file).write_bytes(sample(folder).read_bytes())
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(blocks[0], f"{folder.name}/docs/README.md", "exec"), names)
    assert isinstance(names["preprocessing"], Compose)
    changed = {key: names["parser"][key] for key in parameters(folder)}
    assert torch.equal(names["image"], apply(folder, sample(folder), **changed))
    assert changed != parameters(folder) or "image_size" not in changed
