"""A folder of single-frame DICOM, one cine, of which one file is damaged."""

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from ..data.dicom_files import dataset
from . import judge
from .mutators import Mutant, mutants
from .seeds import FRAMES, Seed, picture, saved, unit


def series() -> list[Seed]:
    """One slice over time, a file a phase."""
    stored = picture(12, frames=FRAMES)
    return [
        Seed(f"{k}.dcm", "DICOM", _phase(frame, k), frame, unit(frame, 0, 4095))
        for k, frame in enumerate(stored)
    ]


def _phase(frame: np.ndarray, number: int) -> bytes:
    return saved(
        dataset(
            frame,
            InstanceNumber=str(number + 1),
            TriggerTime=str(30 * number),
            ImagePositionPatient=[0, 0, 0],
            ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
            PixelSpacing=[1, 1],
        )
    )


def folders(count: int, seed: int) -> Iterator[tuple[Mutant, list[bytes]]]:
    """`count` folders with one damaged file each."""
    whole = series()
    for number in range(count):
        rng = np.random.default_rng([seed, number, 7])
        which = int(rng.integers(len(whole)))
        (mutant,) = mutants(whole[which], 1, rng)
        yield mutant, [mutant.data if k == which else one.data for k, one in enumerate(whole)]


def verdict(pixels: np.ndarray, contents: list[bytes]) -> str:
    """Whether the frames are the files' own in some order; empty if so."""
    found = [judge.stored_values(content, "DICOM") for content in contents]
    if all(found) and pixels.shape[:2] == (1, len(contents)):
        for order in permutations(range(len(found))):
            for sign in (0, 1):
                frames = [found[k][sign] for k in order]
                same_size = len({frame.shape for frame in frames}) == 1
                if same_size and judge.explained(pixels, np.concatenate(frames)):
                    return ""
    return "frames aren't a function of the files' stored values"
