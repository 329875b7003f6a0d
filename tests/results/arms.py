"""Trained GANs of chest X-rays, judged on patients that they never saw.

    python -m tests.results.arms RUN [RUN ...] --json FILE [--space both] [--report DIR]

Each training's last generator goes through `medaug.evaluation.Evaluator` beside the images that it
learned from and those of the test patients; `tables` prints what was found. Three times as many
images are generated as there are test images of a class, 150 at least: distances are means of
draws with as many of each class as there are test images. The real images may be

- *own*: as the generator saw them, "aiin" or "plain";
- *plain*: without AIIN, for every arm ("both" is own and plain).

Where a space isn't an arm's own, not even real images come out as real: `--ceiling` judges the
arm's own training images in place of generated ones. VGG16 takes 0.3 s an image: features are kept.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser
from torch import Tensor, nn

from medaug.evaluation import Evaluator, LabelledImages, default_cache
from medaug.evaluation._cache import cached_features
from medaug.features import Extractor, Features, find_extractor, vgg16
from medaug.report import write_report

from ..shared import SHARED

BUNDLES = Path(__file__).parents[2] / "bundles"
EXTRACTORS = ("domain", "vgg16_caffe", "efficientnet_lite0")
VGG16 = SHARED / "weights" / "vgg16_features_imagenet_caffe_fp16.safetensors"
TIMES, FEWEST = 3, 150
"""Generated images of a class: by the test images, and at least."""
SPACES = {"both": ("own", "plain"), "own": ("own",), "plain": ("plain",)}
FOUND = ("classes", "figures", "verdicts", "hyperscore", "protocol", "left_out", "counts")
"""What is kept of an evaluation."""


class Kept(Extractor):
    """Keeps features of generated images, too: they are judged in several spaces."""

    def __init__(self, inner: Extractor, folder: Path) -> None:
        super().__init__(nn.Identity(), name=inner.name, protocol=inner.protocol)
        self.inner = inner
        self.folder = folder

    def __call__(self, images: Tensor, *, batch_size: int = 16) -> Features:
        """As the extractor does."""
        unlabelled = LabelledImages(images, torch.zeros(len(images), dtype=torch.int64))
        return cached_features(self.inner, unlabelled, self.folder)


class Run:
    """A training's output folder: what it was trained with, and its generator's settings."""

    def __init__(self, folder: Path) -> None:
        files = folder / "run.json", folder / "models" / "model.json"
        self.record, self.settings = (json.loads(one.read_text(encoding="utf-8")) for one in files)
        self.folder = folder

    @property
    def arm(self) -> str:
        """Its own space."""
        return "aiin" if self.settings["use_aiin"] else "plain"

    @property
    def split_seed(self) -> int:
        """By which patients were split."""
        source = "collection" if "class_name" in self.settings else "data"
        seed = self.record["configuration"][source]["seed"]
        return int(self.record["seed"] if seed == "@seed" else seed)

    def parser(self, space: str) -> ConfigParser:
        """The bundle's evaluate.json, for this generator and real images of a space."""
        bundle = "aiin_dcgan" if "class_name" in self.settings else "aiin_acgan"
        parser = ConfigParser()
        parser.read_config(str(BUNDLES / bundle / "configs" / "evaluate.json"))
        settings = self.settings | {"use_aiin": space == "aiin", "seed": self.split_seed}
        where = {"run_dir": str(self.folder), "dataset_dir": str(SHARED / "data" / "cxr")}
        parser.update(where | {"settings": settings, "device": "cpu"})
        return parser

    def reals(self, space: str) -> list[LabelledImages]:
        """Training and test images."""
        parser = self.parser(space)
        data, prepare = (parser.get_parsed_content(name) for name in ("data", "preprocessing"))
        if data.fingerprint != self.settings["data"]:
            raise ValueError(f"{self.folder} was trained on other images, or another split")
        sets = ([prepare(dict(item)) for item in part] for part in (data.train, data.test))
        return [LabelledImages.of(part) for part in sets]

    @torch.no_grad()
    def generate(self, counts: Sequence[int]) -> LabelledImages:
        """So many images of each class."""
        network = self.parser(self.arm).get_parsed_content("network")
        labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
        random = torch.Generator().manual_seed(1)
        latents = torch.randn(len(labels), self.settings["latent_dim"], generator=random)
        pairs = zip(latents.split(64), labels.split(64), strict=True)
        return LabelledImages(torch.cat([network(z, y).float() for z, y in pairs]), labels)

    def about(self) -> dict[str, Any]:
        """Which training it is."""
        lines = (self.folder / "iterations.csv").read_text(encoding="utf-8").count("\n")
        name = self.settings.get("class_name")
        kind = "ACGAN" if name is None else f"DCGAN, {name or 'all'}"
        told = {"run": self.folder.name, "kind": kind, "arm": self.arm}
        return told | {"seed": self.record["seed"], "steps": lines - 1}


