"""The bundle aiin_acgan, from a folder of images to a model that others can load."""

import csv
import json
import logging
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser, ckpt_export, create_workflow, verify_net_in_out
from monai.data import load_net_with_metadata
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from medaug.errors import UserError
from medaug.networks import ACGANGenerator

from ..bundle.process import TRUSTED, as_it_was, mistake
from .radiographs import CLASSES, collection

pytestmark = [TRUSTED, pytest.mark.filterwarnings("ignore:.*torch.jit")]

BUNDLE = Path(__file__).parents[2] / "bundles" / "aiin_acgan"
SMALL = {"image_size": 32, "max_epochs": 1, "batch_size": 4, "val_interval": 1, "latent_dim": 8}


def workflow(name: str, **overrides: Any) -> Any:
    """The workflow of one of the bundle's configurations, initialised."""
    kind = "train" if name == "train" else "infer"
    config = str(BUNDLE / "configs" / f"{name}.json")
    return create_workflow(config_file=config, workflow_type=kind, logging_file=False, **overrides)


def train(data: Path, out: Path, **overrides: Any) -> Path:
    """Train for one epoch; returns the output folder."""
    settings = SMALL | {"dataset_dir": str(data), "output_dir": str(out)} | overrides
    made = workflow("train", **settings)
    made.run()
    made.finalize()
    return out


def refused(name: str, **overrides: Any) -> str:
    """The message of the UserError that a run ends with."""
    with pytest.raises((RuntimeError, UserError)) as raised:
        workflow(name, **overrides).run()
    return str(mistake(raised.value))


def weights(run: Path) -> dict[str, torch.Tensor]:
    loaded: dict[str, torch.Tensor] = torch.load(run / "models" / "model.pt", weights_only=True)
    return loaded


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eighteen images of three classes."""
    return collection(tmp_path_factory.mktemp("collection") / "data")


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The output folder of a training of one epoch; not to be written to."""
    with as_it_was():
        yield train(data, tmp_path_factory.mktemp("runs") / "run")


# ---- training


def test_training_writes_what_it_promises(run: Path) -> None:
    """Model, settings, grid, TensorBoard, metrics, diversity, the run's record; nothing more."""
    found = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    events = {name for name in found if name.startswith("tensorboard/events.")}
    assert len(events) == 1
    assert found - events == {
        "models/model.pt",
        "models/model.json",
        "samples/epoch_0001.png",
        "metrics.csv",
        "diversity.json",
        "run.json",
    }


def test_model_is_the_generator_of_the_settings(run: Path) -> None:
    """model.json builds the network that model.pt fits, and says how images were prepared."""
    settings = json.loads((run / "models" / "model.json").read_text())
    assert settings == {
        "image_size": 32,
        "latent_dim": 8,
        "use_aiin": True,
        "aiin_windows": [4, 4],
        "aiin_threshold": 10.0,
        "seed": 0,
        "classes": list(CLASSES),
        "epoch": 1,
    }
    ACGANGenerator(image_size=32, num_classes=3, latent_dim=8).load_state_dict(weights(run))


def test_grid_has_a_row_for_each_class(run: Path) -> None:
    """Three rows of ten images of 32 pixels, 2 apart."""
    with Image.open(run / "samples" / "epoch_0001.png") as grid:
        assert (grid.mode, grid.size) == ("L", (10 * 34 - 2, 3 * 34 - 2))


