"""Draw a training's curves and its last images.

    python -m tests.figures.training RUN FILE.png [--title TEXT]

Loss_D and Loss_G, and D(x) and D(G(z)) before and after the discriminator's step, of every
iteration (thin) and as means over fifty (thick), from ``iterations.csv``; below them the last
sample grid.
"""

import argparse
import csv
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image

mpl.use("agg")
from matplotlib import pyplot as plt  # after the choice of what draws

LOSSES = {"d_loss": "Loss_D", "g_loss": "Loss_G"}
SCORES = {"d_real": "D(x)", "d_fake_before": "D(G(z)) before", "d_fake_after": "D(G(z)) after"}
RAW = {"score_real": "x", "score_fake_before": "G(z) before", "score_fake_after": "G(z) after"}
WINDOW = 50


def columns(path: Path) -> dict[str, NDArray[np.float64]]:
    """The table by columns; figures that only some iterations have are not a number elsewhere."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0]}


def smooth(
    iterations: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means over `WINDOW` iterations, and the iterations in their middle."""
    window = min(WINDOW, len(values))
    kernel = np.ones(window) / window
    means = (np.convolve(part, kernel, mode="valid") for part in (iterations, values))
    return next(means), next(means)


def draw(run: Path, target: Path, title: str) -> None:
    """Write one picture."""
    table = columns(run / "iterations.csv")
    grid = Image.open(sorted((run / "samples").glob("epoch_*.png"))[-1])
    figure, axes = plt.subplots(3, 1, figsize=(7, 9), height_ratios=(2, 2, 3))
    probabilistic = "d_real" in table
    for axis, names in zip(axes, (LOSSES, SCORES if probabilistic else RAW), strict=False):
        for name, label in names.items():
            (line,) = axis.plot(table["iteration"], table[name], linewidth=0.3, alpha=0.4)
            means = smooth(table["iteration"], table[name])
            axis.plot(*means, color=line.get_color(), label=label)
        axis.legend(loc="upper right", fontsize=8)
    if probabilistic:
        axes[1].set_ylim(0, 1)
        axes[1].axhline(0.5, color="grey", linewidth=0.5)
    axes[1].set_xlabel("iteration")
    axes[2].imshow(np.asarray(grid), cmap="grey", vmin=0, vmax=255)
    axes[2].axis("off")
    figure.suptitle(title)
    figure.tight_layout()
    figure.savefig(target, dpi=90)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--title", default="")
    given = parser.parse_args()
    draw(given.run, given.target, given.title or given.run.name)


if __name__ == "__main__":
    main()
