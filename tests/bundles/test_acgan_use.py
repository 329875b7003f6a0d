"""Preprocessing, inference and evaluation of the bundle aiin_acgan."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from PIL import Image

from medaug.evaluation import Evaluation

from ..bundle.process import TRUSTED
from .acgan import BUNDLE, train, workflow

pytestmark = [TRUSTED, pytest.mark.filterwarnings("ignore:.*torch.jit")]


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
    assert (out / "manifest.json").is_file()
    files = sorted(path for path in out.rglob("*") if path.is_file() and path.suffix != ".json")
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


def test_evaluation_writes_figures_and_page(
    judged: Path, enough: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Test patients beside generated images, with the training's curves."""
    with caplog.at_level(logging.INFO, "medaug"):
        workflow(
            "evaluate",
            run_dir=str(judged),
            dataset_dir=str(enough),
            output_dir=str(tmp_path / "new"),
            images_per_class=20,
        ).run()
    evaluation = Evaluation.load(tmp_path / "new" / "evaluation.json")
    counts = json.loads((judged / "run.json").read_text())["data"]
    assert evaluation.counts == {
        "train": len(counts["train"]),
        "held_out": len(counts["test"]),
        "synthetic": 60,
    }
    assert evaluation.left_out == {}
    assert evaluation.text() in caplog.text
    page = (tmp_path / "new" / "report.html").read_text()
    assert "ACGAN: generated beside real images" in page
    assert "Over the training" in page


def test_other_images_than_the_trainings_are_said(
    run: Path, enough: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What counts as held out may have been learned."""
    out = tmp_path / "new"
    workflow("evaluate", run_dir=str(run), dataset_dir=str(enough), output_dir=str(out)).run()
    assert "not the split, that the generator was trained on" in caplog.text
    assert "memorisation" in Evaluation.load(out / "evaluation.json").left_out


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
