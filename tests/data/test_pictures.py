"""Digits and MNIST as collections, and pictures as tensors."""

import gzip
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from PIL import Image

from medaug.data import CachedDataset, ImageCollection, LoadPictured, PictureCollection
from medaug.errors import ConfigError, DataError, UnreadableImageError

from ..shared import SHARED, needs_shared
from .images import levels, save

MNIST = SHARED / "data" / "mnist"
NAMES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def idx(array: np.ndarray) -> bytes:
    """An array in the format of MNIST's files."""
    head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return head + array.astype(np.uint8).tobytes()


def mnist_files(folder: Path, *, zipped: bool = False, train: int = 24, test: int = 10) -> Path:
    """Pictures of noise in MNIST's four files, with the labels 0 to 9 in turn."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for part, count in (("train", train), ("test", test)):
        images, labels = rng.integers(0, 256, (count, 28, 28)), np.arange(count) % 10
        for name, array in zip(NAMES[part], (images, labels), strict=True):
            data = idx(array)
            file = folder / (name + ".gz" * zipped)
            file.write_bytes(gzip.compress(data) if zipped else data)
    return folder


def ids(items):
    """Their hashes, in order."""
    return [item["source_id"] for item in items]


# ---- digits


def test_digits_need_no_folder_and_are_split_by_class():
    """All 1,797 of scikit-learn, each once, with every class in every split at its share."""
    from sklearn.datasets import load_digits

    found = PictureCollection("digits")
    assert found.classes == tuple("0123456789")
    assert found.codes is None
    assert found.warnings == []
    splits = (found.train, found.validation, found.test)
    assert [len(items) for items in splits] == pytest.approx([1258, 180, 359], abs=12)
    assert len(set(ids(found.train + found.validation + found.test))) == 1797
    assert all(len({item["label"] for item in items}) == 10 for items in splits)
    expected = {
        (np.rint(picture / 16 * 255).astype(np.uint8).tobytes(), int(label))
        for picture, label in zip(load_digits().images, load_digits().target, strict=True)
    }
    items = [item for split in splits for item in split]
    assert {(item["image"].tobytes(), item["label"]) for item in items} == expected
    assert items[0]["image"].dtype == np.uint8
    assert items[0]["image"].shape == (8, 8)


def test_digits_split_depends_on_the_seed_alone():
    """The same seed, the same items in the same order; another one, another split."""
    one, same, other = (PictureCollection("digits", seed=seed) for seed in (1, 1, 2))
    assert ids(one.train) == ids(same.train)
    assert one.fingerprint == same.fingerprint
    assert set(ids(one.test)) != set(ids(other.test))
    assert one.fingerprint != other.fingerprint


def test_summary_says_where_from_and_how_many():
    """A line each."""
    lines = PictureCollection("digits").summary().splitlines()
    assert lines[0] == "1,797 images, 8 x 8 handwritten digits that come with scikit-learn"
    assert lines[1] == "images of each class:"
    assert [line.split(":")[0].strip() for line in lines[2:]] == ["training", "validation", "test"]
    assert lines[2].startswith("  training: 0: 12")


def test_hash_is_that_of_the_same_picture_in_a_file(tmp_path):
    """So that a picture is known again wherever it turns up: MNIST's as PNGs in folders."""
    found = PictureCollection("mnist", mnist_files(tmp_path / "idx"))
    items = found.train + found.validation + found.test
    for k, item in enumerate(items):
        save(tmp_path / "png" / str(item["label"]) / f"{k}.png", item["image"])
    files = ImageCollection(tmp_path / "png", progress=False)
    assert sorted(ids(items)) == sorted(ids(files.train + files.validation + files.test))


# ---- MNIST


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("place", ["", "raw", "MNIST/raw"])
def test_mnist_is_found_in_every_usual_place(tmp_path, place, zipped):
    """Test pictures are the test set's, the others are split; the folder stays as it was."""
    mnist_files(tmp_path / place, zipped=zipped)
    before = sorted(tmp_path.rglob("*"))
    found = PictureCollection("mnist", tmp_path)
    assert sorted(tmp_path.rglob("*")) == before
    assert [len(found.train), len(found.validation), len(found.test)] == [22, 2, 10]
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (24, 28, 28)).astype(np.uint8)
    learned = {item["image"].tobytes(): item["label"] for item in found.train + found.validation}
    assert learned == {image.tobytes(): k % 10 for k, image in enumerate(images)}


def test_mnist_of_plain_and_zipped_files(tmp_path):
    """One file unpacked by hand, the others not."""
    mnist_files(tmp_path, zipped=True)
    name = NAMES["test"][0]
    (tmp_path / name).write_bytes(gzip.decompress((tmp_path / f"{name}.gz").read_bytes()))
    (tmp_path / f"{name}.gz").unlink()
    assert len(PictureCollection("mnist", tmp_path).test) == 10


