"""``python -m medaug.study``: do synthetic images help a classifier, on your own data?"""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from .._command_line import Parser, exit_code
from .._memory import keep_freed_memory
from ._config import DEFAULT, read_study
from ._output import write_study
from ._plan import dry_run
from ._study import run_study
from ._words import conclusion


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = _parser().parse_args(arguments)
    return exit_code(lambda: _study(given))


def _study(given: Namespace) -> None:
    study = read_study(
        given.config,
        dataset_dir=given.dataset_dir,
        external_dir=given.external_dir,
        output_dir=given.output_dir,
    )
    if given.dry_run:
        sys.stdout.write(f"{dry_run(study)}\n")
        return
    keep_freed_memory()
    result = run_study(study)
    page = write_study(result, Path(study.output_dir))
    sys.stdout.write(f"\n{conclusion(result)}\n\nthe page: {page}\n")


def _parser() -> Parser:
    parser = Parser(
        prog="python -m medaug.study",
        description="Train a classifier with and without synthetic images, on the same patients "
        "with the same number of steps, and say whether they help.",
        epilog="What is done is kept: the same command goes on where a study was stopped.",
    )
    parser.add_argument(
        "--config",
        type=Path,
        default=DEFAULT,
        metavar="JSON",
        help="arms, generators and sizes (default: a study on phantoms)",
    )
    for name, meaning in (
        ("dataset_dir", "your images: one subfolder a class, or a manifest.csv with patients"),
        ("external_dir", "a second hospital's: tested by, never trained on"),
        ("output_dir", "page, table and cache"),
    ):
        parser.add_argument(f"--{name}", metavar="DIR", help=meaning)
    parser.add_argument(
        "--dry_run", action="store_true", help="say what would be done, and for how long"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
