"""Reads files in another process, which may crash, hang or ask for too much memory.

Two such processes read every file. malloc() fills what it hands out with one byte in the first and
another in the second (glibc's MALLOC_PERTURB_), and each has read a different marked patient
before. Pixels that come from the file are the same in both; pixels of another file, or of memory
that nobody wrote to, are not.
"""

import importlib
import os
import pickle
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).parents[2]
MEMORY, SECONDS = 2**30, 10.0
FILLS = (0x55, 0xAA)  # what the two processes find in fresh memory is the complement


@dataclass
class Job:
    """One file for one reader, within limits."""

    path: str
    reader: str
    before: tuple[str, ...] = ()
    memory: int = MEMORY
    seconds: float = SECONDS


@dataclass
class Outcome:
    """What became of it.

    Attributes:
        status: pixels, refused (UnreadableImageError), error (anything else raised), crash, hang,
            memory (asked for more than its limit, whether or not that was caught), or foreign
            (the two processes don't agree).
        pixels: what the reader gave.
        text: repr of the metadata, or the error.
        warnings: Python's.
        printed: what appeared on stdout and stderr, logs included.
        seconds: wall time.
        growth: the most bytes of resident memory above what there was before.
    """

    status: str
    pixels: NDArray[Any] | None = None
    text: str = ""
    warnings: list[str] = field(default_factory=list)
    printed: str = ""
    seconds: float = 0.0
    growth: int = 0


@cache
def reader_of(name: str) -> Any:
    """A reader from ``module:Class`` or ``module:Class?option=value&…`` (values are Python's)."""
    target, _, query = name.partition("?")
    module, _, attribute = target.partition(":")
    options = dict(pair.split("=") for pair in query.split("&") if pair)
    named = {
        key: {"True": True, "False": False}.get(value, value) for key, value in options.items()
    }
    return getattr(importlib.import_module(module), attribute)(**named)


class _Process:
    """One template and its current worker."""

    def __init__(self, fill: int, readers: tuple[str, ...]) -> None:
        (child_in, ours_out), (ours_in, child_out) = os.pipe(), os.pipe()
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.child", str(child_in), str(child_out), *readers],
            cwd=ROOT,
            env=os.environ | threads | {"MALLOC_PERTURB_": str(fill)},
            stdin=subprocess.DEVNULL,
            pass_fds=(child_in, child_out),
        )
        os.close(child_in)
        os.close(child_out)
        self._requests, self._replies = Connection(ours_out), Connection(ours_in)

    def wait_until_ready(self) -> None:
        self._replies.recv_bytes()

    def ask(self, job: Job) -> None:
        self._requests.send(job)

    def answer(self) -> Outcome:
        outcome = pickle.loads(self._replies.recv_bytes())
        assert isinstance(outcome, Outcome)
        return outcome

    def close(self) -> None:
        self._requests.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._replies.close()


class Watcher:
    """Runs readers over files; use as a context manager.

    Args:
        readers: names for `reader_of`; imported before the first file.
    """

    def __init__(self, *readers: str) -> None:
        self._processes = [_Process(fill, readers) for fill in FILLS]

    def __enter__(self) -> Self:
        for process in self._processes:
            process.wait_until_ready()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for process in self._processes:
            process.close()

    def read(
        self,
        path: Path,
        reader: str,
        *,
        before: tuple[Path, ...] = (),
        memory: int = MEMORY,
        seconds: float = SECONDS,
    ) -> Outcome:
        """Read one file in both processes.

        Args:
            path: the file or folder.
            reader: one of the names given to the constructor.
            before: two marked patients' files, one for each process, read first.
            memory: bytes that may be taken.
            seconds: wall time that may pass.
        """
        jobs = [
            Job(str(path), reader, (str(before[number]),) if before else (), memory, seconds)
            for number in range(len(FILLS))
        ]
        outcome = self._ask(jobs)
        # a machine that does other things may be late once
        return self._ask(jobs) if outcome.status == "hang" else outcome

    def _ask(self, jobs: list[Job]) -> Outcome:
        for process, job in zip(self._processes, jobs, strict=True):
            process.ask(job)
        first, second = (process.answer() for process in self._processes)
        return _agree(first, second)


def _agree(first: Outcome, second: Outcome) -> Outcome:
    """The worse of the two outcomes; foreign where pixels or metadata differ."""
    for outcome in (first, second):
        if outcome.status not in ("pixels", "refused"):
            return outcome
    same = first.status == second.status
    if same and first.pixels is not None and second.pixels is not None:
        same = first.text == second.text and np.array_equal(
            first.pixels, second.pixels, equal_nan=True
        )
    if not same:
        return Outcome("foreign", first.pixels, f"{first.text[:300]} | {second.text[:300]}")
    return first
