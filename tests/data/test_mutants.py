"""Damaged files give the right pixels or our error, never a crash or another file's pixels."""

import warnings

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from medaug.data import RadiographReader
from medaug.errors import UnreadableImageError

from .dicom_files import dataset, write
from .images import levels


def originals(folder):
    """One file of each format, and each with its picture in [0, 1]."""
    stored = levels(32, 24)
    smooth = (np.add.outer(np.arange(32), np.arange(24)) * 4).astype(np.uint8)
    write(folder / "a.dcm", stored, bits=8)
    ds = dataset(levels(32, 24, bits=12))
    ds.compress("1.2.840.10008.1.2.5")
    ds.save_as(folder / "rle.dcm", enforce_file_format=True)
    nib.Nifti1Image(stored.T, np.diag([-1.0, -1, 1, 1])).to_filename(folder / "a.nii")
    nib.Nifti1Image(stored.T, np.diag([-1.0, -1, 1, 1])).to_filename(folder / "a.nii.gz")
    for name, picture in (("a.png", stored), ("a.tif", stored), ("a.jpg", smooth)):
        Image.fromarray(picture).save(folder / name)
    return sorted(folder.iterdir())


def mutants(data, rng, count):
    """Cut, flipped, overwritten and doubled copies; the header is hit more often than the rest."""
    for k in range(count):
        raw = bytearray(data)
        where = int(rng.integers(0, len(raw) if k % 2 else min(len(raw), 700)))
        kind = k % 4
        if kind == 0:
            raw[where] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            raw = raw[:where]
        elif kind == 2:
            raw[where : where + 4] = rng.integers(0, 256, 4, dtype=np.uint8).tobytes()
        else:
            raw[where:where] = raw[where : where + int(rng.integers(1, 64))]
        yield bytes(raw)


@pytest.mark.filterwarnings("ignore")
def test_mutants_give_pixels_or_our_error(tmp_path):
    """700 seeded mutants of seven files; none may raise anything else or leave [0, 1]."""
    rng = np.random.default_rng(0)
    reader, messages, read = RadiographReader(), [], 0
    for original in originals(tmp_path):
        for data in mutants(original.read_bytes(), rng, 100):
            path = tmp_path / f"mutant_{original.name}"
            path.write_bytes(data)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    image, meta = reader.get_data(path)
            except UnreadableImageError as error:
                messages.append(str(error))
                continue
            read += 1
            assert image.dtype == np.float32
            assert image.ndim == 3
            assert np.isfinite(image).all()
            assert 0 <= image.min() <= image.max() <= 1
            assert 8 <= meta["bits"] <= 16 or path.suffix == ".dcm"
    assert all(message.startswith(str(tmp_path)) for message in messages)
    assert not any("\n" in message for message in messages)
    assert len(messages) > 200
    assert read > 100
