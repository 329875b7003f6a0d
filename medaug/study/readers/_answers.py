"""The readers' CSV files, as the page saves them, and the key that tells what was what."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from .._keys import read_json

STUDY, CASE, READER, SECONDS = "study", "case", "reader", "seconds"
REALISM, CONSISTENCY, GUESS = "realism", "consistency", "guess"
COLUMNS = (STUDY, CASE, READER, REALISM, CONSISTENCY, GUESS, SECONDS)
SOURCES = REAL, SYNTHETIC = ("real", "synthetic")
LOWEST, HIGHEST = 1, 5
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,19}")
SHOWN = 5
"""Numbers of missing cases that a message lists."""


class Key(NamedTuple):
    """What a study's cases are.

    Attributes:
        study: its name.
        sources: "real" or "synthetic" of each case, the first first.
    """

    study: str
    sources: tuple[str, ...]

    @property
    def real(self) -> NDArray[np.bool_]:
        """Which cases are real, (N,)."""
        return np.array([source == REAL for source in self.sources])


class Answers(NamedTuple):
    """What R readers said of N cases.

    Attributes:
        readers: codes, sorted.
        realism: (R, N), 1 (surely synthetic) to 5 (surely real).
        consistency: (R, N), 1 (does not fit together) to 5 (fits throughout).
        called_real: (R, N), whether the reader took it for a real one.
        seconds: (R, N), how long it was looked at.
    """

    readers: tuple[str, ...]
    realism: NDArray[np.float64]
    consistency: NDArray[np.float64]
    called_real: NDArray[np.bool_]
    seconds: NDArray[np.float64]


class _Answer(NamedTuple):
    realism: int
    consistency: int
    called_real: bool
    seconds: float


def read_key(path: Path) -> Key:
    """Read a study's ``key.json``.

    Raises:
        DataError: it isn't there, or has another form.
    """
    found = read_json(Path(path))
    try:
        rows = [(row["case"], row["source"]) for row in found["cases"]]
        good = isinstance(found["study"], str) and found["form"] == 1
    except (TypeError, KeyError):
        rows, good = [], False
    numbers, sources = [row[0] for row in rows], tuple(row[1] for row in rows)
    if not good or numbers != list(range(1, len(rows) + 1)) or set(sources) != set(SOURCES):
        raise DataError(f"--key must be a key.json as the page was written with, got {path}")
    if min(map(sources.count, SOURCES)) < 2:
        raise DataError(f"--key must hold at least 2 cases of each source, got fewer in {path}")
    return Key(found["study"], sources)


def read_answers(key: Key, files: Iterable[str | Path]) -> Answers:
    """Read all readers' CSV files; each reader has answered each case once.

    The first line names the columns, in any order. Commas or semicolons lie between them, as a
    spreadsheet may have saved them anew; the file is UTF-8.

    Args:
        key: of the study.
        files: one or more; a reader's answers may be in several, and several readers' in one.

    Raises:
        DataError: no such file; another study's; columns, codes or ratings that can't be; a case
            missing or there twice. It names file and line.
    """
    found: dict[str, dict[int, _Answer]] = {}
    for path in map(Path, files):
        for place, row in _lines(path):
            reader, case, answer = _parsed(key, row, place)
            cases = found.setdefault(reader, {})
            if case in cases:
                raise DataError(
                    f"a case must be answered once by a reader, got case {case} by {reader} again "
                    f"{place}"
                )
            cases[case] = answer
    if not found:
        raise DataError("answers must be one or more CSV files, got none")
    for reader, cases in found.items():
        _check_complete(reader, cases, len(key.sources))
    return _stacked(dict(sorted(found.items())))


def _lines(path: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _rows(file, path.name)
    except OSError as error:
        raise DataError(f"answers must be a file that can be read, got {path}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"answers must be a CSV file in UTF-8, got {path.name}") from error


def _rows(file: TextIO, name: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    head = file.readline()
    delimiter = ";" if ";" in head else ","
    columns = [column.strip().lower() for column in head.strip().split(delimiter)]
    if sorted(columns) != sorted(COLUMNS):
        raise DataError(f"columns of {name} must be {', '.join(COLUMNS)}, got others")
    lines = csv.DictReader(file, columns, delimiter=delimiter, strict=True)
    empty = True
    for row in lines:
        place, empty = f"in {name}, line {lines.line_num + 1}", False
        if None in row or None in row.values():
            raise DataError(f"columns must be {len(columns)} as in the first line, {place}")
        yield place, {column: text.strip() for column, text in row.items()}
    if empty:
        raise DataError(f"{name} must hold answers, got none")


def _parsed(key: Key, row: Mapping[str, str], place: str) -> tuple[str, int, _Answer]:
    if row[STUDY] != key.study:
        raise DataError(f"study must be {key.study}, as in the key, got another study's {place}")
    if not CODE.fullmatch(row[READER]):
        what = "something else" if row[READER] else "nothing"
        raise DataError(
            f"reader must be a code of at most 20 letters, digits, - and _, got {what} {place}"
        )
    if row[GUESS] not in SOURCES:
        raise DataError(f"guess must be real or synthetic, got something else {place}")
    answer = _Answer(
        realism=_whole(row, REALISM, LOWEST, HIGHEST, place),
        consistency=_whole(row, CONSISTENCY, LOWEST, HIGHEST, place),
        called_real=row[GUESS] == REAL,
        seconds=_seconds(row[SECONDS], place),
    )
    return row[READER], _whole(row, CASE, 1, len(key.sources), place), answer


def _whole(row: Mapping[str, str], name: str, low: int, high: int, place: str) -> int:
    wanted = f"{name} must be a whole number from {low} to {high}"
    if not re.fullmatch(r"[0-9]{1,6}", row[name]):  # not shown: it may be anything
        raise DataError(f"{wanted}, got something else {place}")
    value = int(row[name])
    if not low <= value <= high:
        raise DataError(f"{wanted}, got {value} {place}")
    return value


def _seconds(text: str, place: str) -> float:
    if not re.fullmatch(r"[0-9]{1,9}([.,][0-9]*)?", text):
        raise DataError(f"seconds must be a number from 0, got something else {place}")
    return float(text.replace(",", "."))


def _check_complete(reader: str, cases: Mapping[int, _Answer], count: int) -> None:
    missing = [str(case) for case in range(1, count + 1) if case not in cases]
    if missing:
        more = ", …" if len(missing) > SHOWN else ""
        raise DataError(
            f"all {count} cases must be answered, got none by {reader} of "
            f"{'case' if len(missing) == 1 else 'cases'} {', '.join(missing[:SHOWN])}{more}"
        )


def _stacked(found: Mapping[str, Mapping[int, _Answer]]) -> Answers:
    rows: Sequence[Sequence[_Answer]] = [
        [cases[case] for case in sorted(cases)] for cases in found.values()
    ]

    def matrix(name: str, kind: type) -> NDArray[Any]:
        return np.array([[getattr(answer, name) for answer in row] for row in rows], dtype=kind)

    return Answers(
        tuple(found),
        realism=matrix("realism", float),
        consistency=matrix("consistency", float),
        called_real=matrix("called_real", bool),
        seconds=matrix("seconds", float),
    )
