"""The text headers of NRRD and MetaImage (.mha) files, read strictly.

A header here decides everything about the file: how many bytes there must be, of what kind, and
where they lie on the patient. What isn't understood is refused, not guessed. Data in another file
("detached") are refused, so that no file but the one that was asked for is ever opened.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...errors import UnreadableImageError

_DECIMAL = re.compile(r"[+-]?(\d{1,20}\.?\d{0,20}|\.\d{1,20})([eE][+-]?\d{1,2})?")
_MOST_BYTES = 2**16  # of a header
_MOST_AXES = 4


@dataclass(frozen=True)
class Volume:
    """What a header says.

    Attributes:
        shape: the axis that runs fastest first.
        dtype: of a sample, with its byte order.
        encoding: raw, gzip (or zlib) or bzip2.
        start: the byte of the file that the data begin at; they go on to its end.
        directions: for each axis the step from one sample to the next, mm, towards left, back
            and head (LPS) as far as there are so many axes.
        spacing_source: the header's field that says how long the steps are, or "none".
    """

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    encoding: str
    start: int
    directions: NDArray[np.float64]
    spacing_source: str


def nrrd_volume(data: bytes) -> Volume:
    """Read the header of a NRRD file (teem.sourceforge.net/nrrd/format.html)."""
    end = re.search(rb"\r?\n\r?\n", data[:_MOST_BYTES])
    if end is None:
        raise UnreadableImageError(f"the NRRD header must end within {_MOST_BYTES:,} bytes")
    header = _Fields("NRRD", _nrrd_fields(data[: end.start()].decode("latin-1").splitlines()))
    header.must("datafile", "absent: the data must be in the same file", header["datafile"] is None)
    header.must("lineskip", "0", header["lineskip"] in (None, "0"))
    header.must("byteskip", "0", header["byteskip"] in (None, "0"))
    for key in ("units", "spaceunits"):
        header.must(key, '"mm"', set((header[key] or "").split()) <= {'"mm"', '""'})
    kinds = (header["kinds"] or "").lower().split()
    header.must("kinds", "domain", set(kinds[:2]) <= {"domain", "space", "none", "???"})
    axes = header.integer("dimension", _MOST_AXES)
    code = header.choice("type", _NRRD_TYPES)
    # one byte has no order
    order = "" if code.endswith("1") else header.choice("endian", {"little": "<", "big": ">"})
    directions, source = _nrrd_directions(header, axes)
    return Volume(
        shape=header.sizes("sizes", axes),
        dtype=np.dtype(order + code),
        encoding=header.choice("encoding", _NRRD_ENCODINGS),
        start=end.end(),
        directions=directions,
        spacing_source=source,
    )


def mha_volume(data: bytes) -> Volume:
    """Read the header of a MetaImage file (itk.org/Wiki/ITK/MetaIO/Documentation)."""
    found, start = _mha_fields(data)
    header = _Fields("MetaImage", found)
    for key, allowed in _MHA_ONLY.items():
        header.must(key, allowed[0], (header[key] or "").upper() in allowed)
    left = f"{len(data) - start}"
    header.must("CompressedDataSize", left, header["CompressedDataSize"] in (None, left))
    axes = header.integer("NDims", _MOST_AXES)
    big = header.flag("BinaryDataByteOrderMSB") or header.flag("ElementByteOrderMSB")
    return Volume(
        shape=header.sizes("DimSize", axes),
        dtype=np.dtype((">" if big else "<") + header.choice("ElementType", _MHA_TYPES)),
        encoding="gzip" if header.flag("CompressedData") else "raw",
        start=start,
        directions=_mha_directions(header, axes),
        spacing_source="none" if _mha_spacing(header) is None else "ElementSpacing",
    )


_NRRD_FIELDS = re.compile(
    "type|dimension|sizes|encoding|endian|space|spacedimension|spacedirections|spaceorigin|"
    "spaceunits|spacings|kinds|datafile|lineskip|byteskip|content|number|sampleunits|min|max|"
    "oldmin|oldmax|thicknesses|axismins|axismaxs|centers|centerings|labels|units|measurementframe"
)
_NRRD_ENCODINGS = {"raw": "raw", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2"}
_SPACES = {
    "ras": "ras",
    "las": "las",
    "lps": "lps",
    "right-anterior-superior": "ras",
    "left-anterior-superior": "las",
    "left-posterior-superior": "lps",
}
_TO_LPS = {"ras": (-1.0, -1.0, 1.0), "las": (1.0, -1.0, 1.0), "lps": (1.0, 1.0, 1.0)}
_INTEGERS = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
}
_NRRD_TYPES = {name: code for code, names in _INTEGERS.items() for name in names} | {
    "float": "f4",
    "double": "f8",
}
_MHA_TYPES = {
    "met_char": "i1",
    "met_uchar": "u1",
    "met_short": "i2",
    "met_ushort": "u2",
    "met_int": "i4",
    "met_uint": "u4",
    "met_float": "f4",
    "met_double": "f8",
}
_MHA_ALIASES = {"Orientation": "TransformMatrix", "Rotation": "TransformMatrix"}
# the first one is what the error asks for; "" where the line may be missing
_MHA_ONLY = {
    "ElementDataFile": ("LOCAL",),
    "ObjectType": ("IMAGE", ""),
    "ElementNumberOfChannels": ("1", ""),
    "BinaryData": ("TRUE", ""),
    "HeaderSize": ("0", ""),
    "DistanceUnits": ("MM", "?", ""),
    "ElementToIntensityFunctionSlope": ("1", ""),
    "ElementToIntensityFunctionOffset": ("0", ""),
}


def _nrrd_fields(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(lines[1:], start=2):
        if line.startswith("#") or ":=" in line:
            continue
        name, colon, value = line.partition(": ")
        key = name.lower().replace(" ", "")
        if not colon or not _NRRD_FIELDS.fullmatch(key) or key in found:
            # not the line itself: it may name a patient
            raise UnreadableImageError(
                f"line {number} of the NRRD header must be a field of the format, given once"
            )
        found[key] = value.strip()
    return found


def _mha_fields(data: bytes) -> tuple[dict[str, str], int]:
    """The lines up to ElementDataFile, which is the last, and the byte after it."""
    found: dict[str, str] = {}
    position = 0
    while "ElementDataFile" not in found:
        stop = data.find(b"\n", position, _MOST_BYTES)
        name, sign, value = data[position : max(stop, position)].decode("latin-1").partition("=")
        key = _MHA_ALIASES.get(name.strip(), name.strip())
        if not sign or key in found:
            raise UnreadableImageError(
                f"the MetaImage header must have a line NAME = VALUE at byte {position}, each "
                f"once, ElementDataFile last, within {_MOST_BYTES:,} bytes"
            )
        found[key] = value.strip()
        position = stop + 1
    return found, position


@dataclass(frozen=True)
class _Fields:
    """The lines of a header by name, with errors that name the line."""

    what: str
    found: Mapping[str, str]

    def __getitem__(self, key: str) -> str | None:
        return self.found.get(key)

    def must(self, key: str, expected: str, holds: bool) -> None:
        """Refuse the header, by this line, unless a condition holds."""
        if not holds:
            got = repr(self.found[key][:40]) if key in self.found else "no such line"
            raise UnreadableImageError(f"{self.what} {key} must be {expected}, got {got}")

    def choice(self, key: str, choices: Mapping[str, str]) -> str:
        """What a line's text stands for, in upper or lower case."""
        text = (self[key] or "").lower()
        self.must(key, "one of " + ", ".join(choices), text in choices)
        return choices[text]

    def flag(self, key: str) -> bool:
        """True or False; False where the line is missing."""
        return key in self.found and self.choice(key, {"true": "1", "false": ""}) == "1"

    def integer(self, key: str, most: int) -> int:
        """One whole number from 2 to `most`."""
        text = self[key] or ""
        self.must(key, f"from 2 to {most}", text in map(str, range(2, most + 1)))
        return int(text)

    def sizes(self, key: str, count: int) -> tuple[int, ...]:
        """So many whole numbers above 0."""
        words = (self[key] or "").split()
        whole = all(re.fullmatch(r"[1-9]\d{0,8}", word) for word in words)
        self.must(key, f"{count} sizes", whole and len(words) == count)
        return tuple(map(int, words))

    def numbers(self, key: str, text: str, count: int) -> list[float]:
        """So many finite numbers in a part of a line."""
        words = text.split()
        decimal = all(_DECIMAL.fullmatch(word) for word in words)
        self.must(key, f"{count} finite numbers", decimal and len(words) == count)
        return [float(word) for word in words]

    def lengths(self, key: str, text: str, count: int) -> list[float]:
        """So many numbers above 0."""
        values = self.numbers(key, text, count)
        self.must(key, "above 0", min(values) > 0)
        return values


