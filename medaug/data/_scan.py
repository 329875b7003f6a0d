"""Decode every image once at the start, so that a bad one is found before training."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from ignite import distributed as idist
from tqdm import tqdm

from .._cores import cores
from ..errors import UnreadableImageError
from ._formats.decode import decode_file
from ._formats.pixels import Options, source_id
from ._sources import Row

_BAR_FROM = 200  # rows; below, the bar appears only when they take more than two seconds
_LISTED = 20
_ON_ONE_LINE = 3
_Row = TypeVar("_Row")
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Scanned:
    """What is kept of a decoded image: its pixels' hash, and its patient's where DICOM has one."""

    source_id: str
    patient: str | None


def scan(rows: Sequence[Row], options: Options, *, origin: str, progress: bool) -> list[Scanned]:
    """Decode all rows.

    Raises:
        UnreadableImageError: see `read_all`.
    """

    def one(row: Row) -> Scanned:
        image = decode_file(row.file, options)
        return Scanned(source_id(image.pixels), image.patient)

    return read_all(rows, one, [row.name for row in rows], origin=origin, progress=progress)


def read_all(
    rows: Sequence[_Row],
    read: Callable[[_Row], _Found],
    names: Sequence[str],
    *,
    origin: str,
    progress: bool,
    what: str = "image",
) -> list[_Found]:
    """What is read of each row, with a thread for each core.

    Raises:
        UnreadableImageError: `read` raised it for some; all of them are named at once.
    """

    def attempt(row: _Row) -> _Found | UnreadableImageError:
        try:
            return read(row)
        except UnreadableImageError as error:
            return error

    with ThreadPoolExecutor(max_workers=cores()) as pool:
        results = list(
            tqdm(
                pool.map(attempt, rows),
                total=len(rows),
                desc=f"Checking {what}s",
                unit=what,
                delay=0 if len(rows) > _BAR_FROM else 2,
                leave=False,
                disable=not progress or idist.get_rank() > 0,
            )
        )
    faults = [
        f"{name} ({found})"
        for name, found in zip(names, results, strict=True)
        if isinstance(found, UnreadableImageError)
    ]
    if faults:
        raise UnreadableImageError(_report(origin, faults, len(rows), what))
    return [found for found in results if not isinstance(found, UnreadableImageError)]


def _report(origin: str, faults: list[str], total: int, what: str) -> str:
    """One line that names the first few of what can't be read; the rest on lines of their own."""
    head = f"{origin}: every {what} must be readable, but {len(faults):,} of {total:,} are not: "
    head += "; ".join(faults[:_ON_ONE_LINE])
    if len(faults) <= _ON_ONE_LINE:
        return head
    rest = faults[_ON_ONE_LINE:_LISTED]
    lines = [f"{head}; and:", *(f"  {fault}" for fault in rest)]
    if len(faults) > _LISTED:
        lines.append(f"  and {len(faults) - _LISTED:,} more")
    return "\n".join(lines)
