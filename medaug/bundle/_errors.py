"""One line for a person's mistake."""

import sys

from .._command_line import report


def install_under_monai_bundle() -> None:
    """Report `UserError` in one line when the program is ``python -m monai.bundle``.

    MONAI wraps what a configuration raises in a RuntimeError for each level of nesting, sixty
    lines in all; the chain still holds the first error.
    """
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec is not None and spec.name == "monai.bundle.__main__":
        sys.excepthook = report
