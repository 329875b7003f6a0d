"""``python -m medaug.report``: generated images of any origin, judged beside real ones."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from ..errors import UserError
from ..evaluation import Evaluation, Evaluator, default_cache
from ._folders import read_folders
from ._page import write_report


class _Parser(ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"medaug: {message}; --help tells more\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = _parser().parse_args(arguments)
    try:
        evaluation = _report(given)
    except UserError as error:
        sys.stderr.write(f"medaug: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("medaug: interrupted\n")
        return 130
    sys.stdout.write(f"{evaluation.text()}\n\nthe page: {given.output}\n")
    return 0


def _report(given: Namespace) -> Evaluation:
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
    return evaluation


def _parser() -> ArgumentParser:
    parser = _Parser(
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
