"""The bundle vit_classifier: training, evaluation, inference, export, and bad input."""

import csv
import json
import logging
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.bundle import ckpt_export, create_workflow
from monai.data import load_net_with_metadata
from PIL import Image

from medaug.errors import UserError
from medaug.networks import RawClassifier, image_classifier

from ..bundle.process import TRUSTED, as_it_was, mistake
from .every import BUNDLES, SMALL_VIT, configs, own, train, workflow
from .radiographs import CLASSES, collection

pytest.importorskip("timm")
pytestmark = [TRUSTED, pytest.mark.filterwarnings("ignore:.*torch.jit")]
NAME = "vit_classifier"
BUNDLE = BUNDLES / NAME
FIGURES = {"accuracy", "balanced_accuracy", "auroc_macro", "recall_covid", "balanced_log_loss"}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough patients for three splits; a shade tells a class."""
    folder = tmp_path_factory.mktemp("images") / "data"
    return collection(folder, {"covid": 10, "normal": 24, "pneumonia": 24})


@pytest.fixture(scope="module")
def trained(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The output folder of a training of two epochs; not to be written to."""
    with as_it_was():
        yield train(NAME, images, tmp_path_factory.mktemp("vit") / "run", max_epochs=2)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_training_leaves_what_it_promises(trained: Path) -> None:
    """The best network and its figures, checkpoints, tables, the record; nothing more."""
    files = {path.relative_to(trained).as_posix() for path in trained.rglob("*") if path.is_file()}
    assert {name for name in files if not name.startswith(("tensorboard/", "models/resume"))} == {
        "models/model.pt",
        "models/model.json",
        "models/training_set.json",
        "metrics.csv",
        "iterations.csv",
        "run.json",
    }
    told = json.loads((trained / "models" / "model.json").read_text())
    assert told["pretrained"] == "from scratch"
    assert told["classes"] == list(CLASSES)
    assert told["epoch"] in (1, 2)
    rows = table(trained / "metrics.csv")
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert {f"validation_{name}" for name in FIGURES} <= rows[0].keys()
    best = rows[told["epoch"] - 1]["validation_balanced_log_loss"]
    assert float(best) == pytest.approx(told["validation"]["validation_balanced_log_loss"], 1e-4)
    assert float(best) == min(float(row["validation_balanced_log_loss"]) for row in rows)
    assert {"loss", "accuracy", "lr"} <= table(trained / "iterations.csv")[0].keys()
    assert "timm" in json.loads((trained / "run.json").read_text())["versions"]


