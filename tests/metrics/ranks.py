"""Metrics on one and on two ranks over gloo: ``python -m tests.metrics.ranks FOLDER``."""

import json
import sys
from functools import partial
from pathlib import Path

import numpy as np
import torch
from ignite import distributed as idist
from ignite.engine import Engine

from medaug.metrics import (
    AccumulatedMetric,
    authenticity,
    coverage,
    frechet,
    inception_score,
    kid,
    mifid,
    msssim_all_pairs,
    nearest,
    prdc,
    psnr,
    ssim,
    vendi,
)

from ..launch import ranks
from .vectors import features

COUNT, BATCH, WIDTH, SIDE = 55, 12, 40, 16
"""Five batches, the last one short: one rank has three of them, the other two."""

PAIRS = {
    "frechet": frechet,
    "kid": lambda real, synthetic: tuple(kid(real, synthetic)),
    "prdc": lambda real, synthetic: tuple(prdc(real, synthetic)),
    "coverage": coverage,
    "nearest": lambda real, synthetic: nearest(synthetic, real).distances.mean(),
    "authenticity": authenticity,
    "mifid": mifid,
}
SINGLE = {"vendi": vendi, "inception_score": inception_score}
IMAGES = {
    "ssim": lambda first, second: float(ssim(first, second).mean()),
    "psnr": lambda first, second: float(psnr(first, second).mean()),
    "msssim": lambda first, _: msssim_all_pairs(first).mean,
}


def batches():
    """All that the ranks share out among them."""
    real = torch.from_numpy(features(COUNT, WIDTH)).float()
    synthetic = torch.from_numpy(features(COUNT, WIDTH, seed=1, shift=0.1)).float()
    images = torch.rand(2, COUNT, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    for start in range(0, COUNT, BATCH):
        rows = slice(start, start + BATCH)
        yield {
            # of two ranks, one gets no real vectors at all
            "vectors": (real[rows] if start % (2 * BATCH) == 0 else None, synthetic[rows]),
            "vendi": synthetic[rows],
            "inception_score": synthetic[rows].softmax(dim=1),
            "images": (images[0, rows], images[1, rows]),
        }


def evaluated():
    """All metrics, of this rank's share of the batches."""
    evaluator = Engine(lambda _, batch: batch)
    metrics = {name: (figure, "vectors") for name, figure in PAIRS.items()}
    metrics |= {name: (figure, name) for name, figure in SINGLE.items()}
    metrics |= {name: (figure, "images") for name, figure in IMAGES.items()}
    for name, (figure, key) in metrics.items():
        metric = AccumulatedMetric(figure, output_transform=lambda batch, key=key: batch[key])
        metric.attach(evaluator, name)
    rank, world = idist.get_rank(), idist.get_world_size()
    state = evaluator.run([batch for i, batch in enumerate(batches()) if i % world == rank])
    return {name: np.ravel(value).tolist() for name, value in state.metrics.items()}


def write_evaluated(folder):
    """As one of several ranks."""
    idist.initialize("gloo")
    name = f"rank_{idist.get_rank()}_of_{idist.get_world_size()}.json"
    (folder / name).write_text(json.dumps(evaluated()), encoding="utf-8")
    idist.finalize()


def main(folder):
    for world in (1, 2):
        codes = ranks(world, partial(write_evaluated, folder))
        if any(codes):
            sys.exit(f"{world} ranks ended with {codes}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
