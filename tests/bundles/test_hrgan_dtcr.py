"""The bundle hrgan_dtcr: it trains, grows, goes on, and says what is wrong."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from medaug.data import CineReader
from medaug.errors import CheckpointError, UserError
from medaug.phantoms import cardiac_cines

from ..bundle.process import TRUSTED, as_it_was
from ..engines.cine_toy import vgg_weights
from .every import BUNDLES, workflow

pytestmark = TRUSTED
NAME = "hrgan_dtcr"
SMALL: dict[str, Any] = {
    "stages": [
        {"resolution": 64, "images": 4, "batch_size": 2, "num_frames": 4},
        {"resolution": 128, "images": 4, "fade_images": 2, "batch_size": 2, "num_frames": 4},
    ],
    "epoch_length": 2,
    "val_interval": 1,
    "latent_dim": 8,
    "generator_options": {"channels": [4, 4], "style_dim": 8},
    "discriminator_options": {"channels": [4, 4]},
    "train#objective#temporal#layer": "relu1_2",
    "amp": False,
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Eight small hearts, and random weights of VGG16."""
    folder = tmp_path_factory.mktemp("hearts")
    hearts = cardiac_cines(num_sequences=8, size=32, num_frames=5, folder=folder, progress=False)
    return SMALL | {
        "dataset_dir": hearts,
        "cache_dir": str(folder / "pyramids"),
        "vgg_weights": str(vgg_weights(folder / "vgg.pth")),
    }


@pytest.fixture(scope="module")
def run(
    settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Any]]:
    """A training through both stages, and its trainer."""
    out = tmp_path_factory.mktemp("run") / "out"
    with as_it_was():
        made = workflow(NAME, "train", **settings, output_dir=str(out))
        made.run()
        yield out, made.parser.get_parsed_content("train#trainer")


def test_a_training_grows_and_leaves_what_it_promises(run: tuple[Path, Any]) -> None:
    """The generator at the last resolution, both stages' rows, and film strips of both."""
    out, trainer = run
    assert trainer.generator.resolution == 128
    about = json.loads((out / "models" / "model.json").read_text())
    assert (about["resolution"], about["alpha"], about["epoch"]) == (128, 1.0, 2)
    assert "stages.128.head.weight" in torch.load(out / "models" / "model.pt", weights_only=True)
    with (out / "iterations.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 4
    assert {"dtcr", "dtcr_fake", "lambda", "matching", "d_clips"} <= rows[0].keys()
    assert [round(float(row["lambda"]), 4) for row in rows] == [0.2, 0.3, 0.4, 0.5]
    for epoch, side in ((1, 64), (2, 128)):
        strip = np.asarray(Image.open(out / "samples" / f"epoch_{epoch:04d}.png"))
        assert strip.shape == (8 * (side + 1) - 1, 10 * (side + 1) - 1)


@pytest.mark.parametrize("resolution", [64, 128])
def test_a_training_makes_sequences(resolution: int, run: tuple[Path, Any], tmp_path: Path) -> None:
    """What it leaves is all that inference.json wants, at each resolution that it went through."""
    asked = {"modality": "ct", "conditions": {"ejection_fraction": 0.6}, "num_sequences": 1}
    given = {"run_dir": str(run[0]), "output_dir": str(tmp_path), "resolution": resolution}
    workflow(NAME, "inference", **given, **asked).run()
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (entry,) = manifest["sequences"]
    pixels, meta = CineReader().get_data(tmp_path / entry["files"][0]["file"])
    assert pixels.shape == (1, 5, resolution, resolution)
    assert meta["frame_times"] == [0, 200, 400, 600, 800]
    assert manifest["model"]["training_set_sha256"]


def test_a_finished_run_grows_further(
    run: tuple[Path, Any], settings: dict[str, Any], tmp_path: Path
) -> None:
    """From its checkpoint, with a stage added; the network that it began with is that one's."""
    out, _ = run
    stages = [*SMALL["stages"], {"resolution": 128, "images": 4, "batch_size": 2, "num_frames": 4,
                                 "g_lr": 1e-5}]  # fmt: skip
    changes = {"stages": stages, "resume": str(out / "models"), "output_dir": str(tmp_path / "on")}
    made = workflow(NAME, "train", **(settings | changes))
    made.run()
    trainer = made.parser.get_parsed_content("train#trainer")
    assert trainer.state.epoch == 3
    assert {group["lr"] for group in trainer.optimizer.param_groups} == {1e-5}


@pytest.mark.parametrize("overlay", [[], ["multi_gpu_train"]])
def test_properties(overlay: list[str], settings: dict[str, Any], tmp_path: Path) -> None:
    """Nothing that MONAI wants of a bundle for training is missing."""
    made = workflow(NAME, "train", *overlay, **settings, output_dir=str(tmp_path / "out"))
    assert made.check_properties() == []
    assert made.bundle_root == str(BUNDLES / NAME)
    made.finalize()


def test_missing_weights_of_vgg16_are_one_line(settings: dict[str, Any], tmp_path: Path) -> None:
    """The file that isn't there is named."""
    changes = {"vgg_weights": str(tmp_path / "gone.pth"), "output_dir": str(tmp_path / "out")}
    made = workflow(NAME, "train", **(settings | changes))
    with pytest.raises(Exception, match=r".") as caught:
        made.run()
    found = mistake_in(caught.value)
    assert isinstance(found, CheckpointError)
    assert "gone.pth" in str(found)
    assert "\n" not in str(found)


def mistake_in(error: BaseException | None) -> BaseException | None:
    """The first error of the chain that a person can mend."""
    while error is not None and not isinstance(error, UserError):
        error = error.__cause__ or error.__context__
    return error


def test_without_dtcr_no_weights_are_needed(settings: dict[str, Any], tmp_path: Path) -> None:
    """And nothing is logged of it."""
    changes = {
        "use_dtcr": "false", "vgg_weights": "nowhere", "stages": SMALL["stages"][:1],
        "output_dir": str(tmp_path / "out"),
    }  # fmt: skip
    workflow(NAME, "train", **(settings | changes)).run()
    header = (tmp_path / "out" / "iterations.csv").read_text().splitlines()[0].split(",")
    assert "matching" in header
    assert not [name for name in header if name.startswith(("dtcr", "lambda"))]
