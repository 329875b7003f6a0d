"""`import medaug` costs next to nothing."""

import json
import subprocess
import sys

import pytest

import medaug

MEASURE = """
import json, sys, time
start = time.perf_counter()
import medaug
seconds = time.perf_counter() - start
heavy = [name for name in ("torch", "monai", "numpy", "ignite", "pydicom") if name in sys.modules]
print(json.dumps([seconds, heavy]))
"""


def test_import_is_quick_and_loads_nothing_heavy() -> None:
    """Below 0.3 s, the best of three; neither torch nor MONAI nor NumPy."""
    results = [
        json.loads(subprocess.check_output([sys.executable, "-c", MEASURE], text=True, timeout=60))
        for _ in range(3)
    ]
    assert min(seconds for seconds, _ in results) < 0.3
    assert [heavy for _, heavy in results] == [[], [], []]


def test_packages_load_when_used() -> None:
    """An attribute of medaug is the package, without an import of its own."""
    command = "import medaug; print(medaug.errors.UserError.__name__, medaug.metrics.__name__)"
    output = subprocess.check_output([sys.executable, "-c", command], text=True, timeout=60)
    assert output.split() == ["UserError", "medaug.metrics"]


def test_an_unknown_name_is_refused_with_what_there_is() -> None:
    """As Python's own message, and the list."""
    with pytest.raises(
        AttributeError, match=r"module 'medaug' has no attribute 'nonsense'; it has \['bundle', "
    ):
        medaug.nonsense  # noqa: B018  # the look-up is the test
    assert not hasattr(medaug, "__path_to_nowhere__")


def test_dir_shows_the_packages() -> None:
    """For completion in a notebook."""
    assert set(medaug.__all__) | {"__version__"} == set(dir(medaug))
