"""CelebA's exact layout, made up: two lists and a folder of coloured JPEGs."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from medaug.data import CachedDataset, ImageCollection, LoadPictured, PictureCollection
from medaug.errors import ConfigError, DataError, UnreadableImageError

# as in the real list: the header ends with a blank, columns are padded to two places
ATTRIBUTES = ("5_o_Clock_Shadow", "Bald", "Eyeglasses", "Male", "Smiling", "Young")
COUNT = 40


def value(picture: int, attribute: str) -> int:
    """Whether a picture has an attribute: all four kinds of (Smiling, Male) in turn."""
    return {"Smiling": picture // 2 % 2, "Male": picture % 2}.get(attribute, 0)


def colour(picture: int) -> tuple[int, int, int]:
    """What the made-up face looks like: blue for men, red for others, bright when smiling."""
    level = 230 if value(picture, "Smiling") else 120
    return (20, 20, level) if value(picture, "Male") else (level, 20, 20)


def celeba(folder: Path, count: int = COUNT) -> Path:
    """A folder as CelebA's own; 60 % training, 20 % validation, 20 % test."""
    (folder / "img_align_celeba").mkdir(parents=True)
    rows, places = [], []
    for k in range(count):
        name = f"{k + 1:06d}.jpg"
        picture = np.empty((218, 178, 3), np.uint8)
        picture[:] = colour(k)
        picture[:20] = k  # each file is its own
        Image.fromarray(picture).save(folder / "img_align_celeba" / name, quality=90)
        numbers = " ".join(f"{2 * value(k, attribute) - 1:2d}" for attribute in ATTRIBUTES)
        rows.append(f"{name} {numbers}\n")
        places.append(f"{name} {0 if k < 0.6 * count else 1 if k < 0.8 * count else 2}\n")
    header = f"{count}\n{' '.join(ATTRIBUTES)} \n"
    (folder / "list_attr_celeba.txt").write_text(header + "".join(rows))
    (folder / "list_eval_partition.txt").write_text("".join(places))
    return folder


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """One set for the tests that leave it as it is."""
    return celeba(tmp_path_factory.mktemp("faces") / "celeba")


def test_two_attributes_make_four_classes(root):
    """Named by what they have and have not, with codes that say the same."""
    found = PictureCollection("celeba", root, attributes=("Smiling", "Male"))
    assert found.classes == (
        *("not Smiling, not Male", "not Smiling, Male", "Smiling, not Male", "Smiling, Male"),
    )
    assert found.codes == [[0, 0], [0, 1], [1, 0], [1, 1]]
    items = found.train + found.validation + found.test
    assert len(items) == COUNT
    for item in items:
        number = int(Path(item["image"]).stem) - 1
        assert found.codes[item["label"]] == [value(number, name) for name in ("Smiling", "Male")]


def test_the_order_of_attributes_is_that_of_the_codes(root):
    """The first counts most."""
    found = PictureCollection("celeba", root, attributes=("Male", "Smiling"))
    assert found.classes[1] == "not Male, Smiling"
    assert found.codes[1] == [0, 1]
    one = PictureCollection("celeba", root, attributes="Male")
    assert one.classes == ("not Male", "Male")
    assert one.codes == [[0], [1]]
    several = PictureCollection("celeba", root, attributes="Male, Smiling")
    assert several.classes == found.classes


def test_split_is_that_of_the_list(root):
    """Whatever the seed."""
    found = PictureCollection("celeba", root, attributes=["Male"], seed=3)
    numbers = [
        sorted(int(Path(item["image"]).stem) for item in items)
        for items in (found.train, found.validation, found.test)
    ]
    assert numbers == [list(range(1, 25)), list(range(25, 33)), list(range(33, 41))]
    assert found.fingerprint == PictureCollection("celeba", root, attributes=["Male"]).fingerprint


def test_hash_is_that_of_the_file(root):
    """Content, not name."""
    for item in PictureCollection("celeba", root, attributes=["Male"]).test:
        data = Path(item["image"]).read_bytes()
        assert item["source_id"] == hashlib.sha256(data).hexdigest()


def test_summary_keeps_names_with_commas_apart(root):
    """A semicolon between classes."""
    lines = PictureCollection("celeba", root, attributes="Smiling,Male").summary().splitlines()
    assert lines[0] == f"40 images, CelebA by Smiling, Male, {root}"
    assert lines[2] == (
        "  training: not Smiling, not Male: 6; not Smiling, Male: 6; Smiling, not Male: 6; "
        "Smiling, Male: 6"
    )


