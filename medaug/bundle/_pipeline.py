"""Run a preprocessing pipeline over a folder."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from tqdm import tqdm

from ..errors import ConfigError
from ..handlers import to_uint8

logger = logging.getLogger("medaug")


def write_images(dataset: Sequence[Any], output: str | Path, *, source: str | Path) -> None:
    """Write each image of a data set as an 8-bit PNG, in folders as they are in `source`.

    Args:
        dataset: items with ``image``, (1, H, W) in [0, 1], and ``file``, its path.
        output: a folder, made if it isn't there.
        source: the folder that the files' paths are taken relative to.

    Raises:
        ConfigError: `output` is empty, is or lies in `source`, whose images it would mingle with,
            or can't be written.
    """
    folder, root = Path(output).resolve(), Path(source).absolute()
    if not str(output) or folder.is_relative_to(root.resolve()):
        given = folder if str(output) else "''"
        raise ConfigError(f"--output must be a folder outside of {root}, got {given}")
    for item in tqdm(dataset, desc="writing", unit="image"):
        image = torch.as_tensor(item["image"]).unsqueeze(0)
        # not resolved: a link in the folder may lead to a file elsewhere
        path = folder / Path(item["file"]).absolute().relative_to(root)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            picture = Image.fromarray(to_uint8(image)[0, :, :, 0])
            # the suffix stays: a.dcm and a.png may lie in one folder
            picture.save(path.with_name(f"{path.name}.png"))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ConfigError(
                f"--output must be a folder that can be written, got {folder} ({reason})"
            ) from error
    logger.info("%d images written to %s", len(dataset), folder)
