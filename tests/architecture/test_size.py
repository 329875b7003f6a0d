"""Modules and functions stay small enough to be read at once."""

import ast
from pathlib import Path

import pytest

from .source import modules, named, tree

MODULE_LINES, FUNCTION_LINES = 400, 60


@pytest.mark.parametrize("path", modules(), ids=named)
def test_module_is_short(path: Path) -> None:
    """At most 400 lines."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MODULE_LINES, "split it by what its parts are about"


@pytest.mark.parametrize("path", modules(), ids=named)
def test_functions_are_short(path: Path) -> None:
    """At most 60 lines, the docstring not counted."""
    long = {
        node.name: length(node)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and length(node) > FUNCTION_LINES
    }
    assert not long


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """A function's lines from its first decorator to its end, without the docstring."""
    first = min(node.lineno for node in [function, *function.decorator_list])
    lines = (function.end_lineno or 0) - first + 1
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        lines -= (docstring.end_lineno or 0) - docstring.lineno + 1
    return lines


def test_length_leaves_out_the_docstring() -> None:
    """Two lines of code below three of description, under a decorator, are four with the head."""
    source = '@decorated\ndef f():\n    """One.\n\n    Two."""\n    a = 1\n    return a\n'
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert length(function) == 4
