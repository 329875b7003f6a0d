"""Frames of the cine generator from 64² to 4096²: seconds, frames a second, memory.

    python -m tests.benchmarks.cine frames [--json FILE] [--device cuda]
    python -m tests.benchmarks.cine files [--json FILE]
    python -m tests.benchmarks.cine step [--json FILE] [--device cuda]

`frames` makes one at each size, in float32 and in bfloat16; memory is what a call adds to the
loaded model. `files` writes 4096² sequences of 64 frames and says the most that each 16 of them
added. `step` takes one training step of the 4096² stage on a pair of frames: both networks, R1,
DTCR.
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from medaug.bundle import CineInferer, CineRequest
from medaug.data import CINE_FORMATS, Provenance, write_synthetic_cine
from medaug.engines import CineObjective, GanTrainer, Growth
from medaug.losses import R1Penalty, TemporalConsistencyLoss
from medaug.networks import (
    LADDER,
    CineDiscriminator,
    CineGenerator,
    ClipDiscriminator,
    FrameDiscriminator,
)

from ..shared import SHARED
from .timing import (
    extra_memory,
    forget_peak,
    machine,
    peak_memory,
    race,
    resident_memory,
)

TRAIN = Path(__file__).parents[2] / "bundles" / "hrgan_dtcr" / "configs" / "train.json"
BUNDLE = json.loads(TRAIN.read_text(encoding="utf-8"))["generator_options"]["channels"]
"""Of both networks of the bundle."""
FRAMES, EACH = 64, 16
"""Of the sequences that are written, and of those whose memory is looked at together."""
GIB = 2**30


def extra(run: Callable[[], object], device: str) -> int:
    """Bytes that a call adds."""
    if device == "cpu":
        return extra_memory(run)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    run()
    return torch.cuda.max_memory_allocated() - before


def frames(device: str) -> list[dict[str, Any]]:
    """A row for each size and set of channels."""
    rows = []
    for what, options in (("bundle", {"channels": BUNDLE}), ("network's default", {})):
        for size in LADDER:
            network = CineGenerator(resolution=size, **options).to(device).eval()
            latent = torch.randn(1, network.latent.in_features, device=device)
            phase = torch.zeros(1, 1, device=device)

            def single(
                kind: torch.dtype, network: Any = network, given: Any = (latent, phase)
            ) -> None:
                with torch.no_grad(), torch.autocast(device, kind, kind != torch.float32):
                    network(given[0], phase=given[1])
                if device == "cuda":
                    torch.cuda.synchronize()

            runs = [lambda kind=kind: single(kind) for kind in (torch.float32, torch.bfloat16)]
            seconds = race(*runs, seconds=6.0)
            memory = [extra(run, device) for run in runs]
            rows.append({"channels": what, "size": size, "seconds": seconds, "memory": memory})
            print(
                f"{what:<18}{size:>5} px "
                + " | ".join(
                    f"{name} {taken:.4f} s, {1 / taken:7.2f} frames/s, {used / GIB:.3f} GiB"
                    for name, taken, used in zip(
                        ("float32", "bfloat16"), seconds, memory, strict=True
                    )
                ),
                flush=True,
            )
    return rows


def files() -> list[dict[str, Any]]:
    """A row for each format."""
    network = CineGenerator(resolution=4096, channels=BUNDLE).eval()
    latent, modality = torch.randn(1, network.latent.in_features), torch.zeros(1, dtype=torch.int64)
    with torch.no_grad():
        network(latent, phase=torch.zeros(1, 1))  # to warm up
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("dicom", "nifti"):
            request = CineRequest(network, num_frames=FRAMES, format=name)
            path = Path(folder) / f"{name}{CINE_FORMATS[name]}"
            peaks: list[int] = []
            before = resident_memory()
            start = time.perf_counter()
            write_synthetic_cine(
                _watched(CineInferer(request)(latent, network, modality), peaks),
                path,
                Provenance("hrgan_dtcr", "0", "0" * 64, 0, 0, "mri"),
                format=name,
                frame_time=request.frame_time,
            )
            seconds = time.perf_counter() - start
            added, size = [peak - before for peak in peaks], path.stat().st_size
            rows.append({"format": name, "seconds": seconds, "memory": added, "bytes": size})
            print(
                f"{name:<6} {FRAMES} frames: {seconds:.1f} s, file of {size / GIB:.3f} GiB; "
                f"GiB in each {EACH}: {', '.join(f'{peak / GIB:.3f}' for peak in added)}",
                flush=True,
            )
    return rows


def _watched(frames: Iterator[Tensor], peaks: list[int]) -> Iterator[Tensor]:
    """The frames, and the peak of memory while each so many of them were made and written."""
    forget_peak()
    for number, frame in enumerate(frames, 1):
        yield frame
        if number % EACH == 0:
            peaks.append(peak_memory())
            forget_peak()
    peaks.append(peak_memory())  # what is left to do when all frames are made


class Pair:
    """One batch: two frames of one sequence."""

    batch_size = 1

    def __init__(self) -> None:
        random = torch.Generator().manual_seed(0)
        self.batch = {
            "image": torch.rand(1, 1, 2, LADDER[-1], LADDER[-1], generator=random),
            "modality": torch.zeros(1, dtype=torch.int64),
            "conditions": torch.zeros(1, 0),
            "phase": torch.tensor([[0.0, 0.05]]),
        }

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        return iter([self.batch])


def step(device: str) -> dict[str, Any]:
    """Seconds and bytes of one step in bfloat16, and of growing to 4096² before it."""
    options: dict[str, Any] = {"channels": BUNDLE}
    growth = Growth(
        [{"resolution": LADDER[-1], "images": 1, "batch_size": 1, "num_frames": 2}], epoch_length=1
    )
    generator = CineGenerator(**options).to(device)
    discriminator = CineDiscriminator(
        FrameDiscriminator(**options), ClipDiscriminator(window=2, **options)
    )
    discriminator.to(device)
    weights = SHARED / "weights" / "vgg16_features_imagenet_caffe_fp16.safetensors"
    trainer = GanTrainer(
        device=device,
        max_epochs=1,
        train_data_loader=Pair(),
        generator=generator,
        discriminator=discriminator,
        g_optimizer=torch.optim.Adam(generator.parameters(), 2e-4, betas=(0.5, 0.99)),
        d_optimizer=torch.optim.Adam(discriminator.parameters(), 2e-4, betas=(0.5, 0.99)),
        objective=CineObjective(growth=growth, temporal=TemporalConsistencyLoss(weights=weights)),
        penalties=[R1Penalty(gamma=5.0, every=1)],  # the first step isn't one in 16
        latent_dim=128,
        growth=growth,
        amp=True,
    )
    start = time.perf_counter()
    trainer.run()
    seconds = time.perf_counter() - start
    memory = torch.cuda.max_memory_allocated() if device == "cuda" else whole()
    figures = sorted(trainer.state.output)
    print(f"{seconds:.1f} s, {memory / GIB:.2f} GiB; {', '.join(figures)}")
    return {"seconds": seconds, "memory": memory, "figures": figures}


def whole() -> int:
    """Bytes that this process has had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Print what was asked for, and write it as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("what", choices=["frames", "files", "step"])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    results = {
        "frames": lambda: frames(given.device),
        "files": files,
        "step": lambda: [step(given.device)],
    }[given.what]()
    if given.json:
        record = {"machine": machine(), "threads": torch.get_num_threads(), "results": results}
        given.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
