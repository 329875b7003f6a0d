"""What the command line may change, and how a slip of the hand is answered."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.bundle import create_workflow

from medaug.bundle import as_bool, check_overrides
from medaug.bundle._overrides import check_override
from medaug.errors import ConfigError

from .process import TRUSTED, mistake
from .tiny import DEFAULTS, bundle

pytestmark = TRUSTED


@pytest.mark.parametrize("value", [True, 1, "true", "True", "TRUE", "yes", "on", "1"])
def test_true(value: object) -> None:
    """What a person writes for yes, as `fire` hands it over."""
    assert as_bool(value) is True


@pytest.mark.parametrize("value", [False, 0, "false", "False", "no", "off", "0"])
def test_false(value: object) -> None:
    """Above all the text 'false', which Python takes as true."""
    assert as_bool(value) is False


@pytest.mark.parametrize("value", ["maybe", "", None, 2, 0.5, [], "truely"])
def test_neither_true_nor_false(value: object) -> None:
    """Anything else is refused, not guessed."""
    with pytest.raises(ConfigError, match="must be true or false, got"):
        as_bool(value)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("max_epoch", r"--max_epoch is not a key .* did you mean --max_epochs\?"),
        ("epochs", r"did you mean --max_epochs\?"),
        ("data_dir", r"did you mean --dataset_dir\?"),
        ("network#root", r"--network is not a key .* did you mean --network_def\?"),
        ("netwrok_def::root", r"did you mean --network_def\?"),
        ("zzz", r"--zzz is not a key .*known keys: .*max_epochs, seed, lr"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest(key: str, message: str) -> None:
    """Also where it is the first part of a nested key."""
    with pytest.raises(ConfigError, match=message):
        check_override(key, 3, DEFAULTS)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("amp", "maybe", "--amp must be true or false, such as True, got 'maybe'"),
        ("amp", 3, "--amp must be true or false"),
        ("max_epochs", 2.5, "--max_epochs must be a whole number, such as 3, got 2.5"),
        ("max_epochs", "many", "--max_epochs must be a whole number, such as 3, got 'many'"),
        ("max_epochs", True, "--max_epochs must be a whole number, such as 3, got True"),
        ("max_epochs", None, "--max_epochs must be a whole number, such as 3, got None"),
        ("max_epochs", 0, "--max_epochs must be at least 1, got 0"),
        ("seed", -1, "--seed must be at least 0, got -1"),
        ("lr", "fast", "--lr must be a number, such as 0.01, got 'fast'"),
        ("lr", -0.1, "--lr must be at least 0, got -0.1"),
        ("lr", float("nan"), "--lr must be at least 0, got nan"),
        ("windows", 4, r"--windows must be a list, such as \[4, 4\], got 4"),
        ("windows", "4x4", r"--windows must be a list, such as \[4, 4\], got '4x4'"),
        ("name", 7, "--name must be text, such as run, got 7"),
        ("dataset_dir", True, "--dataset_dir must be text, got True"),
        ("dataset_dir", {"a": 1}, "--dataset_dir must be text, got {'a': 1}"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(key: str, value: object, message: str) -> None:
    """The message names the key, the kind with an example, and what was given."""
    with pytest.raises(ConfigError, match=f"^{message}"):
        check_override(key, value, DEFAULTS)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("amp", value) for value in (True, False, 0, 1, "false", "Yes", "off")),
        *(("max_epochs", value) for value in (1, 1000)),
        *(("seed", value) for value in (0, 2**31)),
        *(("lr", value) for value in (0, 1, 1e-4, 0.0)),
        *(("windows", value) for value in ([8, 8], (2, 3))),
        *(("class_names", value) for value in ("covid", ["covid", "normal"], ("a", "b"), 0)),
        ("name", "another"),
        ("dataset_dir", "some/folder"),
        ("network_def", {"_target_": "x"}),
        ("network_def#root", 5),
        ("network_def::root", 5),
        *((key, "$3 + 4") for key in ("max_epochs", "amp", "windows")),
        *((key, "@seed") for key in ("max_epochs", "lr")),
        ("max_epochs", "%other.json#max_epochs"),
    ],
)
def test_a_fitting_value_is_taken(key: str, value: object) -> None:
    """Kinds that fit, nested keys, expressions, references and macros."""
    check_override(key, value, DEFAULTS)


@given(
    key=st.text(min_size=1, alphabet="abcdems_#:"),
    value=st.none() | st.booleans() | st.integers() | st.text(),
)
@settings(deadline=None)
def test_any_other_key_is_refused(key: str, value: object) -> None:
    """Whatever is typed, with whatever value: refused by its name."""
    if key.replace("::", "#").split("#")[0] in DEFAULTS:
        return
    with pytest.raises(ConfigError, match=r"^--.* is not a key of this configuration"):
        check_override(key, value, DEFAULTS)


def test_outside_of_a_workflow_nothing_is_checked() -> None:
    """There is no command line to look at."""
    check_overrides()


def workflow(config: Any, **overrides: Any) -> Any:
    return create_workflow(config_file=config, workflow_type="train", **overrides)


def test_a_workflow_refuses_an_unknown_key(tmp_path: Path) -> None:
    """In a real workflow, before anything else is evaluated."""
    with pytest.raises(RuntimeError) as raised:
        workflow(str(bundle(tmp_path)), max_epoch=3)
    assert str(mistake(raised.value)) == (
        "--max_epoch is not a key of this configuration; did you mean --max_epochs?"
    )


def test_a_workflow_takes_known_keys_and_monais_arguments(tmp_path: Path) -> None:
    """MONAI's own arguments aren't keys of the configuration, and pass."""
    made = workflow(str(bundle(tmp_path)), max_epochs=7, init_id="initialize", logging_file=False)
    assert made.parser["max_epochs"] == 7


def test_a_workflow_of_several_files_knows_the_keys_of_all(tmp_path: Path) -> None:
    """An overlay may bring keys of its own."""
    config = bundle(tmp_path)
    overlay = tmp_path / "configs" / "more.json"
    overlay.write_text('{"extra": 5, "max_epochs": 4}')
    made = workflow([str(config), str(overlay)], extra=6)
    assert (made.parser["extra"], made.parser["max_epochs"]) == (6, 4)
    with pytest.raises(RuntimeError) as raised:
        workflow([str(config), str(overlay)], extr=6)
    assert "did you mean --extra?" in str(mistake(raised.value))


def test_keys_of_an_arguments_file_are_checked(tmp_path: Path) -> None:
    """MONAI's ``--args_file`` is a command line, written down."""
    arguments = tmp_path / "arguments.json"
    arguments.write_text('{"max_epoch": 3}')
    with pytest.raises(RuntimeError) as raised:
        workflow(str(bundle(tmp_path / "bundle")), args_file=str(arguments))
    assert "did you mean --max_epochs?" in str(mistake(raised.value))
