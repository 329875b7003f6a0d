"""A configuration's components with every expression worked out, to compare two of them."""

import json
from difflib import unified_diff
from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser

from .pipelines import config, read


def resolved(parser: ConfigParser, name: str) -> Any:
    """The value at ``a::b``: references and expressions become values, disabled parts are gone."""
    node = parser[name]
    if isinstance(node, dict):
        below = {key: resolved(parser, f"{name}::{key}") for key in node}
        enabled = not below.pop("_disabled_", False)
        return {key: part for key, part in below.items() if part is not None} if enabled else None
    if isinstance(node, list):
        items = (resolved(parser, f"{name}::{number}") for number in range(len(node)))
        return [item for item in items if item is not None]
    value = parser.get_parsed_content(name)
    return list(value) if isinstance(value, tuple) else value


def resolved_pipeline(folder: Path) -> Any:
    """A pipeline's preprocessing with default keys."""
    return resolved(ConfigParser(read(config(folder))), "preprocessing")


def difference(found: Any, expected: Any) -> str:
    """A unified diff of two resolved values; empty if they are the same."""
    texts = (json.dumps(value, indent=1, default=repr).splitlines() for value in (expected, found))
    return "\n".join(unified_diff(*texts, "expected", "found", n=99, lineterm=""))
