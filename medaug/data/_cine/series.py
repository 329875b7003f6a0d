"""Which frame is which slice and which phase: grouped by position, then put in order of time."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...errors import UnreadableImageError
from .._formats.elements import tag

# mm; slices of a cine lie several mm apart, positions are written to a hundredth or finer
_SAME_PLACE = 0.1
# largest difference of a direction cosine between frames that lie parallel: 0.06 degrees
_PARALLEL = 1e-3
# steps of trigger time vary by rounding; a phase that is missing makes a step of twice the usual
_HOLE = 1.75

# What tells the order of phases, the best first, and how many ms one unit of it is (None: it
# only counts). PS3.3 C.8.13.2.2 Trigger Time; C.7.6.16.2.2, C.7.6.16.2.7, C.7.6.16.2.11 (s).
_ORDERS: dict[str, float | None] = {
    "TriggerTime": 1.0,
    "NominalCardiacTriggerDelayTime": 1.0,
    "TemporalPositionTimeOffset": 1000.0,
    "TemporalPositionIdentifier": None,
    "TemporalPositionIndex": None,
    "InstanceNumber": None,
}
_COUNTED = ("TemporalPositionIdentifier", "TemporalPositionIndex")


@dataclass(frozen=True)
class Frame:
    """Where and when one frame was taken.

    Attributes:
        name: how messages call it.
        position: mm, of the first pixel, in the patient's coordinates (LPS); None if unknown.
        orientation: direction cosines of the row and of the column; None if unknown.
        times: what is known of its order in time, by the element's keyword.
    """

    name: str
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    times: Mapping[str, float]


@dataclass(frozen=True)
class Order:
    """Frames as slices and phases.

    Attributes:
        slices: indices of frames, [slice][phase], along the normal and by time.
        positions: mm along the normal, one for each slice; empty if unknown.
        by: the keyword that the phases are in order of.
        times: ms from each slice's first phase, [slice][phase]; empty if unknown.
    """

    slices: list[list[int]]
    positions: list[float]
    by: str
    times: list[list[float]]


def arrange(frames: Sequence[Frame], *, declared: tuple[str, int] | None = None) -> Order:
    """Group frames by position along their common normal, then put each group in order of time.

    Args:
        frames: of one series.
        declared: the element that says how many phases there are, and what it says.

    Raises:
        UnreadableImageError: the frames aren't parallel, two are the same slice and phase, or
            phases are missing.
    """
    groups, positions = _slices(frames)
    by = _order(frames, groups)
    slices = [sorted(group, key=lambda i: frames[i].times[by]) for group in groups]
    where = [f" at {position:.1f} mm" for position in positions] or [""]
    for group, place in zip(slices, where, strict=True):
        _check_distinct(frames, group, by, place)
    _check_counts(slices, where, declared)
    for group, place in zip(slices, where, strict=True):
        _check_holes([frames[i].times[by] for i in group], by, place)
    return Order(slices, positions, by, _times(frames, slices, by))


def normal_of(orientation: Sequence[float]) -> NDArray[np.float64]:
    """The unit vector that a slice's row and column are perpendicular to.

    Raises:
        UnreadableImageError: they aren't two unit vectors at a right angle.
    """
    row, column = np.asarray(orientation[:3]), np.asarray(orientation[3:])
    lengths = np.array([row @ row, column @ column, 1 + row @ column])
    if np.abs(lengths - 1).max() > 0.01:
        raise UnreadableImageError(
            f"{tag('ImageOrientationPatient')} must be two unit vectors at a right angle, "
            f"got {[round(float(cosine), 4) for cosine in orientation]}"
        )
    normal: NDArray[np.float64] = np.cross(row, column)
    return normal


def _slices(frames: Sequence[Frame]) -> tuple[list[list[int]], list[float]]:
    placed = [(f.position, f.orientation) for f in frames if f.position and f.orientation]
    if not placed:
        return [list(range(len(frames)))], []
    if len(placed) < len(frames):
        raise UnreadableImageError(
            f"all frames must have {tag('ImagePositionPatient')} and "
            f"{tag('ImageOrientationPatient')}, got {len(placed)} of {len(frames)}"
        )
    points = np.array([position for position, _ in placed])
    cosines = np.array([orientation for _, orientation in placed])
    apart = np.abs(cosines - cosines[0]).max(axis=1)
    if apart.max() > _PARALLEL:
        raise UnreadableImageError(
            "all slices must be parallel, but those of "
            f"{frames[0].name} and {frames[int(apart.argmax())].name} are not"
        )
    along = points @ normal_of(cosines[0])
    groups = _clusters(along)
    for group in groups:
        shift = np.linalg.norm(points[group] - points[group[0]], axis=1)
        if shift.max() > _SAME_PLACE:
            raise UnreadableImageError(
                "the phases of a slice must lie at one place, but those of "
                f"{frames[group[0]].name} and {frames[group[int(shift.argmax())]].name} lie "
                f"{shift.max():.1f} mm apart"
            )
    return groups, [float(along[group].mean()) for group in groups]


def _clusters(along: NDArray[np.float64]) -> list[list[int]]:
    """Indices of the values that lie together, in order of their values."""
    order = np.argsort(along, kind="stable")
    cuts = np.flatnonzero(np.diff(along[order]) > _SAME_PLACE) + 1
    return [[int(i) for i in group] for group in np.split(order, cuts)]


def _order(frames: Sequence[Frame], groups: list[list[int]]) -> str:
    """The best keyword that every frame has, and that tells any of a slice's frames apart."""
    for keyword in _ORDERS:
        if all(keyword in frame.times for frame in frames) and any(
            len({frames[i].times[keyword] for i in group}) > 1 for group in groups
        ):
            return keyword
    if max(map(len, groups)) < 2:
        raise UnreadableImageError("a cine must have at least 2 phases of each slice, got 1")
    known = "; ".join(tag(keyword) for keyword in ("TriggerTime", *_COUNTED, "InstanceNumber"))
    raise UnreadableImageError(
        f"all frames must have an element that tells their order in time ({known}), and it must "
        "differ between the phases of a slice; got none"
    )


