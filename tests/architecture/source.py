"""The repository's own source, for the tests that look at its shape."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "medaug"
CONFIGS = sorted(
    path
    for folder in ("bundles", "transforms")
    for path in (ROOT / folder).glob("*/configs/*.json")
    if path.name != "metadata.json"
)
METADATA = sorted(
    path
    for folder in ("bundles", "transforms")
    for path in (ROOT / folder).glob("*/configs/metadata.json")
)


def named(path: Path) -> str:
    """A file's path in the repository, as the name of a test's case."""
    return path.relative_to(ROOT).as_posix()


def modules() -> list[Path]:
    """All Python files of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def packages() -> list[str]:
    """The names of the subpackages and public modules directly in medaug."""
    folders = [path.parent.name for path in PACKAGE.glob("*/__init__.py")]
    files = [path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("_")]
    return sorted(folders + files)


@cache
def tree(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))
