"""Other processes: a Python of its own, forks of this one, and ranks that work at once."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch

ROOT = Path(__file__).parents[1]
Job = Callable[[], object]


def python(
    *words: object,
    cwd: Path = ROOT,
    timeout: float = 200,
    env: Mapping[str, str] | None = None,
) -> "subprocess.CompletedProcess[str]":
    """``python WORDS``, and what it says; it may fail.

    Args:
        words: such as "-m", a module, and its arguments.
        cwd: folder to start in.
        timeout: in seconds.
        env: all variables; None is those of this process.
    """
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def fork(job: Job) -> int:
    """Do the job in a child; returns its id."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setsid()  # a group of its own, as a scheduler's and a terminal's
            job()
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    return child


def exit_code(child: int) -> int:
    """Wait for a child; below 0, the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def ranks(world: int, job: Job) -> list[int]:
    """Exit codes of forks that do the job at once, with the variables that torchrun sets.

    torchrun itself takes twice as long to import; the tests of torchrun are marked slow.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = [fork(partial(_rank, rank, world, port, job)) for rank in range(world)]
    return [exit_code(child) for child in children]


def _rank(rank: int, world: int, port: int, job: Job) -> None:
    torch.set_num_threads(1)
    os.environ |= {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(world),
    }
    job()
