"""Who may import whom."""

import ast
import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .source import PACKAGE, ROOT, modules, named, packages, tree


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the package in a folder, by that folder's setup.cfg."""
    command = (
        "import sys; from importlinter.cli import lint_imports as f; sys.exit(f(no_cache=True))"
    )
    return subprocess.run(
        [sys.executable, "-c", command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_import_contract_holds() -> None:
    """A module imports only from the lines below its own."""
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("transforms/_checks.py", "from ..handlers import to_uint8"),
        ("engines/_events.py", "from ..phantoms import simulate_chest_xray"),
        ("errors.py", "from .metrics import msssim_all_pairs"),
    ],
    ids=["upwards", "sideways", "from the bottom"],
)
def test_the_import_contract_catches(module: str, line: str, tmp_path: Path) -> None:
    """A forbidden import, planted in a copy, breaks the contract."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "medaug", ignore=ignored)
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    with (tmp_path / "medaug" / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    result = lint(tmp_path)
    assert result.returncode == 1
    assert "1 broken" in result.stdout


def test_the_import_contract_names_every_package() -> None:
    """A new subpackage has to be given its line."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    layers = re.findall(r"\w+", config["importlinter:contract:layers"]["layers"])
    missing = set(packages()) - set(layers)
    assert not missing, (
        f"give these a line in setup.cfg's [importlinter:contract:layers]: {missing}"
    )


@pytest.mark.parametrize("path", modules(), ids=named)
def test_no_module_imports_the_package_by_name(path: Path) -> None:
    """Within medaug, imports are relative."""
    imported = [
        name
        for node in ast.walk(tree(path))
        for name in _absolute_imports(node)
        if name.split(".")[0] == "medaug"
    ]
    assert not imported, "write relative imports: from ..errors import UserError"


def _absolute_imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [node.module or ""]
    return []


@pytest.mark.parametrize("folder", ["bundles", "transforms"])
def test_configurations_hold_no_python(folder: str) -> None:
    """A bundle or pipeline is data."""
    assert (ROOT / folder).is_dir()
    assert not list((ROOT / folder).rglob("*.py*"))
