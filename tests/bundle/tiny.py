"""A configuration of a few lines, in a bundle's folder, and what it calls."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

DEFAULTS: dict[str, Any] = {
    "imports": ["$import medaug"],
    "bundle_root": "$medaug.bundle.find_root()",
    "dataset_dir": "$'made' + ' up'",
    "max_epochs": 3,
    "seed": 0,
    "lr": 0.01,
    "amp": True,
    "windows": [4, 4],
    "class_names": [],
    "name": "run",
    "network_def": {"_target_": "tests.bundle.tiny.Net", "root": "@bundle_root"},
    "initialize": ["$medaug.bundle.check_overrides()"],
    "run": ["$@network_def"],
}


class Net(nn.Module):
    """One weight, and a note of the folder that it was built with."""

    def __init__(self, root: str) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 1)
        NOTED.append(root)

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer."""
        out: Tensor = self.layer(x)
        return out


NOTED: list[str] = []
"""The folders that networks were built with."""


def bundle(folder: Path, **changes: Any) -> Path:
    """Write ``<folder>/configs/train.json``, with metadata and a checkpoint; returns its path."""
    configs = folder / "configs"
    configs.mkdir(parents=True)
    (folder / "models").mkdir()
    torch.save(Net("").state_dict(), folder / "models" / "model.pt")
    (configs / "metadata.json").write_text(json.dumps({"version": "0.0.1"}))
    config = configs / "train.json"
    config.write_text(json.dumps(DEFAULTS | changes))
    NOTED.clear()
    return config
