"""A trained classifier as files: raw images in, the Python pipeline's probabilities out."""

import json
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor

from medaug.bundle import _export, export_model
from medaug.bundle.__main__ import main
from medaug.bundle._onnx import load_onnx
from medaug.errors import CheckpointError, ConfigError
from medaug.networks import RawClassifier

from ..launch import python
from ..networks.test_classifier import TINY, VIT, levels, tiny
from .test_export import CONFIG as GENERATOR
from .test_export import command, extra_of, write_config
from .test_export import make_run as make_generator_run
from .test_export import network as generator

CLASSES = ["covid", "normal", "pneumonia"]
ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "bundles" / "vit_classifier" / "configs" / "inference.json"
SIZE = (50, 44)


def make_run(folder: Path) -> Path:
    """A training's output folder with what a training records."""
    (folder / "models").mkdir(parents=True)
    torch.save(tiny().state_dict(), folder / "models" / "model.pt")
    settings = {
        "model_name": VIT,
        "model_options": TINY,
        "image_size": 32,
        "use_aiin": True,
        "aiin_windows": [4, 4],
        "aiin_threshold": 10.0,
        "classes": CLASSES,
        "epoch": 7,
    }
    (folder / "models" / "model.json").write_text(json.dumps(settings))
    (folder / "models" / "training_set.json").write_text('{"source_ids": ["5ec7e7"]}')
    return folder


class Made(NamedTuple):
    """A training, and its exports by bit depth."""

    run: Path
    folder: Path
    exports: dict[int, _export.Export]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Both depths; not to be written to."""
    folder = tmp_path_factory.mktemp("export")
    run = make_run(folder / "run")
    exports = {
        bits: export_model(
            CONFIG, run_dir=run, output=folder / "out", bits=bits, input_size=list(SIZE)
        )
        for bits in (8, 12)
    }
    return Made(run, folder / "out", exports)


def load(path: Path) -> Callable[[Tensor], Tensor]:
    loaded: Callable[[Tensor], Tensor]
    if path.suffix == ".ts":
        loaded = torch.jit.load(path)
    elif path.suffix == ".pt2":
        loaded = torch.export.load(path).module()
    else:
        pytest.importorskip("onnx")
        loaded = load_onnx(path.read_bytes())
    return loaded


@pytest.mark.parametrize("form", ["ts", "pt2", "onnx"])
@pytest.mark.parametrize("bits", [8, 12])
def test_raw_images_give_the_same_probabilities(bits: int, form: str, made: Made) -> None:
    """Within 1e-5, one image or several; the command has compared with the Python pipeline."""
    path = made.folder / f"classifier_{bits}bit.{form}"
    exported = load(path)
    raw = RawClassifier(tiny(), bits=bits).eval()
    dtype = torch.uint8 if bits == 8 else torch.int32
    images = torch.cat([levels(bits, *SIZE), levels(bits, *SIZE) // 3]).to(dtype)
    with torch.no_grad():
        for batch in (images, images[:1]):
            assert (exported(batch) - raw(batch)).abs().max() <= 1e-5
        assert raw(images).std(0).max() > 0.01  # images that could differ
    assert made.exports[bits].differences[path] <= 1e-5


def test_metadata_declare_size_depth_and_classes(made: Made) -> None:
    """In all three forms the same."""
    metadata = extra_of(made.folder / "classifier_12bit.ts")
    assert metadata == made.exports[12].metadata
    assert metadata == extra_of(made.folder / "classifier_12bit.pt2")
    image = metadata["inputs"]["image"]
    assert (image["shape"], image["dtype"], image["bits"]) == (["N", 1, *SIZE], "int32", 12)
    assert image["range"] == [0, 4095]
    assert metadata["output"]["classes"] == CLASSES
    assert (metadata["epoch"], metadata["network"]["model_name"]) == (7, VIT)
    onnx = pytest.importorskip("onnx")
    model = onnx.load(made.folder / "classifier_12bit.onnx")
    (found,) = model.metadata_props
    assert (found.key, json.loads(found.value)) == ("metadata.json", metadata)
    assert [value.name for value in (*model.graph.input, *model.graph.output)] == ["image", "pred"]


def test_the_scripted_one_takes_other_sizes(made: Made) -> None:
    """As it is no recording."""
    exported, raw = load(made.folder / "classifier_8bit.ts"), RawClassifier(tiny(), bits=8).eval()
    image = levels(8, 61, 30).to(torch.uint8)
    with torch.no_grad():
        assert (exported(image) - raw(image)).abs().max() <= 1e-5


def test_no_path_and_no_training_image_is_inside(made: Made) -> None:
    """Neither of the source files, nor of torch's and timm's, nor of the run."""
    modules = [sys.modules[name] for name in ("torch", "medaug", "timm")]
    places = {str(Path(m.__file__).parent) for m in modules if m.__file__}
    hidden = [text.encode() for text in (*places, str(made.run.parent), str(Path.home()))]
    for path in made.folder.iterdir():
        parts = [path.read_bytes()]
        if path.suffix != ".onnx":
            with zipfile.ZipFile(path) as archive:
                parts = [archive.read(record) for record in archive.namelist()]
        for content in parts:
            assert not [text for text in (*hidden, b"5ec7e7") if text in content], path


def test_without_onnx_the_other_forms_are_written(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And it is said what to install."""
    monkeypatch.setattr(_export, "find_spec", lambda _: None)
    given = {"config_file": str(CONFIG), "run_dir": str(made.run), "output": str(tmp_path)}
    assert main([*command(given), "--bits", "8", "--input_size", "40", "40"]) == 0
    told = capsys.readouterr().out
    assert "classifier_8bit.onnx: not written, onnx isn't installed: pip install" in told
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".pt2", ".ts"]
    lines = [line[4:] for line in told.splitlines() if line.startswith("    ")]
    check = "import sys; print(float(probabilities.sum()), {'medaug', 'timm'} & set(sys.modules))"
    done = python("-W", "ignore", "-c", "\n".join([*lines, check]), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1.0") or done.stdout.startswith("0.9999")
    assert done.stdout.endswith("set()\n")


def test_an_export_unlike_the_pipeline_is_refused(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the exported network to normalise otherwise, nothing would be written."""
    real = _export._torchscript
    other = RawClassifier(tiny(), bits=8, aiin=False).eval()
    monkeypatch.setattr(_export, "_torchscript", lambda _, text: real(other, text))
    with pytest.raises(CheckpointError, match=r"8bit\.ts must give the checkpoint's probabilities"):
        export_model(CONFIG, run_dir=made.run, output=tmp_path / "out", input_size=list(SIZE))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--bits", "0"], "--bits must be at least 1, got 0"),
        (["--bits", "17"], "bits must be .*17"),
        (["--input_size", "0", "64"], r"--input_size must be height and width, .*got \[0, 64\]"),
    ],
)
def test_a_mistake_is_one_line(
    words: list[str],
    message: str,
    made: Made,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And an exit code that isn't 0."""
    given = {"config_file": str(CONFIG), "run_dir": str(made.run), "output": str(tmp_path / "x")}
    assert main([*command(given), *words]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert re.search(message, told), told
    assert not (tmp_path / "x").exists()


def test_a_generator_has_no_bits(tmp_path: Path) -> None:
    """Options are keys of the configuration."""
    config = write_config(tmp_path / "bundle", GENERATOR)
    run = make_generator_run(tmp_path / "run", generator())
    with pytest.raises(ConfigError, match="--bits is not a key of this configuration"):
        export_model(config, run_dir=run, output=tmp_path / "out", bits=8)