def test_a_training_tells_what_it_does(
    data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the weights are from; without validation images that, too; a command that works."""
    with caplog.at_level(logging.INFO, "medaug"):
        out = train(NAME, data, tmp_path / "run")
    assert "vit_tiny_patch16_224, 0.0 million weights, from scratch" in caplog.text
    words = shlex.split(caplog.messages[-1].splitlines()[-1])
    config = Path(words[words.index("--config_file") + 1])
    assert config.resolve() == BUNDLE / "configs" / "inference.json"
    assert Path(words[words.index("--run_dir") + 1]).resolve() == out


def test_evaluation_judges_test_patients(
    trained: Path, images: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """classification.json and a row an image in predictions.csv agree."""
    out = tmp_path / "out"
    with caplog.at_level(logging.INFO, "medaug"):
        workflow(
            NAME, "evaluate", run_dir=str(trained), dataset_dir=str(images), output_dir=str(out)
        ).run()
    record = json.loads((out / "classification.json").read_text())
    assert record["figures"].keys() >= FIGURES
    rows = table(out / "predictions.csv")
    tested = json.loads((trained / "run.json").read_text())["data"]["test"]
    assert {row["source_id"] for row in rows} == {item["source_id"] for item in tested}
    right = sum(row["label"] == row["predicted"] for row in rows)
    assert record["figures"]["accuracy"] == pytest.approx(right / len(rows))
    assert sum(record["images"].values()) == len(rows) == np.sum(record["confusion"])
    assert "not the images" not in caplog.text
    assert "test images: balanced_accuracy" in caplog.text


def test_other_images_than_the_trainings_are_said(
    trained: Path, data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Some may have been learned."""
    workflow(
        NAME, "evaluate", run_dir=str(trained), dataset_dir=str(data), output_dir=str(tmp_path)
    ).run()
    assert "not the split, that the classifier was trained on" in caplog.text


def raw_network(run: Path) -> RawClassifier:
    """With the weights of a training."""
    options = SMALL_VIT["model_options"]
    made = image_classifier("vit_tiny_patch16_224", num_classes=3, image_size=32, **options)
    made.load_state_dict(torch.load(run / "models" / "model.pt", weights_only=True))
    return RawClassifier(made, bits=8).eval()


def test_inference_and_exported_network_agree(trained: Path, images: Path, tmp_path: Path) -> None:
    """A row a file, the same within 1e-5 as what ckpt_export makes gives for the raw pixels."""
    table_path, script = tmp_path / "out" / "probabilities.csv", tmp_path / "model.ts"
    workflow(
        NAME,
        "inference",
        run_dir=str(trained),
        dataset_dir=str(images / "covid"),
        output_dir=str(table_path.parent),
    ).run()
    (config,) = configs(NAME, "inference")
    ckpt_export(
        config_file=config,
        ckpt_file=str(trained / "models" / "model.pt"),
        filepath=str(script),
        bundle_root=str(BUNDLE),
        run_dir=str(trained),
    )
    exported, metadata, extra = load_net_with_metadata(
        str(script), more_extra_files=("inference.json",)
    )
    assert metadata["name"].startswith("Vision-transformer")
    assert "network_def" in json.loads(extra["inference.json"])
    rows = table(table_path)
    assert len(rows) == 10
    eager = raw_network(trained)
    for row in rows:
        pixels = torch.tensor(np.asarray(Image.open(row["file"])))[None, None]
        with torch.no_grad():
            found = exported.eval()(pixels)[0]
            assert torch.allclose(found, eager(pixels)[0], atol=1e-5)
        listed = [float(row[f"probability_{name}"]) for name in CLASSES]
        assert found.tolist() == pytest.approx(listed, abs=1e-5)
        assert row["predicted"] == CLASSES[int(np.argmax(listed))]


def test_one_training_begins_where_another_ended(
    trained: Path, images: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """`pretrained` takes its model.pt: as synthetic pre-training and fine-tuning does."""
    file = trained / "models" / "model.pt"
    with caplog.at_level(logging.INFO, "medaug"):
        out = train(NAME, images, tmp_path / "run", pretrained=str(file), lr=0)
    assert "pretrained, file model.pt (SHA-256 " in caplog.text
    ours = torch.load(out / "models" / "model.pt", weights_only=True)
    theirs = torch.load(file, weights_only=True)
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())
    assert str(tmp_path) not in (out / "models" / "model.json").read_text()


def test_a_resumed_training_is_the_same(images: Path, tmp_path: Path) -> None:
    """One epoch, then another: the same network as of both at once; with class weights, too."""
    settings: dict[str, Any] = {"balance": "loss", "amp": "false", "max_epochs": 2, "warmup": 0}
    whole = train(NAME, images, tmp_path / "whole", **settings)
    part = tmp_path / "part"
    train(NAME, images, part, **settings)
    newest = sorted((part / "models").glob("resume_*.pt"))[-1]
    newest.unlink()
    train(NAME, images, part, **settings, resume="true")
    names = ["models/model.pt", "models/model.json", "metrics.csv", "iterations.csv"]
    for name in names:
        assert (whole / name).read_bytes() == (part / name).read_bytes(), name


def data_list(path: Path, images: Path, splits: dict[str, list[tuple[str, int]]]) -> Path:
    """A MONAI data list of images by class and number; each is a patient."""
    entries = {
        split: [
            {"image": str(images / name / f"Doe_{k}.png"), "label": name, "patient": f"{name}{k}"}
            for name, k in chosen
        ]
        for split, chosen in splits.items()
    }
    path.write_text(json.dumps(entries))
    return path


def test_lists_of_any_length_take_as_many_steps(images: Path, tmp_path: Path) -> None:
    """Their split is kept; the second training begins with the first one's weights."""
    held_out = {
        split: [(name, k) for name in CLASSES for k in numbers]
        for split, numbers in (("validation", [0]), ("test", [2, 1]))
    }
    weights: Path | None = None
    for name, numbers in (("long", range(3, 9)), ("short", range(3, 5))):
        training = [(each, k) for each in CLASSES for k in numbers]
        given = data_list(tmp_path / f"{name}.json", images, {"training": training, **held_out})
        settings = {"epoch_length": 3, "max_epochs": 2, "batch_size": 4, "patience": 2}
        out = train(NAME, given, tmp_path / name, **settings, pretrained=weights and str(weights))
        assert len(table(out / "iterations.csv")) == 6
        origin = json.loads((out / "models" / "model.json").read_text())["pretrained"]
        assert origin.startswith("pretrained, file model.pt" if weights else "from scratch")
        weights = out / "models" / "model.pt"
        workflow(NAME, "evaluate", run_dir=str(out), dataset_dir=str(given)).run()
    orders = [
        [row["source_id"] for row in table(tmp_path / n / "evaluation" / "predictions.csv")]
        for n in ("long", "short")
    ]
    assert orders[0] == orders[1] == sorted(orders[0])
    assert len(set(orders[0])) == 6


def test_a_network_of_convolutions_by_name(data: Path, tmp_path: Path) -> None:
    """Any model of timm's: trained, and exported by its own settings."""
    out = train(NAME, data, tmp_path / "run", model_name="resnet10t", model_options={})
    workflow(NAME, "inference", run_dir=str(out), dataset_dir=str(data / "normal")).run()
    assert len(table(out / "predictions" / "probabilities.csv")) == 6


def refused(file: str, **overrides: Any) -> str:
    """The message of the UserError that a run ends with."""
    with pytest.raises((RuntimeError, UserError)) as raised:
        workflow(NAME, file, **overrides).run()
    return str(mistake(raised.value))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"image_size": 36}, "image_size must be a multiple of the patch size of .*got 36"),
        ({"model_name": "vit_tinny"}, "model_name must be one of timm's models.*nearest is"),
        ({"model_options": {"heads": 2}}, "model_options must fit timm's"),
        ({"pretrained": "nowhere.pt"}, "--pretrained must be true, false or a file, got nowhere"),
        ({"epoch_length": 0}, "epoch_length must be a whole number of at least 1, got 0"),
        ({"balance": "smote"}, "balance must be one of sampling, loss, none, got 'smote'"),
        ({"warmup": 1.5}, "warmup in \\[0, 1\\), got .*1.5"),
        ({"patience": 0}, "--patience must be at least 1"),
        ({"max_epoch": 3}, r"--max_epoch is not a key.*did you mean --max_epochs\?"),
        ({"batch_size": 64}, "batch_size must be at most the number of training images"),
        ({"resume": True, "model_name": "resnet10t", "model_options": {}}, "model_name was"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_a_mistake_costs_nothing(
    overrides: dict[str, Any], message: str, trained: Path, images: Path, tmp_path: Path
) -> None:
    """Refused in one line; the models of the run that is there stay."""
    out = tmp_path / "run"
    shutil.copytree(trained, out)
    before = {path: path.read_bytes() for path in (out / "models").iterdir()}
    settings = SMALL_VIT | own(NAME, images) | {"output_dir": str(out)} | overrides
    text = refused("train", **settings)
    assert re.search(message, text), text
    assert "\n" not in text
    assert {path: path.read_bytes() for path in (out / "models").iterdir()} == before


def test_one_class_is_nothing_to_tell(images: Path, tmp_path: Path) -> None:
    """By the folder and what is in it."""
    single = tmp_path / "single"
    shutil.copytree(images / "covid", single / "covid")
    out = str(tmp_path / "out")
    text = refused("train", **SMALL_VIT, dataset_dir=str(single), output_dir=out)
    expected = "must hold images of at least two classes, got 10 images of one: covid"
    assert text == f"{single}: {expected}"


def test_a_class_of_one_patient_is_said(
    images: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is learned, and neither chosen nor tested by; nothing is NaN."""
    splits = [("covid", 0), *(("normal", k) for k in range(12))]
    given = data_list(tmp_path / "list.json", images, {"training": splits})
    out = train(NAME, given, tmp_path / "out")
    assert "validation has no image of covid: too few patients" in caplog.text
    assert "no image of covid to judge by" in caplog.text
    workflow(NAME, "evaluate", run_dir=str(out), dataset_dir=str(given)).run()
    text = (out / "evaluation" / "classification.json").read_text()
    assert json.loads(text)["images"]["covid"] == 0
    assert "NaN" not in text


def test_no_test_image_is_one_line(trained: Path, images: Path, tmp_path: Path) -> None:
    """Before the network is asked."""
    training = [(name, k) for name in CLASSES for k in range(2)]
    validation = [(name, 3) for name in CLASSES]
    given = data_list(
        tmp_path / "list.json", images, {"training": training, "validation": validation}
    )
    text = refused("evaluate", run_dir=str(trained), dataset_dir=str(given))
    assert text.startswith(f"{given}: must have images to test by, got none")


def test_weights_of_the_hub_without_a_network_are_one_line(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With both ways out, before anything is written."""
    hub = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path))
    out = tmp_path / "out"
    settings = SMALL_VIT | own(NAME, images) | {"model_options": {}, "image_size": 32}
    text = refused("train", **settings, output_dir=str(out), pretrained="true")
    assert re.fullmatch(r"the weights of vit_tiny_patch16_224 .*hub.*--pretrained false\)?", text)
    assert not out.exists()


