"""The watch notices every fault that it is there for, and goes on."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from . import fakes
from .campaign import Tally
from .watch import Watcher

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc; forks")

EXPECTED = {
    "Good": "right",
    "Crashes": "crash",
    "Hangs": "hang",
    "Greedy": "memory",
    "Bluffs": "memory",
    "Leaks": "foreign",
    "LeaksLittle": "foreign",
    "LeaksMuch": "foreign",
    "Raises": "error",
    "Refuses": "refused",
    "Storms": "noise",
    "Tells": "patient",
}


@pytest.fixture(scope="module")
def watcher() -> Iterator[Watcher]:
    with Watcher("tests.fuzz.fakes:Good") as started:
        yield started


@pytest.mark.parametrize(("reader", "status"), EXPECTED.items())
def test_each_fault_is_noticed(watcher: Watcher, tmp_path: Path, reader: str, status: str) -> None:
    """And the next file is read as if nothing had been."""
    file = tmp_path / "file"
    file.write_bytes(b"\1\2\3")
    memory = 2**29 if reader == "LeaksMuch" else 2**27
    outcome = watcher.read(file, f"tests.fuzz.fakes:{reader}", memory=memory, seconds=1)
    assert Tally().add("any", reader, "file", outcome) == status
    after = watcher.read(file, "tests.fuzz.fakes:Good")
    assert after.pixels is not None
    np.testing.assert_array_equal(after.pixels, [1, 2, 3])


def test_all_fakes_are_tried() -> None:
    """Every class of the module."""
    made = {name for name, value in vars(fakes).items() if isinstance(value, type)}
    assert made - {"Any", "Path", "Result", "UnreadableImageError"} == set(EXPECTED)


def test_wrong_pixels_are_counted(watcher: Watcher, tmp_path: Path) -> None:
    """What the judge said is in the table, and with the failures."""
    file = tmp_path / "file"
    file.write_bytes(b"\1")
    tally = Tally()
    outcome = watcher.read(file, "tests.fuzz.fakes:Good")
    assert tally.add("PNG", "m:Good", "one.png", outcome, "pixels are wrong") == "wrong"
    assert tally.failures == ["wrong: one.png [Good] pixels are wrong"]
    assert tally.table().splitlines()[-1].split() == [
        "all",
        "1",
        "0",
        "0",
        "0",
        "0",
        "0",
        "0",
        "1",
        "0",
        "0",
        "0",
    ]
