"""What all extractors are: a frozen network, the name of its figures, and how images enter it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..errors import ConfigError, UserError
from ._checks import check_images


class Features(NamedTuple):
    """What an extractor makes of N images.

    Attributes:
        vectors: (N, D) float32 on the CPU.
        probabilities: (N, K) float32 on the CPU, each row adds up to 1; None where the network has
            no classes.
    """

    vectors: Tensor
    probabilities: Tensor | None


class Extractor:
    """A frozen network, the name that its figures go by, and all that moves them.

    Computes in float32, whatever the training around it has set: autocast, TF32 and half-precision
    products would move distances (the same images in bfloat16 and in float32 are an FD of 1.5
    apart). Neither reads nor changes the random state.

    Args:
        network: takes images (N, C, H, W) float32 in [0, 1] on `device`, C as they came, and
            gives vectors (N, D), or vectors and logits (N, K); resizing is its own affair. It is
            moved to `device`, frozen and set to evaluation.
        name: names figures, as in ``fd_vgg16``; networks that give other vectors have other names.
        protocol: what decides about the vectors, in words: weights, resizing, precision. Results
            kept under a key that holds it and the images are the same again.
        device: where to compute.
        channels: how many the images may have.
        smallest_side: of the images, in pixels.

    Attributes:
        name: as given.
        protocol: as given, and the name.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        name: str,
        protocol: Mapping[str, str],
        device: torch.device | str = "cpu",
        channels: Sequence[int] = (1, 3),
        smallest_side: int = 1,
    ) -> None:
        self.name = name
        self.protocol = {"name": name, "precision": "float32"} | dict(protocol)
        self.device = torch.device(device)
        self._network = network.to(self.device).eval().requires_grad_(False)
        self._channels = tuple(channels)
        self._smallest_side = smallest_side

    def __call__(self, images: Tensor, *, batch_size: int = 16) -> Features:
        """Vectors of images, and probabilities where the network knows classes.

        Args:
            images: (N, C, H, W) floats in [0, 1] on any device, C of 1 or 3, at least one image.
            batch_size: images at once; it bounds memory, and moves vectors by rounding only.

        Raises:
            ConfigError: `batch_size` is below 1.
            UserError: the images have another form or range, or the network gives something else
                than finite vectors.
        """
        if batch_size < 1:
            raise ConfigError(f"batch_size must be at least 1, got {batch_size}")
        check_images(images, *self._channels, side=self._smallest_side)
        # a MetaTensor would look after its metadata at each step
        batches = images.detach().as_subclass(Tensor).split(batch_size)
        with _full_precision(self.device):
            parts = [self._batch(batch) for batch in batches]
        vectors = torch.cat([part.vectors for part in parts])
        if not vectors.isfinite().all():
            bad = int((~vectors.isfinite()).any(dim=1).sum())
            raise UserError(
                f"features of {self.name} must be finite, got NaN or infinity for {bad} of "
                f"{len(vectors)} images"
            )
        given = [part.probabilities for part in parts if part.probabilities is not None]
        return Features(vectors, torch.cat(given) if given else None)

    def _batch(self, images: Tensor) -> Features:
        output = self._network(images.to(self.device, torch.float32))
        pair = isinstance(output, tuple | list) and len(output) == 2
        vectors, logits = output if pair else (output, None)
        for given in (vectors,) if logits is None else (vectors, logits):
            self._check(given, len(images))
        probabilities = None if logits is None else logits.float().softmax(1).cpu()
        return Features(vectors.float().cpu(), probabilities)

    def _check(self, output: Any, num_images: int) -> None:
        if isinstance(output, Tensor) and output.ndim == 2 and len(output) == num_images:
            return
        given = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise UserError(
            f"the network of {self.name} must give vectors ({num_images}, D), or a pair of vectors "
            f"and logits ({num_images}, K), for {num_images} images, got {given}"
        )

    def __repr__(self) -> str:
        return f"Extractor({self.name!r}, {self.protocol})"


@contextmanager
def _full_precision(device: torch.device) -> Iterator[None]:
    """No gradients, and float32 proper for convolutions and products, here and on GPUs."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with (
            torch.no_grad(),
            torch.autocast(device.type, enabled=False),
            torch.backends.cudnn.flags(enabled=torch.backends.cudnn.enabled, allow_tf32=False),
        ):
            yield
    finally:
        torch.set_float32_matmul_precision(before)
