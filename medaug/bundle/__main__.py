"""``python -m medaug.bundle export``: a trained generator as files that need torch alone."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ._errors import report
from ._export import Export, export_generator


class _Parser(ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"medaug: {message}; --help tells more\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = _parser().parse_args(arguments)
    try:
        export = export_generator(given.config_file, run_dir=given.run_dir, output=given.output)
    except Exception as error:
        report(type(error), error, error.__traceback__)
        return 1
    sys.stdout.write(_told(export))
    return 0


def _parser() -> ArgumentParser:
    parser = _Parser(prog="python -m medaug.bundle", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
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
