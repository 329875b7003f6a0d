"""Figures over vectors beside the peers': the same features, in turns, as ratios.

    python -m tests.benchmarks.metrics [--json FILE] [--large]

A ratio is the peer's time by ours; above 1 we are faster. Times are CPU seconds of one thread, the
least of some turns, so that what else the machine does hardly counts. Features are 2,048 floats,
as the Inception network's are; from features to figure. `--large` is n = 5,000 in one turn, MONAI's
distance with it, and takes minutes. MONAI's needs SciPy below 1.18, and is absent with a later one.
"""

import argparse
import contextlib
import io
import json
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from medaug.metrics import (
    frechet,
    frechet_resamples,
    frechet_statistics,
    kid,
    prdc,
    psnr,
    ssim,
    vendi,
)

from .timing import machine

WIDTH = 2048
PEERS = ("scipy", "torch-fidelity", "torchmetrics", "prdc")
Times = dict[str, float]
Pair = tuple[Tensor, Tensor]


def features(count: int) -> Pair:
    """Correlated, with some strong directions and many weak ones, cut at 0."""
    mix = np.random.default_rng(0).normal(size=(WIDTH, WIDTH)) / np.sqrt(WIDTH)
    mix *= np.exp(-np.arange(WIDTH) / 300)[:, None]
    drawn = np.random.default_rng(1).normal(size=(2, count, WIDTH)) @ mix
    real, synthetic = torch.from_numpy(np.maximum(drawn + 0.1, 0)).float()
    return real, synthetic


def turns(rounds: int, **contenders: Callable[[], object]) -> Times:
    """Each one's least CPU seconds; `timing.race` would have seven rounds, of a minute each."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            start = time.process_time()
            run()
            taken[name].append(time.process_time() - start)
    return {name: min(times) for name, times in taken.items()}


def torch_fidelity_fid(real: Tensor, synthetic: Tensor) -> float:
    from torch_fidelity import metric_fid

    moments = [metric_fid.fid_features_to_statistics(vectors) for vectors in (real, synthetic)]
    return metric_fid.fid_statistics_to_metric(*moments, False)["frechet_inception_distance"]


def monai_fid(real: Tensor, synthetic: Tensor) -> float:
    from monai.metrics.fid import get_fid_score

    return float(get_fid_score(synthetic, real))


def torch_fidelity_kid(real: Tensor, synthetic: Tensor) -> object:
    """Ten of its hundred subsets, of all there are, as for lack of more."""
    from torch_fidelity import metric_kid

    return metric_kid.kid_features_to_metric(
        real, synthetic, kid_subsets=10, kid_subset_size=len(real), kid_kernel="poly", verbose=False
    )


def authors_prdc(real: Tensor, synthetic: Tensor) -> object:
    from prdc import compute_prdc

    with contextlib.redirect_stdout(io.StringIO()):
        return compute_prdc(real.numpy(), synthetic.numpy(), nearest_k=5)


def torchmetrics_ssim(first: Tensor, second: Tensor) -> object:
    from torchmetrics.functional.image import structural_similarity_index_measure as theirs

    return theirs(first, second, data_range=1.0)


def small() -> dict[str, Times]:
    """What takes seconds."""
    few, some = features(500), features(1500)
    first, second = torch.rand(2, 500, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    torch_fidelity_fid(few[0][:5, :5], few[1][:5, :5])  # imports
    torchmetrics_ssim(first[:1], second[:1])
    return {
        "frechet n=500": turns(
            3,
            medaug=lambda: frechet(*few),
            torch_fidelity=lambda: torch_fidelity_fid(*few),
        ),
        "frechet n=1500": turns(
            1,
            medaug=lambda: frechet(*some),
            torch_fidelity=lambda: torch_fidelity_fid(*some),
        ),
        "100 resamples of frechet n=500": turns(2, medaug=lambda: frechet_resamples(*few)),
        "kid n=500": turns(
            2, medaug=lambda: kid(*few), torch_fidelity_tenth=lambda: torch_fidelity_kid(*few)
        ),
        "prdc n=500": turns(3, medaug=lambda: prdc(*few), prdc=lambda: authors_prdc(*few)),
        "vendi n=500": turns(3, medaug=lambda: vendi(few[0])),
        "ssim 500 of 64²": turns(
            3,
            medaug=lambda: ssim(first, second),
            torchmetrics=lambda: torchmetrics_ssim(first, second),
        ),
        "psnr 500 of 64²": turns(3, medaug=lambda: psnr(first, second)),
    }


def large() -> dict[str, Times]:
    """What takes minutes: one turn of each."""
    many, few = features(5000), features(500)
    ready = frechet_statistics(many[0])
    contenders: dict[str, Callable[[], object]] = {
        "medaug": lambda: frechet(*many),
        "torch_fidelity": lambda: torch_fidelity_fid(*many),
    }
    if tuple(map(int, version("scipy").split(".")[:2])) < (1, 18):
        monai_fid(few[0][:, :5], few[1][:, :5])  # imports
        contenders["monai"] = lambda: monai_fid(*many)
    return {
        "frechet n=5000": turns(1, **contenders),
        "frechet n=500, ready statistics of 5000": turns(2, medaug=lambda: frechet(ready, few[1])),
        "prdc n=5000": turns(1, medaug=lambda: prdc(*many)),
        "kid n=5000": turns(1, medaug=lambda: kid(*many)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", type=Path, help="where to write what was found")
    parser.add_argument("--large", action="store_true", help="n = 5,000, instead of n = 500")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # SciPy's, of what MONAI asks of it
    with threadpool_limits(1):
        found = large() if arguments.large else small()
    for name, times in found.items():
        ratios = {peer: round(t / times["medaug"], 2) for peer, t in times.items()}
        print(f"{name:40}  {times['medaug']:8.3f} s  ", {p: r for p, r in ratios.items() if r != 1})
    if arguments.json:
        report = {"machine": machine(*PEERS), "cpu_seconds": found}
        arguments.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
