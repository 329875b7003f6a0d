"""From a trained model to image files."""

import json
import logging
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.data import Dataset, MetaTensor
from PIL import Image

from medaug.bundle import (
    ImageWriter,
    labels_of,
    load_generator,
    require_same_classes,
    trained_settings,
    write_images,
)
from medaug.errors import CheckpointError, ConfigError
from medaug.networks import ACGANDiscriminator, ACGANGenerator

CLASSES = ("covid", "normal", "pneumonia")


def network(**changes: int) -> ACGANGenerator:
    return ACGANGenerator(**({"image_size": 32, "latent_dim": 4, "base_channels": 4} | changes))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """An output folder with a generator of the size of `network`."""
    (tmp_path / "models").mkdir()
    torch.save(network().state_dict(), tmp_path / "models" / "model.pt")
    (tmp_path / "models" / "model.json").write_text(json.dumps({"image_size": 32, "epoch": 9}))
    return tmp_path


def test_settings_are_those_of_the_training(run: Path) -> None:
    """The defaults only fill up what isn't written there."""
    assert trained_settings(run, image_size=64, latent_dim=7) == {
        "image_size": 32,
        "latent_dim": 7,
        "epoch": 9,
    }


def test_settings_without_a_training_are_the_defaults(tmp_path: Path) -> None:
    """So that the network can be looked at."""
    assert trained_settings(tmp_path / "nowhere", image_size=64) == {"image_size": 64}


@pytest.mark.parametrize("content", [b'{"image_size": 3', b"", b"[1, 2]", b"null", b"\xff\xfe"])
def test_damaged_settings_are_refused(content: bytes, run: Path) -> None:
    """The message names the file."""
    (run / "models" / "model.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model\.json must be JSON as a training writes it"):
        trained_settings(run, image_size=64)


def test_generator_is_loaded_ready_to_generate(run: Path) -> None:
    """The saved weights, in evaluation mode."""
    saved = torch.load(run / "models" / "model.pt", weights_only=True)
    loaded = load_generator(network(), run, "cpu")
    assert not loaded.training
    assert all(torch.equal(value, saved[name]) for name, value in loaded.state_dict().items())


def test_a_missing_model_is_told_with_what_to_do(tmp_path: Path) -> None:
    """Train first, or say where."""
    with pytest.raises(
        CheckpointError, match=r"models/model\.pt is not there: train first.*--run_dir"
    ):
        load_generator(network(), tmp_path, "cpu")


@pytest.mark.parametrize("keep", [0, 100, -100])
def test_a_damaged_model_is_refused(keep: int, run: Path) -> None:
    """Empty, or cut short anywhere."""
    path = run / "models" / "model.pt"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(
        CheckpointError, match=r"model\.pt must be a state dict as a training saves"
    ):
        load_generator(network(), run, "cpu")


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (network(latent_dim=5), r"embedding.weight: .*torch.Size\(\[3, 5\]\)|size mismatch"),
        (network(image_size=64), "Missing key|size mismatch"),
        (network(num_classes=2), r"size mismatch for embedding.weight.*\[3, 4\].*\[2, 4\]"),
        (ACGANDiscriminator(image_size=32, base_channels=4), "Missing key|Unexpected key"),
    ],
    ids=["latent_dim", "image_size", "classes", "discriminator"],
)
def test_a_model_of_another_network_is_refused(
    other: torch.nn.Module, reason: str, run: Path
) -> None:
    """The message says which network was expected, and what in the file differs, in one line."""
    with pytest.raises(CheckpointError, match=reason) as raised:
        load_generator(other, run, "cpu")
    assert f"must hold the weights of {type(other).__name__}" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_no_state_dict_is_refused(run: Path) -> None:
    """A list of weights, say."""
    torch.save([torch.zeros(3)], run / "models" / "model.pt")
    with pytest.raises(CheckpointError, match="must hold the weights of ACGANGenerator"):
        load_generator(network(), run, "cpu")


class Harmful:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("save", [torch.save, lambda x, path: path.write_bytes(pickle.dumps(x))])
def test_code_in_a_model_is_not_run(save: Any, run: Path) -> None:
    """Nothing but weights is taken from a file."""
    save({"weight": Harmful(run / "harmed")}, run / "models" / "model.pt")
    with pytest.raises(CheckpointError, match="damaged or holds more than weights") as raised:
        load_generator(network(), run, "cpu")
    assert not (run / "harmed").exists()
    assert "\n" not in str(raised.value)
    assert "weights_only" not in str(raised.value)  # torch's advice to switch the guard off


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        ([], [0, 1, 2]),
        ((), [0, 1, 2]),
        ("normal", [1]),
        (["pneumonia", "covid"], [2, 0]),
        (("covid", "covid"), [0, 0]),
    ],
)
def test_labels_of_chosen_classes(names: Any, labels: list[int]) -> None:
    """In the order in which they are named; all for none."""
    assert labels_of(names, CLASSES) == labels


