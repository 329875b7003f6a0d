"""The classifier's engine beside a bare PyTorch loop: the same network, loss and batches.

    python -m tests.benchmarks.classifier [--json FILE] [--device cuda] [--seconds 100]

A ratio is CPU seconds (on a GPU, wall-clock seconds), the engine's by the bare loop's: 1.03 is an
overhead of 3 %. The bare loop is what a tutorial has, and logs each step's loss and accuracy as the
engine does; both clip gradients and step the same schedule. They run an epoch each in turns, and
the medians are compared; of five such pairs the median ratio counts. Set OMP_NUM_THREADS=1 where
other programs are running.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from medaug.engines import ClassifierTrainer, WarmupCosine
from medaug.networks import image_classifier

from .timing import CLASSES, STEPS, Batches, machine, race

PAIRS = 5
SUMMIT = 10_000
"""Steps of the schedule: more than will be taken."""
NETWORKS: tuple[tuple[str, str, int, dict[str, int]], ...] = (
    (
        "the bundle's default",
        "vit_tiny_patch16_224",
        64,
        {"patch_size": 16, "embed_dim": 128, "depth": 4, "num_heads": 4},
    ),
    ("ViT-Tiny", "vit_tiny_patch16_224", 64, {"patch_size": 16}),
)


class Ratios(NamedTuple):
    """Milliseconds a step of the bare loop, the median ratio, and that of each pair, sorted."""

    bare_ms: float
    ratio: float
    pairs: list[float]


def parts(
    name: str, size: int, options: dict[str, int], device: str
) -> tuple[nn.Module, torch.optim.Optimizer, WarmupCosine]:
    """The same network each time, and what moves it."""
    torch.manual_seed(0)
    network = image_classifier(name, num_classes=CLASSES, image_size=size, **options).to(device)
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3, weight_decay=0.05, fused=True)
    return network.train(), optimizer, WarmupCosine(optimizer, SUMMIT)


def bare_loop(name: str, size: int, options: dict[str, int], device: str) -> Callable[[], None]:
    """What somebody would write in ten minutes."""
    network, optimizer, schedule = parts(name, size, options, device)
    criterion, batches = nn.CrossEntropyLoss(label_smoothing=0.1), Batches(size)

    def run() -> None:
        for batch in batches:
            image, label = batch["image"].to(device), batch["label"].to(device)
            optimizer.zero_grad()
            logits = network(image)
            loss = criterion(logits, label)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            (logits.argmax(1) == label).float().mean().item(), loss.item()

    return run


def engine(name: str, size: int, options: dict[str, int], device: str) -> Callable[[], None]:
    """One more epoch of the engine."""
    network, optimizer, schedule = parts(name, size, options, device)
    trainer = ClassifierTrainer(
        device=device,
        max_epochs=0,
        train_data_loader=Batches(size),
        network=network,
        optimizer=optimizer,
        loss_function=nn.CrossEntropyLoss(label_smoothing=0.1),
        clip_norm=1.0,
        schedulers=[schedule],
    )

    def run() -> None:
        trainer.state.max_epochs += 1
        trainer.run()

    return run


def ratios(name: str, size: int, options: dict[str, int], given: argparse.Namespace) -> Ratios:
    """Of several pairs, each newly built: where memory lies moves a pair by some per cent."""
    clock = time.process_time if given.device == "cpu" else time.perf_counter
    found = []
    for number in range(PAIRS):
        order = (bare_loop, engine) if number % 2 else (engine, bare_loop)
        pair = [build(name, size, options, given.device) for build in order]
        times = dict(
            zip(order, race(*pair, seconds=given.seconds / PAIRS, clock=clock), strict=True)
        )
        found.append((times[bare_loop], times[engine] / times[bare_loop]))
    bare, several = (sorted(values) for values in zip(*found, strict=True))
    return Ratios(statistics.median(bare) / STEPS * 1e3, statistics.median(several), several)


def main() -> None:
    """Print the table, and write it as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seconds", type=float, default=100.0)
    given = parser.parse_args()
    results = []
    for what, name, size, options in NETWORKS:
        found = ratios(name, size, options, given)
        results.append({"what": what, "size": size, **found._asdict()})
        print(
            f"{what:<21} {size:>4} px {found.bare_ms:>8.1f} ms/step bare {found.ratio:>7.3f} "
            f"({found.pairs[0]:.3f} to {found.pairs[-1]:.3f})"
        )
    if given.json:
        record = {"machine": machine("timm"), "threads": torch.get_num_threads()}
        record["results"] = results
        given.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
