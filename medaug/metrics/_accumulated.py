"""Any figure over vectors or images as an Ignite metric."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import torch
from ignite import distributed as idist
from ignite.metrics import Metric
from numpy.typing import NDArray
from torch import Tensor

from ..errors import UserError

Rows = Tensor | NDArray[Any]


def _as_it_is(output: Any) -> Any:
    return output


class AccumulatedMetric(Metric):
    """Keeps what every iteration gives, on every rank, and computes a figure of all of it.

    Each iteration's output, after `output_transform`, is one tensor for each argument of the
    figure: `(real, synthetic)` for `frechet`, of as many rows as there are. None in the place of a
    tensor adds nothing to that argument, so that real and synthetic vectors may come apart. Where
    there are several ranks, all rows come to each of them in the order of the ranks, however many
    each one has, and each computes the same figure: two ranks give what one would but for rounding.
    A sampler that pads the last batch with rows it has already given makes it another figure.

    Rows are kept on the CPU as they come: 5,000 vectors of 2,048 in float32 are 40 MB.

        AccumulatedMetric(frechet).attach(evaluator, "fd_inception2015_tf1")

    Args:
        figure: takes as many tensors as an iteration gives, on the CPU; its result is the metric.
        output_transform: of the engine's output to a tensor, or to a tuple of tensors and None.

    Raises:
        UserError: an iteration gives another number of tensors than the one before, none are there
            when it is computed, or what the figure refuses.
    """

    # else Ignite would look for y_pred and y in an output that is a dictionary
    required_output_keys = None

    def __init__(
        self,
        figure: Callable[..., Any],
        *,
        output_transform: Callable[[Any], Any] = _as_it_is,
    ) -> None:
        self.figure = figure
        super().__init__(output_transform=output_transform, skip_unrolling=True)

    def reset(self) -> None:
        """Forget all rows."""
        self._rows: list[list[Tensor]] = []

    def update(self, output: Rows | Sequence[Rows | None]) -> None:
        """Keep one iteration's rows."""
        parts = [output] if isinstance(output, Tensor | np.ndarray) else list(output)
        self._rows = self._rows or [[] for _ in parts]
        if len(parts) != len(self._rows):
            raise UserError(
                f"an iteration must give {len(self._rows)} tensors as before, got {len(parts)}"
            )
        for kept, part in zip(self._rows, parts, strict=True):
            if part is not None:
                kept.append(torch.as_tensor(part).detach().cpu().clone())

    def compute(self) -> Any:
        """The figure of all rows of all ranks."""
        own = [torch.cat(kept) if kept else None for kept in self._rows]
        # as objects: ranks may have different numbers of rows, or none
        ranks = cast(list[list[Tensor | None]], idist.all_gather(own))
        arguments = [
            [part for part in parts if part is not None]
            for parts in zip(*(rank for rank in ranks if rank), strict=True)
        ]
        if not arguments or not all(arguments):
            raise UserError(
                "a metric must be given rows for each argument before it is computed, "
                f"got {[sum(map(len, parts)) for parts in arguments]}"
            )
        return self.figure(*(torch.cat(parts) for parts in arguments))
