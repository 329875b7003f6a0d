"""AIIN and AIINd among MONAI's transforms."""

import json
import pickle

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from monai.data import DataLoader, Dataset, MetaTensor
from monai.transforms import (
    Compose,
    MapTransform,
    Rotate90d,
    ScaleIntensityRanged,
    SpatialPadd,
    Transform,
)

from medaug.errors import UserError
from medaug.transforms import AIIN, AIIND, AIINd, AIINDict, aiin

from .images import make_image


def reader_image(bits=12, size=(40, 36), meta=None):
    """Return what our reader gives: float32 in [0, 1], with bits and modality units."""
    levels = make_image("radiograph", *size, bits).astype(np.int32)[None]
    known = {"bits": bits, "value_range": (-1024.0, 3071.0)} | (meta or {})
    return MetaTensor(torch.from_numpy(levels).float() / (2**bits - 1), meta=known)


def test_names_and_bases_are_monais():
    """Transform and MapTransform, with MONAI's three names for the dictionary form."""
    assert issubclass(AIIN, Transform)
    assert issubclass(AIINd, MapTransform)
    assert AIIND is AIINd
    assert AIINDict is AIINd
    assert [str(b) for b in AIINd.backend] == ["numpy", "torch"]


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor, MetaTensor])
def test_array_form_equals_the_function(kind):
    """The same numbers and type for arrays, tensors and MetaTensors, with a mask too."""
    image = make_image("radiograph", 40, 36, 8)[None]
    mask = np.zeros((40, 36), bool)
    mask[3:30] = True
    transform = AIIN((3, 5), 4.0)
    for options in ({}, {"mask": mask}):
        result = transform(kind(image), **options)
        assert type(result) is type(kind(image))
        np.testing.assert_array_equal(np.asarray(result), aiin(image, (3, 5), 4.0, **options))


def test_bits_come_from_the_readers_metadata():
    """meta['bits'] is used, over [0, 1]: meta['value_range'] holds modality units."""
    for bits in (8, 12):
        image = reader_image(bits)
        result = AIINd("image")({"image": image})["image"]
        assert torch.equal(result, aiin(image, bits=bits))
    assert not torch.equal(result, aiin(image, bits=8))


def test_own_bits_win_over_the_metadata():
    """bits=8 for the transform counts for 12-bit images too."""
    image = reader_image(12)
    result = AIINd("image", bits=8)({"image": image})["image"]
    assert torch.equal(result, aiin(image, bits=8))


def test_integers_without_metadata_take_their_dtype():
    """Plain uint8 and uint16 have 8 and 16 bits."""
    for bits in (8, 16):
        image = make_image("noise", 30, 30, bits)
        result = AIINd("image")({"image": image})["image"]
        np.testing.assert_array_equal(result, aiin(image))


def test_stale_bits_do_not_stop_a_smaller_dtype():
    """A 12-bit file that was turned to uint8 since has 8 bits."""
    image = MetaTensor(torch.from_numpy(make_image("noise", 30, 30, 8)), meta={"bits": 12})
    assert torch.equal(AIINd("image")({"image": image})["image"], aiin(image))


def test_only_the_parameters_are_added_to_the_metadata():
    """meta['aiin'] holds plain values that JSON can write; the input's metadata is as before."""
    image = reader_image(meta={"spacing": (0.2, 0.2)})
    before = dict(image.meta)
    result = AIINd("image", [2, np.int64(3)], 5)({"image": image})["image"]
    expected = {"windows": [2, 3], "contrast_threshold": 5.0, "bits": 12, "pool_frames": False}
    assert result.meta["aiin"] == expected
    assert json.loads(json.dumps(result.meta["aiin"])) == expected
    assert image.meta.keys() == before.keys()
    assert result.meta.keys() - before.keys() == {"aiin"}
    assert {k: result.meta[k] for k in ("bits", "value_range", "spacing")} == {
        k: before[k] for k in ("bits", "value_range", "spacing")
    }
    levels = MetaTensor(torch.zeros(1, 8, 8, dtype=torch.uint8))
    assert AIIN()(levels).meta["aiin"]["bits"] == 8


def test_lazy_pipeline_gives_the_same_image():
    """Pending operations are carried out first; affine and their record are kept."""
    # Resampling differs between MONAI's lazy and eager forms; a turn is the same in both.
    turn, pad, normalise = Rotate90d("image"), SpatialPadd("image", (48, 48)), AIINd("image")

    def run(steps, lazy):
        return Compose(steps, lazy=lazy)({"image": reader_image()})["image"]

    eager, lazy = (run([turn, normalise, pad], lazy) for lazy in (False, True))
    torch.testing.assert_close(lazy, eager, atol=1e-5, rtol=0)
    assert lazy.meta["aiin"] == eager.meta["aiin"]
    for is_lazy, result in ((False, eager), (True, lazy)):
        without = run([turn, pad], is_lazy)
        assert [o["class"] for o in result.applied_operations] == ["Rotate90", "SpatialPad"]
        torch.testing.assert_close(result.affine[:2, :2], without.affine[:2, :2])
        torch.testing.assert_close(result.affine[:2, -1], without.affine[:2, -1])


