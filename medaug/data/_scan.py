"""Decode every image once at the start, so that a bad one is found before training."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ignite import distributed as idist
from tqdm import tqdm

from .._cores import cores
from ..errors import UnreadableImageError
from ._formats.decode import decode_file
from ._formats.pixels import Options, source_id
from ._sources import Row

_BAR_FROM = 200  # images; below, the bar appears only when they take more than two seconds
_LISTED = 20
_ON_ONE_LINE = 3


@dataclass(frozen=True)
class Scanned:
    """What is kept of a decoded image: its pixels' hash, and its patient's where DICOM has one."""

    source_id: str
    patient: str | None


def scan(rows: Sequence[Row], options: Options, *, origin: str, progress: bool) -> list[Scanned]:
    """Decode all rows with a thread for each core.

    Raises:
        UnreadableImageError: some can't be read; all of them are named at once.
    """

    def one(row: Row) -> Scanned | str:
        try:
            image = decode_file(row.file, options)
        except UnreadableImageError as error:
            return str(error)
        return Scanned(source_id(image.pixels), image.patient)

    with ThreadPoolExecutor(max_workers=cores()) as pool:
        results = list(
            tqdm(
                pool.map(one, rows),
                total=len(rows),
                desc="Checking images",
                unit="image",
                delay=0 if len(rows) > _BAR_FROM else 2,
                leave=False,
                disable=not progress or idist.get_rank() > 0,
            )
        )
    faults = [
        f"{row.name} ({what})"
        for row, what in zip(rows, results, strict=True)
        if isinstance(what, str)
    ]
    if faults:
        raise UnreadableImageError(report(origin, faults, len(rows)))
    return [result for result in results if isinstance(result, Scanned)]


def report(origin: str, faults: list[str], total: int, *, what: str = "image") -> str:
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
