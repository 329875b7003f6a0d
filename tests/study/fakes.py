"""A hospital of small images, and bundles that learn in a blink."""

import csv
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression
from torch import Tensor
from torch.nn import functional as F

from medaug.data import ImageCollection
from medaug.errors import UserError
from medaug.features import Features

SIDE = 32
SECRET = "SMITH^JOHN"
"""In every file's name and patient: it must not be in any output."""
PHI = ("SMITH", "smith")


def picture(
    random: np.random.Generator, label: str, *, border: bool = False, strength: float = 60.0
) -> NDArray[np.uint8]:
    """Smooth noise; "covid" has a spot in the middle, and where asked a bright frame."""
    coarse = random.normal(110, 25, (8, 8))
    image = np.kron(coarse, np.ones((4, 4))) + random.normal(0, 8, (SIDE, SIDE))
    rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE / 2 + random.uniform(-3, 3, (2, 1, 1))
    if label == "covid":
        image += strength * np.exp(-(rows**2 + columns**2) / 30)
        if border:
            image[:3] += 60
    return np.clip(image, 0, 255).astype(np.uint8)


def hospital(
    folder: Path,
    *,
    seed: int = 0,
    normal: int = 60,
    covid: int = 24,
    border: bool = False,
    strength: float = 60.0,
) -> Path:
    """A folder with a manifest: two images of every third patient, one of the others."""
    random = np.random.default_rng(seed)
    rows = []
    for label, count in (("covid", covid), ("normal", normal)):
        (folder / label).mkdir(parents=True)
        for number in range(count):
            name = f"{label}/{SECRET}_{seed}_{number}.png"
            image = picture(random, label, border=border, strength=strength)
            Image.fromarray(image).save(folder / name)
            rows.append((name, label, f"{SECRET} {label} {number - number % 3 // 2}"))
    with (folder / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "label", "patient"), *rows])
    return folder


def made(
    folder: Path,
    draw: Callable[[np.random.Generator, str], NDArray[np.uint8]] = picture,
    *,
    count: int = 150,
    trained_on: list[str] | None = None,
    seed: int = 99,
) -> Path:
    """A generator's images in one subfolder for each class, and what it was trained on."""
    random = np.random.default_rng(seed)
    for label in ("covid", "normal"):
        (folder / label).mkdir(parents=True)
        for number in range(count):
            Image.fromarray(draw(random, label)).save(folder / label / f"{number}.png")
    content = {"source_ids": trained_on or []}
    (folder / "training_set.json").write_text(json.dumps(content))
    return folder


def plan(dataset_dir: Path, output_dir: Path, **more: Any) -> dict[str, Any]:
    """A small study of real images and duplicates."""
    arms = [{"name": "real"}, {"name": "duplicates", "extra": "duplicates"}]
    return {
        "dataset_dir": str(dataset_dir),
        "output_dir": str(output_dir),
        "image_size": SIDE,
        "steps": 20,
        "validations": 4,
        "extractors": [],
        "split": {"validation": 0.15, "test": 0.35},
        "arms": arms + more.pop("arms", []),
        **more,
    }


