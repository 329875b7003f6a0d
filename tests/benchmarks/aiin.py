"""AIIN beside OpenCV, kornia and scikit-image: one thread each, the same pixels, as ratios.

    python -m tests.benchmarks.aiin [--json FILE]

A ratio is our time by the peer's; below 1 we are faster. `at most` is what the project promises.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from monai.data import MetaTensor

from medaug.transforms import AIINd, AIINLayer, aiin

from .timing import extra_memory, machine, race

GRID, THRESHOLD = (4, 4), 10.0


@dataclass(frozen=True)
class Result:
    """One line of the table."""

    what: str
    peer: str
    ours_ms: float
    peer_ms: float
    ratio: float
    at_most: float | None


def radiograph(size: int, bits: int, seed: int = 0) -> np.ndarray:
    """Smooth shapes with quantum noise over nearly all levels."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    shares = 0.5 + 0.3 * np.sin(3 * x) * np.cos(4 * y) + rng.normal(0, 0.03, (size, size))
    levels = np.rint(shares.clip(0, 1) * (2**bits - 1))
    return levels.astype(np.uint8 if bits <= 8 else np.uint16)


def opencv(shift: int = 0) -> cv2.CLAHE:
    """A CLAHE object of its own for each depth: changing it makes OpenCV allocate anew."""
    made = cv2.createCLAHE(THRESHOLD, GRID)
    if shift:
        made.setBitShift(shift)
    return made


def compare(
    what: str,
    ours: Callable[[], object],
    peer: str,
    theirs: Callable[[], object],
    at_most: float | None = None,
) -> Result:
    """Race two calls."""
    a, b = race(ours, theirs)
    return Result(what, peer, a * 1e3, b * 1e3, a / b, at_most)


def eight_bits() -> Iterator[Result]:
    """uint8 images, one and many."""
    for size, bound in ((256, 0.45), (512, None), (1024, 0.4), (2048, 0.4), (4096, 0.4)):
        image, clahe = radiograph(size, 8), opencv()
        assert np.array_equal(aiin(image), clahe.apply(image))
        yield compare(
            f"8 bit, {size}²", lambda i=image: aiin(i), "OpenCV",
            lambda i=image, c=clahe: c.apply(i), bound,
        )  # fmt: skip
    batch = np.stack([radiograph(256, 8, seed) for seed in range(32)])
    clahe = opencv()
    yield compare(
        "8 bit, 32 x 256²", lambda: aiin(batch), "OpenCV",
        lambda: [clahe.apply(image) for image in batch], 0.45,
    )  # fmt: skip


def twelve_bits() -> Iterator[Result]:
    """12 bits in uint16, against OpenCV's 65,536 bins and against its form with 4,096."""
    bounds = {256: (None, 0.65), 512: (0.2, 0.55), 1024: (0.35, 0.55), 2048: (None, 0.55)}
    for size, (full, shifted) in {**bounds, 4096: (0.55, 0.65)}.items():
        image = radiograph(size, 12)
        moved, plain, shift = image << 4, opencv(), opencv(4)
        assert np.array_equal(aiin(image, bits=12), shift.apply(moved) >> 4)
        for peer, clahe, given, bound in (
            ("OpenCV 16 bit", plain, image, full),
            ("OpenCV bitShift=4", shift, moved, shifted),
        ):
            yield compare(
                f"12 bit, {size}²", lambda i=image: aiin(i, bits=12), peer,
                lambda c=clahe, g=given: c.apply(g), bound,
            )  # fmt: skip


def sixteen_bits() -> Iterator[Result]:
    """All 65,536 levels in use."""
    for size in (256, 1024, 4096):
        image = np.random.default_rng(0).integers(0, 65536, (size, size)).astype(np.uint16)
        clahe = opencv()
        yield compare(
            f"16 bit, all levels, {size}²", lambda i=image: aiin(i), "OpenCV 16 bit",
            lambda i=image, c=clahe: c.apply(i),
        )  # fmt: skip


def torch_layer() -> Iterator[Result]:
    """The torch implementation on the CPU."""
    layer = AIINLayer(GRID, THRESHOLD, bits=8)
    for size, bound in ((256, None), (1024, 1.7), (2048, 1.7), (4096, 1.7)):
        image, clahe = radiograph(size, 8), opencv()
        tensor = torch.from_numpy(image)
        yield compare(
            f"torch (AIINLayer), 8 bit, {size}²", lambda t=tensor: layer(t), "OpenCV",
            lambda i=image, c=clahe: c.apply(i), bound,
        )  # fmt: skip


