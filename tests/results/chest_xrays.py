"""How good a GAN's chest X-rays are, judged on patients that it never saw.

    python -m tests.results.chest_xrays RUN [RUN ...] [--split test] [--vgg] [--json FILE]

For each training's output folder one row:

- **FD ratio** on EfficientNet-Lite0 (and VGG16, which takes minutes): the floor, FD(held-out, as
  many training images), by FD(held-out, as many synthetic images); class mix of the held-out; means
  of 20 draws, with the standard deviation over draws; 1 is perfect;
- **excess**: MS-SSIM within each class, synthetic minus real (up to 150 training images and as many
  synthetic ones, all pairs);
- **authenticity** and **distance**: the share of synthetic images farther from their nearest
  training image than that one is from its own nearest, and the median distance to the nearest
  training image; beside what held-out real images give (EfficientNet-Lite0).

Real and synthetic images are compared in the space that the GAN was trained in: with AIIN or
without.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.bundle import ConfigParser
from numpy.typing import NDArray
from torch import Tensor

from medaug.metrics import msssim_all_pairs

from ..references.frechet import frechet_distance
from ..shared import SHARED
from .features import Extractor, efficientnet_lite0, vgg16_relu4_3

BUNDLES = Path(__file__).parents[2] / "bundles"
DRAWS, SIMILAR = 20, 150
Vectors = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """What a training's images are worth."""

    run: str
    steps: int
    held_out: int
    fd_ratio_efficientnet_lite0: float
    fd_ratio_efficientnet_lite0_sd: float
    fd_ratio_vgg16: float | None
    authenticity: float
    authenticity_real: float
    distance: float
    distance_real: float
    msssim_synthetic: dict[str, float]
    msssim_real: dict[str, float]

    @property
    def excess(self) -> dict[str, float]:
        """MS-SSIM within each class, synthetic minus real."""
        return {
            name: self.msssim_synthetic[name] - self.msssim_real[name] for name in self.msssim_real
        }


class Training:
    """A training's generator and images, as its bundle's evaluate.json has them."""

    def __init__(self, run: Path, split: str) -> None:
        record = json.loads((run / "run.json").read_text(encoding="utf-8"))
        self.settings = json.loads((run / "models" / "model.json").read_text(encoding="utf-8"))
        one_class = "class_name" in self.settings
        bundle, source = ("aiin_dcgan", "collection") if one_class else ("aiin_acgan", "data")
        seed = record["configuration"][source]["seed"]
        parser = ConfigParser()
        parser.read_config(str(BUNDLES / bundle / "configs" / "evaluate.json"))
        parser.update(
            {
                "run_dir": str(run),
                "device": "cpu",
                "dataset_dir": str(SHARED / "data" / "cxr"),
                f"{source}#seed": record["seed"] if seed == "@seed" else seed,
            }
        )
        data = parser.get_parsed_content("data")
        prepare = parser.get_parsed_content("preprocessing")
        self.classes: list[str] = list(data.classes)
        self.real = {
            part: [prepare(dict(item)) for item in getattr(data, part)] for part in ("train", split)
        }
        self.generator = parser.get_parsed_content("network")
        self.split = split

    def images(self, part: str) -> tuple[Tensor, Vectors]:
        """Real images of a part, and their labels."""
        items = self.real[part]
        return torch.stack([item["image"] for item in items]), np.array([i["label"] for i in items])

    @torch.no_grad()
    def generate(self, labels: Vectors) -> Tensor:
        """Images of the given classes."""
        random = torch.Generator().manual_seed(1)
        latents = torch.randn(len(labels), self.settings["latent_dim"], generator=random)
        chosen = torch.as_tensor(labels)
        pairs = zip(latents.split(64), chosen.split(64), strict=True)
        return torch.cat([self.generator(z, y) for z, y in pairs])


@cache
def extractors(vgg: bool) -> dict[str, Extractor]:
    """The networks that were asked for."""
    found = {"efficientnet_lite0": efficientnet_lite0()}
    return found | ({"vgg16": vgg16_relu4_3()} if vgg else {})


