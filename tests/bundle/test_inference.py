"""From a trained model to image files."""

import hashlib
import json
import logging
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import torch
from ignite.engine import Engine
from monai.data import Dataset, MetaTensor
from PIL import Image

from medaug.bundle import (
    ImageWriter,
    describe_model,
    labels_of,
    load_generator,
    require_same_classes,
    trained_settings,
    training_set_hash,
    write_images,
    write_training_set,
)
from medaug.data import RadiographReader
from medaug.errors import CheckpointError, ConfigError
from medaug.networks import ACGANDiscriminator, ACGANGenerator

CLASSES = ("covid", "normal", "pneumonia")
SETTINGS = {"image_size": 32, "latent_dim": 4, "classes": list(CLASSES), "epoch": 9}
MODEL = {
    "name": "a GAN",
    "version": "0.1.2",
    "sha256": hashlib.sha256(b"weights").hexdigest(),
    "epoch": 9,
    "training_set_sha256": None,
}


def network(**changes: int) -> ACGANGenerator:
    return ACGANGenerator(**({"image_size": 32, "latent_dim": 4, "base_channels": 4} | changes))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """An output folder with a generator of the size of `network`."""
    (tmp_path / "models").mkdir()
    torch.save(network().state_dict(), tmp_path / "models" / "model.pt")
    (tmp_path / "models" / "model.json").write_text(json.dumps(SETTINGS))
    return tmp_path


def test_settings_are_those_of_the_training(run: Path) -> None:
    """The defaults only fill up what isn't written there."""
    assert trained_settings(run, image_size=64, use_aiin=True) == SETTINGS | {"use_aiin": True}


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


OTHER_WEIGHTS = r": \d+ of its \d+ are missing, \d+ are unknown, the first is [a-z]+\.\d+\.\w+;"


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (network(latent_dim=5), r"embedding\.weight must be \(3, 5\), got \(3, 4\)"),
        (network(image_size=64), OTHER_WEIGHTS),
        (network(num_classes=2), r"embedding\.weight must be \(2, 4\), got \(3, 4\)"),
        (network(base_channels=8), r"weight must be \(\d+, 8\), got \(\d+, 8\)"),
        (ACGANDiscriminator(image_size=32, base_channels=4), OTHER_WEIGHTS),
    ],
    ids=["latent_dim", "image_size", "classes", "channels", "discriminator"],
)
def test_a_model_of_another_network_is_refused(
    other: torch.nn.Module, reason: str, run: Path
) -> None:
    """In one line: which network was expected, what differs, and what the training's sizes are."""
    with pytest.raises(CheckpointError, match=reason) as raised:
        load_generator(other, run, "cpu")
    assert f"must hold the weights of {type(other).__name__}" in str(raised.value)
    assert str(raised.value).endswith("; the training had image_size 32, latent_dim 4, 3 classes")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("saved", [[torch.zeros(3)], {"model": {"w": torch.zeros(3)}}, 3, None])
def test_a_file_that_is_no_state_dict_is_refused(saved: Any, run: Path) -> None:
    """A list of weights, say, or a checkpoint with the state dict inside."""
    torch.save(saved, run / "models" / "model.pt")
    with pytest.raises(CheckpointError, match=r"weights of ACGANGenerator .*: got no state dict"):
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


def test_a_model_is_described_without_a_path(run: Path, tmp_path: Path) -> None:
    """By its bundle's name and version, and what the files of the training hold."""
    root = tmp_path / "bundle"
    (root / "configs").mkdir(parents=True)
    metadata = {"name": "a GAN", "version": "0.1.2", "authors": "me"}
    (root / "configs" / "metadata.json").write_text(json.dumps(metadata))
    described = {
        "name": "a GAN",
        "version": "0.1.2",
        "sha256": hashlib.sha256((run / "models" / "model.pt").read_bytes()).hexdigest(),
        "epoch": 9,
        "training_set_sha256": None,
    }
    assert describe_model(run, root) == described
    write_training_set([{"source_id": "ab"}], run / "models" / "training_set.json")
    assert describe_model(run, str(root)) == described | {
        "training_set_sha256": training_set_hash(run)
    }


@pytest.mark.parametrize("content", [None, "{", "[]", '{"name": "a GAN"}'])
def test_a_bundle_without_metadata_is_refused(
    content: str | None, run: Path, tmp_path: Path
) -> None:
    """Missing, damaged, or without a version."""
    (tmp_path / "configs").mkdir()
    if content is not None:
        (tmp_path / "configs" / "metadata.json").write_text(content)
    with pytest.raises(ConfigError, match=r"metadata\.json must be .* with name and version"):
        describe_model(run, tmp_path)