def dictionary() -> Iterator[Result]:
    """AIINd over a MetaTensor, beside the bare function."""
    meta = {"bits": 8, "spacing": (0.2, 0.2), "value_range": (0.0, 255.0), "source_id": "0" * 64}
    image = torch.from_numpy(radiograph(1024, 8))[None]
    data = {"image": MetaTensor(image, affine=torch.eye(4), meta=meta)}
    transform = AIINd("image")
    yield compare(
        "AIINd on a MetaTensor, 8 bit, 1024²", lambda: transform(data), "aiin() on its tensor",
        lambda: aiin(image), 1.15,
    )  # fmt: skip
    floats = (radiograph(1024, 12) / 4095).astype(np.float32)[None]
    reader = {"image": MetaTensor(torch.from_numpy(floats), meta={**meta, "bits": 12})}
    yield compare(
        "AIINd on float32 of 12 bits, 1024²", lambda: transform(reader), "aiin() on its array",
        lambda: aiin(floats, bits=12), 1.15,
    )  # fmt: skip


def threads() -> Iterator[Result]:
    """Two threads beside one."""

    def with_threads(count: int, image: np.ndarray) -> None:
        torch.set_num_threads(count)
        aiin(image)

    for size, bound in ((1024, None), (2048, 1 / 1.6), (4096, 1 / 1.6)):
        image = radiograph(size, 8)
        yield compare(
            f"two threads, 8 bit, {size}²", lambda i=image: with_threads(2, i), "one thread",
            lambda i=image: with_threads(1, i), bound,
        )  # fmt: skip
    torch.set_num_threads(1)


def other_peers() -> Iterator[Result]:
    """Kornia (256 grey levels whatever the depth) and scikit-image, where they are installed."""
    try:
        from kornia.enhance import equalize_clahe
        from skimage.exposure import equalize_adapthist
    except ImportError:
        return
    for size in (256, 1024):
        image = radiograph(size, 8)
        tensor = torch.from_numpy(image)[None, None] / 255
        yield compare(
            f"8 bit, {size}²", lambda i=image: aiin(i), "kornia",
            lambda t=tensor: equalize_clahe(t, THRESHOLD, GRID),
        )  # fmt: skip
        yield compare(
            f"8 bit, {size}²", lambda i=image: aiin(i), "scikit-image",
            lambda i=image, n=size: equalize_adapthist(i, n // 4, THRESHOLD / 256),
        )  # fmt: skip


def memory() -> Iterator[tuple[str, float]]:
    """Peak extra memory at 4096², in images."""
    for bits in (8, 12, 16):
        image = radiograph(4096, bits)
        yield f"{bits} bit", extra_memory(lambda i=image, b=bits: aiin(i, bits=b)) / image.nbytes
    valid = np.ones((4096, 4096), np.bool_)
    valid[:500] = False
    grey = radiograph(4096, 12)
    yield "12 bit, masked", extra_memory(lambda: aiin(grey, bits=12, mask=valid)) / grey.nbytes
    floats = (radiograph(4096, 12) / 4095).astype(np.float32)
    yield "float32 of 12 bits", extra_memory(lambda: aiin(floats, bits=12)) / floats.nbytes
    odd = np.ascontiguousarray(radiograph(4096, 8)[:-1, :-3])
    yield "8 bit, 4095 x 4093", extra_memory(lambda: aiin(odd)) / odd.nbytes


def main() -> None:
    """Print a Markdown table, and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    results = []
    print("| | beside | ms | its ms | ratio | at most |\n| --- | --- | --- | --- | --- | --- |")
    parts = (eight_bits, twelve_bits, sixteen_bits, torch_layer, dictionary, threads, other_peers)
    for part in parts:
        for r in part():
            results.append(asdict(r))
            bound = "" if r.at_most is None else f"{r.at_most:.3g}"
            print(
                f"| {r.what} | {r.peer} | {r.ours_ms:.3g} | {r.peer_ms:.3g} | {r.ratio:.3f} | "
                f"{bound} |",
                flush=True,
            )
    used = dict(memory())
    print("\nPeak extra memory at 4096², in images (at most 3):")
    for what, images in used.items():
        print(f"- {what}: {images:.2f}")
    print("\n" + ", ".join(f"{name} {found}" for name, found in machine().items()))
    if given.json:
        content = {"machine": machine(), "results": results, "memory": used}
        given.json.write_text(json.dumps(content, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