def test_pictures_load_in_colour(root):
    """(3, 64, 64) in [0, 1]: the colour says which class it is."""
    found = PictureCollection("celeba", root, attributes=("Smiling", "Male"))
    transform = [LoadPictured("image", image_size=64, channels=3)]
    for item in CachedDataset(found.train, transform, seed=0):
        assert (item["image"].shape, item["image"].dtype) == ((3, 64, 64), torch.float32)
        smiling, male = found.codes[item["label"]]
        level = (230 if smiling else 120) / 255
        expected = torch.tensor(
            [20 / 255, 20 / 255, level] if male else [level, 20 / 255, 20 / 255]
        )
        torch.testing.assert_close(item["image"][:, 32, 32], expected, atol=0.02, rtol=0)


def test_an_attribute_that_nobody_has_is_warned_of(root, caplog):
    """Its classes have no training picture."""
    found = PictureCollection("celeba", root, attributes=("Male", "Bald"))
    assert found.warnings == ["training has no picture of: not Male, Bald; Male, Bald"]
    assert found.warnings[0] in caplog.text
    assert found.summary().endswith(f"note: {found.warnings[0]}")


def test_offers_what_an_image_collection_does():
    """What a bundle asks of its data is there in both; `patients` is for studies."""
    wanted = {name for name in dir(ImageCollection) if not name.startswith("_")}
    assert wanted - {"patients"} <= set(dir(PictureCollection))


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ((), "must name 1 to 10 of CelebA's attributes, such as Smiling, Male, got 0"),
        ("", "must name 1 to 10 of CelebA's attributes, such as Smiling, Male, got 0"),
        (["Smile"], r"CelebA's names, got 'Smile' \(nearest: 'Smiling'"),
        (["male"], r"CelebA's names, got 'male' \(nearest: 'Male'"),
        (["xyz"], "got 'xyz'; there are 5_o_Clock_Shadow, Bald, Eyeglasses, Male, Smiling, Young$"),
        (["Male", "Male"], "must be different ones, got Male, Male"),
    ],
)
def test_attributes_that_cannot_be(root, attributes, message):
    """With what there is."""
    with pytest.raises(ConfigError, match=message):
        PictureCollection("celeba", root, attributes=attributes)


def refused(folder: Path) -> str:
    """What is said of a folder, in one line."""
    with pytest.raises(DataError) as error:
        PictureCollection("celeba", folder, attributes=["Male"])
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(str(folder))
    return str(error.value)


@pytest.mark.parametrize("name", ["list_attr_celeba.txt", "list_eval_partition.txt"])
def test_list_missing(tmp_path, name):
    """It is named."""
    folder = celeba(tmp_path / "celeba", 4)
    (folder / name).unlink()
    assert refused(folder).endswith(f"got no {name}")


def test_folder_missing(tmp_path):
    """The whole, or that of the pictures."""
    assert "must be CelebA's folder, got nothing there" in refused(tmp_path / "gone")
    folder = celeba(tmp_path / "celeba", 4)
    (folder / "img_align_celeba").rename(folder / "images")
    assert refused(folder).endswith("got no img_align_celeba/")


def test_pictures_missing(tmp_path):
    """How many, and which."""
    folder = celeba(tmp_path / "celeba", 6)
    for number in (2, 5):
        (folder / "img_align_celeba" / f"{number:06d}.jpg").unlink()
    assert "2 of 6 aren't there: 000002.jpg, 000005.jpg" in refused(folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("list_attr_celeba.txt", " 1", " x", "must have CelebA's layout"),
        ("list_attr_celeba.txt", " 1", " 7", "every attribute must be 1 or -1"),
        ("list_attr_celeba.txt", "000002.jpg -1", "000002.jpg", "must have CelebA's layout"),
        ("list_attr_celeba.txt", "000002", "000009", "same pictures in the same order"),
        (
            "list_eval_partition.txt",
            ".jpg 2",
            ".jpg 3",
            "every picture must be in 0, 1 or 2, got 3",
        ),
        ("list_eval_partition.txt", ".jpg", ",jpg", "same pictures in the same order"),
        ("list_eval_partition.txt", " ", ",", "must have CelebA's layout"),
    ],
)
def test_lists_of_another_layout(tmp_path, name, old, new, message):
    """Said at once, not in the middle of a training."""
    folder = celeba(tmp_path / "celeba", 5)
    text = (folder / name).read_text()
    (folder / name).write_text(text.replace(old, new))
    assert message in refused(folder)


def test_unreadable_pictures_are_listed_at_once(tmp_path):
    """Empty, and no picture at all."""
    folder = celeba(tmp_path / "celeba", 6)
    (folder / "img_align_celeba" / "000003.jpg").write_bytes(b"")
    (folder / "img_align_celeba" / "000004.jpg").write_text("words")
    with pytest.raises(UnreadableImageError, match=r"2 of 6 are not: 000003\.jpg .*; 000004\.jpg "):
        PictureCollection("celeba", folder, attributes=["Male"])
