"""The domain's classifier as an extractor, learned once for the same images."""

import logging

import pytest
import torch

from medaug.errors import ConfigError, UserError
from medaug.features import _domain_extractor, domain, train_classifier

from .test_domain import stripes


@pytest.fixture
def trainings(monkeypatch):
    """Counts the trainings."""
    calls = []

    def counted(images, labels, **options):
        calls.append(options)
        return train_classifier(images, labels, **options)

    monkeypatch.setattr(_domain_extractor, "train_classifier", counted)
    return calls


def made(folder, images=None, labels=None, **options):
    """Of 32 images of stripes, three epochs."""
    if images is None:
        images, labels = stripes(32)
    return domain(images, labels, **{"num_classes": 2, "epochs": 3, "cache_dir": folder} | options)


def test_tells_the_classes_apart():
    """Fresh stripes: the class by its probability, 128 features; those of the classifier itself."""
    images, labels = stripes(256)
    options = {"num_classes": 2, "epochs": 20, "seed": 2}
    found = domain(images, labels, **options)(fresh := stripes(20, seed=1)[0])
    assert found.vectors.shape == (20, 128)
    assert torch.equal(found.probabilities.argmax(1), stripes(20)[1])
    torch.testing.assert_close(found.probabilities.sum(1), torch.ones(20))
    features, classes = train_classifier(images, labels, **options).predict(fresh)
    torch.testing.assert_close(found.vectors, features)
    assert torch.equal(found.probabilities.argmax(1), classes)


def test_the_same_images_are_learned_once(tmp_path, trainings):
    """From the file come the same vectors and the same protocol, and no random number is drawn."""
    images = stripes(6, seed=1)[0]
    first = made(tmp_path / "cache")
    before = torch.get_rng_state()
    second = made(str(tmp_path / "cache"))
    assert torch.equal(before, torch.get_rng_state())
    assert len(trainings) == 1
    assert torch.equal(first(images).vectors, second(images).vectors)
    assert torch.equal(first(images).probabilities, second(images).probabilities)
    assert first.protocol == second.protocol
    assert first.name == second.name == "domain"
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".pt"]


def test_nothing_is_kept_unless_asked(trainings):
    """No folder, no file."""
    made(None)
    made(None)
    assert len(trainings) == 2


def test_anything_else_is_learned_anew(tmp_path, trainings):
    """A pixel, a label, the order, the seed, the epochs: each moves the vectors."""
    images, labels = stripes(32)
    pixel, label = images.clone(), labels.clone()
    pixel[3, 0, 5, 5] = 0
    label[3] = 1 - label[3]
    order = torch.arange(31, -1, -1)
    variants = [
        made(tmp_path, images, labels),
        made(tmp_path, pixel, labels),
        made(tmp_path, images, label),
        made(tmp_path, images[order], labels[order]),
        made(tmp_path, images, labels, seed=1),
        made(tmp_path, images, labels, epochs=4),
        made(tmp_path, images, labels, num_classes=3),
    ]
    assert len(trainings) == len(variants)
    assert len({extractor.protocol["weights"] for extractor in variants}) == len(variants)


def test_the_content_counts_not_how_it_is_stored(tmp_path, trainings):
    """float64, another order in memory, other integers: the same images."""
    images, labels = stripes(32)
    made(tmp_path, images, labels)
    made(tmp_path, images.double(), labels.int())
    made(tmp_path, images.to(memory_format=torch.channels_last).mT.contiguous().mT, labels)
    assert len(trainings) == 1


def cut(path):
    path.write_bytes(path.read_bytes()[:1000])


def emptied(path):
    path.write_bytes(b"")


def flipped(path):
    """One bit of a weight; torch.load doesn't look at the archive's checksums."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def another(path):
    torch.save({"key": "0"}, path)


def plain(path):
    torch.save([1, 2, 3], path)


@pytest.mark.parametrize("damage", [cut, emptied, flipped, another, plain])
def test_a_damaged_file_is_made_anew(tmp_path, trainings, caplog, damage):
    """With a line in the log, and the same vectors as before; then the file is whole again."""
    first = made(tmp_path)
    (path,) = tmp_path.iterdir()
    damage(path)
    with caplog.at_level(logging.WARNING, "medaug"):
        second = made(tmp_path)
    assert f"{path.name} is damaged" in caplog.text
    assert "the classifier is trained anew" in caplog.text
    assert first.protocol == second.protocol
    assert len(trainings) == 2
    made(tmp_path)
    assert len(trainings) == 2


def test_a_folder_that_cannot_be_written_costs_a_line_in_the_log(tmp_path, caplog):
    """The evaluation goes on."""
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING, "medaug"):
        extractor = made(tmp_path / "file" / "cache")
    assert "could not be kept" in caplog.text
    assert "damaged" not in caplog.text
    assert extractor(stripes(2)[0]).vectors.shape == (2, 128)


def test_the_file_holds_no_image(tmp_path):
    """Weights, two sizes and two hashes."""
    made(tmp_path)
    (path,) = tmp_path.iterdir()
    kept = torch.load(path, weights_only=True)
    assert set(kept) == {"key", "sha256", "num_classes", "channels", "state"}
    assert (kept["num_classes"], kept["channels"]) == (2, 1)


def test_small_sets_are_passed_more_often(monkeypatch):
    """About 250 steps, as long as three epochs have fewer."""
    calls = []

    def stop(*_, epochs, **__):
        calls.append(epochs)
        raise KeyboardInterrupt

    monkeypatch.setattr(_domain_extractor, "train_classifier", stop)
    for num in (20, 1280, 128 * 1000):
        images = torch.zeros(1, 1, 16, 16).expand(num, 1, 16, 16)
        with pytest.raises(KeyboardInterrupt):
            made(None, images, torch.zeros(num, dtype=torch.int64), epochs=None)
    assert calls == [250, 25, 3]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.rand(2, 3, 16, 16), "images must have 1 channels, got 3"),
        (torch.rand(2, 1, 16, 15), "sides of at least 16"),
        (torch.rand(2, 1, 16, 16) + 0.5, "must lie in 0 to 1"),
    ],
    ids=str,
)
def test_images_that_the_classifier_cannot_judge(tmp_path, images, message):
    """Grey was learned, so colour is refused."""
    with pytest.raises(UserError, match=message):
        made(tmp_path)(images)


def test_bad_training_images_and_options(tmp_path, trainings):
    """As `train_classifier` says, before anything is hashed or kept."""
    images, labels = stripes(8)
    with pytest.raises(UserError, match="labels must be 0 to 1, got 0 to 5"):
        made(tmp_path, images, labels * 5)
    with pytest.raises(UserError, match="labels must be 8 integers"):
        made(tmp_path, images, labels.float())
    with pytest.raises(UserError, match="images must be a tensor of floats"):
        made(tmp_path, images.mul(255).byte(), labels)
    assert trainings == []
    with pytest.raises(ConfigError, match="epochs must be at least 1, got 0"):
        made(tmp_path, images, labels, epochs=0)
    assert list(tmp_path.iterdir()) == []
