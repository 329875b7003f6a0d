"""The mask of valid pixels: padding and the display shutter, in every format."""

from fractions import Fraction

import nibabel as nib
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.transforms import LoadImage

from medaug.data import RadiographReader
from medaug.errors import UnreadableImageError

from .dicom_files import write
from .images import levels, save

ROWS, COLUMNS = 20, 30
RECTANGLE = {
    "ShutterLeftVerticalEdge": 5,
    "ShutterRightVerticalEdge": 12,
    "ShutterUpperHorizontalEdge": 3,
    "ShutterLowerHorizontalEdge": 9,
}
CIRCLE = {"CenterOfCircularShutter": [10, 15], "RadiusOfCircularShutter": 6}


def read(path, **options):
    """(H, W) pixels and mask."""
    image, meta = RadiographReader(mask=True, **options).get_data(path)
    mask = meta["mask"]
    assert isinstance(mask, torch.Tensor)
    assert mask.dtype == torch.bool
    assert mask.shape == image.shape
    return image[0], mask[0].numpy()


def bright(tmp_path, **elements):
    """A file in which every pixel is white but for what is masked."""
    return write(tmp_path / "a.dcm", np.full((ROWS, COLUMNS), 4095, np.uint16), **elements)


def shuttered(tmp_path, shape, **elements):
    """The mask of one shutter, after a look at the picture."""
    image, mask = read(bright(tmp_path, ShutterShape=shape, **elements))
    np.testing.assert_array_equal(image, mask.astype(np.float32))
    return mask


def coordinates():
    """Row and column of every pixel, from 1, as the standard counts."""
    return np.mgrid[1 : ROWS + 1, 1 : COLUMNS + 1]


def test_there_is_no_mask_unless_asked(tmp_path):
    """Nothing large rides in the metadata by default."""
    _, meta = RadiographReader().get_data(bright(tmp_path, PixelPaddingValue=4095))
    assert "mask" not in meta


def test_mask_is_true_where_nothing_is_masked(tmp_path):
    """DICOM without padding, PNG, TIFF, JPEG, NIfTI."""
    stored = levels()
    nib.Nifti1Image(stored.T, np.eye(4)).to_filename(tmp_path / "b.nii")
    paths = [save(tmp_path / f"a.{suffix}", stored) for suffix in ("png", "tif", "jpg")]
    for path in [*paths, tmp_path / "b.nii", write(tmp_path / "a", levels(bits=12))]:
        assert read(path)[1].all()


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(
    ("dtype", "value", "limit", "masked"),
    [
        (np.uint16, 7, None, [7]),
        (np.uint16, 5, 7, [5, 6, 7]),
        (np.uint16, 7, 5, [5, 6, 7]),
        (np.int16, -2048, -2047, [-2048, -2047]),
    ],
)
def test_padding_is_masked_by_stored_value(tmp_path, photometric, dtype, value, limit, masked):
    """The value, or the range up to the limit, ends included; black in both polarities."""
    stored = np.array([[-2048, -2047, -2046], [4, 5, 6], [7, 8, 2047]]).astype(dtype)
    elements = {"PixelPaddingValue": value}
    if limit is not None:
        elements["PixelPaddingRangeLimit"] = limit
    path = write(tmp_path / "a", stored, photometric=photometric, **elements)
    image, mask = read(path)
    np.testing.assert_array_equal(mask, ~np.isin(stored, masked))
    assert not image[~mask].any()


@pytest.mark.parametrize(("vr", "value"), [("SS", -2000), ("US", 63536)])
def test_padding_of_the_wrong_vr_is_read_with_the_pixels_sign(tmp_path, vr, value):
    """Some writers give US for signed pixels."""
    path = write(tmp_path / "a", np.array([[-2000, -1999]], dtype=np.int16), bits=16)
    import pydicom

    ds = pydicom.dcmread(path)
    ds.add_new("PixelPaddingValue", vr, value)
    ds.save_as(path)
    np.testing.assert_array_equal(read(path)[1], [[False, True]])


def test_padding_beyond_bits_stored_masks_nothing(tmp_path):
    """No 12-bit value is 63536; that of its lowest 12 bits, 2096, is a grey level like others."""
    stored = np.array([[2096, 4095, 0]], dtype=np.uint16)
    assert read(write(tmp_path / "a", stored, PixelPaddingValue=63536))[1].all()


def test_rectangle_counts_from_one_and_shows_its_edges(tmp_path):
    """Columns 5 to 12, rows 3 to 9."""
    mask = shuttered(tmp_path, "RECTANGULAR", **RECTANGLE)
    rows, columns = coordinates()
    np.testing.assert_array_equal(
        mask, (rows >= 3) & (rows <= 9) & (columns >= 5) & (columns <= 12)
    )


def test_edges_may_lie_outside(tmp_path):
    """Nothing is masked then."""
    edges = dict.fromkeys(RECTANGLE, -5) | {
        "ShutterRightVerticalEdge": 2000,
        "ShutterLowerHorizontalEdge": 2000,
    }
    assert shuttered(tmp_path, "RECTANGULAR", **edges).all()


@pytest.mark.parametrize(("spacing", "ratio"), [(None, 1), ([0.2, 0.1], 2), ([0.1, 0.2], 0.5)])
def test_circle_is_round_on_the_patient(tmp_path, spacing, ratio):
    """The radius counts columns: rows further apart make an ellipse of pixels."""
    elements = CIRCLE if spacing is None else CIRCLE | {"PixelSpacing": spacing}
    rows, columns = coordinates()
    np.testing.assert_array_equal(
        shuttered(tmp_path, "CIRCULAR", **elements),
        ((rows - 10) * ratio) ** 2 + (columns - 15) ** 2 <= 36,
    )