@pytest.mark.parametrize("file", ["evaluate", "inference"])
def test_without_a_model_it_says_to_train(file: str, images: Path, tmp_path: Path) -> None:
    """Before any image is read."""
    text = refused(file, run_dir=str(tmp_path / "no_run"), dataset_dir=str(images))
    assert text.startswith(f"{tmp_path / 'no_run'}/models/model.pt is not there: train first")


def test_other_classes_are_not_judged(trained: Path, tmp_path: Path) -> None:
    """The names of both are told."""
    data = collection(tmp_path / "data", {"flu": 3, "normal": 3})
    text = refused("evaluate", run_dir=str(trained), dataset_dir=str(data))
    assert "must hold the classes ['covid', 'normal', 'pneumonia']" in text


def test_the_overlay_is_run_by_several(images: Path, tmp_path: Path) -> None:
    """One process by the overlay is the same training as without it."""
    settings = SMALL_VIT | own(NAME, images) | {"amp": "false"}
    made = create_workflow(
        config_file=configs(NAME, "train", "multi_gpu_train"),
        workflow_type="train",
        logging_file=False,
        output_dir=str(tmp_path / "overlay"),
        **settings,
    )
    made.run()
    made.finalize()
    plain = train(NAME, images, tmp_path / "plain", amp="false")
    for name in ("models/model.pt", "iterations.csv"):
        assert (plain / name).read_bytes() == (tmp_path / "overlay" / name).read_bytes()
