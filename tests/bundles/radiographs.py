"""A small collection in a folder, as a user has it."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("covid", "normal", "pneumonia")


def collection(folder: Path, counts: dict[str, int] | None = None) -> Path:
    """Noise of 48 × 40 pixels under a shade of its class, with a manifest.csv; two a patient."""
    rng = np.random.default_rng(0)
    rows = [("file", "label", "patient")]
    for shade, (label, count) in enumerate((counts or dict.fromkeys(CLASSES, 6)).items()):
        (folder / label).mkdir(parents=True)
        for index in range(count):
            name, patient = f"{label}/Doe_{index}.png", f"{label}{index // 2}"
            pixels = rng.integers(40 * shade, 40 * shade + 160, (48, 40), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name)
            rows.append((name, label, patient))
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return folder
