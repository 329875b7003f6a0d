"""Classic augmentation of a batch beside MONAI's transforms of single images, and kornia's.

    python -m tests.benchmarks.augment [--json FILE]

A ratio is CPU seconds, the peer's by ours, for 32 grey images: turned, shifted, stretched, and
shaded by a gamma. Set OMP_NUM_THREADS=1 where other programs are running.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import torch
from kornia.augmentation import AugmentationSequential, RandomAffine, RandomGamma
from monai.transforms import Compose, RandAdjustContrastd, RandAffined

from medaug.engines import ClassicAugment

from .timing import BATCH, machine, race

SIZES = (32, 64, 128, 224)


def ours(images: torch.Tensor) -> Callable[[], object]:
    """The batch at once."""
    augment = ClassicAugment()
    return lambda: augment(images, torch.rand(BATCH, augment.draws))


def monai(images: torch.Tensor) -> Callable[[], object]:
    """One image after another, and the batch that a loader makes of them."""
    side = images.shape[2]
    transform = Compose(
        [
            RandAffined(
                "image",
                prob=1.0,
                rotate_range=0.1,
                translate_range=[0.06 * side] * 2,
                scale_range=[0.1, 0.1],
                padding_mode="border",
            ),
            RandAdjustContrastd("image", prob=1.0, gamma=(0.7, 1.4)),
        ]
    )
    return lambda: torch.stack([transform({"image": image})["image"] for image in images])


def kornia(images: torch.Tensor) -> Callable[[], object]:
    """The batch at once, too; it stretches both axes alike."""
    augment = AugmentationSequential(
        RandomAffine(5.7, (0.06, 0.06), (0.9, 1.1), padding_mode="border", p=1.0),
        RandomGamma((0.7, 1.4), p=1.0),
        data_keys=["input"],
    )
    return lambda: augment(images)


def main() -> None:
    """Print the table, and write it as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    results = []
    for size in SIZES:
        images = torch.rand(BATCH, 1, size, size)
        contenders = [build(images) for build in (ours, monai, kornia)]
        first, second, third = race(*contenders, seconds=10.0, clock=time.process_time)
        row = {"size": size, "ms": first * 1e3, "monai": second / first, "kornia": third / first}
        results.append(row)
        print(f"{size:>4} px {row['ms']:>7.2f} ms   MONAI {row['monai']:>6.1f}   "
              f"kornia {row['kornia']:>5.2f}")  # fmt: skip
    if given.json:
        record = {"machine": machine(), "threads": torch.get_num_threads(), "results": results}
        given.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
