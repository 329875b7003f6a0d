"""RandAIIN and RandAIINd among MONAI's random transforms."""

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
    Randomizable,
    RandomizableTransform,
    Rotate90d,
    SpatialPadd,
)

from medaug.errors import UserError
from medaug.transforms import RandAIIN, RandAIIND, RandAIINd, RandAIINDict, aiin

from .images import make_image


def reader_image(bits=12, seed=0):
    """Return what our reader gives: float32 in [0, 1], with its bits."""
    levels = make_image("radiograph", 40, 36, bits, seed).astype(np.int32)[None]
    return MetaTensor(torch.from_numpy(levels).float() / (2**bits - 1), meta={"bits": bits})


def drawn(image):
    """Return the parameters that the metadata names."""
    known = image.meta["aiin"]
    return tuple(known["windows"]), known["contrast_threshold"]


def test_names_and_bases_are_monais():
    """Randomizable, so that Compose and DataLoader seed them; MONAI's three names."""
    assert issubclass(RandAIIN, RandomizableTransform)
    assert issubclass(RandAIINd, RandomizableTransform)
    assert issubclass(RandAIINd, MapTransform)
    assert RandAIIND is RandAIINd
    assert RandAIINDict is RandAIINd
    assert RandAIIN().prob == RandAIINd("image").prob == 0.1


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor, MetaTensor])
def test_result_is_aiin_with_what_was_drawn(kind):
    """The same numbers and type for arrays, tensors and MetaTensors."""
    image = make_image("radiograph", 40, 36, 8)[None]
    transform = RandAIIN(prob=1).set_random_state(3)
    result = transform(kind(image))
    grid = transform.windows, transform.windows
    assert type(result) is type(kind(image))
    np.testing.assert_array_equal(
        np.asarray(result), aiin(image, grid, transform.contrast_threshold)
    )
    if kind is MetaTensor:
        assert drawn(result) == (grid, transform.contrast_threshold)
        assert json.loads(json.dumps(result.meta["aiin"])) == result.meta["aiin"]


def test_draws_cover_their_ranges():
    """Every number of windows, about equally often; thresholds evenly on a log scale."""
    transform = RandAIIN((2, 5), (2.0, 32.0), prob=1).set_random_state(0)
    draws = []
    for _ in range(2000):
        transform.randomize()
        draws.append((transform.windows, transform.contrast_threshold))
    windows, thresholds = np.array(draws).T
    # 500 of each expected, standard deviation 19; 1,000 in each half, standard deviation 22
    assert {n: abs((windows == n).sum() - 500) < 100 for n in range(2, 6)} == dict.fromkeys(
        range(2, 6), True
    )
    assert set(windows) == {2, 3, 4, 5}
    assert thresholds.min() >= 2
    assert thresholds.max() <= 32
    assert abs((thresholds < 8).sum() - 1000) < 110
    assert thresholds.min() < 2.1
    assert thresholds.max() > 31


def test_ranges_of_one_value_give_it():
    """(4, 4) windows at threshold 10 every time is AIIN, rounding of the logarithm apart."""
    image = reader_image()
    result = RandAIIN((4, 4), (10.0, 10.0), prob=1, bits=12)(image)
    assert drawn(result) == ((4, 4), 10.0)
    assert torch.equal(result, aiin(image, bits=12))


def test_prob_is_how_often_an_image_is_normalised():
    """Otherwise it comes back itself, with no record."""
    image = reader_image()
    transform = RandAIIN(prob=0.3, bits=12).set_random_state(0)
    results = [transform(image) for _ in range(300)]
    changed = [result for result in results if result is not image]
    assert abs(len(changed) - 90) < 32  # standard deviation 8
    assert len({drawn(result) for result in changed}) == len(changed)
    assert "aiin" not in image.meta
    assert RandAIIN(prob=0)(image) is image


