"""LoadRadiograph and LoadRadiographd: tensors by our reader alone."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import DataLoader, Dataset, MetaTensor, PersistentDataset
from monai.transforms import Compose, EnsureChannelFirstd
from monai.utils.enums import SpaceKeys

from medaug.data import LoadRadiograph, LoadRadiographd, RadiographReader
from medaug.data._load import to_meta_tensor
from medaug.errors import ConfigError, UnreadableImageError

from .dicom_files import PLANTED_ID, PLANTED_NAME, write
from .images import levels, save

KEYS = {
    "affine",
    "bits",
    "original_channel_dim",
    "photometric",
    "source_id",
    "spacing",
    "spacing_source",
    "space",
    "spatial_shape",
    "value_range",
}


def files(folder, count=4):
    """PNG and DICOM, both polarities, with a spacing and without."""
    folder.mkdir(exist_ok=True)
    paths = []
    for k in range(count):
        elements = {"photometric": "MONOCHROME1", "PixelSpacing": [0.1, 0.2]} if k % 2 else {}
        if k % 4 < 2:
            paths.append(write(folder / f"{k}.dcm", levels(bits=12, seed=k), **elements))
        else:
            paths.append(save(folder / f"{k}.png", levels(seed=k)))
    return paths


def test_load_gives_what_the_reader_gives(tmp_path):
    """(1, H, W) float32 as a MetaTensor, whose metadata are the reader's."""
    for path in files(tmp_path):
        image = LoadRadiograph()(path)
        pixels, meta = RadiographReader().get_data(path)
        assert isinstance(image, MetaTensor)
        assert image.dtype == torch.float32
        np.testing.assert_array_equal(image.as_tensor().numpy(), pixels)
        assert set(image.meta) == KEYS
        torch.testing.assert_close(image.affine, meta.pop("affine"))
        assert {key: image.meta[key] for key in meta} == meta


