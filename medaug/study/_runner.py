"""Bundles run as processes of their own, one command each, which end when the study ends."""

import ast
import ctypes
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch

from .._cores import cores
from ..errors import UserError

GRACE = 120.0
"""Seconds that a training has to save itself."""
POLL = 0.5
"""Seconds between looks at a process."""
LINE = 300
"""Characters of a reason."""
MOST = 4
"""Runs at a time without a GPU: each holds its images and PyTorch in memory."""


class RunFailedError(UserError):
    """A bundle's run ended before its time."""


class Runner(Protocol):
    """Runs a bundle's configuration to its end.

    Attributes:
        lanes: how many runs it takes at a time.
    """

    lanes: int

    def __call__(self, config: Path, options: Mapping[str, Any], *, log: Path) -> None:
        """Run it.

        Args:
            config: of the bundle.
            options: overrides.
            log: takes what it says.

        Raises:
            RunFailedError: with the reason.
        """


class BundleRunner:
    """``python -m monai.bundle run --config_file CONFIG --key value …``.

    Args:
        tick: called again and again while something runs.
        lanes: variables of the environment, for each of the runs that go on at a time; by default
            `find_lanes` has them.
    """

    def __init__(
        self,
        tick: Callable[[], object] = lambda: None,
        lanes: Sequence[Mapping[str, str]] | None = None,
    ) -> None:
        self.tick = tick
        self.stop = threading.Event()
        self._free: queue.Queue[Mapping[str, str]] = queue.Queue()
        for lane in find_lanes() if lanes is None else lanes:
            self._free.put(lane)
        self.lanes = self._free.qsize()

    def __call__(self, config: Path, options: Mapping[str, Any], *, log: Path) -> None:
        """As `Runner`."""
        lane = self._free.get()
        try:
            self._run(config, options, log, lane)
        finally:
            self._free.put(lane)

    def _run(
        self, config: Path, options: Mapping[str, Any], log: Path, lane: Mapping[str, str]
    ) -> None:
        if self.stop.is_set():
            raise KeyboardInterrupt
        log.parent.mkdir(parents=True, exist_ok=True)
        begin = log.stat().st_size if log.exists() else 0
        with log.open("ab") as stream:
            process = subprocess.Popen(
                [sys.executable, *words(config, options)],
                stdout=stream,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=os.environ | lane,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )
            try:
                self._wait(process)
            finally:
                end(process)
        if process.returncode:
            raise RunFailedError(reason(log, begin, process.returncode))

    def _wait(self, process: "subprocess.Popen[bytes]") -> None:
        while True:
            if self.stop.is_set():
                raise KeyboardInterrupt
            try:
                process.wait(POLL)
            except subprocess.TimeoutExpired:
                self.tick()
            else:
                break
        if self.stop.is_set():  # what a signal has ended looks complete
            raise KeyboardInterrupt

    @contextmanager
    def stopping(self) -> Iterator[None]:
        """End what runs, and then the study, on SIGTERM and Ctrl-C."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGTERM, signal.SIGINT)
        before = {one: signal.signal(one, lambda *_: self.stop.set()) for one in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def find_lanes() -> list[dict[str, str]]:
    """What each of the runs that go on at a time may use: a GPU, or else a share of the cores.

    Without a GPU as many as there are cores, four at most: networks of a study on processors are
    small, and two of them side by side get through more than one with two threads.
    """
    count = torch.cuda.device_count()
    if count:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES") or ",".join(map(str, range(count)))
        return [{"CUDA_VISIBLE_DEVICES": name} for name in visible.split(",")[:count]]
    lanes = min(MOST, cores())
    return [{"OMP_NUM_THREADS": str(cores() // lanes)} for _ in range(lanes)]


def words(config: Path, options: Mapping[str, Any]) -> list[str]:
    """The command's words, after the Python."""
    flags = [word for key, value in options.items() for word in (f"--{key}", _word(value))]
    return ["-m", "monai.bundle", "run", "--config_file", str(config), *flags]


def _word(value: object) -> str:
    """What the command line makes the value of again."""
    if not isinstance(value, str):
        return repr(value)
    try:
        ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return value
    return repr(value)  # text that looks like a number


def end(process: "subprocess.Popen[bytes]") -> None:
    """Let a process save itself, and end it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def reason(log: Path, begin: int, code: int) -> str:
    """Why a run failed, in one line: what medaug says, else the last thing that was said."""
    with log.open("rb") as stream:
        stream.seek(begin)
        text = stream.read().decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if code < 0:
        return f"ended by signal {-code} ({signal.Signals(-code).name})"
    ours = [line for line in lines if line.startswith("medaug: ")]
    last = (ours or lines or [f"ended with {code}"])[-1].removeprefix("medaug: ")
    return last if len(last) <= LINE else f"{last[:LINE]}…"


def _libc() -> Any:
    return ctypes.CDLL(None) if sys.platform == "linux" else None


_LIBC = _libc()
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _end_with_parent() -> None:
    """In the child: a study that is killed must leave no training behind it."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
