"""Small pictures of a known content for the tests."""

from pathlib import Path

import numpy as np
from PIL import Image


def levels(rows=24, columns=20, bits=8, seed=0):
    """Random levels with nothing symmetric; 0 and the top level both occur."""
    rng = np.random.default_rng([seed, rows, columns, bits])
    image = rng.integers(0, 2**bits, (rows, columns), dtype=np.uint16 if bits > 8 else np.uint8)
    image[0, 0], image[0, 1] = 0, 2**bits - 1
    return image


def save(path: Path, image) -> Path:
    """Write a picture by Pillow, in the format of the suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(image)).save(path)
    return path


def folder(root: Path, classes: dict[str, int], *, start=0) -> Path:
    """A folder with one subfolder a class of so many different small PNGs."""
    number = start
    for name, count in classes.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        for k in range(count):
            save(root / name / f"{name}_{k:03d}.png", levels(6, 5, seed=number))
            number += 1
    return root
