"""One line for a person's mistake; everything for a fault of the program."""

import pytest
from tqdm import tqdm

from medaug._command_line import Parser, exit_code, report
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
    """What the excepthook writes."""
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


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (None, 0, ""),
        (ConfigError("it must be 1, got 2"), 1, "medaug: it must be 1, got 2\n"),
        (KeyboardInterrupt(), 130, "medaug: interrupted\n"),
    ],
    ids=["done", "mistake", "Ctrl-C"],
)
def test_work_ends_with_a_code(
    error: BaseException | None, code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a shell expects it."""

    def work() -> None:
        if error is not None:
            raise error

    assert exit_code(work) == code
    assert capsys.readouterr().err == told


def test_work_that_has_a_fault_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    """And its traceback."""
    assert exit_code(lambda: {}["missing"]) == 1
    assert "KeyError: 'missing'" in capsys.readouterr().err


def test_a_wrong_option_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Without argparse's usage, and with its code."""
    with pytest.raises(SystemExit, match="2"):
        Parser().parse_args(["--nonsense"])
    told = "medaug: unrecognized arguments: --nonsense; --help tells more\n"
    assert capsys.readouterr().err == told
