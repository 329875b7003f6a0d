"""Grids of samples."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from medaug.handlers import SampleGrid, generate, save_grid, to_uint8
from medaug.networks import ACGANGenerator

from .fakes import Noise, Ramp, engine

GAP = 2


def cells(path: Path, height: int, width: int) -> np.ndarray:
    """A grid's pictures, (rows, columns, height, width), gaps taken out."""
    sheet = np.asarray(Image.open(path))
    rows, columns = (
        (sheet.shape[0] + GAP) // (height + GAP),
        (sheet.shape[1] + GAP) // (width + GAP),
    )
    assert sheet.shape == (rows * (height + GAP) - GAP, columns * (width + GAP) - GAP)
    return np.array(
        [
            [
                sheet[y * (height + GAP) :, x * (width + GAP) :][:height, :width]
                for x in range(columns)
            ]
            for y in range(rows)
        ]
    )


def test_a_row_for_each_class_upright(tmp_path: Path) -> None:
    """Rows are classes, columns are latents; the generator's row 0 is the picture's top."""
    made, run = engine([{}] * 2, generator=Ramp())
    SampleGrid(tmp_path / "samples", num_classes=3, interval=2, columns=4).attach(made)
    run()
    assert [path.name for path in (tmp_path / "samples").iterdir()] == ["epoch_0002.png"]
    pictures = cells(tmp_path / "samples" / "epoch_0002.png", 8, 6)
    assert pictures.shape == (3, 4, 8, 6)
    for label in range(3):
        assert (pictures[label, :, 0, 0] == round((label + 1) / 10 * 255)).all()
    assert (np.diff(pictures[..., 1:, :].astype(int), axis=-2) > 0).all()  # brighter downwards
    assert (np.diff(pictures[..., 1:, :].astype(int), axis=-1) > 0).all()  # and to the right


def test_the_same_latents_each_time(tmp_path: Path) -> None:
    """Two grids differ only by what the generator has learnt; another seed gives others."""
    ramp = Ramp()
    made, run = engine([{}] * 3, generator=ramp)
    SampleGrid(tmp_path, num_classes=2, interval=1, columns=3, seed=7).attach(made)
    run()
    assert len(list(tmp_path.iterdir())) == 3
    first, *others = [latent for latent, _ in ramp.seen]
    assert all(torch.equal(first, other) for other in others)
    generate(ramp, [0] * 6, latent_dim=4, seed=8)
    assert not torch.equal(first, ramp.seen[-1][0])


def test_the_last_epoch_has_a_grid(tmp_path: Path) -> None:
    """Also where the interval doesn't fall on it."""
    made, run = engine([{}] * 5, generator=Ramp())
    SampleGrid(tmp_path, num_classes=1, interval=3).attach(made)
    run()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["epoch_0003.png", "epoch_0005.png"]


def test_batches_dont_matter() -> None:
    """The same images, made all at once or three at a time, in order."""
    labels = [0, 1, 2, 0, 1, 2, 0]
    whole = generate(Noise(), labels, latent_dim=4, seed=0)
    pieces = generate(Noise(), labels, latent_dim=4, seed=0, batch_size=3)
    assert whole.shape == (7, 1, 32, 32)
    torch.testing.assert_close(whole, pieces)


def test_no_labels_no_images() -> None:
    """An empty set keeps its shape."""
    generator = ACGANGenerator(image_size=32, base_channels=4, latent_dim=4).eval()
    assert generate(generator, [], latent_dim=4, seed=0).shape == (0, 1, 32, 32)


def test_an_unfinished_row_is_white(tmp_path: Path) -> None:
    """Five images in rows of three: the sixth place is empty."""
    save_grid(torch.zeros(5, 1, 4, 4), tmp_path / "grid.png", 3)
    pictures = cells(tmp_path / "grid.png", 4, 4)
    assert (pictures.reshape(6, -1)[:5] == 0).all()
    assert (pictures[1, 2] == 255).all()


def test_colour_images_stay_in_colour(tmp_path: Path) -> None:
    """Three channels make an RGB picture, in their order."""
    image = torch.zeros(1, 3, 4, 4)
    image[0, 1] = 1
    save_grid(image, tmp_path / "grid.png", 1)
    with Image.open(tmp_path / "grid.png") as picture:
        assert picture.mode == "RGB"
        assert picture.getpixel((0, 0)) == (0, 255, 0)


@given(level=st.integers(0, 255))
@settings(deadline=None, max_examples=50)
def test_levels_come_back(level: int) -> None:
    """Grey of level / 255 is that level, also a little beside it."""
    for value in (level / 255, (level + 0.4) / 255, (level - 0.4) / 255):
        assert to_uint8(torch.full((1, 1, 1, 1), value))[0, 0, 0, 0] == level


@pytest.mark.parametrize(("value", "level"), [(-0.5, 0), (1.5, 255), (0.999, 255), (0.001, 0)])
def test_values_are_rounded_and_cut(value: float, level: int) -> None:
    """To the nearest level; what lies outside of [0, 1] is cut."""
    image = torch.full((1, 1, 2, 3), value, dtype=torch.float64)
    array = to_uint8(image)
    assert array.dtype == np.uint8
    assert array.shape == (1, 2, 3, 1)
    assert (array == level).all()
