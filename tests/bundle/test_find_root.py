"""Where the bundle lies, from wherever its command is given."""

import json
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import ckpt_export, create_workflow

from medaug.bundle import find_root

from .process import TRUSTED
from .tiny import NOTED, bundle

pytestmark = [TRUSTED, pytest.mark.filterwarnings("ignore:.*torch.jit")]


def root(config: Any, **overrides: Any) -> str:
    """What a workflow resolves ``bundle_root`` to."""
    return str(create_workflow(config_file=config, workflow_type="train", **overrides).bundle_root)


def test_parent_of_the_configs_folder(tmp_path: Path) -> None:
    """The configuration's folder, if it is called configs, lies in the bundle's."""
    assert root(str(bundle(tmp_path / "mine"))) == str(tmp_path / "mine")


def test_another_folder_is_the_root_itself(tmp_path: Path) -> None:
    """A configuration that lies by itself."""
    config = bundle(tmp_path / "mine")
    other = tmp_path / "other"
    config.parent.rename(other)
    assert root(str(other / "train.json")) == str(other)


def test_the_first_of_several_files_counts(tmp_path: Path) -> None:
    """As for MONAI's own metadata and logging."""
    config = bundle(tmp_path / "mine")
    overlay = tmp_path / "overlay.json"
    overlay.write_text("{}")
    assert root([str(config), str(overlay)]) == str(tmp_path / "mine")


@pytest.mark.parametrize("place", [".", "mine", "mine/configs", "elsewhere/deep"])
def test_from_any_folder_with_a_relative_path(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is absolute, and the same from everywhere."""
    config = bundle(tmp_path / "mine")
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / place)
    relative = Path(*([".."] * len(Path(place).parts))) / config.relative_to(tmp_path)
    assert root(str(relative)) == str(tmp_path / "mine")


def test_bundle_root_on_the_command_line_wins(tmp_path: Path) -> None:
    """An override replaces the expression."""
    assert root(str(bundle(tmp_path / "mine")), bundle_root="/srv/app") == "/srv/app"


def test_under_ckpt_export(tmp_path: Path) -> None:
    """MONAI's export has no workflow, only the configuration's file."""
    config = bundle(tmp_path / "mine")
    ckpt_export(
        config_file=str(config),
        ckpt_file=str(tmp_path / "mine" / "models" / "model.pt"),
        filepath=str(tmp_path / "model.ts"),
    )
    assert [str(tmp_path / "mine")] == NOTED
    assert (tmp_path / "model.ts").exists()


def test_under_ckpt_export_of_several_files(tmp_path: Path) -> None:
    """The first one again."""
    config = bundle(tmp_path / "mine")
    overlay = tmp_path / "overlay.json"
    overlay.write_text(json.dumps({"seed": 1}))
    ckpt_export(
        config_file=[str(config), str(overlay)],
        ckpt_file=str(tmp_path / "mine" / "models" / "model.pt"),
        filepath=str(tmp_path / "model.ts"),
    )
    assert [str(tmp_path / "mine")] == NOTED


def test_outside_of_monai() -> None:
    """The folder where one is."""
    assert find_root() == "."
