"""One line for a person's mistake, under MONAI's command line alone."""

import sys
from pathlib import Path

import pytest
from monai.bundle import ConfigParser

from medaug.bundle._errors import install_under_monai_bundle

from ..launch import python
from ..test_command_line import printed


def test_under_monais_own_parser(capsys: pytest.CaptureFixture[str]) -> None:
    """An expression of a configuration that refuses its value."""
    parser = ConfigParser(
        {
            "imports": ["$import medaug"],
            "amp": "maybe",
            "inner": {"_target_": "SimpleInferer", "x": "$medaug.bundle.as_bool(@amp)"},
            "outer": {"_target_": "Compose", "transforms": ["@inner"]},
        }
    )
    with pytest.raises(RuntimeError) as raised:
        parser.get_parsed_content("outer")
    assert printed(raised.value, capsys) == "medaug: a switch must be true or false, got 'maybe'\n"


def test_only_monais_command_line_is_changed() -> None:
    """In a notebook or another program the excepthook stays."""
    before = sys.excepthook
    install_under_monai_bundle()
    assert sys.excepthook is before


def test_importing_medaug_as_a_library_changes_nothing(tmp_path: Path) -> None:
    """The traceback of a script that uses medaug.bundle is Python's."""
    script = tmp_path / "script.py"
    script.write_text("import medaug.bundle\nmedaug.bundle.as_bool('maybe')\n")
    result = python(script)
    assert result.returncode == 1
    assert "Traceback" in result.stderr