def fd_ratio(
    held_out: Vectors,
    train: Vectors,
    train_labels: Vectors,
    made: Vectors,
    made_labels: Vectors,
    counts: Vectors,
) -> tuple[float, float]:
    """Mean floor by mean distance, and its standard deviation over draws of the synthetic ones."""
    rng = np.random.default_rng(0)

    def distances(pool: Vectors, labels: Vectors) -> Vectors:
        return np.array(
            [frechet_distance(held_out, pool[draw(labels, counts, rng)]) for _ in range(DRAWS)]
        )

    floor = distances(train, train_labels).mean()
    found = distances(made, made_labels)
    return float(floor / found.mean()), float((floor / found).std(ddof=1))


def draw(labels: Vectors, counts: Vectors, rng: np.random.Generator) -> Vectors:
    """Indices of so many of each class, without replacement."""
    return np.concatenate(
        [
            rng.choice(np.flatnonzero(labels == label), count, replace=False)
            for label, count in enumerate(counts)
        ]
    )


def nearest(of: Vectors, among: Vectors, *, itself: bool = False) -> tuple[Vectors, Vectors]:
    """Distance and index of the nearest; the vector itself doesn't count where it is among them."""
    squares = np.square(of).sum(1)[:, None] + np.square(among).sum(1) - 2 * of @ among.T
    if itself:
        np.fill_diagonal(squares, np.inf)
    index = squares.argmin(1)
    return np.sqrt(squares[np.arange(len(of)), index].clip(0)), index


def judge(run: Path, split: str, vgg: bool) -> Row:
    """One training."""
    training = Training(run, split)
    train, train_labels = training.images("train")
    held, held_labels = training.images(split)
    counts = np.bincount(held_labels, minlength=len(training.classes))
    made_labels = np.repeat(np.arange(len(counts)), np.maximum(3 * counts, SIMILAR))
    made = training.generate(made_labels)
    ratios, vectors = {}, {}
    for name, extract in extractors(vgg).items():
        sets = vectors[name] = [extract(images) for images in (held, train, made)]
        ratios[name] = fd_ratio(sets[0], sets[1], train_labels, sets[2], made_labels, counts)
    held_v, train_v, made_v = vectors["efficientnet_lite0"]
    own, _ = nearest(train_v, train_v, itself=True)
    far, near = zip(*(nearest(v, train_v) for v in (made_v, held_v)), strict=True)
    similar: dict[str, dict[str, float]] = {"synthetic": {}, "real": {}}
    for label, name in enumerate(training.classes):
        real = train[train_labels == label][:SIMILAR]
        similar["real"][name] = msssim_all_pairs(real).mean
        synthetic = made[made_labels == label][: len(real)]
        similar["synthetic"][name] = msssim_all_pairs(synthetic).mean
    steps = sum(1 for _ in (run / "iterations.csv").open(encoding="utf-8")) - 1
    return Row(
        run=run.name,
        steps=steps,
        held_out=len(held),
        fd_ratio_efficientnet_lite0=ratios["efficientnet_lite0"][0],
        fd_ratio_efficientnet_lite0_sd=ratios["efficientnet_lite0"][1],
        fd_ratio_vgg16=ratios["vgg16"][0] if vgg else None,
        authenticity=float((far[0] > own[near[0]]).mean()),
        authenticity_real=float((far[1] > own[near[1]]).mean()),
        distance=float(np.median(far[0])),
        distance_real=float(np.median(far[1])),
        msssim_synthetic=similar["synthetic"],
        msssim_real=similar["real"],
    )


def main() -> None:
    """Print a row a run, and write them as JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--split", default="test", choices=("validation", "test"))
    parser.add_argument("--vgg", action="store_true")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for run in given.runs:
        row = judge(run, given.split, given.vgg)
        rows.append(asdict(row))
        excess = ", ".join(f"{name} {value:+.3f}" for name, value in row.excess.items())
        vgg = "" if row.fd_ratio_vgg16 is None else f"{row.fd_ratio_vgg16:.3f}"
        print(
            f"| {row.run} | {row.steps} | {row.fd_ratio_efficientnet_lite0:.3f} ± "
            f"{row.fd_ratio_efficientnet_lite0_sd:.3f} | {vgg} | {excess} | "
            f"{row.authenticity:.2f} ({row.authenticity_real:.2f}) | "
            f"{row.distance:.2f} ({row.distance_real:.2f}) |",
            flush=True,
        )
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
