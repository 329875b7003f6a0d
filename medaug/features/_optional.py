"""Packages that only some extractors need: the extra ``features``."""

import importlib
from typing import Any

from ..errors import UserError


def optional(module: str, needed_by: str) -> Any:
    """Import a module of the extra.

    Raises:
        UserError: its package isn't installed, saying how to get it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0].replace("_", "-")
        raise UserError(
            f"{needed_by} needs the package {package}, got none: pip install 'medaug[features]'"
        ) from error
