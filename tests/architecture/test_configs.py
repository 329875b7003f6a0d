"""Every configuration fits the code that it calls."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from pydoc import locate
from typing import Any

import pytest
from monai.bundle import ConfigParser
from monai.bundle.config_item import ComponentLocator
from monai.bundle.reference_resolver import ReferenceResolver

from .source import CONFIGS, ROOT, named

LOCATOR = ComponentLocator()
SPECIAL = {"_target_", "_disabled_", "_requires_", "_desc_", "_mode_"}
# "@run_dir + '/evaluation'" goes on from another path
ABSOLUTE = re.compile(r"""(^|(?<!\+ )['"]|[\s(=])(/\w|~/|[A-Za-z]:[\\/]|file:)""")


def configuration(path: Path) -> Any:
    """A file as it is run: an overlay over the bundle's train.json."""
    base = path.with_name("train.json")
    overlay = path.name in ("multi_gpu_train.json", "paper.json")
    return ConfigParser.load_config_files([base, path] if overlay else [path])


def parts(value: Any) -> Iterator[Any]:
    """A configuration's values, of all depths."""
    yield value
    children = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for child in children:
            yield from parts(child)


def strings(config: Any) -> list[str]:
    """All text in a configuration."""
    return [part for part in parts(config) if isinstance(part, str)]


def target(name: str) -> Any:
    """The class or function that MONAI would call for a `_target_`."""
    module = LOCATOR.get_component_module_name(name)
    module = module[0] if isinstance(module, list) else module
    return locate(f"{module}.{name}" if module else name)


def wrong_targets(config: Any) -> list[str]:
    """Components that don't exist, or don't take the arguments they are given."""
    faults = []
    for part in parts(config):
        if not isinstance(part, dict) or "_target_" not in part:
            continue
        found = target(part["_target_"])
        if not callable(found):
            faults.append(f"{part['_target_']} is not there")
            continue
        arguments = {key: value for key, value in part.items() if key not in SPECIAL}
        signature = inspect.signature(found)
        bind = signature.bind_partial if part.get("_mode_") == "callable" else signature.bind
        try:
            bind(**arguments)
        except TypeError as error:
            faults.append(f"{part['_target_']}: {error}")
    return faults


def wrong_references(config: Any) -> list[str]:
    """``@names`` of nothing in the configuration."""
    parser = ConfigParser(config)
    parser.parse()
    wanted = {
        reference
        for text in strings(config)
        for reference in ReferenceResolver.match_refs_pattern(text)
    }
    return sorted(wanted - set(parser.ref_resolver.items))


def wrong_names(config: Any) -> list[str]:
    """``medaug.a.b`` in expressions that isn't there."""
    expressions = [text for text in strings(config) if text.startswith("$")]
    names = {name for text in expressions for name in re.findall(r"\bmedaug(?:\.\w+)+", text)}
    return sorted(name for name in names if locate(name) is None)


def test_all_configurations_are_looked_at() -> None:
    """None is missing from this list because of where it lies."""
    everywhere = [
        path
        for folder in ("bundles", "transforms")
        for path in (ROOT / folder).rglob("*.json")
        if path.name not in ("metadata.json", "golden.json")
    ]
    assert sorted(everywhere) == CONFIGS
    assert len(CONFIGS) >= 5


@pytest.mark.parametrize("path", CONFIGS, ids=named)
def test_targets_exist_and_take_their_arguments(path: Path) -> None:
    """Every `_target_`, by MONAI's short names or in full."""
    assert wrong_targets(configuration(path)) == []


@pytest.mark.parametrize("path", CONFIGS, ids=named)
def test_references_and_names_exist(path: Path) -> None:
    """Every ``@id``, and every name of medaug's in an expression."""
    config = configuration(path)
    assert wrong_references(config) == []
    assert wrong_names(config) == []


@pytest.mark.parametrize("path", CONFIGS, ids=named)
def test_no_path_of_a_machine(path: Path) -> None:
    """Nothing that is true on one computer only."""
    config = configuration(path)
    assert [text for text in strings(config) if ABSOLUTE.search(text)] == []


@pytest.mark.parametrize("path", CONFIGS, ids=named)
def test_overrides_are_checked_first(path: Path) -> None:
    """A slip of the hand on the command line is found before anything is done."""
    config = configuration(path)
    assert config["initialize"][0] == "$medaug.bundle.check_overrides()"


def test_faults_are_found() -> None:
    """A made-up configuration with one fault of each kind."""
    config = {
        "root": "/home/someone/data",
        "name": "$open('/etc/passwd')",
        "below": "$@root + '/evaluation'",
        "fine": {"_target_": "SimpleInferer"},
        "augment": {"_target_": "medaug.engines.DiffAugment", "colours": 3},
        "network": {"_target_": "medaug.networks.NoSuchNetwork"},
        "dataset": {"_target_": "Dataset"},
        "call": "$medaug.bundle.no_such_function(@fine, @nothing)",
    }
    missing, unknown = (
        "missing a required argument: 'data'",
        "unexpected keyword argument 'colours'",
    )
    assert [fault.split(": ", 1)[-1] for fault in wrong_targets(config)] == [
        f"got an {unknown}",
        "medaug.networks.NoSuchNetwork is not there",
        missing,
    ]
    assert wrong_references(config) == ["nothing"]
    assert wrong_names(config) == ["medaug.bundle.no_such_function"]
    assert sum(bool(ABSOLUTE.search(text)) for text in strings(config)) == 2