def test_figures_stand_in_all_their_places(run: Path) -> None:
    """metrics.csv, diversity.json and TensorBoard agree."""
    with (run / "metrics.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    board = EventAccumulator(str(run / "tensorboard")).Reload()
    table = json.loads((run / "diversity.json").read_text())
    assert [line["name"] for line in table] == list(CLASSES)
    for line in table:
        for kind in ("real", "synthetic"):
            name = f"{line['metric']}_{kind}_{line['name']}"
            assert float(row[name]) == pytest.approx(line[kind], rel=1e-5)
            assert board.Scalars(name)[0].value == pytest.approx(line[kind], rel=1e-5)
    assert {"d_loss", "g_loss", "d_real", "d_fake_before", "class_accuracy_real"} <= row.keys()


def test_record_holds_the_overrides_and_no_patient(run: Path, data: Path) -> None:
    """The configuration as it was run, the data by hash, no file or patient by name."""
    text = (run / "run.json").read_text()
    record = json.loads(text)
    assert {key: record["configuration"][key] for key in SMALL} == SMALL
    assert sum(len(part) for part in record["data"].values()) == 18
    for line in (data / "manifest.csv").read_text().splitlines()[1:]:
        file, _, patient = line.split(",")
        assert file not in text
        assert patient not in text
    assert "Doe" not in text


def test_training_says_where_everything_is(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The list is named at the start; at the end paths and the next command, which works."""
    with caplog.at_level(logging.INFO, "medaug"):
        out = train(data, tmp_path / "run")
    first, *_, last = [r.getMessage() for r in caplog.records if r.name == "medaug"]
    assert "manifest.csv" in first
    words = shlex.split(last.splitlines()[-1])
    assert (
        Path(words[words.index("--config_file") + 1]).resolve() == BUNDLE / "configs/inference.json"
    )
    assert words[words.index("--run_dir") + 1] == str(out)


@pytest.mark.parametrize("changes", [{"seed": 1}, {"use_aiin": "false"}, {"aiin_windows": [2, 2]}])
def test_settings_change_the_model(
    changes: dict[str, Any], run: Path, data: Path, tmp_path: Path
) -> None:
    """Seed and preprocessing reach the training, the text 'false' included."""
    other = weights(train(data, tmp_path, **changes))
    assert any(not torch.equal(value, other[name]) for name, value in weights(run).items())


@pytest.mark.filterwarnings("ignore:This DataLoader will create")  # on a machine of one core
def test_workers_and_repetition_give_the_same_weights(data: Path, tmp_path: Path) -> None:
    """Bit for bit in float32: the same seed twice, with and without workers."""
    runs = [
        weights(train(data, tmp_path / f"run{number}", amp="false", num_workers=workers))
        for number, workers in enumerate((0, 2, 0))
    ]
    for other in runs[1:]:
        assert all(torch.equal(value, other[name]) for name, value in runs[0].items())


@pytest.mark.parametrize(
    ("amp", "dtype"), [(True, torch.bfloat16), ("true", torch.bfloat16), ("false", None), (0, None)]
)
def test_amp_is_switched_by_what_a_command_line_makes_of_it(
    amp: object, dtype: Any, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever this processor has: the text 'false' isn't taken as true."""
    monkeypatch.setattr("medaug.engines._gan.autocast_dtype", lambda _: torch.bfloat16)
    settings = SMALL | {"dataset_dir": str(data), "output_dir": str(tmp_path / "run")}
    made = workflow("train", **settings, amp=amp)
    assert made.parser.get_parsed_content("train#trainer").autocast_dtype is dtype


def test_a_class_smaller_than_a_batch_works(tmp_path: Path) -> None:
    """Two images of the rare class, batches of eight."""
    data = collection(tmp_path / "data", {"normal": 7, "rare": 2})
    out = train(data, tmp_path / "run", batch_size=8)
    assert json.loads((out / "diversity.json").read_text())[0]["name"] == "normal"


def test_classes_of_one_image_work(tmp_path: Path) -> None:
    """No pair to compare, and still a model at the end."""
    data = collection(tmp_path / "data", {"a": 1, "b": 1})
    out = train(data, tmp_path / "run")
    assert json.loads((out / "diversity.json").read_text()) == []
    assert (out / "models" / "model.pt").exists()


# ---- MONAI's contract


def test_properties_of_training(data: Path, tmp_path: Path) -> None:
    """Nothing that MONAI wants of a training bundle is missing."""
    made = workflow("train", dataset_dir=str(data), output_dir=str(tmp_path / "run"), image_size=32)
    assert made.check_properties() == []
    assert made.bundle_root == str(BUNDLE)


def test_looking_at_a_training_leaves_its_results_alone(data: Path, tmp_path: Path) -> None:
    """A workflow that is made and checked, but not run, moves no earlier results aside."""
    out = tmp_path / "run"
    (out / "models").mkdir(parents=True)
    (out / "models" / "model.pt").write_text("an earlier model")
    made = workflow("train", dataset_dir=str(data), output_dir=str(out), image_size=32)
    made.check_properties()
    assert (out / "models" / "model.pt").read_text() == "an earlier model"
    assert not list(out.glob("previous_*"))


def test_handlers_of_ones_own_are_added(data: Path, tmp_path: Path) -> None:
    """``train#handlers`` is empty, and what is put there is attached beside the bundle's."""
    handler = {"_target_": "StatsHandler", "output_transform": "$lambda output: output"}
    settings = SMALL | {"dataset_dir": str(data), "output_dir": str(tmp_path / "run")}
    made = workflow("train", **settings, **{"train#handlers": [handler]})
    assert made.check_properties() == []
    trainer = made.parser.get_parsed_content("train#trainer")
    trainer.run()
    (mine,) = made.parser.get_parsed_content("train#handlers")
    assert trainer.has_event_handler(mine.iteration_completed)
    assert (tmp_path / "run" / "metrics.csv").exists()


@pytest.mark.parametrize("name", ["inference", "evaluate"])
def test_properties_of_inference(name: str, run: Path, data: Path, tmp_path: Path) -> None:
    """Nor of one for inference."""
    made = workflow(name, run_dir=str(run), dataset_dir=str(data), output_dir=str(tmp_path / "out"))
    assert made.check_properties() == []
    assert made.bundle_root == str(BUNDLE)


def test_network_is_as_the_metadata_says() -> None:
    """MONAI's own check of shapes and types, with the defaults."""
    verify_net_in_out(
        net_id="network_def",
        meta_file=str(BUNDLE / "configs" / "metadata.json"),
        config_file=str(BUNDLE / "configs" / "inference.json"),
    )


def test_network_of_a_training_is_checked_too(run: Path) -> None:
    """With the latent length of that training."""
    verify_net_in_out(
        net_id="network_def",
        meta_file=str(BUNDLE / "configs" / "metadata.json"),
        config_file=str(BUNDLE / "configs" / "inference.json"),
        run_dir=str(run),
        **{"_meta_#network_data_format#inputs#image#num_channels": 8},
    )


@pytest.mark.parametrize("config", ["inference", "train"])
def test_export_makes_the_same_images(config: str, run: Path, data: Path, tmp_path: Path) -> None:
    """The TorchScript generator against the checkpoint's, within 1e-5; metadata inside."""
    path = tmp_path / "model.ts"
    own = {"run_dir": str(run)} if config == "inference" else {"dataset_dir": str(data)}
    settings = own if config == "inference" else own | {"image_size": 32, "latent_dim": 8}
    ckpt_export(
        config_file=str(BUNDLE / "configs" / f"{config}.json"),
        ckpt_file=str(run / "models" / "model.pt"),
        filepath=str(path),
        bundle_root=str(BUNDLE),
        **settings,
    )
    network = ACGANGenerator(image_size=32, num_classes=3, latent_dim=8).eval()
    network.load_state_dict(weights(run))
    scripted, metadata, extra = load_net_with_metadata(
        str(path), more_extra_files=(f"{config}.json",)
    )
    latent, label = torch.randn(6, 8), torch.tensor([0, 1, 2, 2, 1, 0])
    with torch.no_grad():
        for arguments in ((latent, label), (latent,)):
            expected = network(*arguments)
            assert (scripted.eval()(*arguments) - expected).abs().max() <= 1e-5
            assert expected.shape == (6, 1, 32, 32)
    assert (
        metadata["version"] == json.loads((BUNDLE / "configs/metadata.json").read_text())["version"]
    )
    assert "network_def" in json.loads(extra[f"{config}.json"])


TENSOR = {
    "type": str,
    "format": str,
    "num_channels": int,
    "spatial_shape": list,
    "dtype": str,
    "value_range": list,
}
META = {
    **dict.fromkeys(
        ("schema", "version", "monai_version", "pytorch_version", "numpy_version"), str
    ),
    **dict.fromkeys(("task", "description", "authors", "copyright"), str),
    "required_packages_version": dict,
    "network_data_format": dict,
    "changelog": dict,
}


def faults(content: dict[str, Any], rules: dict[str, type]) -> list[str]:
    """Keys that are missing or of another type."""
    return [key for key, kind in rules.items() if type(content.get(key)) is not kind]


def test_metadata_follows_monais_schema() -> None:
    """The rules of meta_schema_20240725, written down here; the zoo wants a changelog too."""
    metadata = json.loads((BUNDLE / "configs" / "metadata.json").read_text())
    assert faults(metadata, META) == []
    assert metadata["schema"].endswith("meta_schema_20240725.json")
    assert all(isinstance(v, str) for v in metadata["required_packages_version"].values())
    formats = metadata["network_data_format"]
    for name, tensor in (formats["inputs"] | formats["outputs"]).items():
        assert faults(tensor, TENSOR) == [], name
        assert all(isinstance(size, int | str) for size in tensor["spatial_shape"])
        assert all(isinstance(end, int | float) for end in tensor["value_range"])
    assert next(iter(formats["inputs"])) == "image"
    assert "pred" in formats["outputs"]


def test_bundle_has_what_the_zoo_wants() -> None:
    """Metadata, licence, inference, a card and logging."""
    for name in ("configs/metadata.json", "configs/inference.json", "configs/logging.conf"):
        assert (BUNDLE / name).is_file()
    for name in ("LICENSE", "docs/README.md"):
        assert (BUNDLE / name).stat().st_size > 500


def test_card_states_the_defaults() -> None:
    """The table of options in docs/README.md is that of train.json."""
    config = json.loads((BUNDLE / "configs" / "train.json").read_text("utf-8"))
    card = (BUNDLE / "docs" / "README.md").read_text("utf-8")
    stated = {}
    for keys, values in re.findall(r"^\| (`[^|]*`) \| ([^|]*) \|", card, re.MULTILINE):
        text = values.startswith(("`", "phantoms"))
        given = [values.strip("`")] if text else json.loads(f"[{values}]")
        stated |= dict(zip(re.findall(r"\w+", keys), given, strict=True))
    assert stated.pop("dataset_dir") == "phantoms"
    assert "phantoms" in config["dataset_dir"]
    assert len(stated) == 12
    assert stated == {key: config[key] for key in stated}


# ---- preprocessing, inference, evaluation


@pytest.mark.parametrize("use_aiin", ["true", "false"])
def test_copies_of_the_preprocessing_agree(use_aiin: str, data: Path) -> None:
    """Training and evaluation prepare an image as the pipeline that the metadata names does."""
    configs = BUNDLE / "configs"
    metadata = json.loads((configs / "metadata.json").read_text())
    name = metadata["preprocessing_pipeline"]["use_aiin" if use_aiin == "true" else "no_aiin"]
    pipeline = BUNDLE.parents[1] / "transforms" / name / "configs" / "transform.json"
    sources: list[tuple[Path, str, dict[str, Any]]] = [
        (pipeline, "preprocessing", {}),
        (configs / "train.json", "train#preprocessing", {"use_aiin": use_aiin}),
        (configs / "evaluate.json", "preprocessing", {"settings#use_aiin": use_aiin}),
    ]
    prepared = []
    for path, key, changes in sources:
        parser = ConfigParser()
        parser.read_config(str(path))
        parser.update(changes)
        transform = parser.get_parsed_content(key)
        prepared.append(transform({"image": str(data / "covid" / "Doe_0.png")})["image"])
    assert prepared[0].shape == (1, 64, 64)
    assert all(torch.equal(prepared[0], other) for other in prepared[1:])


def infer(run: Path, out: Path, **overrides: Any) -> dict[str, np.ndarray]:
    """Images of inference.json by their path."""
    workflow("inference", run_dir=str(run), output_dir=str(out), **overrides).run()
    files = sorted(path for path in out.rglob("*") if path.is_file())
    return {path.relative_to(out).as_posix(): np.asarray(Image.open(path)) for path in files}


@pytest.mark.parametrize(
    ("chosen", "folders"),
    [
        ([], {"covid": 3, "normal": 2, "pneumonia": 2}),
        (["pneumonia", "covid"], {"covid": 3, "pneumonia": 4}),
        ("normal", {"normal": 7}),
    ],
)
def test_inference_writes_the_chosen_classes(
    chosen: Any, folders: dict[str, int], run: Path, tmp_path: Path
) -> None:
    """N grey PNGs of the model's size, the classes taking turns."""
    images = infer(run, tmp_path, num_images=7, class_names=chosen)
    assert len(images) == 7
    counts = {name: sum(path.startswith(f"{name}/") for path in images) for name in folders}
    assert counts == folders
    assert all(path.endswith(".png") for path in images)
    assert all(image.shape == (32, 32) and image.dtype == np.uint8 for image in images.values())


def test_inference_is_repeated_by_its_seed(run: Path, tmp_path: Path) -> None:
    """The same images for the same seed, however many and in what batches."""
    one = infer(run, tmp_path / "a", num_images=6)
    two = infer(run, tmp_path / "b", num_images=9, batch_size=2)
    three = infer(run, tmp_path / "c", num_images=6, seed=1)
    assert all(np.array_equal(image, two[path]) for path, image in one.items())
    assert any(not np.array_equal(image, three[path]) for path, image in one.items())


def test_evaluation_writes_its_table(run: Path, data: Path, tmp_path: Path) -> None:
    """Real images of the training's split, as many synthetic ones, in every class."""
    trained = json.loads((run / "diversity.json").read_text())
    workflow(
        "evaluate", run_dir=str(run), dataset_dir=str(data), output_dir=str(tmp_path / "new")
    ).run()
    table = json.loads((tmp_path / "new" / "diversity.json").read_text())
    for line, before in zip(table, trained, strict=True):
        assert line["real"] == pytest.approx(before["real"], rel=1e-6)
        assert line["num_images"] == before["num_images"]
        assert 0 <= line["synthetic"] <= 1


def test_evaluation_splits_as_the_training_did(data: Path, tmp_path: Path) -> None:
    """By the training's seed, not its own."""
    run = train(data, tmp_path / "run", seed=3)
    made = workflow(
        "evaluate", run_dir=str(run), dataset_dir=str(data), output_dir=str(tmp_path / "out")
    )
    record = json.loads((run / "run.json").read_text())
    split = made.parser.get_parsed_content("data")
    assert [item["source_id"] for item in split.train] == [
        item["source_id"] for item in record["data"]["train"]
    ]


# ---- bad input


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"max_epoch": 3}, r"--max_epoch is not a key.*did you mean --max_epochs\?"),
        ({"amp": "maybe"}, r"--amp must be true or false.*got 'maybe'"),
        ({"image_size": 48}, r"image_size must be one of \(32, 64, 128, 256\), got 48"),
        ({"image_size": "64x64"}, r"--image_size must be a whole number.*'64x64'"),
        ({"max_epochs": 0}, "--max_epochs must be at least 1, got 0"),
        ({"batch_size": 0}, "--batch_size must be at least 1, got 0"),
        ({"latent_dim": 0}, "--latent_dim must be at least 1, got 0"),
        ({"val_interval": 0}, "--val_interval must be at least 1, got 0"),
        ({"num_workers": -1}, "--num_workers must be at least 0, got -1"),
        ({"seed": -1}, "--seed must be at least 0, got -1"),
        ({"use_aiin": "perhaps"}, "--use_aiin must be true or false"),
        ({"aiin_windows": 4}, r"--aiin_windows must be a list, such as \[4, 4\], got 4"),
        ({"aiin_windows": [4]}, r"windows must be .*got .*\[4\]"),
        ({"aiin_windows": [0, 4]}, r"windows must be .*got .*\[0, 4\]|windows must be .*\(0, 4\)"),
        ({"aiin_threshold": 0}, "contrast_threshold must be .*got 0"),
        ({"dataset_dir": "nowhere/at/all"}, "nowhere/at/all: must be a folder.*got nothing there"),
    ],
    ids=lambda value: (
        "-".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else ""
    ),
)
def test_a_mistake_costs_nothing(
    overrides: dict[str, Any], message: str, run: Path, data: Path, tmp_path: Path
) -> None:
    """Refused with what must be, before earlier results are touched or anything is written."""
    out = tmp_path / "run"
    shutil.copytree(run, out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    settings = SMALL | {"dataset_dir": str(data), "output_dir": str(out)} | overrides
    text = refused("train", **settings)
    assert re.search(message, text), text
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_a_folder_of_another_layout_is_refused(data: Path, tmp_path: Path) -> None:
    """Empty, one class only, images without classes: each by its path and what was found."""
    out = str(tmp_path / "out")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert refused("train", dataset_dir=str(empty), output_dir=out) == (
        f"{empty}: must hold one subfolder of images for each class, or a manifest.csv, got an "
        "empty folder"
    )
    single = tmp_path / "single"
    shutil.copytree(data / "covid", single / "covid")
    text = refused("train", dataset_dir=str(single), output_dir=out)
    assert text == f"{single}: must hold images of at least two classes, got 6 images of one: covid"
    text = refused("train", dataset_dir=str(single / "covid"), output_dir=out)
    assert text.startswith(f"{single / 'covid'}: must hold one subfolder")
    assert text.endswith("got 6 images directly inside")
    assert not Path(out).exists()


def test_unreadable_files_are_listed_at_once(data: Path, tmp_path: Path) -> None:
    """All of them, not one a run; the message says how many there are."""
    folder = tmp_path / "data"
    shutil.copytree(data, folder)
    bad = ["covid/Doe_1.png", "normal/Doe_0.png", "pneumonia/Doe_5.png"]
    for name in bad:
        (folder / name).write_bytes((folder / name).read_bytes()[:60])
    text = refused("train", dataset_dir=str(folder), output_dir=str(tmp_path / "out"))
    assert "3 of 18" in text
    assert all(name in text for name in [*bad, str(folder)])


@pytest.mark.parametrize("name", ["inference", "evaluate"])
def test_without_a_model_it_says_to_train(name: str, tmp_path: Path) -> None:
    """Before anything is written or any image is read."""
    missing = tmp_path / "no_run"
    text = refused(
        name, run_dir=str(missing), **({"dataset_dir": "x"} if name == "evaluate" else {})
    )
    assert text.startswith(f"{missing}/models/model.pt is not there: train first")
    assert not missing.exists()


def test_other_classes_are_not_evaluated(run: Path, tmp_path: Path) -> None:
    """A model and a folder of other classes have nothing to compare."""
    data = collection(tmp_path / "data", {"flu": 3, "normal": 3})
    text = refused("evaluate", run_dir=str(run), dataset_dir=str(data))
    assert "must hold the classes ['covid', 'normal', 'pneumonia']" in text


def test_an_unknown_class_is_not_made(run: Path, tmp_path: Path) -> None:
    """The model's classes are named."""
    text = refused("inference", run_dir=str(run), output_dir=str(tmp_path), class_names="flu")
    assert text.startswith("--class_names must be among ['covid', 'normal', 'pneumonia']")


# ---- the command line


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """``python -m monai.bundle run ...`` in another process and folder."""
    return subprocess.run(
        [sys.executable, "-m", "monai.bundle", "run", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_command_from_another_folder(data: Path, tmp_path: Path) -> None:
    """Relative to where the command is given: data and results; it ends by saying what to try."""
    (tmp_path / "link").symlink_to(data)
    config = str(BUNDLE / "configs" / "train.json")
    small = [word for key, value in SMALL.items() for word in (f"--{key}", str(value))]
    result = command(
        *(
            "--config_file",
            config,
            "--dataset_dir",
            "link",
            "--output_dir",
            "out",
            "--amp",
            "false",
        ),
        *small,
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"link", "out"}
    assert (tmp_path / "out" / "models" / "model.pt").is_file()
    last = result.stdout.rstrip().splitlines()[-1]
    assert last.endswith(f"{BUNDLE}/configs/inference.json --run_dir out --num_images 100")
    assert "epoch 1/1: 100%" in result.stderr
    assert "Loss_D=" in result.stderr


def test_command_with_a_bad_folder_ends_in_one_line(tmp_path: Path) -> None:
    """The path, what was found and what was expected; no traceback; a code that scripts see."""
    config = str(BUNDLE / "configs" / "train.json")
    result = command("--config_file", config, "--dataset_dir", "not/here", cwd=tmp_path)
    assert result.returncode == 1
    assert "Traceback" not in result.stdout + result.stderr
    last = result.stderr.rstrip("\n").splitlines()[-1]
    assert last.startswith("medaug: not/here: must be a folder of images")
    assert result.stderr.count("medaug: ") == 1
    assert list(tmp_path.iterdir()) == []


def test_command_that_diverges_ends_in_one_line(data: Path, tmp_path: Path) -> None:
    """The message stands by itself below the progress bar, and once."""
    config = str(BUNDLE / "configs" / "train.json")
    small = [word for key, value in SMALL.items() for word in (f"--{key}", str(value))]
    result = command(
        *("--config_file", config, "--dataset_dir", str(data), "--g_optimizer#lr", "1e30", *small),
        cwd=tmp_path,
    )
    assert result.returncode == 1
    assert result.stderr.count("losses must be finite") == 1
    assert result.stderr.splitlines()[-1].startswith("medaug: losses must be finite, got {")
    assert "Traceback" not in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C can't be sent to another process")
def test_interrupted_command_keeps_the_model(data: Path, tmp_path: Path) -> None:
    """Ctrl-C in the middle of a long training: the model so far, and one line."""
    config = str(BUNDLE / "configs" / "train.json")
    settings = SMALL | {"max_epochs": 10**6, "val_interval": 10**6, "dataset_dir": str(data)}
    words = [word for key, value in settings.items() for word in (f"--{key}", str(value))]
    log = tmp_path / "log.txt"
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "monai.bundle", "run", "--config_file", config, *words],
            cwd=tmp_path,
            stdout=file,
            stderr=file,
        )
        try:
            run = tmp_path / "runs" / "aiin_acgan"
            for _ in range(600):
                if (run / "metrics.csv").exists():
                    break
                time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) != 0
        finally:
            process.kill()
    assert log.read_text().splitlines()[-1] == "medaug: interrupted"
    assert "Traceback" not in log.read_text()
    ACGANGenerator(image_size=32, num_classes=3, latent_dim=8).load_state_dict(weights(run))
