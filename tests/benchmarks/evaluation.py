"""A whole evaluation of 500 generated beside 500 real radiographs, 64 × 64, timed.

    python -m tests.benchmarks.evaluation [--extractors domain,efficientnet_lite0]

Real images are those of `../shared/data/cxr`, half of the patients to train on, half held out; the
generated ones are held-out images with a little noise, which take as long as any others. Seconds by
the clock, with all processors: of the first evaluation, once the classifiers are trained, and of
the next one, for which the real side is cached.
"""

import argparse
import tempfile
import time
from pathlib import Path

import torch
from monai.transforms import Compose, Resized, ToTensord
from torch.nn import functional as F

from medaug.data import CachedDataset, ImageCollection, LoadRadiographd
from medaug.evaluation import Evaluator, LabelledImages
from medaug.evaluation._evaluator import JUDGE_SIDE
from medaug.features import domain

from ..shared import SHARED

COUNT, SIDE = 500, 64
AT_MOST = {"first": 90.0, "next": 50.0}
"""Seconds on two processors, as promised for these extractors."""


def sets(collection: ImageCollection) -> list[LabelledImages]:
    """Images to learn from, held-out and generated ones."""
    load = Compose(
        [
            LoadRadiographd("image"),
            Resized("image", (SIDE, SIDE), mode="area"),
            ToTensord("image", track_meta=False),
        ]
    )
    train, held_out = (
        LabelledImages.of(CachedDataset(part, load, seed=0), COUNT)
        for part in (collection.train, collection.test)
    )
    noise = 0.02 * torch.randn(held_out.images.shape, generator=torch.Generator().manual_seed(0))
    return [train, held_out, held_out._replace(images=(held_out.images + noise).clamp(0, 1))]


def main() -> None:
    """Print how long it took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--extractors", default="domain,efficientnet_lite0")
    extractors = parser.parse_args().extractors.split(",")
    collection = ImageCollection(
        SHARED / "data" / "cxr", seed=0, validation=0, test=0.5, progress=False
    )
    train, held_out, synthetic = sets(collection)
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)

        def evaluate() -> float:
            start = time.perf_counter()
            Evaluator(train, held_out, collection.classes, extractors=extractors, cache=cache)(
                synthetic
            )
            return time.perf_counter() - start

        for side in (SIDE, JUDGE_SIDE):
            seen = F.adaptive_avg_pool2d(train.images, side)
            domain(seen, train.labels, num_classes=len(collection.classes), cache_dir=cache)
        assert len(list(cache.iterdir())) == 2
        for name in AT_MOST:
            print(f"{name}: {evaluate():.1f} s (at most {AT_MOST[name]:.0f})", flush=True)
        assert len(list(cache.glob("domain*"))) == 4, "a classifier was trained meanwhile"


if __name__ == "__main__":
    main()
