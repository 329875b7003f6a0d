"""Check what the command line changes before anything is done with it.

MONAI takes an unknown key silently, and hands over whatever Python literal a value looks like:
``--amp false`` arrives as the text 'false', which is true.
"""

import inspect
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from monai.bundle import ConfigParser, ConfigWorkflow

from ..errors import ConfigError
from ._workflow import find_command

TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


def as_bool(value: object) -> bool:
    """True or false from what a command line makes of it: True, 0, 'false', 'Yes' and so on.

    Raises:
        ConfigError: the value is neither.
    """
    text = str(value).lower()
    if text in TRUE or text in FALSE:
        return text in TRUE
    raise ConfigError(f"a switch must be true or false, got {value!r}")


def check_overrides() -> None:
    """Refuse overrides of the running workflow that its configuration doesn't know.

    The first thing in a configuration's ``initialize``. Outside of
    `monai.bundle.create_workflow` and ``python -m monai.bundle run`` it does nothing.

    Raises:
        ConfigError: naming the key, with the nearest known one, or the kind that its value must be.
    """
    command = find_command()
    if command is None:
        return
    defaults = ConfigParser.load_config_files(command.config_files)
    arguments = inspect.signature(ConfigWorkflow.__init__).parameters
    for key, value in command.arguments.items():
        if key not in arguments:
            check_override(key, value, defaults)


def check_override(key: str, value: object, defaults: Mapping[str, Any]) -> None:
    """Refuse one override: an unknown key, or a value of another kind than the default.

    Of a nested key (``train#trainer#ema_decay``) only the first part is checked; MONAI checks the
    rest. Values that are expressions or references are left to MONAI. A number must be at least 1,
    or at least 0 where its default is 0.

    Raises:
        ConfigError: as above.
    """
    top, *below = re.split(r"::|#", key)
    if top not in defaults:
        near = get_close_matches(top, defaults, n=1)
        hint = f"did you mean --{near[0]}?" if near else f"known keys: {', '.join(defaults)}"
        raise ConfigError(f"--{top} is not a key of this configuration; {hint}")
    if not below and not _is_expression(value):
        _check_kind(key, value, defaults[top])


def _is_expression(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("$", "@", "%"))


def _check_kind(key: str, value: object, default: object) -> None:
    kind = "text" if _is_expression(default) else _kind(default)
    fits = {
        "true or false": str(value).lower() in TRUE + FALSE,
        "a whole number": _kind(value) == "a whole number",
        "a number": _kind(value) in ("a number", "a whole number"),
        # one class name needs no brackets
        "a list": default == [] or _kind(value) == "a list",
        "text": isinstance(value, str),
    }.get(kind, True)
    if not fits:
        example = "" if _is_expression(default) or default == "" else f", such as {default}"
        raise ConfigError(f"--{key} must be {kind}{example}, got {value!r}")
    if kind in ("a whole number", "a number") and isinstance(value, int | float):
        least = 1 if isinstance(default, int) and default >= 1 else 0
        if not value >= least:
            raise ConfigError(f"--{key} must be at least {least}, got {value}")


def _kind(value: object) -> str:
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true or false"),
        (int, "a whole number"),
        (float, "a number"),
        ((list, tuple), "a list"),
        (str, "text"),
    )
    return next((name for types, name in kinds if isinstance(value, types)), "other")
