"""What each pipeline gives on one phantom, kept in its ``golden.json``.

After a change that is meant, write them anew, look at what changed, and say why in the pipeline's
changelog:

    python -m tests.pipelines.golden
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from medaug.phantoms import PHANTOM_VERSION, chest_xrays

from . import beating
from .pipelines import CINES, PHANTOM, PIPELINES, apply

# The phantoms' float32 exp and pow may differ by machine, by one stored level at most. One level
# up or down in every pixel at random moved AIIN's result by up to 0.65 of 255, all of them by the
# same level the control's by up to 0.1.
TOLERANCES = {"chest_xray_aiin": 2 / 255}
OTHERWISE = 0.5 / 255


def places(shape: list[int]) -> list[tuple[int, ...]]:
    """Twelve (row, column), or in a cine (phase, row, column).

    Columns have no mirror twin among them, nor phases, so that a flip is seen.
    """
    rows, columns = shape[-2:]
    found = [(row * rows // 64, column * columns // 64)
             for row in (8, 24, 40, 56) for column in (10, 26, 47)]  # fmt: skip
    if len(shape) == 3:
        return list(found)
    return [(number * shape[1] // len(found), *place) for number, place in enumerate(found)]


def origin(name: str, file: Path) -> dict[str, Any]:
    """What a pipeline's phantom is."""
    if name in CINES:
        return {"made_by": "tests.pipelines.beating", "version": beating.VERSION, "file": file.name}
    return {
        "made_by": "medaug.phantoms.chest_xrays",
        **PHANTOM,
        "version": PHANTOM_VERSION,
        "file": f"{file.parent.name}/{file.name}",
    }


def phantom(folder: Path) -> Path:
    """The first file by name of six phantoms: COVID-19, MONOCHROME1, 12 bits, 448 × 488 pixels."""
    images = Path(chest_xrays(**PHANTOM, folder=folder, progress=False))
    return min(images.rglob("*.dcm"), key=lambda file: file.name)


def describe(image: Any, *, name: str, file: Path) -> dict[str, Any]:
    """The content of a ``golden.json``."""
    pixels = np.asarray(image)[0].astype(float)
    return {
        "phantom": origin(name, file),
        "parameters": "the defaults",
        "shape": list(image.shape),
        "dtype": str(image.dtype).removeprefix("torch."),
        "tolerance": round(TOLERANCES.get(name, OTHERWISE), 5),
        "range": [round(pixels.min(), 5), round(pixels.max(), 5)],
        "pixels": [[*place, round(pixels[place], 5)] for place in places(list(image.shape))],
    }


def faults(image: Any, golden: dict[str, Any]) -> list[str]:
    """In what an image isn't the one that is expected."""
    shape, dtype = list(image.shape), str(image.dtype).removeprefix("torch.")
    if (shape, dtype) != (golden["shape"], golden["dtype"]):
        return [f"expected {golden['shape']} {golden['dtype']}, got {shape} {dtype}"]
    pixels = np.asarray(image)[0].astype(float)
    pairs = [
        ("the lowest", golden["range"][0], pixels.min()),
        ("the highest", golden["range"][1], pixels.max()),
        *((f"{place}", value, pixels[tuple(place)]) for *place, value in golden["pixels"]),
    ]  # fmt: skip
    return [
        f"{where}: expected {expected}, got {got:.5f}"
        for where, expected, got in pairs
        if not abs(expected - got) <= golden["tolerance"]
    ]


def write(content: dict[str, Any], path: Path) -> None:
    """Write a ``golden.json``, a short list to a line."""
    lines = [f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in content.items()]
    rows = ",\n".join(f"        {json.dumps(pixel)}" for pixel in content["pixels"])
    lines[-1] = f'    "pixels": [\n{rows}\n    ]'
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        radiograph, cine = phantom(Path(scratch)), beating.write(Path(scratch))
        for pipeline in PIPELINES:
            made = cine if pipeline.name in CINES else radiograph
            content = describe(apply(pipeline, made), name=pipeline.name, file=made)
            write(content, pipeline / "golden.json")
