"""``python -m medaug.report``: generated images of any origin, judged beside real ones."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .._command_line import Parser, exit_code
from .._memory import keep_freed_memory
from ..evaluation import Evaluator, default_cache
from ..metrics import read_ratings
from ._folders import read_folders
from ._page import write_report


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = _parser().parse_args(arguments)
    return exit_code(lambda: _report(given))


def _report(given: Namespace) -> None:
    keep_freed_memory()
    found = read_folders(
        given.real,
        given.synthetic,
        given.held_out,
        image_size=given.image_size,
        patient_pattern=given.patient_pattern,
        seed=given.seed,
    )
    evaluator = Evaluator(
        found.train,
        found.held_out,
        found.classes,
        extractors=[name.strip() for name in given.extractors.split(",") if name.strip()],
        seed=given.seed,
        cache=default_cache(),
        ratings=read_ratings(given.ratings) if given.ratings else None,
    )
    evaluation = evaluator(found.synthetic)
    evaluation = replace(evaluation, left_out={**evaluation.left_out, **found.notes})
    write_report(
        given.output,
        evaluation,
        train=found.train,
        held_out=found.held_out,
        synthetic=found.synthetic,
        title=given.title,
    )
    sys.stdout.write(f"{evaluation.text()}\n\nthe page: {given.output}\n")


def _parser() -> Parser:
    parser = Parser(
        prog="python -m medaug.report",
        description="Judge generated images beside real ones; one HTML page that needs no network.",
        epilog="A DIR has one subfolder of images for each class, or is of one class. Images are "
        "DICOM, NIfTI, NRRD, MHA, PNG, JPEG or TIFF, in grey. The page holds training images.",
    )
    for name, meaning in (
        ("real", "real images that the generator learned from"),
        ("synthetic", "generated images, in the same classes"),
    ):
        parser.add_argument(f"--{name}", required=True, type=Path, metavar="DIR", help=meaning)
    parser.add_argument(
        "--held-out",
        type=Path,
        metavar="DIR",
        help="real images of other patients; else a third of --real, by patient, is held out",
    )
    parser.add_argument(
        "--ratings", type=Path, metavar="CSV", help="readers' ratings of realism, 1 to 5"
    )
    for name, default, meaning in (
        ("output", Path("report.html"), "the page"),
        ("extractors", "domain", "names of medaug.features.find_extractor, with commas"),
        ("image-size", 64, "side in pixels that all images are shrunk to"),
        ("patient-pattern", None, "regular expression that finds the patient in a file's name"),
        ("title", "Generated images beside real ones", "heading of the page"),
        ("seed", 0, "of splits, draws and resamples"),
    ):
        kind = str if default is None else type(default)
        shown = "" if default is None else f" (default: {default})"
        parser.add_argument(f"--{name}", type=kind, default=default, help=meaning + shown)
    return parser


if __name__ == "__main__":
    sys.exit(main())
