"""NRRD and MetaImage: as ITK reads them, upright, and only where the header holds to the byte."""

import bz2
import gzip
import struct
import zlib

import numpy as np
import pytest

from medaug.data import RadiographReader
from medaug.data.limits import Limits
from medaug.errors import UnreadableImageError

from .images import levels

itk = pytest.importorskip("itk", reason="itk-io is not installed")

# SWIG's warnings, made errors, crash the process while ITK loads
pytestmark = pytest.mark.filterwarnings("ignore")

PICTURE = levels(24, 20)


def read(path, **options):
    """(H, W) pixels and metadata."""
    image, meta = RadiographReader(**options).get_data(str(path))
    return image[0], meta


def nrrd(path, *lines, data=None, sizes="20 24", dimension=2, encoding="raw", type_="uint8"):
    """A NRRD file by hand."""
    head = ["NRRD0005", "# by hand", "creator:=test", f"type: {type_}", f"dimension: {dimension}"]
    head += [f"sizes: {sizes}", f"encoding: {encoding}", *lines]
    data = PICTURE.tobytes() if data is None else data
    path.write_bytes("\n".join([*head, "", ""]).encode() + data)
    return path


def mha(path, *lines, data=None, size="20 24", dims=2, type_="MET_UCHAR", last="LOCAL"):
    """A MetaImage file by hand."""
    head = ["ObjectType = Image", f"NDims = {dims}", "BinaryData = True", *lines]
    head += [f"DimSize = {size}", f"ElementType = {type_}", f"ElementDataFile = {last}"]
    data = PICTURE.tobytes() if data is None else data
    path.write_bytes("\n".join([*head, ""]).encode() + data)
    return path


