"""MS-SSIM over all pairs beside pytorch-msssim in its best form: one thread, as ratios.

    python -m tests.benchmarks.msssim [--json FILE] [--images 500] [--seconds 60]

A ratio is the peer's processor time for a pair by ours; above 1 we are faster. The peer takes
pairs, so that its forms differ in how many it is given at once, and whether they lie along the
batch, as its documentation has it, or along the channels, which it handles one by one as well, and
whether these come last in memory. Its window is made once, no gradients are kept, float32 is all
that there is, and freed memory stays with the process, which spares it most of its time in large
batches. Processor time, since the machine may be shared; all take turns. Our time is that of the
whole call; the peer's, which is the same for every pair, comes from some of them.
"""

import argparse
import itertools
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from medaug._memory import keep_freed_memory
from medaug.metrics import msssim_all_pairs

from .timing import machine

FORMS = ((128, 7, 0.95), (176, 11, 1.5))  # side, and the window and sigma that we have there
CHUNKS = (1, 16, 64, 128)
AT_LEAST = {(500, 128): 30}  # what the project promises, for so many images of that side


def images(number: int, side: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Smooth shapes with noise; half of them share one shape, the others nothing."""
    random = torch.Generator().manual_seed(0)
    coarse = torch.rand(number, 1, 6, 6, generator=random)
    coarse[::2] = 0.3 * coarse[::2] + 0.7 * coarse[:1]
    smooth = torch.nn.functional.interpolate(coarse, size=(side, side), mode="bicubic")
    noise = 0.03 * torch.randn(number, 1, side, side, generator=random)
    return (0.8 * smooth + 0.1 + noise).clamp(0, 1).to(dtype)


def peer(channels: int, window: int, sigma: float) -> Callable[[Tensor, Tensor], Tensor]:
    from pytorch_msssim import MS_SSIM

    made: Callable[[Tensor, Tensor], Tensor] = torch.inference_mode()(
        MS_SSIM(
            data_range=1.0,
            size_average=False,
            win_size=window,
            win_sigma=sigma,
            channel=channels,
        )
    )
    return made


def contenders(
    number: int, side: int, window: int, sigma: float
) -> dict[str, tuple[int, Callable[[], object]]]:
    """By name: how many pairs a call compares, and the call."""
    given = images(max(number, CHUNKS[-1] + 1), side)
    found: dict[str, tuple[int, Callable[[], object]]] = {
        "medaug": (number * (number - 1) // 2, lambda: msssim_all_pairs(given[:number]))
    }
    for chunk in CHUNKS:
        batch = given[:1].repeat(chunk, 1, 1, 1), given[1 : chunk + 1].contiguous()
        wide = [part.transpose(0, 1).contiguous() for part in batch]
        last = [part.contiguous(memory_format=torch.channels_last) for part in wide]
        for name, pair in (("a batch of", batch), ("channels:", wide), ("channels last:", last)):
            run = peer(pair[0].shape[1], window, sigma)
            found[f"{name} {chunk}"] = chunk, partial(run, *pair)
    return found


def race(runs: dict[str, tuple[int, Callable[[], object]]], seconds: float) -> dict[str, float]:
    """Median processor seconds for a pair; each turn compares at least 32 pairs."""
    for _, run in runs.values():
        run()
    taken: dict[str, list[float]] = {name: [] for name in runs}
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(taken["medaug"]) < 3:
        for name, (pairs, run) in runs.items():
            again = max(1, 32 // pairs)
            start = time.process_time()
            for _ in range(again):
                run()
            taken[name].append((time.process_time() - start) / again / pairs)
    return {name: statistics.median(times) for name, times in taken.items()}


def difference(side: int, window: int, sigma: float) -> float:
    """The largest difference of an image's mean over its pairs, in float64.

    Some 1e-6, since the peer's window is of float32's precision.
    """
    run = peer(1, window, sigma)
    given = images(8, side, torch.float64)
    values = torch.zeros(8, 8, dtype=torch.float64)
    for i, j in itertools.combinations(range(8), 2):
        values[i, j] = values[j, i] = run(given[i : i + 1], given[j : j + 1])
    return float((msssim_all_pairs(given).image_means - values.sum(dim=1) / 7).abs().max())


def main() -> None:
    """Print a Markdown table, and write it as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60.0, help="for each of the two sizes")
    given = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    results = []
    print("| side | form | µs a pair | ratio |\n| --- | --- | --- | --- |")
    for side, window, sigma in FORMS:
        times = race(contenders(given.images, side, window, sigma), given.seconds)
        for name, taken in times.items():
            ratio = taken / times["medaug"]
            results.append({"side": side, "form": name, "µs": taken * 1e6, "ratio": ratio})
            print(f"| {side} | {name} | {taken * 1e6:.3g} | {ratio:.1f} |", flush=True)
        best = min(taken for name, taken in times.items() if name != "medaug") / times["medaug"]
        apart = difference(side, window, sigma)
        bound = AT_LEAST.get((given.images, side))
        results.append({"side": side, "form": "best", "ratio": best, "at_least": bound})
        results.append({"side": side, "form": "float64", "difference": apart})
        print(
            f"| {side} | the peer's best{f', at least {bound}' if bound else ''} | | {best:.1f} |\n"
            f"| {side} | largest difference, float64 | | {apart:.1e} |",
            flush=True,
        )
    if given.json:
        record = {"machine": machine("pytorch-msssim"), "images": given.images, "results": results}
        text = json.dumps(record, indent=2, ensure_ascii=False)
        given.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
