"""What a training of hrgan_dtcr leaves, tiny and drawn at random."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from medaug.networks import CineGenerator

MODALITIES = ["mri", "ct", "ultrasound", "xray"]
SETTINGS: dict[str, Any] = {
    "resolution": 128,
    "alpha": 1.0,
    "latent_dim": 8,
    "modalities": MODALITIES,
    "classes": MODALITIES,
    "conditions": {"ejection_fraction": [0.1, 0.8]},
    "num_frames": 5,
    "generator_options": {"channels": [4, 4], "style_dim": 8},
    "use_aiin": True,
    "epoch": 2,
}


def network(settings: dict[str, Any]) -> CineGenerator:
    """A generator as a training with these settings has it, without its weights."""
    kept = ("latent_dim", "modalities", "conditions", "num_frames")
    made = CineGenerator(
        resolution=settings["resolution"],
        **{key: settings[key] for key in kept},
        **settings["generator_options"],
    )
    return made.eval()


def cine_run(folder: Path, **changes: Any) -> Path:
    """Write a training's output folder; labels are as strong as the rest."""
    settings = SETTINGS | changes
    torch.manual_seed(0)
    made = network(settings)
    for name, weight in made.named_parameters():
        if "inject" in name or "head" in name:
            nn.init.normal_(weight, 0.0, 0.5)
    models = folder / "models"
    models.mkdir(parents=True)
    torch.save(made.state_dict(), models / "model.pt")
    (models / "model.json").write_text(json.dumps(settings))
    (models / "training_set.json").write_text('{"source_ids": ["5ec7e7"]}')
    return folder


def trained(run: Path) -> CineGenerator:
    """The generator of such a folder."""
    settings = json.loads((run / "models" / "model.json").read_text())
    state = torch.load(run / "models" / "model.pt", weights_only=True)
    made = network(settings)
    made.load_state_dict(state)
    made.alpha = settings["alpha"]
    return made
