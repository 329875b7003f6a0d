"""The reader under MONAI: shape, metadata, no other reader, the same pixels from every format."""

import io
import os
import pickle
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset, MetaTensor
from monai.transforms import LoadImage, LoadImaged

from medaug.data import RadiographReader
from medaug.errors import ConfigError, UnreadableImageError

from .dicom_files import write
from .images import levels, save

SHARED = Path(os.environ.get("MEDAUG_SHARED", "../shared")) / "data"
READER = "medaug.data.RadiographReader"

# MONAI 1.6.1 warns of an absent GPU decoder whenever a LoadImage is made
pytestmark = pytest.mark.filterwarnings("ignore:NvImgCodecPydicomReader")


def load(path, **options):
    """One image as a bundle's config loads it."""
    return LoadImaged("image", reader=READER, ensure_channel_first=True, **options)(
        {"image": str(path)}
    )["image"]


def test_load_imaged_gives_channel_first_float32(tmp_path):
    """(1, H, W) in [0, 1], rows down, with plain metadata."""
    stored = levels(24, 20)
    image = load(save(tmp_path / "a.png", stored))
    assert isinstance(image, MetaTensor)
    assert image.dtype == torch.float32
    np.testing.assert_array_equal(image.as_tensor().numpy(), (stored[None] / 255).astype("f4"))
    assert image.meta["spatial_shape"] == [24, 20]
    torch.testing.assert_close(image.affine, torch.eye(4, dtype=torch.float64))


def test_options_arrive_through_load_imaged(tmp_path):
    """Keywords of LoadImaged are those of the reader."""
    path = write(tmp_path / "a.dcm", levels(bits=12), WindowCenter=100, WindowWidth=50)
    assert not torch.equal(load(path).as_tensor(), load(path, voi="none").as_tensor())


def test_spacing_is_in_the_affine(tmp_path):
    """Rows first, nothing flipped."""
    image = load(write(tmp_path / "a.dcm", levels(bits=12), ImagerPixelSpacing=[0.2, 0.1]))
    torch.testing.assert_close(
        image.affine, torch.diag(torch.tensor([0.2, 0.1, 1, 1], dtype=torch.float64))
    )


@pytest.mark.parametrize("suffix", [".dcm", ".png", ".nii", ".nii.gz", ".jpg", ".tif", ".mha", ""])
def test_corrupt_file_is_our_error_and_no_other_reader_is_tried(tmp_path, suffix, monkeypatch):
    """MONAI would swallow what read() raises and go on to Pillow, ITK or nibabel."""
    path = tmp_path / f"bad{suffix}"
    path.write_bytes(b"this is no image " * 40)
    loader = LoadImage(reader=READER)
    tried = []
    for other in loader.readers[:-1]:
        monkeypatch.setattr(other, "read", tried.append)
    with pytest.raises(
        UnreadableImageError, match=r"bad.*: must be DICOM, NIfTI, NRRD, MetaImage, PNG"
    ) as raised:
        loader(path)
    assert "\n" not in str(raised.value)
    assert not tried
    assert isinstance(loader.readers[-1], RadiographReader)


