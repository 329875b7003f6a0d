"""A trained generator as files that need torch alone."""

import hashlib
import json
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from monai.data import load_net_with_metadata
from torch import Tensor

from medaug.bundle import _export, export_model
from medaug.bundle.__main__ import main
from medaug.errors import CheckpointError, ConfigError
from medaug.networks import ACGANGenerator

from ..launch import python

CLASSES = ["covid", "normal", "pneumonia"]
BUNDLES = Path(__file__).parents[2] / "bundles"
CONFIG: dict[str, Any] = {
    "imports": ["$import medaug"],
    "bundle_root": "$medaug.bundle.find_root()",
    "run_dir": "nowhere",
    "device": "$torch.device('nonsense')",  # what isn't needed isn't evaluated
    "settings": {
        "_target_": "medaug.bundle.trained_settings",
        "run_dir": "@run_dir",
        "image_size": 64,
        "latent_dim": 100,
        "classes": CLASSES,
    },
    "network_def": {
        "_target_": "medaug.networks.ACGANGenerator",
        "image_size": "$@settings['image_size']",
        "num_classes": "$len(@settings['classes'])",
        "latent_dim": "$@settings['latent_dim']",
        "base_channels": 4,
    },
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A bundle's inference.json, with its metadata beside it."""
    return write_config(tmp_path / "bundle", CONFIG)


def write_config(root: Path, content: dict[str, Any]) -> Path:
    """Write a bundle; returns the path of its configuration."""
    (root / "configs").mkdir(parents=True, exist_ok=True)
    metadata = {"name": "a GAN", "version": "0.1.2"}
    (root / "configs" / "metadata.json").write_text(json.dumps(metadata))
    path = root / "configs" / "inference.json"
    path.write_text(json.dumps(content))
    return path


def network(**changes: int) -> ACGANGenerator:
    sizes = {"image_size": 32, "latent_dim": 8, "base_channels": 4, "num_classes": 3}
    return ACGANGenerator(**(sizes | changes)).eval()


def make_run(folder: Path, generator: ACGANGenerator) -> Path:
    """A training's output folder with what a training records."""
    (folder / "models").mkdir(parents=True)
    torch.save(generator.state_dict(), folder / "models" / "model.pt")
    settings = {"image_size": 32, "latent_dim": 8, "classes": CLASSES, "use_aiin": True, "epoch": 9}
    (folder / "models" / "model.json").write_text(json.dumps(settings))
    (folder / "models" / "training_set.json").write_text('{"source_ids": ["5ec7e7"]}')
    return folder


class Made(NamedTuple):
    """A generator, the training that left it, and its export."""

    generator: ACGANGenerator
    run: Path
    folder: Path
    export: _export.Export


def drawn() -> ACGANGenerator:
    """A generator with batch-norm statistics that differ from those of a new network."""
    made = network()
    with torch.no_grad():
        for name, value in made.state_dict().items():
            if name.endswith("running_var"):
                value.uniform_(0.5, 2)
            elif value.is_floating_point():
                value.normal_(0, 0.3)
    return made


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A training's output folder."""
    return make_run(tmp_path / "run", drawn())


def load_script(path: Path) -> Callable[[Tensor, Tensor], Tensor]:
    loaded: Callable[[Tensor, Tensor], Tensor] = torch.jit.load(path)
    return loaded


def load_program(path: Path) -> Callable[[Tensor, Tensor], Tensor]:
    loaded: Callable[[Tensor, Tensor], Tensor] = torch.export.load(path).module()
    return loaded


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """One export, for the tests that only look at it."""
    folder = tmp_path_factory.mktemp("export")
    generator = drawn()
    run = make_run(folder / "run", generator)
    config = write_config(folder / "bundle", CONFIG)
    export = export_model(config, run_dir=run, output=folder / "out")
    return Made(generator, run, folder / "out", export)


FORMS = pytest.mark.parametrize(
    ("name", "load"), [("generator.ts", load_script), ("generator.pt2", load_program)]
)


@FORMS
def test_exported_generators_make_the_checkpoints_images(name: str, load: Any, made: Made) -> None:
    """Within 1e-5, for any number of images."""
    exported = load(made.folder / name)
    with torch.no_grad():
        for count in (1, 2, 7):
            latent, label = torch.randn(count, 8), torch.arange(count) % 3
            images = made.generator(latent, label)
            assert (exported(latent, label) - images).abs().max() <= 1e-5
            assert images.std() > 0.005  # pictures that could differ
    assert made.export.differences[made.folder / name] <= 1e-5


def extra_of(path: Path) -> dict[str, Any]:
    """The metadata inside a file, by torch's own loaders."""
    files = {"metadata.json": ""}
    if path.suffix == ".ts":
        torch.jit.load(path, _extra_files=files)
    else:
        torch.export.load(path, extra_files=files)
    metadata: dict[str, Any] = json.loads(files["metadata.json"])
    return metadata


@pytest.mark.parametrize("name", ["generator.ts", "generator.pt2"])
def test_metadata_say_what_goes_in_and_comes_out(name: str, made: Made) -> None:
    """Names, versions, shapes, meanings, and which weights."""
    metadata = extra_of(made.folder / name)
    assert metadata == made.export.metadata
    assert (metadata["name"], metadata["version"], metadata["epoch"]) == ("a GAN", "0.1.2", 9)
    weights = (made.run / "models" / "model.pt").read_bytes()
    assert metadata["model_sha256"] == hashlib.sha256(weights).hexdigest()
    assert metadata["torch"] == torch.__version__
    assert metadata["inputs"]["latent"]["shape"] == ["N", 8]
    assert "N(0, 1)" in metadata["inputs"]["latent"]["meaning"]
    assert metadata["inputs"]["label"]["classes"] == CLASSES
    assert metadata["output"]["shape"] == ["N", 1, 32, 32]
    assert metadata["output"]["range"] == [0, 1]
    assert metadata["output"]["use_aiin"] is True


def test_monai_finds_the_metadata(made: Made) -> None:
    """By the name that its own export gives them."""
    _, metadata, _ = load_net_with_metadata(str(made.folder / "generator.ts"))
    assert metadata["name"] == "a GAN"


@pytest.mark.parametrize("name", ["generator.ts", "generator.pt2"])
def test_no_path_and_no_training_image_is_inside(name: str, made: Made) -> None:
    """Neither of the source files, nor of torch's, nor of the run; no hash of a training image."""
    places = {str(Path(m.__file__).parent) for m in (torch, sys.modules["medaug"]) if m.__file__}
    hidden = [place.encode() for place in (*places, str(made.run.parent), str(Path.home()))]
    with zipfile.ZipFile(made.folder / name) as archive:
        for record in archive.namelist():
            content = archive.read(record)
            assert not [text for text in (*hidden, b"5ec7e7") if text in content], record


def test_weights_that_make_no_images_are_not_exported(config: Path, tmp_path: Path) -> None:
    """NaN is within no tolerance."""
    generator = drawn()
    with torch.no_grad():
        next(generator.parameters()).fill_(torch.nan)
    run = make_run(tmp_path / "run", generator)
    with pytest.raises(CheckpointError, match=r"generator.ts must give .* within 1e-05, got nan"):
        export_model(config, run_dir=run, output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_export_that_differs_is_refused(
    config: Path, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were torch.export to get it wrong, nothing would be written."""
    real = _export._torch_export
    other = network()
    monkeypatch.setattr(_export, "_torch_export", lambda _, *rest: real(other, *rest))
    with pytest.raises(CheckpointError, match=r"generator.pt2 must give the checkpoint's images"):
        export_model(config, run_dir=run, output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"settings": None}, r"must have the keys .* got none called settings"),
        ({"settings": None, "network_def": None}, r"none called network_def or settings"),
        ({"settings": {"latent_dim": 8}}, r"must give classes in settings, got \['latent_dim'\]"),
    ],
)
def test_a_configuration_without_its_keys_is_refused(
    changes: dict[str, Any], message: str, run: Path, tmp_path: Path
) -> None:
    """A train.json, say."""
    content = {key: value for key, value in (CONFIG | changes).items() if value is not None}
    config = write_config(tmp_path / "other", content)
    with pytest.raises(ConfigError, match=message):
        export_model(config, run_dir=run, output=tmp_path / "out")


@pytest.mark.parametrize("content", ["", "{", "not json"])
def test_a_damaged_configuration_is_refused(content: str, config: Path, run: Path) -> None:
    """With its name."""
    config.write_text(content)
    with pytest.raises(ConfigError, match=r"--config_file must be JSON .*inference\.json"):
        export_model(config, run_dir=run, output=run / "out")


@pytest.fixture
def arguments(config: Path, run: Path, tmp_path: Path) -> dict[str, str]:
    """Of the command."""
    return {"config_file": str(config), "run_dir": str(run), "output": str(tmp_path / "out")}


def command(arguments: dict[str, str]) -> list[str]:
    return ["export", *(word for key, value in arguments.items() for word in (f"--{key}", value))]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("config_file", "nowhere.json", "--config_file must be a bundle's inference.json, got"),
        ("run_dir", "nowhere", "nowhere/models/model.pt is not there: train first"),
        ("output", "run/models/model.pt", "--output must be a folder that can be made, got"),
    ],
)
def test_a_mistake_is_one_line(
    key: str,
    value: str,
    message: str,
    arguments: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And an exit code that isn't 0."""
    monkeypatch.chdir(tmp_path)
    assert main(command(arguments | {key: value})) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"medaug: {message}")
    assert told.count("\n") == 1


def test_a_mistake_in_the_network_is_one_line(
    arguments: dict[str, str], run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Though MONAI wraps it."""
    path = run / "models" / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"image_size": 48}))
    assert main(command(arguments)) == 1
    assert capsys.readouterr().err.startswith("medaug: image_size must be ")


@pytest.mark.parametrize("words", [[], ["export"], ["import"], ["export", "--outptu", "x"]])
def test_wrong_arguments_are_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """As argparse words it."""
    with pytest.raises(SystemExit, match="2"):
        main(words)
    told = capsys.readouterr().err
    assert told.startswith("medaug: ")
    assert told.count("\n") == 1


def test_the_command_tells_how_to_use_what_it_made(
    arguments: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The six lines that it prints make images in a Python that has loaded torch alone."""
    assert main(command(arguments)) == 0
    told = capsys.readouterr().out
    assert told.count("largest difference ") == 2
    lines = [line[4:] for line in told.splitlines() if line.startswith("    ")]
    assert len(lines) == 6
    check = "import sys; print(tuple(images.shape), {'medaug', 'monai'} & set(sys.modules))"
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = python("-W", "ignore", "-c", "\n".join([*lines, check]), cwd=tmp_path, env=env)
    assert (done.stdout, done.stderr) == ("(4, 1, 32, 32) set()\n", "")


def test_the_command_exports_a_packaged_bundle_from_any_folder(tmp_path: Path) -> None:
    """``python -m medaug.bundle export``, with relative paths and the bundle as it is shipped."""
    make_run(tmp_path / "runs" / "mine", network(base_channels=32))
    config = os.path.relpath(BUNDLES / "aiin_acgan" / "configs" / "inference.json", tmp_path)
    given = {"config_file": config, "run_dir": "runs/mine", "output": "exported"}
    env = os.environ | {"PYTHONPATH": str(BUNDLES.parent)}
    done = python("-m", "medaug.bundle", *command(given), cwd=tmp_path, env=env)
    assert (done.returncode, done.stderr) == (0, "")
    metadata = json.loads((BUNDLES / "aiin_acgan" / "configs" / "metadata.json").read_text())
    assert extra_of(tmp_path / "exported" / "generator.ts")["name"] == metadata["name"]
    assert (tmp_path / "exported" / "generator.pt2").exists()
