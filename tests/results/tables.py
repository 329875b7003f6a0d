"""What `arms` found of several trainings, as Markdown.

    python -m tests.results.tables FILE [FILE ...]

Per training the figures with 95 % intervals; what AIIN changes, over seeds; and whether the
extractors rank trainings alike. Trainings of one kind and arm count as its seeds: give files of
comparable ones only. Of entries of one training and space the last one counts.
"""

import argparse
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from medaug.evaluation import Estimate, Figure, Gap, find

JUDGE, LOOK = "domain_32px", "efficientnet_lite0"
"""Whose inception score and agreement, whose authenticity and distances are shown."""
ANSWERS = {"yes": "yes", "no": "no", "can't tell at this n": "?"}
ARMS = ("plain", "aiin")


class Entry(NamedTuple):
    """A training beside the real images of a space; verdicts are answers by name."""

    run: str
    kind: str
    arm: str
    space: str
    figures: tuple[Figure, ...]
    verdicts: Mapping[str, str]

    @property
    def ratios(self) -> dict[str, Figure]:
        """FD ratio by extractor."""
        found = (one for one in self.figures if one.name.endswith("_ratio"))
        return {one.name.removeprefix("fd_").removesuffix("_ratio"): one for one in found}

    @property
    def excess(self) -> dict[str, Gap]:
        """MS-SSIM by class, synthetic minus real."""
        return {f.scope: f.difference() for f in self.figures if f.name.startswith("msssim")}

    def numbers(self) -> dict[str, float]:
        """What is compared over seeds."""
        excess = {name: one.value for name, one in self.excess.items()}
        found = {f"MS-SSIM excess, {name}": value for name, value in excess.items()}
        if len(excess) > 1:
            found["MS-SSIM excess, mean of classes"] = float(np.mean(list(excess.values())))
        for name, label in (("is", "inception score"), ("agreement", "class agreement")):
            one = find(self.figures, f"{name}_{JUDGE}")
            if one is not None:
                found |= {label: one.synthetic.value, f"{label} − real": one.difference().value}
        return found | {f"FD ratio, {name}": f.synthetic.value for name, f in self.ratios.items()}


def welch(one: Sequence[float], two: Sequence[float]) -> Estimate:
    """Mean of `two` minus mean of `one`, with Welch's 95 % interval; none below two of each."""
    value = float(np.mean(two) - np.mean(one))
    if min(len(one), len(two)) < 2:
        return Estimate(value)
    parts = [(float(np.var(part, ddof=1)) / len(part), len(part)) for part in (one, two)]
    square = sum(share for share, _ in parts)
    if square == 0:
        return Estimate(value, value, value)
    freedom = square**2 / sum(share**2 / (n - 1) for share, n in parts)
    reach = float(stats.t.ppf(0.975, freedom)) * math.sqrt(square)
    return Estimate(value, value - reach, value + reach)


def kendall(one: Sequence[float], two: Sequence[float]) -> float:
    """Kendall's tau-a: pairs in the same order less pairs in the other, by all pairs."""
    pairs = list(combinations(range(len(one)), 2))
    agreed = (np.sign((one[i] - one[j]) * (two[i] - two[j])) for i, j in pairs)
    return float(sum(agreed)) / len(pairs)


def ranks(values: Sequence[float]) -> list[int]:
    """1 for the greatest."""
    return [1 + sum(other > value for other in values) for value in values]


def load(paths: Sequence[Path]) -> list[Entry]:
    """Entries of all files, sorted."""
    plain = [one for path in paths for one in json.loads(path.read_text(encoding="utf-8"))]
    found = {(one["kind"], one["space"], one["arm"], one["run"]): one for one in plain}
    return [read(found[key]) for key in sorted(found)]


def read(plain: Mapping[str, Any]) -> Entry:
    """From JSON."""
    names = [name for name in Entry._fields if name not in ("figures", "verdicts")]
    figures = tuple(map(Figure.read, plain["figures"]))
    verdicts = {one["name"]: ANSWERS[one["answer"]] for one in plain["verdicts"]}
    return Entry(**{name: plain[name] for name in names}, figures=figures, verdicts=verdicts)


