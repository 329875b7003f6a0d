"""Run a preprocessing pipeline over a folder."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from ..errors import ConfigError

logger = logging.getLogger("medaug")


def write_images(
    dataset: Sequence[Any], output: str | Path, *, source: str | Path, bits: int = 8
) -> None:
    """Write each item of a data set as PNG, in folders as they are in `source`.

    An image ``a/b.dcm`` becomes ``a/b.dcm.png``. A cine ``a/b.dcm`` becomes a folder
    ``a/b.dcm/`` of ``frame_000.png`` and so on, or, where it has several slices, of
    ``slice_00_frame_000.png``.

    Args:
        dataset: items with ``image``, (1, H, W) or (slices, T, H, W) in [0, 1], and ``file``, the
            path of its file or folder.
        output: a folder, made if it isn't there.
        source: the folder that the files' paths are taken relative to.
        bits: 8 or 16 for each pixel.

    Raises:
        ConfigError: `bits` is neither; `output` is empty, is or lies in `source`, whose images it
            would mingle with, or can't be written.
    """
    if bits not in (8, 16):
        raise ConfigError(f"--bits must be 8 or 16, got {bits!r}")
    folder, root = Path(output).resolve(), Path(source).absolute()
    if not str(output) or folder.is_relative_to(root.resolve()):
        given = folder if str(output) else "''"
        raise ConfigError(f"--output must be a folder outside of {root}, got {given}")
    count = 0
    for item in tqdm(dataset, desc="writing", unit="item"):
        # not resolved: a link in the folder may lead to a file elsewhere
        target = folder / Path(item["file"]).absolute().relative_to(root)
        for path, picture in _pictures(torch.as_tensor(item["image"]), target):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(_integers(picture, bits)).save(path)
            except OSError as error:
                reason = error.strerror or type(error).__name__
                raise ConfigError(
                    f"--output must be a folder that can be written, got {folder} ({reason})"
                ) from error
            count += 1
    logger.info("%d images written to %s", count, folder)


def _pictures(image: Tensor, target: Path) -> Iterator[tuple[Path, Tensor]]:
    if image.ndim == 3:
        # the suffix stays: a.dcm and a.png may lie in one folder
        yield target.with_name(f"{target.name}.png"), image[0]
        return
    for number, phases in enumerate(image):
        prefix = f"slice_{number:02d}_" if len(image) > 1 else ""
        for phase, frame in enumerate(phases):
            yield target / f"{prefix}frame_{phase:03d}.png", frame


def _integers(picture: Tensor, bits: int) -> NDArray[np.generic]:
    levels = (picture.clamp(0, 1) * (2**bits - 1)).round().to(torch.int32)
    integers: NDArray[np.int32] = levels.cpu().numpy()
    return integers.astype(np.uint8 if bits == 8 else np.uint16)
