"""``python -m medaug.bundle export``: a trained network as files that need torch alone."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from .._command_line import Parser, exit_code
from ._export import Export, export_model


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = _parser().parse_args(arguments)
    return exit_code(lambda: _export(given))


def _export(given: Namespace) -> None:
    overrides = {"bits": given.bits, "input_size": given.input_size}
    export = export_model(
        given.config_file,
        run_dir=given.run_dir,
        output=given.output,
        **{key: value for key, value in overrides.items() if value is not None},
    )
    sys.stdout.write(_told(export))


def _parser() -> Parser:
    parser = Parser(prog="python -m medaug.bundle", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    about = "Write a trained network as TorchScript (.ts), torch.export (.pt2) and, a classifier, "
    about += "ONNX."
    export = commands.add_parser("export", help=about, description=about)
    for name, meaning in (
        ("config_file", "a bundle's configs/inference.json"),
        ("run_dir", "a training's output folder, with models/model.pt"),
        ("output", "folder for the files, made if it isn't there"),
    ):
        export.add_argument(f"--{name}", required=True, type=Path, help=meaning)
    export.add_argument(
        "--input_size", nargs=2, type=int, metavar=("H", "W"), help="of a classifier's images"
    )
    export.add_argument("--bits", type=int, help="depth of a classifier's images, 1 to 16")
    return parser


def _told(export: Export) -> str:
    """The files with their differences, and how to use the first with torch alone."""
    lines = [
        *(
            f"{path}: {export.what} as the checkpoint's, largest difference {difference:.1e}"
            for path, difference in export.differences.items()
        ),
        *(f"{name}: not written, {reason}" for name, reason in export.left_out.items()),
        "with torch alone:",
        "",
        *(f"    {line}" for line in export.usage),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
