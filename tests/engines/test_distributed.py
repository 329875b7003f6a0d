"""Several processes over gloo are one process with the whole batch."""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from medaug.engines import local_device, on_first_rank, start_distributed, stop_distributed

from ..launch import python
from .test_killed import assert_same_run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no fork")


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[int]], str]:
    """What `tests.engines.ranks` left, its exit codes, and its messages."""
    folder = tmp_path_factory.mktemp("ranks")
    done = python("-m", "tests.engines.ranks", folder)
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout.splitlines()[-1]), done.stderr


def left(folder: Path, name: str) -> Any:
    return torch.load(folder / f"{name}.pt", weights_only=True)


def test_two_ranks_are_one_process_with_the_whole_batch(ranks: Any) -> None:
    """Every figure of every iteration and the final weights, to float32's precision."""
    folder, codes, _ = ranks
    assert codes["one"] + codes["two"] == [0, 0, 0]
    tables = []
    for name in ("one", "two"):
        with (folder / name / "iterations.csv").open(newline="") as file:
            tables.append(list(csv.DictReader(file)))
    assert len(tables[0]) == len(tables[1]) == 6
    for one, two in zip(*tables, strict=True):
        assert one.keys() == two.keys()
        for name, value in one.items():
            assert (value == "") == (two[name] == "")
            assert float(value or 0) == pytest.approx(float(two[name] or 0), rel=1e-5), name
    one, two = left(folder, "one_rank0"), left(folder, "two_rank0")
    torch.testing.assert_close(one["weights"], two["weights"], rtol=1e-5, atol=1e-6)


def test_ranks_have_the_same_weights(ranks: Any) -> None:
    """Bit for bit, though each had drawn its own to begin with."""
    folder, _, _ = ranks
    assert torch.equal(*(left(folder, f"two_rank{rank}")["weights"] for rank in range(2)))


def test_sigterm_to_one_rank_stops_both_and_they_go_on(ranks: Any) -> None:
    """After the same iteration, with a checkpoint, from which the same run comes."""
    folder, codes, _ = ranks
    assert codes["stopped"] == codes["gone on"] == [0, 0]
    assert [left(folder, f"halfway_rank{rank}")["iteration"] for rank in range(2)] == [2, 2]
    assert_same_run(folder / "two", folder / "stopped")
    for rank in range(2):
        ours = left(folder, f"stopped_rank{rank}")["weights"]
        assert torch.equal(ours, left(folder, "two_rank0")["weights"])


def test_only_the_first_rank_tells(ranks: Any) -> None:
    """Of the stop, and of a checkpoint that is refused, on which both end."""
    _, codes, messages = ranks
    assert messages.count("stopped after iteration 2 of 6") == 1
    assert codes["refused"] == [1, 1]
    assert messages.count("batch size was 8 there, got 4") == 1
    assert "Traceback" not in messages


def test_alone_there_is_nothing_to_join(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without torchrun the same configuration is one process."""
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    start_distributed()
    stop_distributed()
    assert not torch.distributed.is_initialized()
    assert on_first_rank(lambda: 5) == 5
    assert local_device().type in ("cpu", "cuda")
