"""The classifier's engine beside a bare PyTorch loop: the same network, loss and batches.

    python -m tests.benchmarks.classifier [--json FILE] [--device cuda] [--seconds 30]

A ratio is CPU seconds (on a GPU, wall-clock seconds), the engine's by the bare loop's: 1.03 is an
overhead of 3 %. The bare loop is what a tutorial has, and logs each step's loss and accuracy as the
engine does; both clip gradients and step the same schedule. Each runs one epoch in turns, and the
medians are compared. Set OMP_NUM_THREADS=1 where other programs are running.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from medaug.engines import ClassifierTrainer, WarmupCosine
from medaug.networks import image_classifier

from .timing import CLASSES, STEPS, Batches, machine, race

SUMMIT = 10_000
"""Steps of the schedule: more than will be taken."""
NETWORKS: tuple[tuple[str, str, int, dict[str, int]], ...] = (
    (
        "the bundle's default",
        "vit_tiny_patch16_224",
        64,
        {"patch_size": 16, "embed_dim": 128, "depth": 4, "num_heads": 4},
    ),
    ("ViT-Tiny", "vit_tiny_patch16_224", 64, {"patch_size": 8}),
)


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


def main() -> None:
    """Print the table, and write it as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seconds", type=float, default=30.0)
    given = parser.parse_args()
    clock = time.process_time if given.device == "cpu" else time.perf_counter
    results = []
    for what, name, size, options in NETWORKS:
        made = [build(name, size, options, given.device) for build in (bare_loop, engine)]
        bare, ours = race(*made, seconds=given.seconds, clock=clock)
        ratio = ours / bare
        results.append({"what": what, "size": size, "ms/step": bare / STEPS * 1e3, "ratio": ratio})
        print(f"{what:<21} {size:>4} px {bare / STEPS * 1e3:>8.1f} ms/step bare {ratio:>7.3f}")
    if given.json:
        record = {"machine": machine("timm"), "threads": torch.get_num_threads()}
        record["results"] = results
        given.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
