"""A classifier on several processes is one with the whole batch."""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from ..launch import python
from .test_killed import assert_same_run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no fork")


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `tests.engines.classifier_ranks` left."""
    folder = tmp_path_factory.mktemp("ranks")
    done = python("-m", "tests.engines.classifier_ranks", folder)
    assert done.returncode == 0, done.stderr
    codes = json.loads(done.stdout.splitlines()[-1])
    assert codes == {"one": [0], "two": [0, 0], "stopped": [0, 0]}, done.stderr
    return folder


def left(folder: Path, name: str) -> Any:
    return torch.load(folder / f"{name}.pt", weights_only=True)


def test_two_ranks_are_one_with_the_whole_batch(ranks: Path) -> None:
    """Every figure, validation's too, the weights and the best epoch."""
    for file in ("iterations.csv", "metrics.csv"):
        tables = []
        for name in ("one", "two"):
            with (ranks / name / file).open(newline="") as content:
                tables.append(list(csv.DictReader(content)))
        assert len(tables[0]) == len(tables[1]) > 0
        for one, two in zip(*tables, strict=True):
            assert one.keys() == two.keys()
            for key, value in one.items():
                assert float(value) == pytest.approx(float(two[key]), rel=1e-4, abs=1e-6), key
    one, *two = (left(ranks, name) for name in ("one_rank0", "two_rank0", "two_rank1"))
    torch.testing.assert_close(one["weights"], two[0]["weights"], rtol=1e-4, atol=1e-5)
    assert torch.equal(two[0]["weights"], two[1]["weights"])
    assert one["best"] == two[0]["best"] == two[1]["best"] > 0


def test_a_stop_of_one_rank_costs_nothing(ranks: Path) -> None:
    """Both stop, go on, and end as the undisturbed run."""
    for path in (ranks / "stopped" / "models").glob("resume_000000005.pt"):
        path.unlink()
    assert_same_run(ranks / "two", ranks / "stopped")
    for rank in range(2):
        ours, theirs = (left(ranks, f"{name}_rank{rank}") for name in ("stopped", "two"))
        assert torch.equal(ours["weights"], theirs["weights"])
        assert (ours["best"], ours["epoch"]) == (theirs["best"], theirs["epoch"])
