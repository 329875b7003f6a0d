"""Both cine discriminators as one network."""

from typing import Any

import pytest
import torch

from medaug.errors import ConfigError
from medaug.networks import CineDiscriminator, ClipDiscriminator, FrameDiscriminator

SMALL: dict[str, Any] = {"channels": (4, 4), "modalities": ("mri", "ct"), "harmonics": 1}


def both(**changes: Any) -> CineDiscriminator:
    torch.manual_seed(0)
    frames = FrameDiscriminator(patch_channels=4, **SMALL)
    return CineDiscriminator(frames, ClipDiscriminator(window=2, **(SMALL | changes)))


def test_it_says_what_the_two_say() -> None:
    """Scores apart, features one after another."""
    network = both()
    images, modality = torch.rand(2, 1, 4, 64, 64), torch.tensor([0, 1])
    phase = torch.rand(2, 4)
    found = network(images, modality, None, phase)
    frames, seen = network.frames(images, modality, None, phase)
    clips, also = network.clips(images, modality, None, phase)
    assert all(torch.equal(*pair) for pair in zip(found.frames, frames, strict=True))
    assert all(torch.equal(*pair) for pair in zip(found.clips, clips, strict=True))
    assert all(torch.equal(*pair) for pair in zip(found.features, seen + also, strict=True))


def test_it_grows_as_a_whole() -> None:
    """Both double; the parameters that come back are all that is new; α is that of both."""
    network = both()
    before = set(network.parameters())
    new = network.grow()
    assert set(new) == set(network.parameters()) - before
    assert network.resolution == network.frames.resolution == network.clips.resolution == 128
    assert network.alpha == 0
    network.alpha = 0.25
    assert network.frames.alpha == network.clips.alpha == 0.25
    network(torch.rand(1, 1, 2, 128, 128), torch.tensor([0]))
    with pytest.raises(ConfigError, match="resolution must be one of"):
        network.grow()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"resolution": 128}, "resolution of the two discriminators .*, got 64 and 128"),
        ({"modalities": ("mri",)}, "modalities of the two .*, got .'mri', 'ct'. and .'mri'."),
        ({"conditions": {"age": None}}, "conditions of the two .*, got .* and .'age'."),
    ],
)
def test_two_that_do_not_belong_together_are_refused(changes: dict[str, Any], message: str) -> None:
    """In one line."""
    with pytest.raises(ConfigError, match=message):
        both(**changes)
