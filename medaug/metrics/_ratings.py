"""Radiologists' ratings of real and generated images, from a CSV file."""

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

from ..errors import UserError

SOURCES = ("real", "synthetic")
NEEDED = ("source", "rating")
COLUMNS = ("image", "reader", *NEEDED)
LOWEST, HIGHEST = 1, 5


class Ratings(NamedTuple):
    """Mean ratings, 1 to 5, and how many there are of each.

    Attributes:
        synthetic: mean over ratings of generated images.
        real: mean over ratings of real images.
        synthetic_count: number of ratings.
        real_count: number of ratings.
    """

    synthetic: float
    real: float
    synthetic_count: int
    real_count: int


def read_ratings(path: str | Path) -> Ratings:
    """Read ratings of how real images look, 1 (surely generated) to 5 (surely real).

    A line holds one reader's rating of one image. The first line names the columns, in any order:
    `source` ('real' or 'synthetic') and `rating` are needed, `image` and `reader` may be there and
    aren't read. Commas or semicolons lie between them; the file is UTF-8. Readers should see real
    and generated images mixed, and not know which is which.

    Args:
        path: of the CSV file.

    Raises:
        UserError: no such file, other columns, another source, a rating outside 1 to 5, or not at
            least one rating of each source. It names file and line.
    """
    path = Path(path)
    found: dict[str, list[float]] = {source: [] for source in SOURCES}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for source, rating in _rows(file, path.name):
                found[source].append(rating)
    except OSError as error:
        raise UserError(f"ratings must be a file that can be read, got {path.name}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"ratings must be a CSV file in UTF-8, got {path.name}") from error
    for source, ratings in found.items():
        if not ratings:
            raise UserError(f"{path.name} must hold at least one rating of source {source}, got 0")
    return Ratings(
        synthetic=_mean(found["synthetic"]),
        real=_mean(found["real"]),
        synthetic_count=len(found["synthetic"]),
        real_count=len(found["real"]),
    )


def _rows(file: TextIO, name: str) -> Iterator[tuple[str, float]]:
    head = file.readline()
    delimiter = ";" if ";" in head else ","
    columns = [column.strip().lower() for column in head.strip().split(delimiter)]
    if not set(NEEDED) <= set(columns) <= set(COLUMNS) or len(set(columns)) < len(columns):
        raise UserError(
            f"columns of {name} must be source and rating, and image and reader where wanted, "
            f"got {', '.join(columns)}"
        )
    lines = csv.DictReader(file, columns, delimiter=delimiter, strict=True)
    for row in lines:
        place = f"in {name}, line {lines.line_num + 1}"
        if None in row or None in row.values():
            raise UserError(f"columns must be {len(columns)} as in the first line, {place}")
        yield _source(row["source"], place), _rating(row["rating"], place)


def _source(text: str, place: str) -> str:
    source = text.strip().lower()
    if source not in SOURCES:  # not shown: in a shifted column it may be anything
        raise UserError(f"source must be real or synthetic, got something else {place}")
    return source


def _rating(text: str, place: str) -> float:
    try:
        rating = float(text)
    except ValueError:
        raise UserError(
            f"rating must be a number from 1 to 5, got something else {place}"
        ) from None
    if not LOWEST <= rating <= HIGHEST:
        raise UserError(f"rating must be a number from 1 to 5, got {rating:g} {place}")
    return rating


def _mean(ratings: list[float]) -> float:
    return math.fsum(ratings) / len(ratings)