def test_labels_of_classes_that_are_numbers() -> None:
    """A command line makes the number 1 of the name '1'."""
    assert labels_of(1, ["0", "1"]) == [1]
    assert labels_of([1, 0], ["0", "1"]) == [1, 0]


def test_an_unknown_class_is_refused() -> None:
    """With the known ones."""
    with pytest.raises(
        ConfigError, match=r"--class_names must be among \['covid', .*got \['flu'\]"
    ):
        labels_of(["covid", "flu"], CLASSES)


def test_other_classes_are_not_compared() -> None:
    """Labels are places in the list, so its order counts too."""
    require_same_classes(CLASSES, list(CLASSES), "data")
    for found in (("covid", "normal"), CLASSES[::-1], (*CLASSES, "tb")):
        with pytest.raises(ConfigError, match=r"data must hold the classes \['covid'.*got \["):
            require_same_classes(found, CLASSES, "data")


def generate(writer: ImageWriter, batches: list[tuple[torch.Tensor, list[int]]]) -> None:
    """Let an engine hand batches of images and labels to the writer."""
    engine = Engine(lambda _, batch: {"pred": batch[0], "label": torch.tensor(batch[1])})
    writer.attach(engine)
    engine.run(batches)


def test_images_are_written_by_class(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """8-bit grey, upright, rounded, one number for each image of the run."""
    images = torch.rand(3, 1, 6, 5, generator=torch.Generator().manual_seed(0))
    writer = ImageWriter(tmp_path / "out", CLASSES)
    with caplog.at_level(logging.INFO, "medaug"):
        generate(writer, [(images[:2], [2, 0]), (images[2:], [2])])
    names = [
        "pneumonia/pneumonia_00000.png",
        "covid/covid_00001.png",
        "pneumonia/pneumonia_00002.png",
    ]
    found = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.png")}
    assert found == set(names)
    for name, image in zip(names, images, strict=True):
        picture = Image.open(tmp_path / "out" / name)
        assert (picture.mode, picture.size) == ("L", (5, 6))
        assert np.array_equal(np.asarray(picture), np.rint(image[0].numpy() * 255))
    assert f"3 images written to {tmp_path / 'out'}" in caplog.text


def test_colour_images_are_written_in_colour(tmp_path: Path) -> None:
    """Three channels make an RGB picture."""
    generate(ImageWriter(tmp_path, ["a"]), [(torch.zeros(1, 3, 4, 4), [0])])
    with Image.open(tmp_path / "a" / "a_00000.png") as picture:
        assert picture.mode == "RGB"


@pytest.mark.parametrize("name", ["a/b", "../../escaped", "..", "/tmp/x", "a\\b", "COVID-19 (+)"])
def test_no_class_name_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    """Names come from a list or from somebody else's model."""
    folder = tmp_path / "deep" / "down" / "out"
    generate(ImageWriter(folder, [name]), [(torch.zeros(1, 1, 4, 4), [0])])
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 1
    assert files[0].parent.parent == folder


def pipeline(source: Path, images: dict[str, Any]) -> Dataset:
    """A data set as a pipeline's configuration makes it, from images by file name."""
    return Dataset([{"image": image, "file": str(source / name)} for name, image in images.items()])


def test_a_pipelines_images_are_written_in_their_folders(tmp_path: Path) -> None:
    """``a/one.dcm`` becomes ``a/one.dcm.png``: no two files share a name."""
    image = torch.rand(1, 6, 5, generator=torch.Generator().manual_seed(0))
    images = {"a/one.dcm": image, "a/one.png": MetaTensor(image / 2), "two": image.numpy()}
    write_images(pipeline(tmp_path / "in", images), tmp_path / "out", source=tmp_path / "in")
    found = {path.relative_to(tmp_path / "out").as_posix() for path in tmp_path.rglob("*.png")}
    assert found == {"a/one.dcm.png", "a/one.png.png", "two.png"}
    picture = Image.open(tmp_path / "out" / "a" / "one.dcm.png")
    assert np.array_equal(np.asarray(picture), np.rint(image[0].numpy() * 255))


@pytest.mark.parametrize("output", ["in", "in/out", "in/../in/out", "link"])
def test_a_pipeline_does_not_write_into_its_source(output: str, tmp_path: Path) -> None:
    """A second run would take the results for images."""
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    with pytest.raises(ConfigError, match=r"--output must be a folder outside of .*in, got"):
        write_images(Dataset([]), tmp_path / output, source=tmp_path / "in")


def test_linked_files_keep_their_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of links into a store is written as it looks; relative paths are fine."""
    (tmp_path / "store").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "store" / "a1b2").touch()
    (tmp_path / "in" / "one.png").symlink_to(tmp_path / "store" / "a1b2")
    monkeypatch.chdir(tmp_path)
    data = pipeline(Path("in"), {"one.png": torch.zeros(1, 4, 4)})
    write_images(data, "out", source="in")
    assert (tmp_path / "out" / "one.png.png").is_file()
