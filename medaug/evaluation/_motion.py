"""How sequences move, beside real ones."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..errors import CheckpointError
from ..features import VGG16Maps, find_weights
from ..metrics import frame_distance, motion_energy
from ._figures import Figure
from ._sequences import LabelledSequences
from ._strata import Measured, ratio_figures

LAYER = "relu3_3"
"""That the temporal consistency loss looks at, too."""
HARMONICS = 4
"""Of the cycle, in which there is beat, and little noise."""
ENERGY, BEAT = "motion_energy", f"motion_energy_{HARMONICS}_harmonics"
STEP = f"frame_distance_vgg16_{LAYER}"
MOST = 10
"""Sequences of a modality on a side that VGG16 looks at, which takes long."""


class Motion:
    """Motion energy and inter-frame VGG16 distance of generated sequences by real ones.

    Motion energy of all that changes, and of the beat alone, without most of the noise.

    Args:
        train: real training sequences.
        held_out: real ones of other patients.
        classes: modalities.
        weights: of VGG16; None looks for them, and does without where there are none.
        device: where VGG16 runs.
        seed: of draws and resamples.

    Attributes:
        left_out: what couldn't be had, and why.
        protocol: what VGG16 looks at, in words.

    Raises:
        CheckpointError: the given weights are missing or damaged.
    """

    def __init__(
        self,
        train: LabelledSequences,
        held_out: LabelledSequences,
        classes: Sequence[str],
        *,
        weights: str | Path | None,
        device: torch.device | str,
        seed: int,
    ) -> None:
        self.classes, self.seed = classes, seed
        self.left_out: dict[str, str] = {}
        self.protocol = {
            "distance of consecutive frames": f"VGG16's {LAYER} of whole frames, up to {MOST} "
            "sequences of a modality on a side"
        }
        self._maps = self._found(weights, torch.device(device))
        self._real = [self._measured(part) for part in (held_out, train)]

    def figures(self, synthetic: LabelledSequences) -> list[Figure]:
        """The ratios, over all modalities and by each."""
        ours = self._measured(synthetic)
        held_out, train = self._real
        return [
            figure
            for name, made in ours.items()
            for figure in ratio_figures(
                name, made, held_out[name], train[name], classes=self.classes, seed=self.seed
            )
        ]

    def _found(
        self, weights: str | Path | None, device: torch.device
    ) -> Callable[[Tensor], Tensor] | None:
        try:
            network = VGG16Maps(LAYER, find_weights("vgg16", weights)).to(device)
        except CheckpointError as error:
            if weights is not None:
                raise
            self.left_out[STEP] = str(error)
            return None
        return lambda frames: torch.cat(
            [network(part.to(device)).cpu() for part in frames.float().split(4)]
        )

    def _measured(self, part: LabelledSequences) -> dict[str, Measured]:
        labels = part.labels.numpy()
        found = {
            name: Measured(motion_energy(part.sequences, harmonics=harmonics).numpy(), labels)
            for name, harmonics in ((ENERGY, None), (BEAT, HARMONICS))
        }
        if self._maps is not None:
            some = part.only(self._drawn(part))
            distance = frame_distance(some.sequences, self._maps)
            found[STEP] = Measured(distance.numpy(), some.labels.numpy())
        return found

    def _drawn(self, part: LabelledSequences) -> Tensor:
        """Up to `MOST` of each modality, by chance."""
        random = np.random.default_rng(self.seed)
        order = torch.from_numpy(random.permutation(len(part.labels)))
        chosen = [order[part.labels[order] == k][:MOST] for k in range(len(self.classes))]
        return torch.cat(chosen)
