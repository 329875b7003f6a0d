"""Runs readers over files and counts what becomes of them."""

import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from . import judge, real, series
from .mutators import BLIND, Mutant, mutants
from .seeds import PLANTED, Seed, marked, seeds
from .watch import FILLS, Outcome, Watcher

RADIOGRAPH = "medaug.data:RadiographReader"
GREY = "medaug.data:RadiographReader?grey=True&voi=none"
CINE = "medaug.data:CineReader"
READERS = (RADIOGRAPH, GREY, CINE)

GOOD = ("right", "refused")
BAD = ("crash", "hang", "memory", "foreign", "wrong", "error", "patient", "noise")
MOST_WARNINGS, MOST_PRINTED = 10, 2000


@dataclass
class Tally:
    """Counts by row (format and reader), and what was bad, in words."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    growth: tuple[int, str] = (0, "")

    def add(self, kind: str, reader: str, name: str, outcome: Outcome, wrong: str = "") -> str:
        """Count one outcome; returns the class that it was put in."""
        status = self._status(outcome, wrong)
        self.counts[kind, reader.partition(":")[2], status] += 1
        self.slowest = max(self.slowest, (outcome.seconds, name))
        self.growth = max(self.growth, (outcome.growth, name))
        if status in BAD:
            text = wrong or outcome.text or outcome.printed
            if status in ("noise", "patient"):
                text = " / ".join([text, *outcome.warnings, outcome.printed])
            self.failures.append(f"{status}: {name} [{reader.partition(':')[2]}] {text[:400]}")
        return status

    def _status(self, outcome: Outcome, wrong: str) -> str:
        if outcome.status not in ("pixels", "refused"):
            return outcome.status
        said = " ".join([outcome.text, *outcome.warnings, outcome.printed])
        if any(text in said for text in PLANTED):
            return "patient"
        if wrong:
            return "wrong"
        if len(outcome.warnings) > MOST_WARNINGS or len(outcome.printed) > MOST_PRINTED:
            return "noise"
        return "right" if outcome.status == "pixels" else "refused"

    def table(self) -> str:
        """Rows of formats and readers, columns of outcomes."""
        columns = (*GOOD, *BAD)
        lines = [f"{'format':<22}{'reader':<38}" + "".join(f"{c:>9}" for c in ("files", *columns))]
        for kind, reader in sorted({key[:2] for key in self.counts}):
            found = [self.counts[kind, reader, column] for column in columns]
            numbers = "".join(f"{number:>9}" for number in (sum(found), *found))
            lines.append(f"{kind:<22}{reader:<38}{numbers}")
        found = [sum(n for key, n in self.counts.items() if key[2] == c) for c in columns]
        lines.append(f"{'all':<60}" + "".join(f"{n:>9}" for n in (sum(found), *found)))
        return "\n".join(lines)


class Campaign:
    """Writes files into a folder and reads them.

    Args:
        watcher: started with `READERS`.
        folder: for the files; each is written over the one before.
    """

    def __init__(self, watcher: Watcher, folder: Path) -> None:
        self.tally = Tally()
        self._watcher, self._folder = watcher, folder
        folder.mkdir(parents=True, exist_ok=True)

    def read(self, name: str, data: bytes, reader: str, kind: str, **limits: Any) -> Outcome:
        """Read `data` as a file after a marked patient's in the same format."""
        path = self._folder / name
        path.write_bytes(data)
        return self._watcher.read(path, reader, before=self._marked(kind), **limits)

    def mutant(self, mutant: Mutant, reader: str) -> str:
        """Read and judge one mutant."""
        seed = mutant.seed
        outcome = self.read(f"mutant_{seed.name}", mutant.data, reader, seed.kind)
        wrong = ""
        if outcome.pixels is not None and outcome.status == "pixels":
            wrong = judge.verdict(outcome.pixels, mutant.data, seed)
        name = f"{mutant.damage} of {seed.name}"
        status = self.tally.add(seed.kind, reader, name, outcome, wrong)
        if status in BAD:
            number = len(self.tally.failures)
            kept = self._folder / "bad" / f"{number}_{mutant.damage}_{seed.name}"
            kept.parent.mkdir(exist_ok=True)
            kept.write_bytes(mutant.data)
        return status

    def real(self, source: str, path: Path, reader: str) -> None:
        """Read and judge a file or folder that is as it was made."""
        outcome = self._watcher.read(path, reader, before=self._marked("DICOM"))
        wrong = ""
        if outcome.status == "pixels" and outcome.pixels is not None:
            wrong = real.wrong(outcome.pixels, path)
        self.tally.add(source, reader, path.name, outcome, wrong)

    def damaged(self, files: Iterable[tuple[str, bytes]], count: int, seed: int) -> None:
        """Blind damage to files whose right pixels aren't known: two processes must agree."""
        sources = list(files)
        each = -(-count // len(sources))
        for number, (name, data) in enumerate(sources):
            rng = np.random.default_rng([seed, number, 3])
            for k in range(each):
                damage = BLIND[(number + k) % len(BLIND)]
                for reader in READERS:
                    outcome = self.read(f"damaged_{name}", damage(data, rng), reader, "DICOM")
                    self.tally.add(
                        "DICOM (pydicom's)", reader, f"{damage.__name__} {name}", outcome
                    )

    def cut(self, name: str, whole: bytes, parts: Iterable[bytes]) -> None:
        """Less of a code stream is refused, or, where what's gone was padding, the same image."""
        expected = self.read(f"whole_{name}", whole, RADIOGRAPH, "DICOM").pixels
        for number, part in enumerate(parts):
            outcome = self.read(f"cut_{name}", part, RADIOGRAPH, "DICOM")
            wrong = ""
            same = [None if a is None else a.tobytes() for a in (outcome.pixels, expected)]
            if outcome.status == "pixels" and same[0] != same[1]:
                wrong = "pixels that aren't in the code stream"
            self.tally.add("DICOM (streams)", RADIOGRAPH, f"cut {number} of {name}", outcome, wrong)

    def folder(self, mutant: Mutant, contents: list[bytes]) -> None:
        """Read and judge a folder of single-frame DICOM, one file of which is damaged."""
        folder = self._folder / "series"
        folder.mkdir(exist_ok=True)
        for number, content in enumerate(contents):
            (folder / f"{number}.dcm").write_bytes(content)
        outcome = self._watcher.read(folder, CINE)
        wrong = ""
        if outcome.status == "pixels" and outcome.pixels is not None:
            wrong = series.verdict(outcome.pixels, contents)
        status = self.tally.add("DICOM folder", CINE, mutant.damage, outcome, wrong)
        if status in BAD:
            shutil.copytree(folder, self._folder / f"bad_{len(self.tally.failures)}")

    def _marked(self, kind: str) -> tuple[Path, ...]:
        paths = tuple(self._folder / f"marked_{fill:x}_{kind}" for fill in FILLS)
        for path, fill in zip(paths, FILLS, strict=True):
            if not path.exists():
                path.write_bytes(marked(kind, fill))
        return paths


def drawn(count: int, seed: int, chosen: Iterable[Seed] | None = None) -> list[Mutant]:
    """About `count` mutants, as many of each seed; the same for the same numbers."""
    sources = list(seeds() if chosen is None else chosen)
    each = -(-count // len(sources))
    return [
        mutant
        for number, source in enumerate(sources)
        for mutant in mutants(source, each, np.random.default_rng([seed, number]))
    ]
