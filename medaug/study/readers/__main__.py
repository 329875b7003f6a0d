"""``python -m medaug.study.readers``: can radiologists tell generated sequences from real ones?"""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from ..._command_line import Parser, exit_code
from ._answers import read_answers, read_key
from ._cases import write_page
from ._clips import CINES, KINDS
from ._found import judge
from ._output import RATINGS, RESULT, words, write_found

MEGA = 10**6


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = _parser().parse_args(arguments)
    return exit_code(lambda: given.work(given))


def _page(given: Namespace) -> None:
    made = write_page(
        given.real,
        given.synthetic,
        given.output,
        number=given.number,
        kind=given.kind,
        image_size=given.image_size,
        seed=given.seed,
    )
    for note in made.notes:
        sys.stdout.write(f"note: {note}\n")
    sys.stdout.write(
        f"{given.number} {given.kind} of {made.image_size} × {made.image_size} pixels, half of "
        f"them real\nfor the readers: {made.page} ({made.page.stat().st_size / MEGA:.1f} MB)\n"
        f"for you alone: {made.key}\n"
    )


def _read(given: Namespace) -> None:
    key = read_key(given.key)
    answers = read_answers(key, given.answers)
    found = judge(key, answers, seed=given.seed)
    folder = given.output or given.key.parent
    write_found(key, answers, found, folder)
    sys.stdout.write(f"{words(found)}\n\nwritten: {folder / RESULT}, {folder / RATINGS}\n")


def _parser() -> Parser:
    parser = Parser(
        prog="python -m medaug.study.readers",
        description="Can radiologists tell generated sequences from real ones?",
        epilog="page --help and read --help tell their options.",
    )
    modes = parser.add_subparsers(required=True, metavar="page | read")
    _add_page(modes.add_parser("page", help="make the blinded page and its key"))
    _add_read(modes.add_parser("read", help="judge the CSV files that readers have saved"))
    return parser


def _add_page(parser: Parser) -> None:
    parser.description = "Make one HTML page that needs no network, and the key to its cases."
    parser.epilog = (
        "Give readers the page, never the key. The page holds images of patients, as pixels alone."
    )
    for name, meaning in (
        ("real", "multi-frame DICOM, folders of DICOM, or NIfTI; its middle slice is shown"),
        ("synthetic", "generated ones, prepared as the real ones are"),
    ):
        parser.add_argument(f"--{name}", required=True, type=Path, metavar="DIR", help=meaning)
    parser.add_argument(
        "--output", type=Path, default=Path("reader_study"), metavar="DIR", help="(reader_study)"
    )
    parser.add_argument("--number", type=int, default=20, help="of cases, half of them real (20)")
    parser.add_argument(
        "--kind", choices=KINDS, default=CINES, help="images: stills, also PNG, JPEG … (cines)"
    )
    parser.add_argument(
        "--image-size", type=int, help="side in pixels (the smallest of all, at most 256)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of draw and order (0)")
    parser.set_defaults(work=_page)


def _add_read(parser: Parser) -> None:
    parser.description = "Means, agreement, and how often real and synthetic were told apart."
    parser.add_argument("answers", nargs="+", type=Path, metavar="CSV", help="saved by readers")
    parser.add_argument("--key", required=True, type=Path, metavar="JSON", help="of the page")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help=f"for {RESULT} and {RATINGS} (the key's folder)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (0)")
    parser.set_defaults(work=_read)


if __name__ == "__main__":
    sys.exit(main())
