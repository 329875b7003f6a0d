"""Sequences from a trained cine generator, a few frames at a time."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from monai.inferers import Inferer
from torch import Tensor

from ..errors import ConfigError
from ..networks import LADDER, CineGenerator

HEART_RATES = (10, 1000)
"""Beats a minute: from a whale's to a mouse's."""
GIF_TICK = 20
"""Ms of a frame that viewers show as said; many show shorter ones far longer."""
LARGEST_DICOM = 2**32 - 2
"""Bytes of pixel data: their length is 32 bits, and even (DICOM PS3.5, 7.1.2)."""
MOST_NIFTI = 2**15 - 1
"""Frames: nifti1.h's dim is 16 bits, signed."""

AT_ONCE = 2**22
"""Pixels of frames that are made at once."""


def as_trained(
    network: CineGenerator, settings: Mapping[str, Any], resolution: int | None = None
) -> CineGenerator:
    """Bring a generator to where its training had come.

    Args:
        network: as built, at the training's resolution.
        settings: of the training, with ``alpha``.
        resolution: of its images, at most the training's; None for that.

    Returns:
        The same network.

    Raises:
        ConfigError: the model wasn't trained at that resolution.
    """
    trained = [step for step in LADDER if step <= network.resolution]
    wanted = network.resolution if resolution is None else resolution
    if isinstance(wanted, bool) or wanted not in trained:
        raise ConfigError(
            f"--resolution must be one of {trained}, which the model was trained at, "
            f"got {resolution!r}"
        )
    network.alpha = float(settings.get("alpha", 1.0))
    network.reduce_to(wanted)
    return network


class CineRequest:
    """What is asked of a cine generator, beside the modality: checked before anything is made.

    Args:
        network: as it will be asked.
        num_frames: of one cycle of the heart; None for as many as in training.
        heart_rate: beats a minute, by which the frames have times.
        conditions: numbers by name, each in its own unit; those not named are left open.
        format: that the sequences will be written in; see `medaug.data.CINE_FORMATS`.

    Attributes:
        num_frames: as given, or the network's.
        frame_time: ms from one frame to the next: a cycle's time over its frames.
        conditions: as given.
        format: as given.

    Raises:
        ConfigError: one of them is out of range, or the format can't hold so many frames.
    """

    def __init__(
        self,
        network: CineGenerator,
        *,
        num_frames: int | None = None,
        heart_rate: float = 60.0,
        conditions: Mapping[str, float] | None = None,
        format: str = "dicom",
    ) -> None:
        frames = network.num_frames if num_frames is None else num_frames
        if not isinstance(frames, int) or isinstance(frames, bool) or frames < 1:
            raise ConfigError(
                f"--num_frames must be a whole number of at least 1, got {num_frames!r}"
            )
        slowest, fastest = HEART_RATES
        if not _is_number(heart_rate) or not slowest <= heart_rate <= fastest:
            raise ConfigError(
                f"--heart_rate must be {slowest} to {fastest} beats a minute, got {heart_rate!r}"
            )
        self.num_frames = frames
        self.frame_time = 60_000 / heart_rate / frames
        self.conditions = _conditions(network, {} if conditions is None else conditions)
        self.format = format
        self._require_room(network.image_size)

    def _require_room(self, size: int) -> None:
        most = {
            "dicom": LARGEST_DICOM // size**2,
            "nifti": MOST_NIFTI,
            # rounded, lest 3000 / 150 be 19
            "gif": int(round(self.frame_time * self.num_frames / GIF_TICK, 6)),
        }.get(self.format, self.num_frames)
        if self.num_frames > most:
            why = {
                "dicom": f"frames of {size} × {size}, 4 GiB of pixel data",
                "nifti": "frames",
                "gif": f"frames of {GIF_TICK} ms, a cycle at that heart rate",
            }[self.format]
            raise ConfigError(
                f"--num_frames must be at most {most} with --format {self.format}, which holds "
                f"{most} {why}, got {self.num_frames}"
            )


def _conditions(network: CineGenerator, given: object) -> dict[str, float]:
    known = network.told.names
    if not isinstance(given, Mapping) or not all(map(_is_number, given.values())):
        example = {name: "NUMBER" for name in known}
        raise ConfigError(f"--conditions must give numbers by name, as {example}, got {given!r}")
    values = {str(name): float(value) for name, value in given.items()}
    for name, value in values.items():
        if name not in known:
            raise ConfigError(f"--conditions must be of {known}, got {name!r}")
        column = known.index(name)
        low, high = (float(end[column]) for end in (network.told.lowest, network.told.highest))
        if not low <= float(np.float32(value)) <= high:  # as the network has them
            raise ConfigError(f"--conditions: {name} must be {low:g} to {high:g}, got {value:g}")
    return values


def _is_number(value: object) -> bool:
    finite = isinstance(value, int | float) and abs(value) < float("inf")
    return finite and not isinstance(value, bool)


class CineInferer(Inferer):
    """Let a cine generator make what is asked for, when it is asked for the frames.

    Called by an evaluator with latents (N, latent_dim), the generator and modalities (N,), it
    returns an iterator over (N, channels, t, H, W): the frames of one cycle, some at a time, each
    made when it is its turn, so that a handler can write them without holding them all.

    Args:
        request: how many frames, and of which conditions.
    """

    def __init__(self, request: CineRequest) -> None:
        self.request = request

    def __call__(self, inputs: Tensor, network: Any, *args: Any, **kwargs: Any) -> Iterator[Tensor]:
        """Begin sequences."""
        (modality,) = args
        _, conditions = network.tell(None, self.request.conditions, num=len(inputs))
        chunk = max(1, AT_ONCE // (len(inputs) * network.resolution**2))
        frames: Iterator[Tensor] = network.stream(
            inputs,
            modality,
            conditions.to(inputs.device),
            num_frames=self.request.num_frames,
            chunk=chunk,
            **kwargs,
        )
        return frames
