"""What medaug promises to others: its public names."""

import importlib
from pathlib import Path

import pytest

import medaug

from .source import PACKAGE, modules, named, packages

INVENTORY = Path(__file__).with_name("public_names.txt")
PUBLIC_FILES = {"errors.py", "data/limits.py"}


def public_names() -> list[str]:
    """``package.name`` for every name in every `__all__`, sorted."""
    return sorted(
        f"{package}.{name}"
        for package in packages()
        for name in importlib.import_module(f"medaug.{package}").__all__
    )


def test_the_inventory_is_complete() -> None:
    """No public name comes or goes unnoticed."""
    written = INVENTORY.read_text(encoding="utf-8").splitlines()
    found = public_names()
    new, gone = sorted(set(found) - set(written)), sorted(set(written) - set(found))
    assert written == found, (
        f"the public names have changed. New: {new}. Gone: {gone}. If that is meant, write the "
        f"change into CHANGELOG.md, and make {INVENTORY.name} the same, sorted; a name that is "
        "gone breaks other people's code. If not: a name that is only for medaug itself belongs "
        "into a file behind _, and not into __all__"
    )


def place(name: str) -> tuple[bool, bool, str]:
    """Ruff's order (RUF022): constants, then classes, then functions."""
    return not name.isupper(), not name[0].isupper(), name


@pytest.mark.parametrize("package", packages())
def test_public_names_are_sorted_and_there(package: str) -> None:
    """`__all__` is sorted, names nothing twice, and each of its names can be imported."""
    module = importlib.import_module(f"medaug.{package}")
    assert list(module.__all__) == sorted(set(module.__all__), key=place)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
    assert [name for name in module.__all__ if name.startswith("_")] == []


@pytest.mark.parametrize("package", packages())
def test_packages_and_public_names_are_described(package: str) -> None:
    """Each package, and each public class and function, has a docstring of its own."""
    module = importlib.import_module(f"medaug.{package}")
    assert module.__doc__
    bare = [name for name in module.__all__ if not getattr(module, name).__doc__]
    assert bare == []


def test_the_package_lists_its_subpackages() -> None:
    """The package's own `__all__` is what is there."""
    assert sorted(medaug.__all__) == packages()
    assert medaug.__all__ == sorted(medaug.__all__)


def test_files_behind_packages_are_private() -> None:
    """A module and its function of one name would shadow each other."""
    places = [path.relative_to(PACKAGE) for path in modules()]
    public = {
        place.as_posix()
        for place in places
        if not any(part.startswith("_") for part in place.parts)
    }
    assert public == PUBLIC_FILES, f"{named(PACKAGE)}: these files or folders must start with _"