def test_a_seed_repeats_the_draws():
    """set_random_state(), alone and in a Compose."""
    image = reader_image()
    runs = []
    for _ in range(2):
        transform = RandAIIN(prob=0.7, bits=12).set_random_state(7)
        runs.append([transform(image) for _ in range(8)])
    assert all(torch.equal(a, b) for a, b in zip(*runs, strict=True))
    assert any(result is image for result in runs[0])
    other = RandAIIN(prob=0.7, bits=12).set_random_state(8)
    assert any(not torch.equal(a, other(image)) for a in runs[0])

    pipeline, runs = Compose([RandAIINd("image", prob=1)]), []
    for _ in range(2):
        pipeline.set_random_state(5)
        runs.append([drawn(pipeline({"image": image})["image"]) for _ in range(3)])
    assert runs[0] == runs[1]
    assert len(set(runs[0])) == 3


def test_randomize_false_repeats_the_last_draw():
    """As in MONAI: for a second image that has to be treated alike."""
    transform = RandAIIN(prob=1, bits=12).set_random_state(1)
    first = transform(reader_image())
    second = transform(reader_image(seed=1), randomize=False)
    assert drawn(first) == drawn(second)


def test_images_of_a_dictionary_share_one_draw():
    """Each with the bits of its own metadata; other keys and the input stay."""
    data = {"image": reader_image(12), "second": reader_image(8, seed=1), "label": 1}
    before = dict(data)
    result = RandAIINd(["image", "second"], prob=1).set_random_state(2)(data)
    assert drawn(result["image"]) == drawn(result["second"])
    for key, bits in (("image", 12), ("second", 8)):
        assert torch.equal(result[key], aiin(data[key], *drawn(result[key]), bits=bits))
    assert result["label"] == 1
    assert all(data[key] is before[key] for key in before)


def test_dictionary_comes_back_as_it_is_when_not_drawn():
    """A copy with the same images; a missing key is an error all the same."""
    data = {"image": reader_image()}
    transform = RandAIINd(["image"], prob=0)
    result = transform(data)
    assert result is not data
    assert result["image"] is data["image"]
    with pytest.raises(KeyError, match="image"):
        transform({})
    assert RandAIINd("image", prob=0, allow_missing_keys=True)({}) == {}
    assert RandAIINd("image", prob=1, allow_missing_keys=True)({}) == {}


def test_mask_and_pooled_frames_are_passed_on():
    """As AIIN and AIINd take them."""
    frames = np.stack([make_image("radiograph", 40, 36, 8, seed) for seed in range(6)])
    frames = frames.reshape(3, 2, 40, 36)
    mask = np.ones((40, 36), bool)
    mask[:9] = False
    options = {"pool_frames": True, "frame_axis": 0}
    transform = RandAIIN(prob=1, **options).set_random_state(0)
    result = transform(frames, mask)
    grid = transform.windows, transform.windows
    expected = aiin(frames, grid, transform.contrast_threshold, mask=mask, **options)
    np.testing.assert_array_equal(result, expected)

    mapped = RandAIINd("cine", prob=1, mask_key="valid", **options).set_random_state(0)
    np.testing.assert_array_equal(mapped({"cine": frames, "valid": mask})["cine"], expected)


def test_value_range_and_bits_are_passed_on():
    """Floats in other units than [0, 1]."""
    image = make_image("radiograph", 40, 36, 12).astype(np.float32) - 1024
    options = {"bits": 12, "value_range": (-1024, 3071)}
    transform = RandAIIN(prob=1, **options).set_random_state(0)
    result = transform(image)
    grid = transform.windows, transform.windows
    np.testing.assert_array_equal(
        result, aiin(image, grid, transform.contrast_threshold, **options)
    )


def test_errors_of_images_name_the_key():
    """As AIINd's do."""
    with pytest.raises(UserError, match=r"bits must be given .*\(key 'cxr'\)"):
        RandAIINd("cxr", prob=1)({"cxr": np.zeros((1, 8, 8), np.float32)})


