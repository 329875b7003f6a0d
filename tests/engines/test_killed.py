"""Killed by SIGKILL at any moment and taken up again, a run is the run that was never killed."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from medaug._files import load_tensors

from ..launch import python

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL, no fork")


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """The leaves of nested dictionaries and lists, by their paths."""
    if isinstance(value, dict):
        value = list(value.items())
    elif isinstance(value, list | tuple):
        value = list(enumerate(value))
    else:
        return {name: value}
    return {k: v for key, part in value for k, v in flat(part, f"{name}/{key}").items()}


def assert_same_run(one: Path, other: Path) -> None:
    """The model byte for byte; all of the last checkpoint; both tables; nothing left over."""
    for name in ("models/model.pt", "models/model.json", "metrics.csv", "iterations.csv"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    names = [sorted(path.name for path in run.rglob("*") if path.is_file()) for run in (one, other)]
    assert names[0] == names[1]
    last = max((one / "models").glob("resume_*.pt")).name
    states = [flat(load_tensors(run / "models" / last)) for run in (one, other)]
    assert states[0].keys() == states[1].keys()
    for name, value in states[0].items():
        same = torch.equal if isinstance(value, torch.Tensor) else lambda a, b: a == b
        assert same(value, states[1][name]), name


def killed(folder: Path, *, kills: int, epochs: int, workers: int) -> dict[str, Any]:
    """What `tests.engines.killed` did; all of its runs are compared."""
    done = python("-m", "tests.engines.killed", folder, kills, epochs, workers, timeout=550)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    for name in ("noticed", *(f"run_{number}" for number in range(report["runs"]))):
        assert_same_run(folder / "whole", folder / name)
    return report


def test_three_kills_and_a_notice(tmp_path: Path) -> None:
    """One of them within a save, at least; SIGTERM, to the loader's workers too, ends in peace."""
    report = killed(tmp_path, kills=3, epochs=8, workers=2)
    assert len(report["killed"]) == 3
    assert "save" in report["killed"]
    assert 3 <= report["stopped"] < 24


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 2])
def test_ten_kills(workers: int, tmp_path: Path) -> None:
    """With and without workers; several within a save."""
    report = killed(tmp_path, kills=10, epochs=40, workers=workers)
    assert len(report["killed"]) == 10
    assert report["killed"].count("save") >= 3