def _check_distinct(frames: Sequence[Frame], group: list[int], by: str, place: str) -> None:
    for one, other in pairwise(group):
        if frames[one].times[by] == frames[other].times[by]:
            raise UnreadableImageError(
                f"the phases of a slice must differ in {tag(by)}, but {frames[one].name} and "
                f"{frames[other].name}{place} both have {frames[one].times[by]:g}"
            )


def _check_counts(
    slices: list[list[int]], where: list[str], declared: tuple[str, int] | None
) -> None:
    most = max(map(len, slices))
    short = [k for k, group in enumerate(slices) if len(group) < most]
    if short:
        shown = ", ".join(f"{len(slices[k])}{where[k]}" for k in short[:3])
        raise UnreadableImageError(
            f"phases are missing: every slice must have {most} as the longest has, but "
            f"{len(short)} of {len(slices)} have fewer: {shown}{', …' if len(short) > 3 else ''}"
        )
    if declared is not None and most < declared[1]:
        raise UnreadableImageError(
            f"phases are missing: there must be {declared[1]} as {tag(declared[0])} says, "
            f"got {most}"
        )


def _check_holes(times: list[float], by: str, place: str) -> None:
    """Refuse a slice with a phase left out between two others."""
    steps = [after - before for before, after in pairwise(times)]
    if by in _COUNTED:
        usual = min(steps)
    elif _ORDERS[by] is not None:
        usual = statistics.median(steps)
    else:
        return
    widest = max(range(len(steps)), key=steps.__getitem__)
    if steps[widest] > _HOLE * usual:
        raise UnreadableImageError(
            f"phases are missing: {tag(by)}{place} must go in even steps of {usual:g}, "
            f"got {times[widest]:g} and then {times[widest + 1]:g}"
        )


def _times(frames: Sequence[Frame], slices: list[list[int]], by: str) -> list[list[float]]:
    unit = _ORDERS[by]
    if unit is None:
        return []
    return [
        [float(unit * (frames[i].times[by] - frames[group[0]].times[by])) for i in group]
        for group in slices
    ]
