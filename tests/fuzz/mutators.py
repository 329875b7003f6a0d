"""Damages files: every function takes the bytes of one and a generator, and gives others.

`mutants(seed, count, rng)` draws from blind damage (flip, overwrite, cut, double, leave out) and
from what knows the format: element lengths, headers that lie with everything else in order.
What is drawn depends on the seed and the generator alone.
"""

import gzip
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from pydicom.uid import DeflatedExplicitVRLittleEndian

from . import dicom_lies, file_lies
from .seeds import Seed

Rng = np.random.Generator
Damage = Callable[[bytes, Rng], bytes]


@dataclass(frozen=True)
class Mutant:
    """A damaged copy of `seed`, and by what."""

    seed: Seed
    damage: str
    data: bytes


def mutants(seed: Seed, count: int, rng: Rng) -> Iterator[Mutant]:
    """Draw `count` mutants, each of the damages as often as any other."""
    damages = [*BLIND, *KNOWING[seed.kind]]
    start = int(rng.integers(len(damages)))
    for number in range(count):
        damage = damages[(start + number) % len(damages)]
        try:
            data = _outer(seed, damage, rng)
        except (ValueError, TypeError, struct.error, IndexError, KeyError):  # not in this file
            data = flip(seed.data, rng)
        yield Mutant(seed, damage.__name__, data)


def _outer(seed: Seed, damage: Damage, rng: Rng) -> bytes:
    """Half of what is packed (gzip, deflate) is damaged inside and packed again."""
    if damage in BLIND and rng.integers(2):
        if seed.data.startswith(b"\x1f\x8b"):
            return gzip.compress(damage(gzip.decompress(seed.data), rng), mtime=0)
        if DeflatedExplicitVRLittleEndian.encode() in seed.data:
            return _redeflated(seed.data, lambda inner: damage(inner, rng))
    return damage(seed.data, rng)


def _redeflated(data: bytes, change: Callable[[bytes], bytes]) -> bytes:
    start = 144 + struct.unpack_from("<I", data, 140)[0]
    packer = zlib.compressobj(wbits=-15)
    inner = change(zlib.decompress(data[start:], -15))
    return data[:start] + packer.compress(inner) + packer.flush()


# Blind damage


def _where(data: bytes, rng: Rng, room: int = 1) -> int:
    """Anywhere, or as often within the first 700 bytes, where headers are."""
    end = len(data) if rng.integers(2) else min(len(data), 700)
    return int(rng.integers(0, max(1, end - room + 1)))


def flip(data: bytes, rng: Rng) -> bytes:
    """One to eight bits."""
    raw = bytearray(data)
    for _ in range(int(rng.integers(1, 9))):
        raw[_where(data, rng)] ^= 1 << int(rng.integers(8))
    return bytes(raw)


def overwrite(data: bytes, rng: Rng) -> bytes:
    """One to eight bytes by zeros, ones, or anything."""
    size = int(rng.integers(1, 9))
    where = _where(data, rng, size)
    new = (b"\0" * size, b"\xff" * size, rng.bytes(size))[int(rng.integers(3))]
    return data[:where] + new + data[where + size :]


def cut(data: bytes, rng: Rng) -> bytes:
    """The end is missing: anything from the last byte to all."""
    missing = (1, 2, 4, int(rng.integers(1, 65)))[int(rng.integers(4))]
    end = len(data) - missing if rng.integers(3) == 0 else _where(data, rng)
    return data[: max(0, end)]


def double(data: bytes, rng: Rng) -> bytes:
    """Some bytes twice."""
    where, size = _where(data, rng), int(rng.integers(1, 64))
    return data[: where + size] + data[where:]


def leave_out(data: bytes, rng: Rng) -> bytes:
    """Some bytes not there."""
    where, size = _where(data, rng), int(rng.integers(1, 64))
    return data[:where] + data[where + size :]


def append(data: bytes, rng: Rng) -> bytes:
    """Something after the end: zeros, or the file once more."""
    return data + (b"\0" * int(rng.integers(1, 512)), data)[int(rng.integers(2))]


BLIND: list[Damage] = [flip, overwrite, cut, double, leave_out, append]

KNOWING: dict[str, list[Damage]] = {
    "DICOM": dicom_lies.DAMAGES,
    "NIfTI": [file_lies.nifti_lie, file_lies.nifti_lie, file_lies.nifti_lie, file_lies.nifti_float],
    "PNG": [file_lies.png_lie, file_lies.png_pixels, file_lies.png_chunk],
    "TIFF": [file_lies.tiff_lie, file_lies.tiff_lie, file_lies.tiff_lie],
    "JPEG": [file_lies.jpeg_lie, file_lies.jpeg_lie],
    "NRRD": [file_lies.nrrd_lie, file_lies.nrrd_lie, file_lies.nrrd_lie, file_lies.text_float],
    "MHA": [file_lies.mha_lie, file_lies.mha_lie, file_lies.mha_lie, file_lies.text_float],
}
