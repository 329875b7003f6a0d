"""Processes that run bundles, and the line that tells of them."""

import io
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from medaug.study import _runner
from medaug.study._progress import Progress, clock
from medaug.study._runner import BundleRunner, RunFailedError, find_lanes, words


@pytest.fixture
def code(monkeypatch):
    """Run some Python in the place of a bundle."""

    def use(text):
        monkeypatch.setattr(_runner, "words", lambda *_: ["-S", "-c", text])

    return use


def test_the_command_is_one_that_a_person_could_type():
    """Values come back from the command line as what they were."""
    options = {"seed": 3, "dataset_dir": "a b.json", "class_name": "0", "names": ["0", "x"]}
    assert words(Path("c.json"), options)[4:] == [
        "c.json",
        *("--seed", "3", "--dataset_dir", "a b.json", "--class_name", "'0'"),
        *("--names", "['0', 'x']"),
    ]


def test_a_failed_run_says_why(code, tmp_path):
    """The program's own line, else the last one; only of this run."""
    log = tmp_path / "new" / "log.txt"
    code("import sys; print('medaug: lr must be a number, got x'); print('bye'); sys.exit(1)")
    with pytest.raises(RunFailedError, match=r"^lr must be a number, got x$"):
        BundleRunner()(Path("c.json"), {}, log=log)
    code("raise KeyError('what')")
    with pytest.raises(RunFailedError, match=r"^KeyError: 'what'$"):
        BundleRunner()(Path("c.json"), {}, log=log)
    code("import os; os.kill(os.getpid(), 9)")
    with pytest.raises(RunFailedError, match=r"ended by signal 9 \(SIGKILL\)"):
        BundleRunner()(Path("c.json"), {}, log=log)


def test_each_run_has_a_lane_of_its_own(code, tmp_path):
    """As many run at a time as there are lanes, each with its GPU or its share of the cores."""
    code("import os, time; print(os.environ['LANE']); time.sleep(0.3)")
    runner = BundleRunner(lanes=[{"LANE": "a"}, {"LANE": "b"}])
    assert runner.lanes == 2
    logs = [tmp_path / f"{k}.txt" for k in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda log: runner(Path("c.json"), {}, log=log), logs))
    assert sorted(log.read_text() for log in logs) == ["a\n", "a\n", "b\n", "b\n"]


@pytest.mark.parametrize(
    ("gpus", "visible", "lanes"),
    [
        (1, None, [{"CUDA_VISIBLE_DEVICES": "0"}]),
        (2, "3,GPU-7", [{"CUDA_VISIBLE_DEVICES": "3"}, {"CUDA_VISIBLE_DEVICES": "GPU-7"}]),
        (0, None, [{"OMP_NUM_THREADS": "2"}] * 4),
    ],
)
def test_lanes_are_gpus_or_shares_of_the_cores(monkeypatch, gpus, visible, lanes):
    """Only those GPUs that the user left visible."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(_runner, "cores", lambda: 11)
    assert find_lanes() == lanes


def test_a_study_that_is_told_to_stop_ends_its_runs(code, tmp_path, monkeypatch):
    """SIGTERM goes on to the training, which saves itself; what it left isn't taken for done."""
    monkeypatch.setattr(_runner, "POLL", 0.05)
    code(
        "import signal, sys, time\n"
        "def stop(*_):\n    print('saved'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop); print('ready', flush=True); time.sleep(60)"
    )
    log, runner = tmp_path / "log.txt", BundleRunner()

    def ask():
        while not (log.exists() and "ready" in log.read_text()):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=ask).start()
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), runner.stopping():
        runner(Path("c.json"), {}, log=log)
    with pytest.raises(KeyboardInterrupt):  # what waits for its turn isn't begun
        runner(Path("c.json"), {}, log=log)
    assert log.read_text() == "ready\nsaved\n"
    assert signal.getsignal(signal.SIGTERM) is before


class Terminal(io.StringIO):
    """One line, written over."""

    def isatty(self):
        return True


def test_the_line_counts_and_guesses():
    """The rest is as much too long as what was done."""
    stream = Terminal()
    progress = Progress(stream)
    progress.plan({"a": 10.0, "b": 20.0, "c": 30.0})
    progress._guessed, progress._taken = 10.0, 20.0  # twice as long as guessed
    assert progress.seconds_left() == pytest.approx(120)
    with progress.doing("a"):
        assert "0 of 3 done; a; " in progress.line()
    progress.drop("b")
    assert progress.line().startswith("study: 2 of 3 done; reading and scoring; 0:00:0")
    assert stream.getvalue().count("\n") == 0
    progress.end()
    assert stream.getvalue().endswith("\n")
    assert clock(3723) == "1:02:03"


def test_a_log_is_not_flooded():
    """Where there is no terminal, a line when something changes or a minute has gone."""
    stream = io.StringIO()
    progress = Progress(stream)
    for _ in range(50):
        progress.tick()
    assert stream.getvalue().count("\n") == 1