@pytest.mark.parametrize("suffix", ["nrrd", "mha"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("bits", [8, 12])
def test_what_itk_writes_is_the_picture(tmp_path, suffix, packed, bits):
    """An image of ITK's, as arrays come from a DICOM radiograph: rows down, columns to the left."""
    stored = levels(24, 20, bits=bits)
    image = itk.image_from_array(stored)
    image.SetSpacing([0.2, 0.3])
    path = tmp_path / f"a.{suffix}"
    itk.imwrite(image, str(path), compression=packed)
    pixels, meta = read(path)
    np.testing.assert_array_equal(pixels, (stored / (2**bits - 1)).astype(np.float32))
    assert meta["spacing"] == pytest.approx((0.3, 0.2))
    assert meta["bits"] == bits
    assert meta["spacing_source"] == ("space directions" if suffix == "nrrd" else "ElementSpacing")


# world letters that the two array axes run towards, and the picture's array stored so
LAYOUTS = {
    "LI": lambda picture: picture,
    "LS": lambda picture: picture[::-1],
    "RI": lambda picture: picture[:, ::-1],
    "RS": lambda picture: picture[::-1, ::-1],
    "IL": lambda picture: picture.T,
    "SR": lambda picture: picture[::-1, ::-1].T,
    "LP": lambda picture: picture,
    "RA": lambda picture: picture[::-1, ::-1],
    "PI": lambda picture: picture,
    "SA": lambda picture: picture[::-1, ::-1].T,
}


def direction(letter, world):
    """A unit vector towards a side of the patient, in a world named by its positive sides."""
    axis = "RLAPSI".index(letter) // 2
    vector = [0.0, 0.0, 0.0]
    vector[axis] = 1.0 if letter == world[axis] else -1.0
    return vector


def vectors(axes, world):
    """Three axis vectors: the two given, and the one that is left."""
    used = {"RLAPSI".index(letter) // 2 for letter in axes}
    third = world[({0, 1, 2} - used).pop()]
    return [direction(letter, world) for letter in (*axes, third)]


@pytest.mark.parametrize("axes", LAYOUTS)
@pytest.mark.parametrize("world", ["LPS", "RAS", "LAS", "left-posterior-superior"])
def test_nrrd_space_decides_which_way_is_up(tmp_path, axes, world):
    """Head up, the patient's left on the right, in each of the three spaces."""
    data = np.ascontiguousarray(LAYOUTS[axes](PICTURE))
    short = "LPS" if len(world) > 3 else world
    directions = " ".join(f"({','.join(map(str, v))})" for v in vectors(axes, short))
    sizes = f"{data.shape[1]} {data.shape[0]} 1"
    lines = (f"space: {world}", f"space directions: {directions}")
    path = nrrd(tmp_path / "a.nrrd", *lines, data=data.tobytes(), sizes=sizes, dimension=3)
    np.testing.assert_array_equal(read(path)[0], (PICTURE / 255).astype(np.float32))


@pytest.mark.parametrize("axes", LAYOUTS)
@pytest.mark.parametrize("field", ["TransformMatrix", "Orientation", "Rotation"])
def test_metaimage_matrix_decides_which_way_is_up(tmp_path, axes, field):
    """The same; the matrix has one axis after the other, in LPS."""
    data = np.ascontiguousarray(LAYOUTS[axes](PICTURE))
    matrix = " ".join(str(x) for vector in vectors(axes, "LPS") for x in vector)
    size = f"{data.shape[1]} {data.shape[0]} 1"
    lines = (f"{field} = {matrix}", "AnatomicalOrientation = LIP")
    path = mha(tmp_path / "a.mha", *lines, data=data.tobytes(), size=size, dims=3)
    np.testing.assert_array_equal(read(path)[0], (PICTURE / 255).astype(np.float32))


@pytest.mark.parametrize("axes", ["LI", "RS", "SR", "RA"])
def test_nifti_nrrd_and_metaimage_of_one_image_are_the_same(tmp_path, axes):
    """ITK writes all three, so that its geometry and nibabel's are held against each other."""
    data = np.ascontiguousarray(LAYOUTS[axes](PICTURE))[None]
    image = itk.image_from_array(data)
    image.SetDirection(np.array(vectors(axes, "LPS")).T)
    image.SetSpacing([0.2, 0.3, 1.0])
    found = []
    for suffix in ("nii", "nrrd", "mha"):
        itk.imwrite(image, str(tmp_path / f"a.{suffix}"))
        found.append(read(tmp_path / f"a.{suffix}"))
    for pixels, meta in found:
        np.testing.assert_array_equal(pixels, (PICTURE / 255).astype(np.float32))
        assert meta["source_id"] == found[0][1]["source_id"]
        assert meta["spacing"] == pytest.approx(found[0][1]["spacing"])


@pytest.mark.parametrize("make", [nrrd, mha])
def test_file_without_orientation_is_taken_as_stored(tmp_path, make):
    """The first axis is the column."""
    pixels, meta = read(make(tmp_path / "a"))
    np.testing.assert_array_equal(pixels, (PICTURE / 255).astype(np.float32))
    assert (meta["spacing"], meta["spacing_source"]) == ((1.0, 1.0), "none")


def test_two_dimensional_matrix_is_in_the_plane_of_left_and_back(tmp_path):
    """Columns that run to the right are turned round."""
    path = mha(tmp_path / "a.mha", "TransformMatrix = -1 0 0 1")
    np.testing.assert_array_equal(read(path)[0], (PICTURE[:, ::-1] / 255).astype(np.float32))
    path = nrrd(tmp_path / "a.nrrd", "space dimension: 2", "space directions: (-2,0) (0,3)")
    pixels, meta = read(path)
    np.testing.assert_array_equal(pixels, (PICTURE[:, ::-1] / 255).astype(np.float32))
    assert meta["spacing"] == (3.0, 2.0)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("gz", gzip.compress), ("bzip2", bz2.compress), ("raw", bytes)],
)
def test_nrrd_encodings(tmp_path, encoding, pack):
    """ITK itself has no bzip2."""
    path = nrrd(tmp_path / "a.nrrd", encoding=encoding, data=pack(PICTURE.tobytes()))
    np.testing.assert_array_equal(read(path)[0], (PICTURE / 255).astype(np.float32))


def test_compressed_metaimage_without_its_size_is_read(tmp_path):
    """Here ITK 5.4.7 gives whatever lay in memory, and no error."""
    data = zlib.compress(PICTURE.tobytes())
    path = mha(tmp_path / "a.mha", "CompressedData = True", data=data)
    assert not np.array_equal(itk.array_from_image(itk.imread(str(path))), PICTURE)
    np.testing.assert_array_equal(read(path)[0], (PICTURE / 255).astype(np.float32))


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize(
    ("type_", "met", "code"),
    [
        ("int8", "MET_CHAR", "i1"),
        ("short", "MET_SHORT", "i2"),
        ("unsigned short", "MET_USHORT", "u2"),
        ("int", "MET_INT", "i4"),
        ("uint32", "MET_UINT", "u4"),
        ("float", "MET_FLOAT", "f4"),
        ("double", "MET_DOUBLE", "f8"),
    ],
)
def test_types_and_byte_orders(tmp_path, type_, met, code, order):
    """Whole numbers in any of them; `bits` is the smallest number that holds them."""
    stored = np.array([[0, 100, 127], [1, 2, 3]])
    data = stored.astype(f"{'<' if order == 'little' else '>'}{code}").tobytes()
    paths = [
        nrrd(tmp_path / "a", f"endian: {order}", data=data, sizes="3 2", type_=type_),
        mha(
            tmp_path / "b",
            f"BinaryDataByteOrderMSB = {order == 'big'}",
            data=data,
            size="3 2",
            type_=met,
        ),
    ]
    for path in paths:
        pixels, meta = read(path)
        np.testing.assert_array_equal(pixels, (stored / 255).astype(np.float32))
        assert (meta["bits"], meta["value_range"]) == (8, (0, 255))


DETACHED = "absent: the data must be in the same file"


@pytest.mark.parametrize(
    ("lines", "options", "text"),
    [
        (["data file: other.raw"], {}, f"NRRD datafile must be {DETACHED}"),
        (["DATAFILE: LIST"], {}, f"NRRD datafile must be {DETACHED}"),
        (["byte skip: -1"], {}, "NRRD byteskip must be 0, got '-1'"),
        (["line skip: 3"], {}, "NRRD lineskip must be 0, got '3'"),
        (
            ["type: uint8"],
            {},
            "line 8 of the NRRD header must be a field of the format, given once",
        ),
        (["Patient Name: DOE^JANE"], {}, "line 8 of the NRRD header must be a field"),
        ([], {"encoding": "hex"}, "NRRD encoding must be one of raw, .* got 'hex'"),
        ([], {"type_": "block"}, "NRRD type must be one of .* got 'block'"),
        ([], {"type_": "short"}, "NRRD endian must be one of little, big, got no such line"),
        ([], {"dimension": 1}, "NRRD dimension must be from 2 to 4, got '1'"),
        ([], {"sizes": "20 -24"}, "NRRD sizes must be 2 sizes"),
        ([], {"sizes": "20 24 1"}, "NRRD sizes must be 2 sizes"),
        ([], {"sizes": "0 24"}, "NRRD sizes must be 2 sizes"),
        ([], {"sizes": "5 4 24", "dimension": 3}, r"must have two dimensions, got \(5, 4, 24\)"),
        ([], {"sizes": "99999 99999"}, "the image must have 1 to 67,108,864 pixels"),
        ([], {"sizes": "20 25"}, "must have 500 bytes for 25 x 20 pixels, got 480"),
        ([], {"sizes": "20 23"}, "must have 460 bytes for 23 x 20 pixels, got 480"),
        (["kinds: RGB-color domain"], {}, "NRRD kinds must be domain, got 'RGB-color domain'"),
        (['space units: "m" "m"'], {}, 'NRRD spaceunits must be "mm"'),
        (["spacings: 1 nan"], {}, "NRRD spacings must be 2 finite numbers"),
        (["spacings: 1 0"], {}, "NRRD spacings must be above 0, got '1 0'"),
        (["space directions: none (0,1)"], {}, "NRRD spacedirections must be 2 vectors"),
        (
            ["space: RAS", "space directions: (1,0) (0,1)"],
            {},
            "NRRD dimension must be 3, as space has, got '2'",
        ),
        (
            ["space: scanner-xyz", "space directions: (1,0,0) (0,1,0) (0,0,1)"],
            {"sizes": "20 24 1", "dimension": 3},
            "NRRD space must be one of ras, .* got 'scanner-xyz'",
        ),
    ],
)
def test_nrrd_header_that_lies_or_is_not_understood_is_refused(tmp_path, lines, options, text):
    """One line that names the file and the header's line, and no other text of the header."""
    path = nrrd(tmp_path / "a.nrrd", *lines, **options)
    with pytest.raises(UnreadableImageError, match=text) as raised:
        read(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)
    assert "DOE" not in str(raised.value)


@pytest.mark.parametrize(
    ("lines", "options", "text"),
    [
        ([], {"last": "other.raw"}, "MetaImage ElementDataFile must be LOCAL, got 'other.raw'"),
        ([], {"last": "LIST"}, "MetaImage ElementDataFile must be LOCAL"),
        (["ElementDataFile : /etc/hostname"], {}, r"a line NAME = VALUE at byte 47, each once"),
        (["NDims = 2"], {}, "a line NAME = VALUE at byte"),
        (["HeaderSize = 10"], {}, "MetaImage HeaderSize must be 0, got '10'"),
        (["ElementNumberOfChannels = 3"], {}, "MetaImage ElementNumberOfChannels must be 1"),
        (["DistanceUnits = um"], {}, "MetaImage DistanceUnits must be MM"),
        (["AnatomicalOrientation = LPS"], {}, "AnatomicalOrientation must be RAI, or come with"),
        (["ElementToIntensityFunctionSlope = 2"], {}, "FunctionSlope must be 1, got '2'"),
        ([], {"type_": "MET_LONG"}, "MetaImage ElementType must be one of .* got 'MET_LONG'"),
        ([], {"size": "20 25"}, "must have 500 bytes for 25 x 20 pixels, got 480"),
        ([], {"size": "70000 70000"}, "the image must have 1 to 67,108,864 pixels"),
        (["CompressedData = True", "CompressedDataSize = 9"], {}, "DataSize must be 480, got '9'"),
        (["CompressedData = yes"], {}, "CompressedData must be one of true, false"),
        (["TransformMatrix = 1 0 0"], {}, "MetaImage TransformMatrix must be 4 finite numbers"),
        (["TransformMatrix = 1 0 1 0"], {}, "three independent axes"),
        (["ElementSpacing = 1 -1"], {}, "MetaImage ElementSpacing must be above 0, got '1 -1'"),
    ],
)
def test_metaimage_header_that_lies_or_is_not_understood_is_refused(tmp_path, lines, options, text):
    """The same."""
    path = mha(tmp_path / "a.mha", *lines, **options)
    with pytest.raises(UnreadableImageError, match=text) as raised:
        read(path)
    assert "\n" not in str(raised.value)


def test_header_without_end_is_refused(tmp_path):
    """Nothing is looked for beyond 64 KiB."""
    (tmp_path / "a").write_bytes(b"NRRD0005\n" + b"# a\n" * 30_000 + b"\n")
    with pytest.raises(UnreadableImageError, match="header must end within 65,536 bytes"):
        read(tmp_path / "a")
    (tmp_path / "b").write_bytes(b"ObjectType = Image\n" + b"A" * 70_000 + b"= 1\n")
    with pytest.raises(UnreadableImageError, match="within 65,536 bytes"):
        read(tmp_path / "b")


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("bzip2", bz2.compress)])
@pytest.mark.parametrize("change", ["short", "long", "cut", "trailing"])
def test_stream_of_another_length_is_refused(tmp_path, encoding, pack, change):
    """Unpacked no further than one byte beyond what the header asks for."""
    raw = PICTURE.tobytes()
    raw = {"short": raw[:-1], "long": raw + bytes(2**20)}.get(change, raw)
    data = pack(raw)
    data = {"cut": data[:-3], "trailing": data + b"x"}.get(change, data)
    path = nrrd(tmp_path / "a.nrrd", encoding=encoding, data=data)
    with pytest.raises(UnreadableImageError, match=r"stream must end with the file|must have 480"):
        read(path)


def test_damaged_stream_is_refused(tmp_path):
    """The words of zlib are chained."""
    data = bytearray(gzip.compress(PICTURE.tobytes()))
    data[20:30] = bytes(10)
    with pytest.raises(UnreadableImageError, match=r"a\.nrrd: ") as raised:
        read(nrrd(tmp_path / "a.nrrd", encoding="gzip", data=bytes(data)))
    assert raised.value.__cause__ is not None


def test_limits_hold(tmp_path):
    """The header's size against `max_pixels`."""
    with pytest.raises(UnreadableImageError, match="must have 1 to 479 pixels, got 24 rows"):
        read(nrrd(tmp_path / "a"), limits=Limits(max_pixels=479))


def test_fractions_are_refused(tmp_path):
    """As in NIfTI."""
    data = struct.pack("<6f", 0, 0.5, 1, 2, 3, 4)
    path = nrrd(tmp_path / "a", "endian: little", data=data, sizes="3 2", type_="float")
    with pytest.raises(UnreadableImageError, match="must be whole numbers"):
        read(path)
