"""``python -m medaug.bundle export``: a trained generator as files that need torch alone."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from .._command_line import Parser, exit_code
from ._export import Export, export_generator


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = _parser().parse_args(arguments)
    return exit_code(lambda: _export(given))


def _export(given: Namespace) -> None:
    export = export_generator(given.config_file, run_dir=given.run_dir, output=given.output)
    sys.stdout.write(_told(export))


def _parser() -> Parser:
    parser = Parser(prog="python -m medaug.bundle", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser(
        "export",
        help="write generator.ts (TorchScript) and generator.pt2 (torch.export)",
        description="Write generator.ts (TorchScript) and generator.pt2 (torch.export).",
    )
    for name, meaning in (
        ("config_file", "a bundle's configs/inference.json"),
        ("run_dir", "a training's output folder, with models/model.pt"),
        ("output", "folder for the two files, made if it isn't there"),
    ):
        export.add_argument(f"--{name}", required=True, type=Path, help=meaning)
    return parser


def _told(export: Export) -> str:
    """The files with their differences, and how to use the first with torch alone."""
    inputs, output = export.metadata["inputs"], export.metadata["output"]
    classes = inputs["label"]["classes"]
    names = ", ".join(f"{number} {name}" for number, name in enumerate(classes))
    script, *_ = export.differences
    lines = [
        *(
            f"{path}: images as the checkpoint's, largest difference {difference:.1e}"
            for path, difference in export.differences.items()
        ),
        "with torch alone:",
        "",
        "    import torch",
        f"    generator = torch.jit.load({str(script)!r})",
        f"    latent = torch.randn(4, {inputs['latent']['shape'][1]})",
        f"    label = torch.full((4,), {len(classes) - 1})  # {names}",
        "    with torch.no_grad():",
        f"        images = generator(latent, label)  # {(4, *output['shape'][1:])} in [0, 1]",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