class Judge:
    """Judges runs, and reads real images once for all that share them."""

    def __init__(self, extractors: Sequence[str], cache: Path) -> None:
        self.cache = cache
        self.extractors = [self._find(name) for name in extractors]
        self._evaluators: dict[str, Evaluator] = {}

    def _find(self, name: str) -> str | Extractor:
        if name == "domain":
            return name
        return Kept(vgg16(VGG16) if name == "vgg16_caffe" else find_extractor(name), self.cache)

    def evaluator(self, run: Run, space: str) -> Evaluator:
        """With the real images of a space."""
        names = ("class_name", "image_size", "aiin_windows", "aiin_threshold")
        key = json.dumps([space, run.split_seed, *map(run.settings.get, names)])
        if key not in self._evaluators:
            sets = (*run.reals(space), run.settings["classes"])
            found = Evaluator(*sets, extractors=self.extractors, cache=self.cache)
            self._evaluators[key] = found
        return self._evaluators[key]

    def __call__(self, run: Run, space: str, report: Path | None, ceiling: bool) -> dict[str, Any]:
        """An entry of the JSON file."""
        start = time.perf_counter(), time.process_time()
        judge, told = self.evaluator(run, space), run.about()
        if ceiling:
            made = self.evaluator(run, run.arm).train
            told |= {"run": f"real images, {run.arm}", "arm": f"real, {run.arm}"}
        else:
            counts = judge.held_out.counts(len(judge.classes)).tolist()
            made = run.generate([max(TIMES * count, FEWEST) for count in counts])
        evaluation = judge(made)
        if report is not None:
            sets = {"train": judge.train, "held_out": judge.held_out, "synthetic": made}
            title = f"{told['run']} beside real images ({space})"
            page, history = report / f"{told['run']}_{space}.html", run.folder / "metrics.csv"
            write_report(page, evaluation, **sets, title=title, history=history)
        spent = time.perf_counter() - start[0], time.process_time() - start[1]
        found = evaluation.plain()
        return told | {"space": space, "seconds": spent} | {name: found[name] for name in FOUND}


def main() -> None:
    """Judge runs, and write what was found after each one."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--json", required=True, type=Path, metavar="FILE")
    parser.add_argument("--space", default="both", choices=tuple(SPACES))
    parser.add_argument("--extractors", default=",".join(EXTRACTORS))
    parser.add_argument("--cache", default=default_cache(), type=Path)
    parser.add_argument("--report", type=Path, metavar="DIR", help="pages hold training images")
    parser.add_argument("--ceiling", action="store_true", help="real images in place of generated")
    given = parser.parse_args()
    judge, entries = Judge(given.extractors.split(","), given.cache), []
    for run in map(Run, given.runs):
        # a plain arm's own space is the plain one
        for space in dict.fromkeys(
            run.arm if name == "own" else name for name in SPACES[given.space]
        ):
            entry = judge(run, space, given.report, given.ceiling)
            entries.append(entry)
            given.json.parent.mkdir(parents=True, exist_ok=True)
            given.json.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
            answers = ", ".join(f"{one['name']} {one['answer']}" for one in entry["verdicts"])
            print(f"{entry['run']} {space} {entry['seconds'][0]:.0f} s: {answers}", flush=True)


if __name__ == "__main__":
    main()
