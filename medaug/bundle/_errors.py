"""One line for a person's mistake."""

import sys
from collections.abc import Iterator
from types import TracebackType

from tqdm import tqdm

from ..errors import UserError


def install_under_monai_bundle() -> None:
    """Report `UserError` in one line when the program is ``python -m monai.bundle``.

    MONAI wraps what a configuration raises in a RuntimeError for each level of nesting, sixty
    lines in all; the chain still holds the first error.
    """
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    if spec is not None and spec.name == "monai.bundle.__main__":
        sys.excepthook = report


def report(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """An excepthook: print the `UserError` at the root of `error` as one line, else everything."""
    for bar in tuple(getattr(tqdm, "_instances", ())):
        bar.close()  # what follows begins on a line of its own
    mistakes = [cause for cause in _causes(error) if isinstance(cause, UserError)]
    if mistakes:
        sys.stderr.write(f"medaug: {mistakes[0]}\n")
    elif isinstance(error, KeyboardInterrupt):
        sys.stderr.write("medaug: interrupted\n")
    else:
        sys.__excepthook__(kind, error, traceback)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:  # a chain may come back to itself
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
