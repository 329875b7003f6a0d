"""The judge decodes what it says that it decodes, and isn't fooled by a single pixel."""

import numpy as np
import pytest

from . import judge
from .campaign import drawn
from .seeds import Seed, seeds

SEEDS = seeds()
each_seed = pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.name)


def delivered(seed: Seed) -> np.ndarray:
    """The right pixels as a reader gives them: (C, H, W) or (C, T, H, W)."""
    return seed.pixels[None].copy()


@each_seed
def test_the_right_pixels_are_right(seed: Seed) -> None:
    """Those of an undamaged file; and the judge decodes it, unless it is compressed by JPEG."""
    assert judge.verdict(delivered(seed), seed.data, seed) == ""
    found = judge.stored_values(seed.data, seed.kind)
    assert bool(found) != bool(seed.stream)
    stored = seed.stored.reshape(-1, *seed.stored.shape[-2:])
    assert not found or any(
        np.array_equal(one.reshape(-1, *one.shape[-2:]), stored) for one in found
    )


@each_seed
def test_a_single_other_pixel_is_wrong(seed: Seed) -> None:
    """A level that occurs elsewhere, at one place."""
    pixels = delivered(seed)
    flat = pixels.reshape(-1)
    where = int(np.flatnonzero((flat > 0.1) & (flat < 0.6))[0])
    flat[where] = flat[flat > 0.8][0]
    assert "function" in judge.verdict(pixels, seed.data, seed)


@each_seed
def test_a_lawful_window_is_right(seed: Seed) -> None:
    """A narrower one, and the other polarity; but not a table that goes up and down."""
    levels = seed.stored.astype(np.float32) - seed.stored.min()
    levels = (levels / levels.max())[None]
    if not seed.cine:
        for made in (levels * levels, 1 - levels, np.clip(3 * levels - 1, 0, 1)):
            assert judge.verdict(made.astype(np.float32), seed.data, seed) == ""
    assert judge.verdict(np.abs(levels - 0.4) + np.float32(0.1), seed.data, seed)


@pytest.mark.parametrize(
    "pixels", [np.full((1, 2, 2), 2.0, "f4"), np.full((1, 2, 2), np.nan, "f4"), np.zeros((1, 2, 2))]
)
def test_pixels_out_of_range_are_wrong(pixels: np.ndarray) -> None:
    """Above 1, NaN, or of another type."""
    assert judge.verdict(pixels, SEEDS[0].data, SEEDS[0])


def test_a_jpeg_that_ends_early_is_incomplete() -> None:
    """One block fewer than the header asks for, with and without its end marker."""
    whole = next(seed.data for seed in SEEDS if seed.name == "8.jpg")
    assert judge.jpeg_complete(whole)
    assert not judge.jpeg_complete(whole[:-20])
    assert not judge.jpeg_complete(whole[:-20] + b"\xff\xd9")
    at = whole.index(b"\xff\xc0") + 5
    assert not judge.jpeg_complete(whole[:at] + b"\0\x31" + whole[at + 2 :])


@pytest.mark.parametrize("name", ["sv1.dcm", "sv1_16.dcm"])
def test_lossless_jpeg_is_judged(name: str) -> None:
    """Complete, or without its last bytes of code."""
    stream = next((seed.stream for seed in SEEDS if seed.name == name), b"")
    if not stream:
        pytest.skip("pylibjpeg-libjpeg isn't installed (extra gpl)")
    assert judge.jpeg_complete(stream)
    assert not judge.jpeg_complete(stream[:-8] + b"\xff\xd9")


def test_mutants_are_the_same_for_the_same_numbers() -> None:
    """Drawn twice; others for another seed; nearly all differ from what they were made of."""
    first, again, other = (drawn(200, number) for number in (0, 0, 1))
    assert [one.data for one in first] == [one.data for one in again]
    assert [one.data for one in first] != [one.data for one in other]
    assert sum(one.data != one.seed.data for one in first) > 0.9 * len(first)
    assert {one.seed.name for one in first} == {seed.name for seed in SEEDS}