class FakeBundles:
    """Runs nothing: the classifier is a regression on 8 x 8 pixels, a GAN adds noise.

    Args:
        fail: whether a run fails, by bundle and options.
    """

    lanes = 2

    def __init__(self, fail: Callable[[str, Mapping[str, Any]], bool] = lambda *_: False) -> None:
        self.fail = fail
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.models: dict[str, Any] = {}

    def trained(self, bundle: str = "vit_classifier") -> list[dict[str, Any]]:
        """Options of a bundle's trainings."""
        return [one for name, what, one in self.calls if (name, what) == (bundle, "train")]

    def __call__(self, config: Path, options: Mapping[str, Any], *, log: Path) -> None:
        """As `Runner`."""
        bundle, what = config.parts[-3], config.stem
        self.calls.append((bundle, what, dict(options)))
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("said")
        if self.fail(bundle, options):
            raise UserError("the disk is full")
        kind = "classifier" if bundle == "vit_classifier" else "gan"
        getattr(self, f"_{kind}_{what}")(options)

    def _classifier_train(self, options: Mapping[str, Any]) -> None:
        data = ImageCollection(options["dataset_dir"], progress=False)
        random = np.random.default_rng(options["seed"])
        chosen = random.integers(0, len(data.train), 4 * len(data.train))
        rows = np.array([features(one["image"]) for one in data.train])
        labels = np.array([one["label"] for one in data.train])
        weight = "balanced" if options["balance"] == "loss" else None
        model = LogisticRegression(C=0.01, class_weight=weight, max_iter=200)
        self.models[str(options["output_dir"])] = model.fit(rows[chosen], labels[chosen])
        steps = options["max_epochs"] * options["epoch_length"]
        models = Path(options["output_dir"]) / "models"
        models.mkdir(parents=True)
        (models / f"resume_{steps:09d}.pt").write_bytes(b"")
        (models / "model.pt").write_bytes(b"weights")

    def _classifier_inference(self, options: Mapping[str, Any]) -> None:
        files = sorted(Path(options["dataset_dir"]).rglob("*.png"))
        shares = self.models[options["run_dir"]].predict_proba([features(one) for one in files])
        folder = Path(options["output_dir"])
        folder.mkdir()
        with (folder / "probabilities.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["file", "predicted", "probability_covid", "probability_normal"])
            writer.writerows([str(one), "", *row] for one, row in zip(files, shares, strict=True))

    def _gan_train(self, options: Mapping[str, Any]) -> None:
        data = ImageCollection(options["dataset_dir"], progress=False)
        models = Path(options["output_dir"]) / "models"
        models.mkdir(parents=True, exist_ok=True)
        (models / "model.pt").write_bytes(str(options["dataset_dir"]).encode())
        (models / "model.json").write_text(json.dumps({"epoch": options["max_epochs"]}))
        ids = [one["source_id"] for one in data.train]
        (models / "training_set.json").write_text(json.dumps({"source_ids": ids}))
        shutil.copy(options["dataset_dir"], models / "list.json")

    def _gan_inference(self, options: Mapping[str, Any]) -> None:
        seen = json.loads((Path(options["run_dir"]) / "models" / "list.json").read_text())
        random = np.random.default_rng(options["seed"])
        folder, names = Path(options["output_dir"]), options["class_names"]
        entries = []
        for index in range(options["num_images"]):
            name = names[index % len(names)]
            own = [one["image"] for one in seen["training"] if one["label"] == name]
            pixels = np.asarray(Image.open(own[index % len(own)])) + random.normal(
                0, 12, (SIDE,) * 2
            )
            file = Path(name) / f"{name}_{index:05d}.png"
            (folder / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / file)
            entries.append({"file": str(file), "class": name})
        (folder / "manifest.json").write_text(json.dumps({"images": entries}))


class FakeDomain:
    """In the place of `medaug.features.domain`, which takes seconds to learn."""

    def __init__(self, images: Tensor, labels: Tensor, **_: Any) -> None:
        self.model = LogisticRegression(C=0.3, max_iter=300).fit(_means(images), labels.numpy())

    def __call__(self, images: Tensor) -> Features:
        shares = torch.from_numpy(self.model.predict_proba(_means(images)))
        return Features(images.flatten(1), shares)


def _means(images: Tensor) -> NDArray[np.float64]:
    means: NDArray[np.float64] = F.adaptive_avg_pool2d(images, 16).flatten(1).double().numpy()
    return means * 5


def features(path: str | Path) -> NDArray[np.float64]:
    """8 x 8 means."""
    image = np.asarray(Image.open(path), dtype=np.float64)
    return image.reshape(8, 4, 8, 4).mean((1, 3)).ravel() / 25.5
