"""NIfTI: which way is up, how many bits, and nothing but whole numbers."""

import gzip

import nibabel as nib
import numpy as np
import pytest

from medaug.data import RadiographReader
from medaug.data.limits import Limits
from medaug.errors import UnreadableImageError

from .images import levels

# what ITK writes for a two-dimensional DICOM: columns to the left, rows to the back, RAS world
ITK = np.diag([-0.2, -0.3, 1.0, 1.0])


def write(path, array, affine, **header):
    """A NIfTI file with some header fields set."""
    image = nib.Nifti1Image(array, affine)
    for key, value in header.items():
        image.header[key] = value
    image.to_filename(path)
    return path


def read(path, **options):
    """(H, W) pixels and metadata."""
    image, meta = RadiographReader(**options).get_data(str(path))
    return image[0], meta


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_itk_layout_is_rows_down(tmp_path, name):
    """An array of (columns, rows), LPS, is the transposed picture."""
    stored = levels()
    image, meta = read(write(tmp_path / name, stored.T, ITK))
    np.testing.assert_array_equal(image, (stored / 255).astype(np.float32))
    np.testing.assert_allclose(meta["spacing"], (0.3, 0.2), rtol=1e-6)
    assert (meta["bits"], meta["spacing_source"]) == (8, "pixdim")


def coronal(first, second):
    """An affine whose two array axes run along the given world axes (RAS letters)."""
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    used = []
    for column, letter in enumerate((first, second)):
        axis = "RLAPSI".index(letter) // 2
        affine[axis, column] = 1 if letter in "RAS" else -1
        used.append(axis)
    affine[({0, 1, 2} - set(used)).pop(), 2] = 1
    return affine


@pytest.mark.parametrize(
    ("axes", "to_array"),
    [
        ("LI", lambda picture: picture.T),
        ("LS", lambda picture: picture[::-1].T),
        ("RI", lambda picture: picture[:, ::-1].T),
        ("RS", lambda picture: picture[::-1, ::-1].T),
        ("IL", lambda picture: picture),
        ("SR", lambda picture: picture[::-1, ::-1]),
        ("LP", lambda picture: picture.T),
        ("RA", lambda picture: picture[::-1, ::-1].T),
        ("PI", lambda picture: picture.T),
        ("SA", lambda picture: picture[::-1, ::-1]),
    ],
)
def test_affine_decides_which_way_is_up(tmp_path, axes, to_array):
    """However stored: head (or front) up, the patient's left on the right, lateral facing left."""
    stored = levels()
    path = write(tmp_path / "a.nii", np.ascontiguousarray(to_array(stored)), coronal(*axes))
    np.testing.assert_array_equal(read(path)[0], (stored / 255).astype(np.float32))


def test_file_without_orientation_is_taken_as_stored(tmp_path):
    """No qform, no sform: (columns, rows), the top row first."""
    stored = levels()
    path = write(tmp_path / "a.nii", stored.T, None)
    np.testing.assert_array_equal(read(path)[0], (stored / 255).astype(np.float32))


def test_trailing_axes_of_one_are_dropped(tmp_path):
    """(columns, rows, 1, 1) is one picture."""
    stored = levels()
    path = write(tmp_path / "a.nii", stored.T[..., None, None], ITK)
    np.testing.assert_array_equal(read(path)[0], (stored / 255).astype(np.float32))


@pytest.mark.parametrize(
    ("values", "dtype", "bits", "value_range"),
    [
        ([0, 100], np.uint8, 8, (0, 255)),
        ([0, 100], np.int16, 8, (0, 255)),
        ([0, 2049], np.int16, 12, (0, 4095)),
        ([0, 4095], np.uint16, 12, (0, 4095)),
        ([0, 4096], np.int32, 13, (0, 8191)),
        ([0, 4095], np.float32, 12, (0, 4095)),
        ([-1024, 1023], np.int16, 11, (-1024, 1023)),
        ([-1025, 5], np.int16, 12, (-2048, 2047)),
    ],
)
def test_bits_come_from_the_stored_integers(tmp_path, values, dtype, bits, value_range):
    """The smallest power of two, at least 256 levels, that holds them all."""
    image, meta = read(write(tmp_path / "a.nii", np.array([values], dtype=dtype), None))
    assert (meta["bits"], meta["value_range"]) == (bits, value_range)
    low, high = value_range
    np.testing.assert_allclose(image[:, 0], (np.array(values) - low) / (high - low), rtol=1e-6)


def test_scaling_goes_into_value_range(tmp_path):
    """Slope and intercept don't change the picture, unless the slope is negative."""
    stored = levels()
    image = nib.Nifti1Image(stored.T, ITK)
    image.header.set_slope_inter(-2.0, 10.0)
    image.to_filename(tmp_path / "a.nii")
    # nibabel applies the scaling backwards when it writes, so set the bytes themselves
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    raw[352:] = stored.T.tobytes(order="F")
    (tmp_path / "a.nii").write_bytes(raw)
    pixels, meta = read(tmp_path / "a.nii")
    np.testing.assert_allclose(pixels, 1 - stored / 255, atol=1e-6)
    assert meta["value_range"] == (10.0 - 2 * 255, 10.0)


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.full((4, 4), 0.5, np.float32), "must be whole numbers.*got fractions"),
        (np.full((4, 4), np.nan, np.float32), "must be whole numbers.*NaN"),
        (np.full((4, 4), 70000, np.int32), "must fit into 16 bits, got 70000"),
        (np.zeros((4, 4, 3), np.uint8), r"two dimensions, got \(4, 4, 3\)"),
        (np.zeros((4, 4), np.complex64), "whole numbers, got complex64"),
    ],
)
def test_unusable_content_is_refused(tmp_path, array, text):
    """Fractions, NaN, too many bits, volumes, complex numbers."""
    with pytest.raises(UnreadableImageError, match=text):
        read(write(tmp_path / "a.nii", array, ITK))


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_cut_file_is_refused(tmp_path, name):
    """A file that ends early."""
    path = write(tmp_path / name, levels(), ITK)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UnreadableImageError, match=rf"{name}: "):
        read(path)


def test_gzip_bomb_is_unpacked_no_further_than_the_limit(tmp_path):
    """A megabyte of zeros in a kilobyte."""
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(bytes(2**20)))
    with pytest.raises(UnreadableImageError, match="the unpacked file must have at most 5,000 "):
        read(path, limits=Limits(max_bytes=5000))


def test_claimed_size_is_refused_before_allocation(tmp_path):
    """A header of 32767 x 32767 in a small file."""
    path = write(tmp_path / "a.nii", levels(), ITK)
    raw = bytearray(path.read_bytes())
    raw[42:46] = (32767).to_bytes(2, "little") * 2
    path.write_bytes(raw)
    with pytest.raises(UnreadableImageError, match=r"must have 1,073,676,641 bytes .* got 832"):
        read(path)