@pytest.mark.parametrize("prob", [0, 1])
def test_lazy_pipeline_gives_the_same_image(prob):
    """Pending operations are carried out first, drawn or not."""
    # A turn is the same in MONAI's lazy and eager forms; resampling isn't.
    steps = [Rotate90d("image"), RandAIINd("image", prob=prob), SpatialPadd("image", (48, 48))]
    eager, lazy = (
        Compose(steps, lazy=lazy).set_random_state(4)({"image": reader_image()})["image"]
        for lazy in (False, True)
    )
    torch.testing.assert_close(lazy, eager, atol=1e-5, rtol=0)
    assert lazy.meta.get("aiin") == eager.meta.get("aiin")
    assert ("aiin" in lazy.meta) == bool(prob)
    assert not lazy.pending_operations
    assert [o["class"] for o in lazy.applied_operations] == ["Rotate90", "SpatialPad"]


def test_compose_from_a_json_configuration():
    """ConfigParser makes the pipeline from its JSON text, and a seed makes it repeat."""
    config = {
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [
                {"_target_": "medaug.transforms.RandAIINd", "keys": "image"}
                | {"windows_range": [3, 6], "threshold_range": [5, 10], "prob": 1.0}
            ],
        },
    }
    parser = ConfigParser(json.loads(json.dumps(config)))
    pipeline = parser.get_parsed_content("preprocessing").set_random_state(0)
    result = pipeline({"image": reader_image()})["image"]
    (high, wide), threshold = drawn(result)
    assert 3 <= high == wide <= 6
    assert 5 <= threshold <= 10


@pytest.mark.parametrize("num_workers", [0, 2])
def test_data_loader_seeds_each_worker(num_workers):
    """Samples differ in what was drawn, and the metadata is collated."""
    data = Dataset([{"image": reader_image()} for _ in range(6)], RandAIINd("image", prob=1))
    batches = list(DataLoader(data, batch_size=1, num_workers=num_workers))
    thresholds = {float(batch["image"].meta["aiin"]["contrast_threshold"]) for batch in batches}
    assert len(thresholds) == 6


def test_transform_can_be_pickled():
    """A copy for a spawned worker draws the same from the same state."""
    transform = RandAIINd("image", prob=1)
    transform.set_random_state(9)
    twin = pickle.loads(pickle.dumps(transform))
    assert isinstance(twin, Randomizable)
    data = {"image": reader_image()}
    assert torch.equal(twin(data)["image"], transform(data)["image"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"windows_range": (8, 2)}, r"windows_range must be two integers .*got \(8, 2\)"),
        ({"windows_range": (0, 2)}, r"windows_range must be two integers .*got \(0, 2\)"),
        ({"windows_range": 4}, "windows_range must be two integers .*got 4"),
        ({"threshold_range": (20.0, 2.0)}, r"threshold_range must be .*got \(20\.0, 2\.0\)"),
        ({"threshold_range": (0.0, 2.0)}, "threshold_range must be two finite numbers above 0"),
        ({"threshold_range": (1.0, np.inf)}, "threshold_range must be two finite numbers"),
        ({"threshold_range": (1.0,)}, r"threshold_range must be .*got \(1\.0,\)"),
        ({"threshold_range": 5.0}, r"threshold_range must be .*got 5\.0"),
        ({"prob": 1.5}, r"prob must be a number from 0 to 1, got 1\.5"),
        ({"prob": "1"}, "prob must be a number from 0 to 1, got '1'"),
        ({"bits": 20}, "bits must be"),
        ({"value_range": (1, 0)}, "value_range must be"),
        ({"frame_axis": 1.5}, "frame_axis must be an integer"),
    ],
)
def test_bad_parameters_are_refused_when_the_transform_is_made(options, message):
    """Before any image is read, whether it would be normalised or not."""
    with pytest.raises(UserError, match=message):
        RandAIIN(**options)
    with pytest.raises(UserError, match=message):
        RandAIINd("image", **options)
