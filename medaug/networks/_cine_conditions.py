"""What the cine networks are told: the modality, named numbers, and the phase of the heart."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ..errors import ConfigError
from ._growing import dense, exporting
from ._layers import require_counts

MODALITIES = ("mri", "ct", "ultrasound", "xray")
TOLD = 16
"""Length of the vector that says modality, conditions and phases."""
Ranges = Mapping[str, Sequence[float] | None]
"""Conditions by name, each with its lowest and highest value in its own unit, or None."""


class ConditionEncoder(nn.Module):
    """A vector for a modality and named numbers, of which any may be missing.

    A number comes in as (x − middle) / half of its range, 0 where it is missing, beside whether it
    is known; one without a range comes in as it is.

    Args:
        modalities: their names.
        conditions: the numbers' names and ranges.
        length: of the vector.
        phases: how many phases of the cardiac cycle are told beside, as harmonics; 0 for none.
        harmonics: how many for each phase.

    Shape:
        modality (N,) int64, an index into `modalities`; conditions (N, K) float in their own units,
        NaN where missing; phase (N, phases) as fractions of the cycle; vector (N, length).

    Raises:
        ConfigError: names or ranges are not as said; in `forward`, an input is out of range.
    """

    lowest: Tensor
    highest: Tensor
    names: list[str]  # TorchScript can't tell from an empty one

    def __init__(
        self,
        modalities: Sequence[str],
        conditions: Ranges | None,
        length: int,
        *,
        phases: int = 0,
        harmonics: int = 4,
    ) -> None:
        super().__init__()
        _require_names("modalities", modalities)
        ranges = {name: _range(name, limits) for name, limits in (conditions or {}).items()}
        require_counts(harmonics=harmonics)
        self.modalities = list(modalities)
        self.names = list(ranges)
        self.num_modalities, self.num_conditions = len(self.modalities), len(self.names)
        self.harmonics = harmonics
        self.modality = nn.Embedding(self.num_modalities, length)
        self.numbers = dense(2 * len(ranges), length) if ranges else None
        self.phase = dense(2 * harmonics * phases, length) if phases else None
        # Saved with the weights: they mean nothing by other ranges.
        limits = torch.tensor([*ranges.values()], dtype=torch.float32).view(-1, 2)
        self.register_buffer("lowest", limits[:, 0].clone())
        self.register_buffer("highest", limits[:, 1].clone())

    def forward(self, modality: Tensor, conditions: Tensor, phase: Tensor | None = None) -> Tensor:
        """Look the modality up, and add what the numbers and the phases say."""
        if not exporting():
            self.check(modality, conditions)
        told: Tensor = self.modality(modality)
        if self.numbers is not None:
            ranged = self.highest < math.inf
            middle = torch.where(ranged, (self.lowest + self.highest) / 2, 0.0)
            half = torch.where(ranged, (self.highest - self.lowest) / 2, 1.0)
            known = ~conditions.isnan()
            values = torch.where(known, (conditions - middle) / half, 0.0)
            told = told + self.numbers(torch.cat([values, known.to(values.dtype)], dim=1))
        if self.phase is not None and phase is not None:
            told = told + self.phase(waves(phase, self.harmonics).flatten(1))
        return told

    def check(self, modality: Tensor, conditions: Tensor) -> None:
        """Refuse unknown modalities and numbers out of their range."""
        if conditions.ndim != 2 or conditions.shape[1] != self.num_conditions:
            raise ConfigError(
                f"conditions must be ({modality.shape[0]}, {self.num_conditions}), "
                f"got {list(conditions.shape)}"
            )
        wrong = modality[(modality < 0) | (modality >= self.num_modalities)]
        if wrong.numel() > 0:
            raise ConfigError(
                f"modality must be 0 to {self.num_modalities - 1}, got {int(wrong[0])}"
            )
        outside = (conditions < self.lowest) | (conditions > self.highest)
        if bool(outside.any()):
            column = int(outside.any(0).nonzero()[0, 0])
            value = float(conditions[outside[:, column], column][0])
            raise ConfigError(
                f"{self.names[column]} must be {float(self.lowest[column])} to "
                f"{float(self.highest[column])}, got {value}"
            )

    def encode(
        self, modality: str | None, conditions: Mapping[str, float] | None, num: int
    ) -> tuple[Tensor, Tensor]:
        """Tensors from names, the same for `num` sequences; see `CineGenerator.tell`."""
        name = self.modalities[0] if modality is None else modality
        if name not in self.modalities:
            raise ConfigError(f"modality must be one of {tuple(self.modalities)}, got {name!r}")
        given = dict(conditions or {})
        unknown = sorted(given.keys() - set(self.names))
        if unknown:
            raise ConfigError(f"conditions must be of {tuple(self.names)}, got {unknown[0]!r}")
        index = torch.full((num,), self.modalities.index(name))
        row = torch.tensor([given.get(name, torch.nan) for name in self.names])
        values = row.float().expand(num, -1).contiguous()
        self.check(index, values.to(self.lowest.device))
        return index, values


def waves(phase: Tensor, harmonics: int) -> Tensor:
    """(N, T) phases, in cycles, to (N, T, 2 · harmonics) cosines and sines of their multiples.

    The k-th harmonic weighs 1/k, as those of smooth curves do.
    """
    orders = torch.arange(1, harmonics + 1, device=phase.device, dtype=torch.float32)
    # The fraction alone, lest large phases lose their digits.
    angles = 2 * math.pi * (phase.float() % 1.0).unsqueeze(-1) * orders
    return torch.cat([angles.cos() / orders, angles.sin() / orders], dim=-1)


def _range(name: str, limits: Sequence[float] | None) -> tuple[float, float]:
    if limits is None:
        return -math.inf, math.inf
    if len(limits) != 2 or not -math.inf < limits[0] < limits[1] < math.inf:
        raise ConfigError(
            f"the range of {name} must be its lowest and its highest value, got {list(limits)}"
        )
    return float(limits[0]), float(limits[1])


def _require_names(what: str, names: Sequence[str]) -> None:
    if isinstance(names, str) or not names or len(set(names)) != len(names):
        raise ConfigError(f"{what} must be different names, at least one, got {names!r}")
