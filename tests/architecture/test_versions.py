"""One version, everywhere."""

import json
import re
from pathlib import Path

import pytest

import medaug

from .source import METADATA, ROOT, named


def test_the_changelog_has_this_version_on_top() -> None:
    """What a user notices of this version can be read."""
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[0] == medaug.__version__


def test_setup_takes_the_version_from_the_package() -> None:
    """It isn't written a second time."""
    assert "version = attr: medaug.__version__" in (ROOT / "setup.cfg").read_text("utf-8")


@pytest.mark.parametrize("path", METADATA, ids=named)
def test_metadata_has_its_own_version_in_its_changelog(path: Path) -> None:
    """Every version of a bundle or pipeline says what it changed, the present one first."""
    metadata = json.loads(path.read_text("utf-8"))
    assert next(iter(metadata["changelog"])) == metadata["version"]


@pytest.mark.parametrize("path", [p for p in METADATA if "bundles" in p.parts], ids=named)
def test_bundle_asks_for_this_medaug(path: Path) -> None:
    """A bundle names the version of medaug that it was made with."""
    metadata = json.loads(path.read_text("utf-8"))
    assert metadata["required_packages_version"]["medaug"] == medaug.__version__