def test_file_that_another_reader_would_take_is_still_refused(tmp_path):
    """A colour PNG, which Pillow's reader loads without a word."""
    path = save(tmp_path / "a.png", np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
    assert LoadImage(reader="PILReader")(path).shape == (4, 4, 3)
    with pytest.raises(UnreadableImageError, match="must be grey"):
        LoadImage(reader=READER)(path)


def test_cause_is_chained(tmp_path):
    """Who needs the library's own words finds them."""
    path = tmp_path / "a.nii"
    nib.Nifti1Image(levels(), np.eye(4)).to_filename(path)
    data = path.read_bytes()
    path.write_bytes(data[:70] + b"\xff\x7f" + data[72:])  # no such datatype
    with pytest.raises(UnreadableImageError) as raised:
        RadiographReader().get_data(path)
    assert isinstance(raised.value.__cause__, Exception)
    assert not isinstance(raised.value.__cause__, UnreadableImageError)


def test_missing_file_folder_and_several_files(tmp_path):
    """What isn't one file says so."""
    reader = RadiographReader()
    with pytest.raises(UnreadableImageError, match=r"gone\.png: must be .* nothing is"):
        reader.get_data(reader.read(tmp_path / "gone.png"))
    with pytest.raises(UnreadableImageError, match="must be an image file, got a folder"):
        reader.get_data(reader.read(tmp_path))
    with pytest.raises(UnreadableImageError, match="must be given one file, got 2"):
        reader.get_data(reader.read(["a", "b"]))
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(UnreadableImageError, match="got a device or pipe"):
            reader.get_data(tmp_path / "pipe")
    (tmp_path / "empty.dcm").write_bytes(b"")
    with pytest.raises(UnreadableImageError, match="got an empty file"):
        reader.get_data(tmp_path / "empty.dcm")


@pytest.mark.parametrize("options", [{"vio": "none"}, {"voi": "auto"}])
def test_wrong_option_is_refused_under_load_image_too(options):
    """MONAI turns a TypeError into a warning and goes on without options; ours isn't one."""
    with pytest.raises(ConfigError, match=r"voi"):
        LoadImage(reader=READER, **options)


@pytest.mark.parametrize("bits", [8, 12])
def test_same_pixels_from_every_format(tmp_path, bits):
    """PNG, DICOM (both polarities), TIFF and NIfTI of one picture: one array, one source_id."""
    stored = levels(bits=bits)
    paths = [
        write(tmp_path / "a.dcm", stored, bits=bits),
        write(tmp_path / "b.dcm", 2**bits - 1 - stored, bits=bits, photometric="MONOCHROME1"),
    ]
    nib.Nifti1Image(stored.T, np.diag([-1.0, -1, 1, 1])).to_filename(tmp_path / "c.nii.gz")
    paths.append(tmp_path / "c.nii.gz")
    if bits == 8:
        paths += [save(tmp_path / "d.png", stored), save(tmp_path / "e.tif", stored)]
    found = [RadiographReader().get_data(path) for path in paths]
    for image, meta in found:
        np.testing.assert_array_equal(image, found[0][0])
        assert meta["source_id"] == found[0][1]["source_id"]
        assert meta["bits"] == bits


def test_source_id_depends_on_pixels_and_shape():
    """The definition, computed by hand: shape in ASCII, then little-endian float32."""
    import hashlib

    from medaug.data._formats.pixels import source_id

    pixels = np.float32([[0, 0.25, 1]])
    by_hand = hashlib.sha256(b"1x3" + bytes.fromhex("000000000000803e0000803f")).hexdigest()
    assert source_id(pixels) == by_hand
    assert source_id(pixels.T) != by_hand


def test_saved_image_loads_with_weights_only(tmp_path):
    """The metadata hold plain values alone."""
    image = load(write(tmp_path / "a.dcm", levels(bits=12), WindowCenter=9, WindowWidth=5))
    buffer = io.BytesIO()
    torch.save(image, buffer)
    buffer.seek(0)
    again = torch.load(buffer, weights_only=True)
    assert again.meta["source_id"] == image.meta["source_id"]


def test_reader_and_metadata_go_through_a_loader(tmp_path):
    """Reader pickles; metadata of several images collate."""
    reader = pickle.loads(pickle.dumps(RadiographReader(voi="none")))
    assert reader.options.voi == "none"
    items = [{"image": str(save(tmp_path / f"{k}.png", levels(seed=k)))} for k in range(2)]
    transform = LoadImaged("image", reader=READER, ensure_channel_first=True)
    batch = next(iter(DataLoader(Dataset(items, transform), batch_size=2)))
    assert batch["image"].shape == (2, 1, 24, 20)
    assert batch["image"].meta["bits"].tolist() == [8, 8]


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data are not here (MEDAUG_SHARED)")
@pytest.mark.parametrize(
    ("name", "bright", "dark"),
    [
        # sacrum-side spine and upper lung; tibia and the air beside the leg
        ("chest_pa_monochrome1_j2k.dcm", (1000, 920), (600, 500)),
        ("leg_ap_monochrome1_rle.dcm", (600, 990), (600, 600)),
    ],
)
def test_real_monochrome1_radiographs_have_bright_bone_and_dark_air(name, bright, dark):
    """Known places in two real radiographs, both MONOCHROME1."""
    image = load(SHARED / "dicom" / name)[0].numpy()
    bone, air = (image[r - 15 : r + 15, c - 15 : c + 15].mean() for r, c in (bright, dark))
    assert bone > air + 0.2