def test_compose_from_a_json_configuration(tmp_path):
    """ConfigParser makes the pipeline from its JSON text."""
    config = {
        "windows": [4, 4],
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [
                {"_target_": "medaug.transforms.AIINd", "keys": "image", "windows": "@windows"},
                {"_target_": "ScaleIntensityRanged", "keys": "image"}
                | {"a_min": 0, "a_max": 1, "b_min": -1, "b_max": 1},
            ],
        },
    }
    path = tmp_path / "transform.json"
    path.write_text(json.dumps(config))
    parser = ConfigParser()
    parser.read_config(path)
    image = reader_image()
    result = parser.get_parsed_content("preprocessing")({"image": image})["image"]
    scale = ScaleIntensityRanged("image", 0, 1, -1, 1)
    assert torch.equal(result, scale({"image": aiin(image, bits=12)})["image"])


@pytest.mark.parametrize("num_workers", [0, 2])
def test_works_inside_a_data_loader(num_workers):
    """Batches come through workers with the metadata collated."""
    data = Dataset([{"image": reader_image()} for _ in range(4)], AIINd("image"))
    batches = list(DataLoader(data, batch_size=2, num_workers=num_workers))
    assert [tuple(batch["image"].shape) for batch in batches] == [(2, 1, 40, 36)] * 2
    assert torch.equal(
        batches[1]["image"][0].as_tensor(), aiin(reader_image(), bits=12).as_tensor()
    )


def test_transform_can_be_pickled():
    """Spawned workers get a copy that does the same."""
    image = reader_image()
    copy = pickle.loads(pickle.dumps(AIINd("image", (2, 2))))
    assert torch.equal(
        copy({"image": image})["image"], AIINd("image", (2, 2))({"image": image})["image"]
    )


def test_mask_key_names_the_mask():
    """The mask counts for every image; it comes back itself."""
    image, mask = reader_image(), torch.zeros(1, 40, 36, dtype=torch.bool)
    mask[:, 5:30] = True
    result = AIINd(["image", "second"], mask_key="valid")(
        {"image": image, "second": image, "valid": mask}
    )
    assert torch.equal(result["image"], aiin(image, bits=12, mask=mask))
    assert torch.equal(result["second"], result["image"])
    assert result["valid"] is mask


def test_missing_keys_are_passed_over_only_when_allowed():
    """allow_missing_keys as in MONAI; the dictionary that was given isn't changed."""
    data = {"image": reader_image()}
    kept = data["image"]
    assert "label" not in AIINd(["image", "label"], allow_missing_keys=True)(data)
    assert data["image"] is kept
    with pytest.raises(KeyError, match="label"):
        AIINd(["image", "label"])(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"cxr": np.zeros((1, 8, 8), np.float32)}, r"bits must be given .*\(key 'cxr'\)"),
        ({"cxr": reader_image(meta={"bits": 99})}, r"1 to 16, got 99 \(key 'cxr'\)"),
        ({"cxr": reader_image(meta={"bits": "12"})}, r"meta\['bits'\] must be one integer.*'cxr'"),
        ({"cxr": reader_image() * 2}, r"image must lie in 0 to 1 .*\(key 'cxr'\)"),
        ({"cxr": reader_image(), "valid": torch.ones(1, 3, 3)}, r"mask must have.*\(key 'cxr'\)"),
    ],
)
def test_refused_images_are_named_by_key(data, message):
    """The message of aiin() with the key behind it."""
    mask_key = "valid" if "valid" in data else None
    with pytest.raises(UserError, match=message) as raised:
        AIINd("cxr", mask_key=mask_key)(data)
    assert "\n" not in str(raised.value)


def test_wrong_type_is_named_by_key():
    """A path where an image should be: a TypeError with the key."""
    with pytest.raises(TypeError, match=r"got str \(key 'cxr'\)"):
        AIINd("cxr")({"cxr": "a.dcm"})


def test_missing_mask_is_an_error():
    """A mask that was asked for is never left out in silence."""
    with pytest.raises(UserError, match="mask_key must be a key of the data, got 'valid'"):
        AIINd("image", mask_key="valid", allow_missing_keys=True)({"image": reader_image()})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"windows": [0, 4]}, "windows must be"),
        ({"contrast_threshold": "10"}, "contrast_threshold must be"),
        ({"bits": 20}, "bits must be"),
        ({"value_range": [1, 0]}, "value_range must be"),
    ],
)
def test_bad_parameters_are_refused_when_the_transform_is_made(options, message):
    """Before any image is read."""
    with pytest.raises(UserError, match=message):
        AIINd("image", **options)
    with pytest.raises(UserError, match=message):
        AIIN(**options)