def test_a_model_that_is_not_there_is_not_described(tmp_path: Path) -> None:
    """The same words as when it is loaded."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "metadata.json").write_text(json.dumps({"name": "", "version": ""}))
    with pytest.raises(CheckpointError, match=r"models/model\.pt is not there: train first"):
        describe_model(tmp_path, tmp_path)


def image_writer(directory: Path, classes: Any = CLASSES, **options: Any) -> ImageWriter:
    """A writer for the images of `MODEL`."""
    return ImageWriter(directory, classes, **({"model": MODEL, "seed": 3} | options))


def generate(writer: ImageWriter, batches: list[tuple[torch.Tensor, list[int]]]) -> None:
    """Let an engine hand batches of images and labels to the writer."""
    engine = Engine(lambda _, batch: {"pred": batch[0], "label": torch.tensor(batch[1])})
    writer.attach(engine)
    engine.run(batches)


def three_images() -> torch.Tensor:
    """Three random grey images."""
    return torch.rand(3, 1, 6, 5, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("format", "suffix"), [("png", "png"), ("nifti", "nii"), ("dicom", "dcm")])
def test_images_are_written_by_class(
    format: str, suffix: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """8-bit grey, upright, rounded, one number for each image of the run."""
    images = three_images()
    writer = image_writer(tmp_path / "out", format=format)
    with caplog.at_level(logging.INFO, "medaug"):
        generate(writer, [(images[:2], [2, 0]), (images[2:], [2])])
    names = [
        f"pneumonia/pneumonia_00000.{suffix}",
        f"covid/covid_00001.{suffix}",
        f"pneumonia/pneumonia_00002.{suffix}",
    ]
    out = tmp_path / "out"
    found = {p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file()}
    assert found == {*names, "manifest.json"}
    for name, image in zip(names, images, strict=True):
        read, _ = RadiographReader().get_data(out / name)
        assert np.array_equal(np.rint(read * 255), np.rint(image.numpy() * 255))
    assert f"3 images written to {out}" in caplog.text


def test_the_manifest_says_what_every_image_is(tmp_path: Path) -> None:
    """The model once; file, hash, class, seed and index of each image; nothing of this machine."""
    images = three_images()
    generate(
        image_writer(tmp_path / "out", ("a/b", "c")), [(images[:2], [1, 0]), (images[2:], [1])]
    )
    text = (tmp_path / "out" / "manifest.json").read_text()
    record = json.loads(text)
    assert set(record) == {"medaug", "model", "images"}
    assert record["model"] == MODEL
    for index, (entry, label) in enumerate(zip(record["images"], ["c", "a/b", "c"], strict=True)):
        content = (tmp_path / "out" / entry["file"]).read_bytes()
        assert entry == {
            "file": f"{label.replace('/', '_')}/{label.replace('/', '_')}_{index:05d}.png",
            "sha256": hashlib.sha256(content).hexdigest(),
            "class": label,
            "seed": 3,
            "index": index,
        }
    assert str(tmp_path) not in text


def test_a_dicom_image_agrees_with_the_manifest(tmp_path: Path) -> None:
    """It tells the same model, seed, index and class."""
    generate(image_writer(tmp_path, format="dicom"), [(three_images(), [2, 0, 1])])
    record = json.loads((tmp_path / "manifest.json").read_text())
    series = set()
    for entry in record["images"]:
        dataset = pydicom.dcmread(tmp_path / entry["file"])
        series.add(dataset.SeriesInstanceUID)
        told = dataset.DerivationDescription
        assert f"generated by a GAN 0.1.2, weights SHA-256 {MODEL['sha256']}, seed 3" in told
        assert f"index {entry['index']}" in told
        assert told.endswith(f"class {entry['class']}")
    assert len(series) == 1


def test_the_same_images_give_the_same_files(tmp_path: Path) -> None:
    """Manifest included, whatever the folder is called."""
    for name in ("a", "b"):
        generate(image_writer(tmp_path / name, format="dicom"), [(three_images(), [2, 0, 1])])
    one, other = (
        {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        for root in (tmp_path / "a", tmp_path / "b")
    )
    assert one == other
    assert len(one) == 4


def test_an_interrupted_run_leaves_no_manifest(tmp_path: Path) -> None:
    """Nor that of the run before, whose images it was replacing."""
    generate(image_writer(tmp_path), [(three_images(), [2, 0, 1])])
    assert (tmp_path / "manifest.json").exists()
    with pytest.raises(IndexError):
        generate(image_writer(tmp_path), [(three_images(), [2, 0, 99])])
    assert not (tmp_path / "manifest.json").exists()


@pytest.mark.parametrize("format", ["jpeg", "PNG", "", "dcm"])
def test_an_unknown_format_is_refused_at_once(format: str, tmp_path: Path) -> None:
    """With the known ones, before anything is generated."""
    known = r"\['png', 'nifti', 'dicom'\]"
    with pytest.raises(ConfigError, match=rf"--format must be one of {known}, got '{format}'"):
        image_writer(tmp_path / "out", format=format)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["out", "out/covid"])
def test_a_folder_that_cannot_be_written_is_told(place: str, tmp_path: Path) -> None:
    """In one line, with the folder."""
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_text("in the way")
    with pytest.raises(ConfigError, match=r"--output_dir must be .* written, got .*out \("):
        generate(image_writer(tmp_path / "out"), [(three_images(), [0, 0, 0])])


def test_colour_images_are_written_in_colour(tmp_path: Path) -> None:
    """Three channels make an RGB picture."""
    generate(image_writer(tmp_path, ["a"]), [(torch.zeros(1, 3, 4, 4), [0])])
    with Image.open(tmp_path / "a" / "a_00000.png") as picture:
        assert picture.mode == "RGB"


@pytest.mark.parametrize("name", ["a/b", "../../escaped", "..", "/tmp/x", "a\\b", "COVID-19 (+)"])
def test_no_class_name_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    """Names come from a list or from somebody else's model."""
    folder = tmp_path / "deep" / "down" / "out"
    generate(image_writer(folder, [name]), [(torch.zeros(1, 1, 4, 4), [0])])
    files = {path for path in tmp_path.rglob("*") if path.is_file()} - {folder / "manifest.json"}
    assert len(files) == 1
    assert files.pop().parent.parent == folder


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
