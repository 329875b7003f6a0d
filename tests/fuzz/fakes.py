"""Readers with one fault each, which `watch` must notice."""

import ctypes
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from medaug.errors import UnreadableImageError

Result = tuple[Any, dict[str, Any]]


class Good:
    """The file's bytes, as a row of pixels."""

    def get_data(self, path: str) -> Result:
        return np.frombuffer(Path(path).read_bytes(), np.uint8).astype(np.float32), {}


class Crashes:
    """Reads from address 0."""

    def get_data(self, path: str) -> Result:
        ctypes.string_at(0)
        raise AssertionError


class Hangs:
    """Goes on for ever."""

    def get_data(self, path: str) -> Result:
        while True:
            pass


class Greedy(Good):
    """Takes 256 MiB and gives them back."""

    def get_data(self, path: str) -> Result:
        np.ones(2**28, np.uint8)
        return super().get_data(path)


class Bluffs(Good):
    """Asks for 1 TiB, and calls the file unreadable when that fails."""

    def get_data(self, path: str) -> Result:
        try:
            np.ones(2**40, np.uint8)
        except MemoryError as error:
            raise UnreadableImageError("no") from error
        return super().get_data(path)


class Leaks:
    """Gives more pixels than the file has."""

    size = 100_000

    def get_data(self, path: str) -> Result:
        pixels = np.empty(self.size, np.uint8)
        data = np.frombuffer(Path(path).read_bytes(), np.uint8)
        pixels[: data.size] = data
        return pixels.astype(np.float32), {}


class LeaksLittle(Leaks):
    """So few that NumPy gives out memory of its own."""

    size = 300


class LeaksMuch(Leaks):
    """So many that the memory comes from the system."""

    size = 2**26


class Raises:
    """Not our error."""

    def get_data(self, path: str) -> Result:
        raise StopIteration


class Refuses:
    """Our error."""

    def get_data(self, path: str) -> Result:
        raise UnreadableImageError(f"{path}: no")


class Storms(Good):
    """Warns a hundred times, and prints."""

    def get_data(self, path: str) -> Result:
        for number in range(100):
            warnings.warn(f"look at {number}", stacklevel=1)
        sys.stderr.write("x" * 5000)
        return super().get_data(path)


class Tells(Good):
    """Puts the patient's name into the metadata."""

    def get_data(self, path: str) -> Result:
        return super().get_data(path)[0], {"name": "PLANTED^PATIENT"}
