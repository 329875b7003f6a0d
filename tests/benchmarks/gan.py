"""The GAN engine beside a bare PyTorch loop: the same networks, losses and images, as ratios.

    python -m tests.benchmarks.gan [--json FILE] [--device cuda] [--seconds 30]

A ratio is images a second, ours by the bare loop's; above 1 we are faster. The bare loop is what a
tutorial has: float32, PyTorch's default memory order, two Adam optimisers, an average of the
generator; no events, no checkpoints. `engine` is the engine with the same settings as the loop,
`best` with what the bundles have for speed: half precision where the processor computes in it, a
fused optimiser, and an allocator that keeps freed memory. Each runs in its own process, in turns.
"""

import argparse
import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from medaug._memory import keep_freed_memory
from medaug.engines import ACGANObjective, GanTrainer
from medaug.networks import ACGANDiscriminator, ACGANGenerator

from .timing import BATCH, CLASSES, STEPS, Batches, elsewhere, machine, race

LATENT, DECAY, WEIGHT = 100, 0.996, 0.1


def networks(size: int, device: str) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    generator = ACGANGenerator(image_size=size, num_classes=CLASSES, latent_dim=LATENT)
    discriminator = ACGANDiscriminator(image_size=size, num_classes=CLASSES)
    return generator.to(device), discriminator.to(device)


def adam(network: nn.Module, *, fused: bool = False) -> torch.optim.Optimizer:
    return torch.optim.Adam(network.parameters(), 2e-4, betas=(0.5, 0.99), fused=fused)


def bare_loop(size: int, device: str) -> Callable[[], None]:
    """What somebody would write in an afternoon."""
    generator, discriminator = networks(size, device)
    average = deepcopy(generator)
    g_optimizer, d_optimizer = adam(generator), adam(discriminator)
    batches = Batches(size)

    def run() -> None:
        for batch in batches:
            real, label = batch["image"].to(device), batch["label"].to(device)
            fake = generator(torch.randn(BATCH, LATENT, device=device), label)
            on_real, on_fake = discriminator(real), discriminator(fake.detach())
            d_loss = F.softplus(-on_real[0]).mean() + F.softplus(on_fake[0]).mean()
            classes = F.cross_entropy(on_real[1], label) + F.cross_entropy(on_fake[1], label)
            d_optimizer.zero_grad()
            (d_loss + WEIGHT * classes).backward()
            d_optimizer.step()
            on_fake = discriminator(fake)
            g_loss = F.softplus(-on_fake[0]).mean() + WEIGHT * F.cross_entropy(on_fake[1], label)
            g_optimizer.zero_grad()
            g_loss.backward()
            g_optimizer.step()
            with torch.no_grad():
                for mean, now in zip(average.parameters(), generator.parameters(), strict=True):
                    mean.lerp_(now, 1 - DECAY)
            d_loss.item(), g_loss.item()

    return run


def engine(size: int, device: str, best: bool) -> Callable[[], None]:
    """One epoch of the engine; `best` as the bundles have it."""
    if best:
        keep_freed_memory()
    generator, discriminator = networks(size, device)
    trainer = GanTrainer(
        device=device,
        max_epochs=0,
        train_data_loader=Batches(size),
        generator=generator,
        discriminator=discriminator,
        g_optimizer=adam(generator, fused=best),
        d_optimizer=adam(discriminator, fused=best),
        objective=ACGANObjective(class_weight=WEIGHT),
        latent_dim=LATENT,
        ema_decay=DECAY,
        amp=best,
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
    results = []
    for size in (64, 128):
        with (
            elsewhere(bare_loop, size, given.device) as bare,
            elsewhere(engine, size, given.device, False) as same,
            elsewhere(engine, size, given.device, True) as best,
        ):
            seconds = race(bare, same, best, seconds=given.seconds)
        names = ("bare loop", "engine", "best")
        for name, taken in zip(names, seconds, strict=True):
            speed = BATCH * STEPS / taken
            ratio = seconds[0] / taken
            results.append({"size": size, "what": name, "images/s": speed, "ratio": ratio})
            print(f"{size:>4} {name:<10} {speed:>9.1f} images/s {ratio:>6.2f}")
    if given.json:
        record = {"machine": machine(), "threads": torch.get_num_threads(), "results": results}
        given.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
