"""One line for a person's mistake; everything for a fault of the program."""

import subprocess
import sys
from pathlib import Path

import pytest
from monai.bundle import ConfigParser
from tqdm import tqdm

from medaug.bundle._errors import install_under_monai_bundle, report
from medaug.errors import ConfigError, DataError


def buried(error: BaseException, depth: int = 4) -> BaseException:
    """Wrap an error as MONAI does, a RuntimeError for each level."""
    for level in range(depth):
        try:
            try:
                raise error
            except BaseException as inner:  # as wide as what is tested
                raise RuntimeError(f"Failed to instantiate level {level}") from inner
        except RuntimeError as outer:
            error = outer
    return error


def printed(error: BaseException, capsys: pytest.CaptureFixture[str]) -> str:
    report(type(error), error, error.__traceback__)
    return capsys.readouterr().err


def test_a_buried_mistake_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """However deep MONAI wraps it."""
    text = printed(buried(DataError("nowhere: must be a folder, got nothing")), capsys)
    assert text == "medaug: nowhere: must be a folder, got nothing\n"


def test_a_mistake_that_hides_its_cause(capsys: pytest.CaptureFixture[str]) -> None:
    """What the mistake itself came from isn't shown, and one without ``from`` is found too."""
    try:
        try:
            raise OSError("disk")
        except OSError as error:
            raise ConfigError("--output_dir must be a folder") from error
    except ConfigError as error:
        mistake = error
    later = RuntimeError("while that was handled")
    later.__context__ = mistake
    assert printed(later, capsys) == "medaug: --output_dir must be a folder\n"


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


def test_a_fault_of_the_program_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """A traceback helps whoever has to mend it."""
    text = printed(buried(KeyError("nothing of the user's")), capsys)
    assert text.count("Traceback (most recent call last)") == 5
    assert 'KeyError: "nothing of the user\'s"' in text
    assert "medaug:" not in text


def test_an_interruption_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C is no fault."""
    assert printed(KeyboardInterrupt(), capsys) == "medaug: interrupted\n"


def test_a_chain_that_bites_its_tail_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """An error that was raised again while its own consequence was handled."""
    first, second = ValueError("first"), RuntimeError("second")
    second.__cause__ = first
    first.__context__ = second
    assert "ValueError: first" in printed(first, capsys)


def test_open_bars_are_ended_first(capsys: pytest.CaptureFixture[str]) -> None:
    """The line of the message doesn't begin at the end of a progress bar."""
    bar = tqdm(total=3)
    text = printed(buried(DataError("nowhere: must be a folder")), capsys)
    assert text.splitlines()[-1] == "medaug: nowhere: must be a folder"
    assert bar not in tqdm._instances


def test_only_monais_command_line_is_changed() -> None:
    """In a notebook or another program the excepthook stays."""
    before = sys.excepthook
    install_under_monai_bundle()
    assert sys.excepthook is before


def test_importing_medaug_as_a_library_changes_nothing(tmp_path: Path) -> None:
    """The traceback of a script that uses medaug.bundle is Python's."""
    script = tmp_path / "script.py"
    script.write_text("import medaug.bundle\nmedaug.bundle.as_bool('maybe')\n")
    result = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 1
    assert "Traceback" in result.stderr