@needs_shared
def test_real_mnist():
    """55,000, 5,000 and 10,000, none twice, from a folder of gzip files."""
    found = PictureCollection("mnist", MNIST)
    assert [len(found.train), len(found.validation), len(found.test)] == [55_000, 5_000, 10_000]
    assert len(set(ids(found.train + found.validation + found.test))) == 70_000
    # the mean that torchvision's examples use is that of all 60,000
    learned = np.stack([item["image"] for item in found.train + found.validation])
    assert learned.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert found.counts["test"]["1"] == 1135


def test_mnist_files_missing(tmp_path):
    """The one that isn't there is named, and so is the folder."""
    mnist_files(tmp_path / "raw")
    (tmp_path / "raw" / NAMES["test"][1]).unlink()
    with pytest.raises(DataError, match=r"raw: must hold .* got no t10k-labels-idx1-ubyte$"):
        PictureCollection("mnist", tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty: must hold MNIST's four .* got none of them"):
        PictureCollection("mnist", tmp_path / "empty")
    with pytest.raises(DataError, match=r"gone: must hold MNIST's four .* got no such folder"):
        PictureCollection("mnist", tmp_path / "gone")


@pytest.mark.parametrize(
    ("part", "spoil", "message"),
    [
        ("train", lambda data: data[:-9], "training files must be whole, got a fault"),
        ("train", lambda _: b"", "training files must be whole, got a fault"),
        ("test", lambda _: idx(np.zeros((10, 27, 28))), r"pictures of 28 x 28, got 10 .* 27, 28"),
        ("test", lambda _: idx(np.zeros((9, 28, 28))), r"got 10 labels and pictures of \(9, "),
    ],
    ids=["cut short", "empty", "another size", "one too few"],
)
def test_mnist_files_damaged(tmp_path, part, spoil, message):
    """One line that names the folder."""
    mnist_files(tmp_path)
    file = tmp_path / NAMES[part][0]
    file.write_bytes(spoil(file.read_bytes()))
    with pytest.raises(DataError, match=message) as error:
        PictureCollection("mnist", tmp_path)
    assert "\n" not in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_mnist_labels_out_of_range(tmp_path):
    """Ten digits, not eleven."""
    mnist_files(tmp_path)
    (tmp_path / NAMES["train"][1]).write_bytes(idx(np.arange(24) % 11))
    with pytest.raises(DataError, match="training labels must be 0 to 9, got 0 to 10"):
        PictureCollection("mnist", tmp_path)


@pytest.mark.parametrize("keep", [40, 10, 0])
def test_mnist_archive_damaged(tmp_path, keep):
    """The file is named."""
    mnist_files(tmp_path, zipped=True)
    file = tmp_path / f"{NAMES['train'][0]}.gz"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(DataError, match="train") as error:
        PictureCollection("mnist", tmp_path)
    assert "\n" not in str(error.value)


# ---- mistakes


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("minst", "x"), ConfigError, r"one of digits, mnist, celeba, got 'minst' \(nearest: 'mni"),
        (("folder", "x"), ConfigError, "one of digits, mnist, celeba, got 'folder'$"),
        (("mnist",), DataError, "dataset mnist must be given its folder, got none"),
        (("celeba",), DataError, "dataset celeba must be given its folder, got none"),
        (("digits", "x"), DataError, "folder must be empty for digits, .* got x"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    """Said before anything is read."""
    with pytest.raises(error, match=message):
        PictureCollection(*arguments)


def test_attributes_are_celebas():
    """They can't be asked of digits."""
    with pytest.raises(ConfigError, match="attributes are celeba's and must be empty for digits"):
        PictureCollection("digits", attributes=["Smiling"])


@pytest.mark.parametrize(
    ("dataset", "module", "package"),
    [
        ("mnist", "torchvision.datasets", "torchvision"),
        ("celeba", "torchvision.datasets", "torchvision"),
        ("digits", "sklearn.datasets", "scikit-learn"),
    ],
)
def test_package_that_is_not_installed(monkeypatch, tmp_path, dataset, module, package):
    """Its name, and how to get it; `medaug.data` itself does without."""
    monkeypatch.delitem(sys.modules, f"medaug.data._pictures.{dataset}", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    root = "" if dataset == "digits" else tmp_path
    with pytest.raises(ConfigError, match=rf"needs a working {package} \(pip install {package}\)"):
        PictureCollection(dataset, root)


# ---- LoadPictured


def load(picture, **options):
    """One picture through the transform."""
    return LoadPictured("image", **options)({"image": picture})["image"]


def test_picture_of_the_right_size_keeps_its_levels():
    """An array of 32 x 32 comes out divided by 255, as a plain float32 tensor."""
    picture = levels(32, 32)
    loaded = load(picture, image_size=32)
    assert type(loaded) is torch.Tensor
    assert not isinstance(loaded, MetaTensor)
    assert (loaded.shape, loaded.dtype) == ((1, 32, 32), torch.float32)
    assert torch.equal(loaded[0], torch.from_numpy(picture.astype(np.float32) / 255))


def test_colour_keeps_its_order_and_way_up(tmp_path):
    """Red left above, blue right below, from an array and from a PNG."""
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[:8, :8, 0], picture[8:, 8:, 2] = 255, 255
    for source in (picture, str(save(tmp_path / "a.png", picture)), tmp_path / "a.png"):
        loaded = load(source, image_size=16, channels=3)
        assert loaded.shape == (3, 16, 16)
        assert torch.equal(loaded, torch.from_numpy(picture).permute(2, 0, 1) / 255)


def test_grey_of_colour_is_the_luminance_and_colour_of_grey_is_grey():
    """ITU-R BT.601; three equal channels."""
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[..., 1] = 200
    assert load(picture, image_size=16).mean() == pytest.approx(0.587 * 200 / 255, abs=1 / 255)
    loaded = load(levels(16, 16), image_size=16, channels=3)
    assert torch.equal(loaded[0], loaded[1])
    assert torch.equal(loaded[0], loaded[2])


def test_longer_side_is_cut_at_both_ends():
    """A white middle square in black: all white."""
    picture = np.zeros((40, 20), np.uint8)
    picture[10:30] = 255
    assert (load(picture, image_size=20) == 1).all()
    assert (load(np.ascontiguousarray(picture.T), image_size=20) == 1).all()


def test_small_is_antialiased():
    """Stripes of one pixel become grey, where picking pixels would give black or white."""
    picture = np.zeros((64, 64), np.uint8)
    picture[:, ::2] = 255
    loaded = load(picture, image_size=16)
    assert (loaded[..., 1:-1] - 0.5).abs().max() < 0.1


def test_items_are_not_changed_and_other_keys_are_kept():
    """A copy of the dictionary; the array inside stays an array."""
    item = {"image": levels(16, 16), "label": 3}
    before = item["image"].copy()
    loaded = LoadPictured(["image"], image_size=32)(item)
    assert loaded["label"] == 3
    assert np.array_equal(item["image"], before)
    loaded["image"].zero_()
    assert np.array_equal(item["image"], before)


def test_missing_key():
    """An error, unless allowed."""
    with pytest.raises(KeyError, match="image"):
        LoadPictured("image", image_size=16)({"label": 1})
    allowed = LoadPictured("image", image_size=16, allow_missing_keys=True)
    assert allowed({"label": 1}) == {"label": 1}


def test_cached_pictures_are_the_same():
    """Through CachedDataset, as a training has them."""
    items = PictureCollection("digits").test[:20]
    dataset = CachedDataset(items, [LoadPictured("image", image_size=32)], seed=0)
    for item, cached in zip(items, dataset, strict=True):
        assert torch.equal(cached["image"], load(item["image"], image_size=32))
        assert cached["source_id"] == item["source_id"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 0}, "image_size must be at least 1, got 0"),
        ({"image_size": 8, "channels": 2}, "channels must be 1 or 3, got 2"),
    ],
)
def test_options_out_of_range(options, message):
    """Said when the transform is made."""
    with pytest.raises(ConfigError, match=message):
        LoadPictured("image", **options)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros(4, np.uint8),
    ],
    ids=["floats", "four channels", "no rows", "one axis"],
)
def test_arrays_that_are_no_pictures(array):
    """With the given type and shape."""
    with pytest.raises(
        UnreadableImageError, match=r"must be uint8 of \(H, W\) or .* got .*int|flo"
    ):
        load(array, image_size=8)


def test_files_that_are_no_pictures(tmp_path):
    """The file and one line of why: missing, no picture, cut short, 16 bits."""
    whole = save(tmp_path / "whole.jpg", levels(40, 40)).read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "words.jpg").write_text("words")
    save(tmp_path / "deep.png", levels(8, 8, bits=16))
    Image.fromarray(levels(8, 8)).save(tmp_path / "other.gif")
    for name, message in [
        ("gone.jpg", "nothing is"),
        ("cut.jpg", "must be a whole JPEG or PNG"),
        ("words.jpg", "must be a whole JPEG or PNG"),
        ("deep.png", "must have 8 bits"),
        ("other.gif", "must be a whole JPEG or PNG"),
    ]:
        with pytest.raises(UnreadableImageError, match=message) as error:
            load(tmp_path / name, image_size=8)
        assert str(error.value).startswith(str(tmp_path / name))
        assert "\n" not in str(error.value)
