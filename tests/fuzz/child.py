"""The reading end of `watch.Watcher`: a template that forks workers, one after another.

The worker may crash, hang or be killed; the template then reports how and forks the next, which
costs milliseconds, since everything was imported before. Not imported by tests: run as a program.
"""

import contextlib
import logging
import os
import pickle
import resource
import signal
import sys
import tempfile
import time
import warnings
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from .watch import Job, Outcome, reader_of

_STAIN = np.full(1024, 255 - int(os.environ.get("MALLOC_PERTURB_", "0")), np.uint8)


def _memory(field: str) -> int:
    """Bytes of `VmRSS` (now), `VmHWM` (most, since the last reset) or `VmSize` of this process."""
    with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123  # 3 times a file
        for line in file:
            if line.startswith(field):
                return int(line.split()[1]) * 1024
    raise OSError(field)


def _reset_peak() -> None:
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:  # noqa: PTH123  # the same
        file.write("5")


def _stain_small_blocks() -> None:
    """NumPy keeps freed blocks below 1 KiB for itself, where malloc's filling can't reach."""
    blocks = [_STAIN[:size].copy() for size in range(1, 1024) for _ in range(4)]
    del blocks


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _attempt(job: Job) -> Outcome:
    """Read one file; whatever a reader raises becomes an `Outcome`."""
    reader = reader_of(job.reader)
    for path in job.before:
        with contextlib.suppress(Exception):  # a format that this reader doesn't take
            reader.get_data(path)
    _stain_small_blocks()
    _reset_peak()
    before, start = _memory("VmRSS"), time.perf_counter()
    resource.setrlimit(resource.RLIMIT_AS, (_memory("VmSize") + job.memory, resource.RLIM_INFINITY))
    outcome = Outcome("error")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            pixels, meta = reader.get_data(job.path)
            outcome = Outcome("pixels", pixels=np.asarray(pixels), text=repr(meta))
        except BaseException as error:  # StopIteration, SystemExit: all are wrong
            causes = _causes(error)
            refused = type(error).__name__ == "UnreadableImageError"
            outcome.status = "refused" if refused else "error"
            outcome.text = str(error) if refused else f"{type(error).__name__}: {error}"
            if any(isinstance(cause, MemoryError) for cause in causes):
                outcome.status = "memory"
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
    outcome.seconds = time.perf_counter() - start
    outcome.growth = _memory("VmHWM") - before
    if outcome.growth > job.memory:
        outcome.status = "memory"
    outcome.warnings = [f"{item.category.__name__}: {item.message}" for item in caught]
    return outcome


def _work(requests: Connection, replies: Connection) -> None:
    """Answer until the requests end, or die trying."""
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 1)
        os.dup2(printed.fileno(), 2)
        while True:
            try:
                job: Job = requests.recv()
            except EOFError:
                os._exit(0)
            os.ftruncate(printed.fileno(), 0)
            os.lseek(printed.fileno(), 0, os.SEEK_SET)
            # the default action ends the process even inside a C function that never returns
            signal.setitimer(signal.ITIMER_REAL, job.seconds)
            outcome = _attempt(job)
            signal.setitimer(signal.ITIMER_REAL, 0)
            sys.stdout.flush()
            sys.stderr.flush()
            outcome.printed = os.pread(printed.fileno(), 100_000, 0).decode("utf-8", "replace")
            replies.send_bytes(pickle.dumps(outcome))
            if outcome.status == "memory":
                os._exit(3)  # the next file gets a process of the usual size


def _serve(requests: Connection, replies: Connection) -> None:
    """Fork workers until one ends because there is nothing left to read."""
    while True:
        process = os.fork()
        if process == 0:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            try:
                _work(requests, replies)
            finally:
                os._exit(4)
        _, status = os.waitpid(process, 0)
        if os.WIFEXITED(status):
            if os.WEXITSTATUS(status) == 0:
                return
            if os.WEXITSTATUS(status) == 3:
                continue
            outcome = Outcome("crash", text=f"the process ended with {os.WEXITSTATUS(status)}")
        elif os.WTERMSIG(status) == signal.SIGALRM:
            outcome = Outcome("hang", text="no answer in time")
        else:
            outcome = Outcome("crash", text=f"killed by signal {os.WTERMSIG(status)}")
        replies.send_bytes(pickle.dumps(outcome))


def main(arguments: list[str]) -> Any:
    """Import what readers need, say so, and serve on the two pipes that were handed down."""
    requests, replies = (Connection(int(number)) for number in arguments[:2])
    logging.captureWarnings(False)
    for name in arguments[2:]:
        reader_of(name)
    replies.send_bytes(pickle.dumps(os.getpid()))
    _serve(requests, replies)


if __name__ == "__main__":
    main(sys.argv[1:])
