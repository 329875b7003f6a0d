"""What an evaluation found, in memory, as JSON and as text."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from .._files import write_atomically
from ..metrics import HyperScore
from ._figures import Figure
from ._projection import Projection
from ._verdicts import Answer, Verdict

VERSION = 1
"""Of the JSON form."""
SIDES = ("synthetic", "real")


class Neighbour(NamedTuple):
    """A generated image and the training image nearest to it.

    Attributes:
        synthetic: index of the generated one.
        train: index of the training image.
        ratio: their distance by that training image's own distance to its nearest other one.
        shift: of sequences: frame t of the generated one is like frame t + shift of the other.
    """

    synthetic: int
    train: int
    ratio: float
    shift: int = 0


class Reading(NamedTuple):
    """A condition that was asked for, and what was read back from the picture.

    Attributes:
        source: "synthetic" or "real"; of a real one, `asked` is what is known of it.
        scope: the class.
        asked: the value asked for.
        read: the value read back; NaN where nothing could be read.
    """

    source: str
    scope: str
    asked: float
    read: float


@dataclass(frozen=True)
class Evaluation:
    """Figures with intervals and floors, and what they say.

    Attributes:
        classes: names.
        figures: all of them.
        verdicts: an answer to each question.
        neighbours: the ten generated images that lie the nearest to training images; of sequences,
            all, in their order.
        projection: of the first extractor's features; of sequences, those of clips.
        hyperscore: of what can be had; None without a Fréchet distance.
        protocol: by extractor, all that moves its figures.
        left_out: what couldn't be judged, and why.
        counts: images, or sequences, of each set.
        seed: of draws and resamples.
        readings: of sequences, their ejection fractions.
    """

    classes: tuple[str, ...]
    figures: tuple[Figure, ...]
    verdicts: tuple[Verdict, ...]
    neighbours: tuple[Neighbour, ...]
    projection: Projection
    hyperscore: HyperScore | None
    protocol: Mapping[str, Mapping[str, str]]
    left_out: Mapping[str, str]
    counts: Mapping[str, int]
    seed: int
    readings: tuple[Reading, ...] = ()

    def flat(self) -> dict[str, float]:
        """Each figure's value under its full name, the class last; the real images' with _real."""
        found: dict[str, float] = {}
        for one in self.figures:
            name = f"{one.name}_{one.scope}" if one.scope else one.name
            found[name] = one.synthetic.value
            if one.real is not None:
                found[f"{name}_real"] = one.real.value
        return found

    def save(self, path: Path) -> None:
        """Write as JSON; the folder is made.

        Raises:
            UserError: it can't be written.
        """
        text = json.dumps({"version": VERSION} | self.plain(), indent=1) + "\n"
        write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))

    def plain(self) -> dict[str, Any]:
        """All of it as lists, objects, strings and numbers."""
        plain = asdict(self)
        for name in ("figures", "verdicts", "neighbours", "readings"):
            plain[name] = [one._asdict() for one in getattr(self, name)]
        plain["projection"] = self.projection._asdict()
        plain["hyperscore"] = self.hyperscore and self.hyperscore._asdict()
        for figure in plain["figures"]:
            for side in SIDES:
                figure[side] = figure[side] and figure[side]._asdict()
        return plain

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        plain = json.loads(path.read_text(encoding="utf-8"))
        del plain["version"]
        plain["classes"] = tuple(plain["classes"])
        plain["figures"] = tuple(map(Figure.read, plain["figures"]))
        plain["verdicts"] = tuple(
            Verdict(**one | {"answer": Answer(one["answer"]), "reasons": tuple(one["reasons"])})
            for one in plain["verdicts"]
        )
        plain["neighbours"] = tuple(Neighbour(**one) for one in plain["neighbours"])
        plain["readings"] = tuple(Reading(**one) for one in plain.get("readings", ()))
        found = plain["projection"]
        points = {
            name: tuple(map(tuple, found[name])) for name in ("train", "held_out", "synthetic")
        }
        plain["projection"] = Projection(
            **found | points | {"explained": tuple(found["explained"])}
        )
        plain["hyperscore"] = plain["hyperscore"] and HyperScore(**plain["hyperscore"])
        return cls(**plain)

    def text(self) -> str:
        """Verdicts with reasons, then all figures, for a terminal."""
        lines = []
        for verdict in self.verdicts:
            lines.append(f"{verdict.question} {verdict.answer.value.upper()}")
            lines += [f"    {reason}" for reason in verdict.reasons]
        lines += ["", *_table(self.figures)]
        lines += [f"left out: {name}: {why}" for name, why in self.left_out.items()]
        return "\n".join(lines)

    def summary(self) -> str:
        """Verdicts, the first extractor's distance, and how alike the images of a class are."""
        distance = [one for one in self.figures if one.name.endswith("_ratio")][:1]
        alike = [one for one in self.figures if one.name.startswith("msssim")]
        answers = (f"{one.question} {one.answer.value.upper()}" for one in self.verdicts)
        return "\n".join([*answers, "", *_table([*distance, *alike])])


def _table(figures: Sequence[Figure]) -> list[str]:
    rows = [("figure", "class", "n", "synthetic", "real", "best")]
    rows += [
        (one.name, one.scope, str(one.n), str(one.synthetic), str(one.real or ""), one.better)
        for one in figures
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
