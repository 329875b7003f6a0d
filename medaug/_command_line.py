"""What all command lines share: a mistake is one line on stderr, and an exit code."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import NoReturn

from tqdm import tqdm

from .errors import UserError


class Parser(ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        """End the program with 2, as a shell expects it."""
        self.exit(2, f"medaug: {message}; --help tells more\n")


def exit_code(work: Callable[[], object]) -> int:
    """Do the work; 0 where it is done, else what stopped it is told: 1, or 130 for Ctrl-C."""
    try:
        work()
    except (Exception, KeyboardInterrupt) as error:
        report(type(error), error, error.__traceback__)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


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