def seen_through(vertices, row, column):
    """Whether a point is inside a polygon or on its edge, in exact fractions."""
    inside = False
    for (y0, x0), (y1, x1) in zip(vertices, vertices[1:] + vertices[:1], strict=True):
        cross = (x1 - x0) * (row - y0) - (column - x0) * (y1 - y0)
        between = min(y0, y1) <= row <= max(y0, y1) and min(x0, x1) <= column <= max(x0, x1)
        if cross == 0 and between:
            return True
        if (y0 <= row) != (y1 <= row):
            inside ^= x0 + Fraction((row - y0) * (x1 - x0), y1 - y0) <= column
    return inside


vertex = st.tuples(st.integers(-3, ROWS + 3), st.integers(-3, COLUMNS + 3))


@settings(deadline=None, max_examples=40)
@given(vertices=st.lists(vertex, min_size=3, max_size=6))
def test_polygon_shows_its_inside_and_its_edge(tmp_path_factory, vertices):
    """Against one point after another in exact arithmetic."""
    expected = np.array(
        [[seen_through(vertices, r, c) for c in range(1, COLUMNS + 1)] for r in range(1, ROWS + 1)]
    )
    folder = tmp_path_factory.mktemp("polygon")
    elements = {"VerticesOfThePolygonalShutter": [v for pair in vertices for v in pair]}
    if expected.any():
        np.testing.assert_array_equal(shuttered(folder, "POLYGONAL", **elements), expected)
    else:
        with pytest.raises(UnreadableImageError, match="must leave pixels to see"):
            shuttered(folder, "POLYGONAL", **elements)


def test_several_shapes_leave_the_least(tmp_path):
    """What each of them shows; together with padding too."""
    each = [
        shuttered(tmp_path, "RECTANGULAR", **RECTANGLE),
        shuttered(tmp_path, "CIRCULAR", **CIRCLE),
    ]
    both = shuttered(tmp_path, ["RECTANGULAR", "CIRCULAR"], **RECTANGLE, **CIRCLE)
    np.testing.assert_array_equal(both, each[0] & each[1])
    stored = np.full((ROWS, COLUMNS), 100, np.uint16)
    stored[:, 9] = 0
    image, mask = read(
        write(
            tmp_path / "b",
            stored,
            photometric="MONOCHROME1",
            PixelPaddingValue=0,
            ShutterShape="RECTANGULAR",
            **RECTANGLE,
        )
    )
    np.testing.assert_array_equal(mask, each[0] & (stored != 0))
    assert not image[~mask].any()
    assert (image[mask] > 0.9).all()


def test_shutter_is_applied_without_a_mask_too_and_to_colour(tmp_path):
    """What is occluded isn't shown, whoever asks."""
    image, _ = RadiographReader().get_data(
        bright(tmp_path, ShutterShape="RECTANGULAR", **RECTANGLE)
    )
    assert image.sum() == 7 * 8
    stored = np.full((ROWS, COLUMNS, 3), 255, np.uint8)
    path = write(
        tmp_path / "b", stored, bits=8, photometric="RGB", ShutterShape="CIRCULAR", **CIRCLE
    )
    image, mask = read(path, grey=True)
    np.testing.assert_array_equal(image, mask)
    assert not mask.all()


@pytest.mark.parametrize(
    ("elements", "text"),
    [
        (
            {"ShutterShape": "RECTANGULAR", **RECTANGLE, "ShutterUpperHorizontalEdge": None},
            r"Shutter Upper Horizontal Edge \(0018,1606\) must be an integer .* got nothing",
        ),
        (
            {"ShutterShape": "CIRCULAR", "RadiusOfCircularShutter": 5},
            r"Center of Circular Shutter \(0018,1610\) must be 2 integers, got nothing",
        ),
        (
            {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [1, 2, 3, 4]},
            r"\(0018,1620\) must be 6 to 32768 integers",
        ),
        (
            {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [1, 2, 3, 4, 5, 6, 7]},
            r"\(0018,1620\) must be pairs, got 7 values",
        ),
        ({"ShutterShape": "BITMAP"}, r"Shutter Shape \(0018,1600\) must be RECTANGULAR, .* BITMAP"),
        (
            {"ShutterShape": "RECTANGULAR", **RECTANGLE, "ShutterLeftVerticalEdge": 13},
            r"\(0018,1600\): the shutter must leave pixels to see",
        ),
    ],
)
def test_shutter_without_what_it_needs_is_refused(tmp_path, elements, text):
    """Rather than shown in full."""
    elements = {key: value for key, value in elements.items() if value is not None}
    with pytest.raises(UnreadableImageError, match=text):
        read(bright(tmp_path, **elements))


@pytest.mark.filterwarnings("ignore:NvImgCodecPydicomReader")
def test_mask_comes_through_load_image(tmp_path):
    """MONAI keeps the entry."""
    path = bright(tmp_path, ShutterShape="RECTANGULAR", **RECTANGLE)
    image = LoadImage(reader="medaug.data.RadiographReader", mask=True)(path)
    assert torch.equal(image.meta["mask"], image.as_tensor() > 0)
