"""A cine generator that goes back to a resolution on the way."""

import copy

import pytest
import torch

from medaug.errors import ConfigError

from .cine_toy import KNOWN, MODALITY, PHASE, generator, latents

GIVEN = (latents(), MODALITY, KNOWN, PHASE)


def test_going_back_gives_the_image_head_of_that_stage() -> None:
    """What the smaller network makes of the same weights, and is as when it is fading in at 0."""
    made = generator(128)
    small = generator(64)
    small.load_state_dict(made.state_dict(), strict=False)
    fading = copy.deepcopy(made)
    fading.alpha = 0.0
    made.shrink_to(64)
    with torch.no_grad():
        images = made(*GIVEN)
        assert torch.equal(images, small(*GIVEN))
        assert torch.allclose(images, fading(*GIVEN)[..., ::2, ::2], atol=1e-6)
    assert (made.resolution, made.alpha, list(made.stages)) == (64, 1.0, ["64"])
    assert images.std() > 0.005  # images that could differ


def test_the_larger_networks_state_is_still_taken() -> None:
    """Strictly: what is left out is known, and anything else that doesn't belong is refused."""
    large = generator(256)
    state = large.state_dict()
    made = generator(256)
    made.shrink_to(128)
    made.shrink_to(64)
    assert made.left_out == {name for name in state if "stages.128" in name or ".256" in name}
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.fill_(9.0)
    given = dict(state)
    made.load_state_dict(given)
    assert given.keys() == state.keys()  # the caller's own isn't touched
    assert all(torch.equal(value, state[name]) for name, value in made.state_dict().items())
    with pytest.raises(RuntimeError, match=r"Unexpected key.*stages\.512"):
        made.load_state_dict(state | {"stages.512.head.weight": torch.zeros(1)})
    with pytest.raises(RuntimeError, match=r"Missing key.*seed\.weight"):
        made.load_state_dict({k: v for k, v in state.items() if k != "seed.weight"})
    nested = torch.nn.ModuleDict({"generator": made})
    nested.load_state_dict({f"generator.{name}": value for name, value in state.items()})


def test_it_is_scripted_as_any_other() -> None:
    """Though it remembers what it leaves out."""
    made = generator(128)
    made.shrink_to(64)
    scripted = torch.jit.script(made)
    with torch.no_grad():
        assert torch.allclose(scripted(*GIVEN), made(*GIVEN), atol=1e-6)


def test_its_own_resolution_changes_nothing() -> None:
    """Not even how far it has faded in."""
    made = generator(128, 0.3)
    made.shrink_to(128)
    assert (made.alpha, made.left_out) == (0.3, frozenset())


@pytest.mark.parametrize("resolution", [256, 96, 32])
def test_only_to_what_it_was(resolution: int) -> None:
    """What is above, between or below is refused."""
    with pytest.raises(ConfigError, match=rf"one of \(64, 128\), got {resolution}"):
        generator(128).shrink_to(resolution)