def test_options_reach_the_reader(tmp_path):
    """Window, luminance, limits."""
    path = write(tmp_path / "a", levels(bits=12), WindowCenter=100, WindowWidth=50)
    expected = RadiographReader(voi="none").get_data(path)[0]
    np.testing.assert_array_equal(LoadRadiograph(voi="none")(path).as_tensor(), expected)
    colour = save(tmp_path / "a.png", np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
    with pytest.raises(UnreadableImageError, match="must be grey"):
        LoadRadiograph()(colour)
    assert LoadRadiograph(grey=True)(colour).shape == (1, 4, 4)
    with pytest.raises(ConfigError, match="voi"):
        LoadRadiographd("image", voi="auto")


def test_mask_comes_beside_the_image(tmp_path):
    """A bool MetaTensor that lies where the image lies."""
    path = write(tmp_path / "a", levels(bits=12), PixelPaddingValue=0, PixelSpacing=[0.1, 0.2])
    image, valid = LoadRadiograph(mask=True)(path)
    assert isinstance(valid, MetaTensor)
    assert valid.dtype == torch.bool
    assert torch.equal(valid.as_tensor(), image.as_tensor() > 0)
    assert not valid.all()
    torch.testing.assert_close(valid.affine, image.affine)
    assert "mask" not in image.meta
    assert set(valid.meta) == KEYS - {"bits", "value_range", "photometric"}


def test_dictionary_form_loads_every_key_into_a_copy(tmp_path):
    """Images under their own keys, masks under theirs."""
    first, second = files(tmp_path, 2)
    data = {"a": str(first), "b": second, "label": 3}
    load = LoadRadiographd(["a", "b"], mask_keys=["a_valid", "b_valid"])
    loaded = load(data)
    assert data == {"a": str(first), "b": second, "label": 3}
    assert set(loaded) == {"a", "b", "a_valid", "b_valid", "label"}
    for key, path in (("a", first), ("b", second)):
        assert torch.equal(loaded[key].as_tensor(), LoadRadiograph()(path).as_tensor())
        assert loaded[f"{key}_valid"].as_tensor().all()


def test_missing_keys(tmp_path):
    """A KeyError that names key and transform, unless they may be missing."""
    path = files(tmp_path, 1)[0]
    with pytest.raises(KeyError, match="Key `b` of transform `LoadRadiographd`"):
        LoadRadiographd(["a", "b"])({"a": path})
    load = LoadRadiographd(["b", "a"], mask_keys=["bm", "am"], allow_missing_keys=True)
    assert set(load({"a": path})) == {"a", "am"}


def test_as_many_mask_keys_as_keys():
    """Else it isn't known whose they are."""
    with pytest.raises(ConfigError, match=r"mask_keys must have one key .* 2, got 1"):
        LoadRadiographd(["a", "b"], mask_keys="m")


@pytest.mark.parametrize("workers", [0, 2])
def test_batch_of_png_and_dicom_collates(tmp_path, workers):
    """In a MONAI loader, masks and metadata too."""
    items = [{"image": str(path)} for path in files(tmp_path)]
    dataset = Dataset(items, LoadRadiographd("image", mask_keys="valid"))
    batch = next(iter(DataLoader(dataset, batch_size=4, num_workers=workers)))
    assert batch["image"].shape == batch["valid"].shape == (4, 1, 24, 20)
    assert batch["valid"].dtype == torch.bool
    assert batch["image"].meta["bits"].tolist() == [12, 12, 8, 8]
    assert batch["image"].meta["photometric"] == [
        "MONOCHROME2",
        "MONOCHROME1",
        "MONOCHROME2",
        "MONOCHROME2",
    ]


def test_nothing_of_the_patient_or_the_file_is_kept_unless_asked(tmp_path):
    """No name, ID or path; with `file_name`, the path alone."""
    path = files(tmp_path / "Jane_Doe", 1)[0]
    for load in (LoadRadiograph(), LoadRadiograph(mask=True)):
        loaded = load(path)
        for image in loaded if isinstance(loaded, tuple) else [loaded]:
            for secret in (PLANTED_NAME, PLANTED_ID, "PLANTED", "Jane_Doe", str(tmp_path)):
                assert secret not in repr(image.meta)
    image = LoadRadiograph(file_name=True)(path)
    assert image.meta["filename_or_obj"] == str(path)
    loaded = LoadRadiographd("image", file_name=True)({"image": path})
    assert loaded["image"].meta["filename_or_obj"] == str(path)
    assert PLANTED_NAME not in repr(image.meta)


def test_no_other_reader_is_tried(tmp_path):
    """What Pillow's reader of MONAI's would take is an error, inside Compose too."""
    path = save(tmp_path / "a.png", np.arange(48, dtype=np.uint8).reshape(4, 4, 3))
    with pytest.raises(RuntimeError, match="applying transform") as raised:
        Compose([LoadRadiographd("image")])({"image": path})
    assert isinstance(raised.value.__cause__, UnreadableImageError)


def test_config_and_monais_own_transforms_go_on_from_it(tmp_path):
    """By a JSON config; a pipeline written for LoadImaged goes on to work."""
    config = json.loads(
        '{"load": {"_target_": "medaug.data.LoadRadiographd", "keys": "image",'
        ' "mask_keys": "valid", "voi": "none"}}'
    )
    load = ConfigParser(config).get_parsed_content("load")
    loaded = Compose([load, EnsureChannelFirstd("image")])({"image": files(tmp_path, 1)[0]})
    assert loaded["image"].shape == (1, 24, 20)
    assert loaded["valid"].shape == (1, 24, 20)


def test_cached_image_loads_with_weights_only(tmp_path):
    """The metadata are plain values: a PersistentDataset finds its own cache again."""
    items = [{"image": str(files(tmp_path, 1)[0])}]
    load = LoadRadiographd("image", mask_keys="valid")
    for _ in range(2):
        first = PersistentDataset(items, load, cache_dir=tmp_path / "cache", track_meta=True)[0]
    (cached,) = (tmp_path / "cache").iterdir()
    again = torch.load(io.BytesIO(cached.read_bytes()), weights_only=True)
    assert torch.equal(again["image"], first["image"])
    assert PLANTED_NAME.encode() not in cached.read_bytes()


def test_metadata_hold_no_members_of_enumerations():
    """Which Python 3.11.0 to 3.11.3 pickle as calls of `getattr`, refused by `weights_only`."""
    image = to_meta_tensor(np.zeros((1, 2, 3), np.float32), {"affine": torch.eye(4), "bits": 8})
    assert {type(part) for pair in image.meta.items() for part in pair} == {str, int, torch.Tensor}
    assert set(image.meta) == {"affine", "bits", "space"}
    assert image.meta["space"] == SpaceKeys.RAS


def test_to_meta_tensor_leaves_its_arguments_alone():
    """Metadata are copied; pixels are shared."""
    meta = {"affine": torch.eye(4, dtype=torch.float64), "bits": 8}
    pixels = np.zeros((1, 2, 3), np.float32)
    image = to_meta_tensor(pixels, meta)
    image.meta["bits"] = 9
    image.affine[0, 0] = 5
    assert meta["bits"] == 8
    assert torch.equal(meta["affine"], torch.eye(4, dtype=torch.float64))
    image[0, 0, 0] = 1
    assert pixels[0, 0, 0] == 1
    assert Path(__file__).exists()