def _nrrd_directions(header: _Fields, axes: int) -> tuple[NDArray[np.float64], str]:
    directions, spacings = header["spacedirections"], header["spacings"]
    if directions is None:
        if spacings is None:
            return np.eye(axes), "none"
        return np.diag(header.lengths("spacings", spacings, axes)), "spacings"
    vectors = re.findall(r"\(([^()]*)\)", directions)
    header.must("spacedirections", f"{axes} vectors", len(vectors) == axes)
    steps = np.array(
        [header.numbers("spacedirections", vector.replace(",", " "), axes) for vector in vectors]
    )
    if header["space"] is not None:
        header.must("dimension", "3, as space has", axes == 3)
        steps *= _TO_LPS[header.choice("space", _SPACES)]
    return steps, "space directions"


def _mha_spacing(header: _Fields) -> str | None:
    return header["ElementSpacing"] or header["ElementSize"]


def _mha_directions(header: _Fields, axes: int) -> NDArray[np.float64]:
    """The matrix holds one axis after the other; its world is LPS, ITK's."""
    matrix, spacing = header["TransformMatrix"], _mha_spacing(header)
    steps = np.eye(axes)
    if matrix is not None:
        values = header.numbers("TransformMatrix", matrix, axes * axes)
        steps = np.reshape(values, (axes, axes))
    # RAI is ITK's name of the axes that it takes without a matrix; a matrix decides alone
    anatomical = (header["AnatomicalOrientation"] or "?").strip("?")
    header.must(
        "AnatomicalOrientation",
        "RAI, or come with a TransformMatrix",
        matrix is not None or anatomical in ("", "RA", "RAI"),
    )
    if spacing is not None:
        steps = steps * np.reshape(header.lengths("ElementSpacing", spacing, axes), (axes, 1))
    return steps
