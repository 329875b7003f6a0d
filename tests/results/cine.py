"""What HR-GAN-DTCR is set beside: a DCGAN that makes one frame at a time.

    python -m tests.results.cine frames CINES DIR --resolution 128
    python -m tests.results.cine judge RUN CINE_RUN CINES OUTPUT
    python -m tests.results.cine strips CINES OUTPUT.png CINE_RUN... [--frames RUN]

`frames` writes the training and validation sequences' frames as PNGs with a list, for
``bundles/aiin_dcgan`` (``--dataset_dir DIR/list.json``). `judge` takes that training's RUN, makes
sequences of frames that know nothing of each other, and judges them as `evaluate.json` does those
of CINE_RUN, a training of ``bundles/hrgan_dtcr`` on the same CINES. `strips` draws film strips with
M-modes: the weakest and the strongest heart of the test patients', then two rows a training, which
is asked for the same two.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.bundle import ConfigParser
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from medaug.data import CinePyramid
from medaug.evaluation import CineEvaluator, LabelledSequences
from medaug.report import write_cine_report
from medaug.report._cine_pictures import film_strip, m_mode_picture

from ..shared import SHARED

BUNDLES = Path(__file__).parents[2] / "bundles"
VGG16 = SHARED / "weights" / "vgg16_features_imagenet_caffe_fp16.safetensors"
EXTRACTORS = ("efficientnet_lite0",)
SEQUENCES = 60


def parser(bundle: str, config: str, **overrides: Any) -> ConfigParser:
    """A bundle's configuration."""
    made = ConfigParser()
    made.read_config(str(BUNDLES / bundle / "configs" / f"{config}.json"))
    made.update(overrides | {"device": "cpu"})
    return made


def write_frames(cines: str, folder: Path, resolution: int, modality: str) -> None:
    """PNGs, and a MONAI data list that keeps the split of the sequences."""
    config = parser("hrgan_dtcr", "train", dataset_dir=cines, modalities=[modality])
    data = config.get_parsed_content("data")
    entries: dict[str, list[dict[str, str]]] = {}
    (folder / modality).mkdir(parents=True)
    for split, items in (("training", data.train), ("validation", data.validation)):
        prepare = config.get_parsed_content("train#preprocessing")
        for item in CinePyramid(items, prepare, resolution=resolution):
            for t, frame in enumerate(item["image"][0].numpy()):
                name = f"{modality}/{item['source_id'][:16]}_{t:02d}.png"
                Image.fromarray(np.round(255 * frame).astype(np.uint8)).save(folder / name)
                entry = {"image": name, "label": modality, "patient": item["source_id"][:16]}
                entries.setdefault(split, []).append(entry)
    (folder / "list.json").write_text(json.dumps(entries) + "\n", encoding="utf-8")


def real_sequences(cine_run: Path, cines: str) -> list[LabelledSequences]:
    """Training and test sequences, as `evaluate.json` has them."""
    config = parser("hrgan_dtcr", "evaluate", run_dir=str(cine_run), dataset_dir=cines)
    names = list(config.get_parsed_content("conditions"))
    sets = (config.get_parsed_content(name) for name in ("real_dataset", "held_out_dataset"))
    return [LabelledSequences.of(one, names) for one in sets]


@torch.no_grad()
def unconnected(run: Path, like: LabelledSequences) -> LabelledSequences:
    """Sequences whose frames a DCGAN draws each by itself."""
    config = parser("aiin_dcgan", "evaluate", run_dir=str(run))
    network = config.get_parsed_content("network")
    length, side = like.sequences.shape[2:4]
    size = [SEQUENCES * length, config.get_parsed_content("settings")["latent_dim"]]
    latents = torch.randn(size, generator=torch.Generator().manual_seed(0))
    labels = torch.zeros(len(latents), dtype=torch.int64)
    pairs = zip(latents.split(64), labels.split(64), strict=True)
    frames = torch.cat([network(*pair).float() for pair in pairs])
    frames = F.interpolate(frames, size=[side, side], mode="area")
    sequences = frames.view(SEQUENCES, length, 1, side, side).transpose(1, 2).contiguous()
    nothing_asked = torch.full((SEQUENCES,), torch.nan)
    return LabelledSequences(sequences, labels[:SEQUENCES], nothing_asked)


