"""Interleaved timing, and on what it was done."""

import ctypes
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from torch import Tensor, multiprocessing

from medaug._versions import versions_of

BATCH, STEPS, CLASSES = 32, 8, 3
"""Of the batches that trainings are timed with."""
PACKAGES = ("numpy", "numba", "torch", "monai", "opencv-python-headless", "kornia", "scikit-image")


class Batches:
    """The same batch again and again: loading isn't what is measured."""

    batch_size = BATCH

    def __init__(self, size: int) -> None:
        random = torch.Generator().manual_seed(0)
        self.batch = {
            "image": torch.rand(BATCH, 1, size, size, generator=random),
            "label": torch.arange(BATCH) % CLASSES,
        }

    def __len__(self) -> int:
        return STEPS

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        return iter([self.batch] * STEPS)


def race(
    *contenders: Callable[[], object],
    seconds: float = 3.0,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """Return each contender's median seconds; they take turns, so that all share what disturbs."""
    for run in contenders:
        run()
        run()
    times: list[list[float]] = [[] for _ in contenders]
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times[0]) < 5:
        for run, taken in zip(contenders, times, strict=True):
            start = clock()
            run()
            taken.append(clock() - start)
    return [statistics.median(taken) for taken in times]


@contextmanager
def elsewhere(
    build: Callable[..., Callable[[], object]], *arguments: object
) -> Iterator[Callable[[], None]]:
    """A contender in its own process, for what a whole process shares, as its allocator.

    `build(*arguments)` is called there; both must be importable or picklable.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, build, arguments), daemon=True)
    process.start()

    def run() -> None:
        here.send(True)
        here.recv()

    yield run
    here.send(False)
    process.join()


def _serve(
    there: Connection, build: Callable[..., Callable[[], object]], arguments: tuple[object, ...]
) -> None:
    run = build(*arguments)
    while there.recv():
        run()
        there.send(None)


def extra_memory(run: Callable[[], object]) -> int:
    """Return how many bytes a call added to the peak of resident memory (Linux, glibc)."""
    run()
    before = resident_memory()
    forget_peak()
    result = run()
    peak = peak_memory()
    del result
    return peak - before


def resident_memory() -> int:
    """Bytes that this process has, without those that it has freed and still holds."""
    ctypes.CDLL(None).malloc_trim(0)
    return _status("VmRSS")


def forget_peak() -> None:
    """Let `peak_memory` begin anew."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_memory() -> int:
    """Bytes that this process has had at most since then."""
    return _status("VmHWM")


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def machine(*peers: str) -> dict[str, str]:
    """Return the processor and the versions, of these packages too, that a figure belongs to."""
    return {
        "processor": _processor(),
        "python": platform.python_version(),
        **versions_of((*PACKAGES, *peers)),
    }


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in text.splitlines() if "model name" in line]
    return f"{names[0]}, {len(names)} cores" if names else platform.machine()