def shown(one: Estimate | Gap | None, sign: str = "") -> str:
    """A value with its interval, to three digits."""
    if one is None:
        return "–"
    value = f"{one.value:{sign}.3f}"
    ends = one.low is not None and one.high is not None
    return f"{value} ({one.low:{sign}.3f} to {one.high:{sign}.3f})" if ends else value


def beside(figure: Figure | None) -> str:
    """Synthetic and, in square brackets, real."""
    if figure is None or figure.real is None:
        return "–"
    return f"{shown(figure.synthetic)} [{figure.real.value:.3f}]"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """In Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def by_run(entries: Sequence[Entry]) -> Iterator[str]:
    """Two tables of trainings beside the same real images."""
    names = list(dict.fromkeys(name for one in entries for name in one.ratios))
    classes = list(dict.fromkeys(name for one in entries for name in one.excess))
    yield "FD ratio (floor / distance), and MS-SSIM within the class, synthetic − real:\n"
    rows = []
    for one in entries:
        ratios = {name: figure.synthetic for name, figure in one.ratios.items()}
        cells = [shown(ratios.get(name)) for name in names]
        rows.append([one.run, *cells, *(shown(one.excess.get(name), "+") for name in classes)])
    yield table(
        ["run", *(f"FD ratio, {n}" for n in names), *(f"excess, {n}" for n in classes)], rows
    )
    figures = [
        f"is_{JUDGE}",
        f"agreement_{JUDGE}",
        f"authenticity_{LOOK}",
        f"train_distance_{LOOK}",
    ]
    figures.append("authenticity_thumbnail8")
    yield "Held-out real images in brackets; verdicts, yes is bad news:\n"
    rows = [
        [one.run, *(beside(find(one.figures, n)) for n in figures), *one.verdicts.values()]
        for one in entries
    ]
    yield table(["run", *figures, *(name.replace("_", " ") for name in entries[0].verdicts)], rows)


def effects(entries: Sequence[Entry]) -> str:
    """What AIIN changes."""
    arms = [[e.numbers() for e in entries if e.arm == arm] for arm in ARMS]
    rows = []
    for name in dict.fromkeys(name for part in arms for one in part for name in one):
        values = [[one[name] for one in part if name in one] for part in arms]
        if all(values):
            means = [f"{np.mean(part):.3f} (n = {len(part)})" for part in values]
            rows.append([name, *means, shown(welch(*values), "+")])
    return table(["figure", "without AIIN", "with", "with − without (95 % over seeds)"], rows)


def agreement(entries: Sequence[Entry]) -> str:
    """How the extractors rank the trainings by FD ratio, 1 the best, and Kendall's tau."""
    found: dict[str, dict[str, float]] = {}
    for entry in entries:
        for name, figure in entry.ratios.items():
            found.setdefault(name, {})[entry.run] = figure.synthetic.value
    placed = {n: dict(zip(part, ranks([*part.values()]), strict=True)) for n, part in found.items()}
    rows = [[e.run, *(str(placed[n].get(e.run, "–")) for n in found)] for e in entries]
    taus = []
    for one, two in combinations(found, 2):
        both = [run for run in found[one] if run in found[two]]
        if len(both) > 1:
            tau = kendall(*([found[name][run] for run in both] for name in (one, two)))
            taus.append(f"{one} and {two} {tau:+.2f} (n = {len(both)})")
    ends = f"\nKendall's tau: {', '.join(taus)}.\n" if taus else ""
    return table(["rank by FD ratio", *found], rows) + ends


def report(entries: Sequence[Entry]) -> Iterator[str]:
    """All tables."""
    for kind in dict.fromkeys(one.kind for one in entries):
        mine = [one for one in entries if one.kind == kind]
        names = dict.fromkeys(one.space for one in mine)
        spaces = {name: [one for one in mine if one.space == name] for name in names}
        for space, part in spaces.items():
            yield f"## {kind}, beside real images: {space}\n"
            yield from by_run(part)
        sets = {"its own space": [one for one in mine if one.space == one.arm]}
        sets["the same space, plain"] = spaces.get("plain", [])
        for title, part in sets.items():
            trained = [one for one in part if one.arm in ARMS]
            if {one.arm for one in trained} == set(ARMS):
                yield f"## {kind}, each arm in {title}\n"
                yield f"{effects(trained)}\n{agreement(trained)}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    print("\n".join(report(load(parser.parse_args().files))))


if __name__ == "__main__":
    main()