def judge(run: Path, cine_run: Path, cines: str, output: Path) -> None:
    """``evaluation.json`` and ``report.html``."""
    train, held_out = real_sequences(cine_run, cines)
    made = unconnected(run, train)
    settings = json.loads((cine_run / "models" / "model.json").read_text(encoding="utf-8"))
    evaluator = CineEvaluator(
        train, held_out, settings["modalities"], extractors=EXTRACTORS, vgg_weights=VGG16
    )
    evaluation = evaluator(made)
    evaluation.save(output / "evaluation.json")
    sets = {"train": train, "held_out": held_out, "synthetic": made}
    title = "Frames of a DCGAN, one after another"
    write_cine_report(output / "report.html", evaluation, **sets, title=title)
    print(evaluation.text())


@torch.no_grad()
def asked(cine_run: Path, fractions: Tensor) -> Tensor:
    """Sequences of these ejection fractions, of the same latent vectors for all trainings."""
    config = parser("hrgan_dtcr", "inference", run_dir=str(cine_run))
    network = config.get_parsed_content("network")
    size = [len(fractions), network.latent.in_features]
    latents = torch.randn(size, generator=torch.Generator().manual_seed(1))
    told = [network.tell(conditions={"ejection_fraction": float(one)}) for one in fractions]
    made: Tensor = network(latents, *(torch.cat(parts) for parts in zip(*told, strict=True)))
    return made.float()


def draw_strips(cines: str, output: Path, runs: list[Path], frames: Path | None) -> None:
    """One picture of the test patients' hearts and all trainings'."""
    _, held_out = real_sequences(runs[0], cines)
    ends = [int(held_out.ejection_fraction.argmin()), int(held_out.ejection_fraction.argmax())]
    rows = [held_out.sequences[ends]]
    if frames is not None:
        rows.append(unconnected(frames, held_out).sequences[:2])
    rows += [asked(run, held_out.ejection_fraction[ends]) for run in runs]
    pictures = [_row(one) for one in torch.cat(rows)]
    picture = torch.cat([F.pad(one, (0, 0, 0, 2), value=1.0) for one in pictures], dim=1)[0]
    Image.fromarray((255 * picture.clamp(0, 1)).round().byte().numpy()).save(output)


def _row(sequence: Tensor) -> Tensor:
    """(1, height, width): a film strip, and its M-mode to the right."""
    strip = film_strip(sequence)
    beside = m_mode_picture(sequence)[None]
    size = (strip.shape[1], strip.shape[2] // 4)
    beside = F.interpolate(beside, size, mode="bilinear", align_corners=False)[0]
    return torch.cat([F.pad(strip, (0, 6), value=1.0), beside], dim=2)


def main() -> None:
    """As the module says."""
    given = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    commands = given.add_subparsers(dest="command", required=True)
    frames = commands.add_parser("frames")
    frames.add_argument("cines")
    frames.add_argument("folder", type=Path)
    frames.add_argument("--resolution", type=int, default=128)
    frames.add_argument("--modality", default="mri")
    judged = commands.add_parser("judge")
    judged.add_argument("run", type=Path)
    judged.add_argument("cine_run", type=Path)
    judged.add_argument("cines")
    judged.add_argument("output", type=Path)
    strips = commands.add_parser("strips")
    strips.add_argument("cines")
    strips.add_argument("output", type=Path)
    strips.add_argument("runs", type=Path, nargs="+")
    strips.add_argument("--frames", type=Path)
    options = vars(given.parse_args())
    run = {
        "frames": write_frames,
        "judge": judge,
        "strips": draw_strips,
    }
    run[options.pop("command")](**options)


if __name__ == "__main__":
    main()
