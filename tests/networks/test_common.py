"""What holds for every network, whatever its options."""

import pytest
import torch
from torch import Tensor, nn

from medaug.errors import ConfigError
from medaug.networks import (
    ACGANDiscriminator,
    ACGANGenerator,
    ConditionalDiscriminator,
    ConditionalGenerator,
    DCGANDiscriminator,
    DCGANGenerator,
)

CODES = [[0, 0], [0, 1], [1, 0], [1, 1]]
LABELLED = {"num_classes": 4}
GENERATORS = {
    "dcgan": (DCGANGenerator, {}),
    "dcgan author": (
        DCGANGenerator,
        {"seed_size": 8, "widest": 1, "batch_norm": False, "final_convolution": True}
        | {"init": "glorot"},
    ),
    "acgan": (ACGANGenerator, LABELLED),
    "conditional": (ConditionalGenerator, LABELLED),
    "conditional codes": (ConditionalGenerator, {**LABELLED, "codes": CODES}),
    "conditional glorot": (ConditionalGenerator, {**LABELLED, "codes": CODES, "init": "glorot"}),
}
TEXTBOOK = {"batch_norm": True, "minibatch_std": False, "init": "dcgan"}
DISCRIMINATORS = {
    "dcgan": (DCGANDiscriminator, {}),
    "dcgan author": (
        DCGANDiscriminator,
        {"seed_size": 8, "widest": 1, "first_convolution": True, "minibatch_std": False}
        | {"dropout": 0.4, "init": "dcgan"},
    ),
    "dcgan textbook": (DCGANDiscriminator, TEXTBOOK),
    "acgan": (ACGANDiscriminator, LABELLED),
    "acgan textbook": (ACGANDiscriminator, {**LABELLED, **TEXTBOOK}),
    "projection": (ConditionalDiscriminator, LABELLED),
    "projection codes": (ConditionalDiscriminator, {**LABELLED, "codes": CODES}),
    "maps": (ConditionalDiscriminator, {**LABELLED, "projection": False}),
    "maps codes": (ConditionalDiscriminator, {**LABELLED, "projection": False, "codes": CODES}),
}
NETWORKS = {f"{name} generator": made for name, made in GENERATORS.items()} | {
    f"{name} discriminator": made for name, made in DISCRIMINATORS.items()
}


def build(name: str, size: int = 32, channels: int = 1) -> nn.Module:
    """A tiny network."""
    torch.manual_seed(0)
    kind, options = NETWORKS[name]
    return kind(image_size=size, image_channels=channels, base_channels=4, **options)


def inputs(
    network: nn.Module, num: int = 4, size: int = 32, channels: int = 1
) -> tuple[Tensor, ...]:
    """What it takes: latents or images, and labels where it takes them."""
    label = torch.arange(num).flip(0) % 4
    if isinstance(network, DCGANGenerator | ConditionalGenerator):
        return torch.randn(num, 100), label
    images = torch.rand(num, channels, size, size)
    return (images, label) if isinstance(network, ConditionalDiscriminator) else (images,)


def tensors(output: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return output if isinstance(output, tuple) else (output,)


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("size", [32, 64, 128, 256])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_have_the_asked_for_shape_and_range(name: str, size: int, channels: int) -> None:
    """Float32 in [0, 1], grey or colour."""
    generator = build(f"{name} generator", size, channels)
    images = generator(*inputs(generator, 2))
    assert images.shape == (2, channels, size, size)
    assert images.dtype == torch.float32
    assert images.min() >= 0
    assert images.max() <= 1


@pytest.mark.parametrize("name", DISCRIMINATORS)
@pytest.mark.parametrize("size", [32, 64, 128, 256])
@pytest.mark.parametrize("channels", [1, 3])
def test_discriminators_return_all_their_heads(name: str, size: int, channels: int) -> None:
    """A tuple: the score first, one number an image."""
    discriminator = build(f"{name} discriminator", size, channels)
    output = discriminator(*inputs(discriminator, 2, size, channels))
    assert isinstance(output, tuple)
    second = {DCGANDiscriminator: [], ACGANDiscriminator: [(2, 4)]}
    expected = [(2,), *second.get(type(discriminator), [(2,)])]
    assert [head.shape for head in output] == expected


@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_discriminators_look_at_plus_minus_one(name: str) -> None:
    """Whatever stands beside them, images in [0, 1] reach the first layer in ±1."""
    discriminator = build(f"{name} discriminator")
    seen: list[Tensor] = []
    discriminator.features.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    given = inputs(discriminator)
    discriminator(*given)
    assert torch.equal(seen[0][:, :1], given[0] * 2 - 1)


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_reach_every_parameter(name: str) -> None:
    """Nothing is built that is not used: DistributedDataParallel would wait for it."""
    network = build(name)
    output = tensors(network(*inputs(network)))
    sum((head * torch.randn_like(head)).sum() for head in output).backward()
    idle = [
        key
        for key, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert not idle


@pytest.mark.parametrize("name", NETWORKS)
def test_scripted_network_equals_eager(name: str) -> None:
    """TorchScript gives the same, bit for bit or nearly."""
    network = build(name).eval()
    given = inputs(network)
    for eager, scripted in zip(
        tensors(network(*given)), tensors(torch.jit.script(network)(*given)), strict=True
    ):
        assert torch.allclose(scripted, eager, atol=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_exported_network_equals_eager_at_another_batch_size(name: str) -> None:
    """The batch is a free dimension of the exported program."""
    network = build(name).eval()
    given = inputs(network, 4)
    batch = torch.export.Dim("batch", min=2, max=1024)
    shapes = tuple({0: batch} for _ in given)
    exported = torch.export.export(network, given, dynamic_shapes=shapes).module()
    given = inputs(network, 7)
    for eager, same in zip(tensors(network(*given)), tensors(exported(*given)), strict=True):
        assert torch.allclose(same, eager, atol=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
def test_channels_last_changes_nothing(name: str) -> None:
    """The engine lays weights and images out so, because it is faster."""
    network = build(name).eval()
    given = inputs(network, channels=3) if "discriminator" in name else inputs(network)
    network = build(name, channels=3).eval()
    expected = tensors(network(*given))
    network = network.to(memory_format=torch.channels_last)
    if given[0].ndim == 4:
        given = (given[0].contiguous(memory_format=torch.channels_last), *given[1:])
    for one, other in zip(tensors(network(*given)), expected, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_autocast_keeps_outputs_near(name: str) -> None:
    """In bfloat16 images stay float32, and scores within a few percent of the largest."""
    network = build(name).eval()
    given = inputs(network)
    expected = tensors(network(*given))
    with torch.autocast("cpu", torch.bfloat16):
        found = tensors(network(*given))
    if "generator" in name:
        assert found[0].dtype == torch.float32
    for one, other in zip(found, expected, strict=True):
        assert (one.float() - other).abs().max() <= 0.05 * other.abs().max()


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"image_size": 48}, r"image_size must be one of \(32, 64, 128, 256\), got 48"),
        ({"seed_size": 5}, r"seed_size must be one of \(4, 8, 16\), got 5"),
        ({"image_channels": 0}, "image_channels must be at least 1, got 0"),
        ({"base_channels": 0}, "base_channels must be at least 1, got 0"),
        ({"widest": 0}, "widest must be at least 1, got 0"),
        ({"init": "zeros"}, r"init must be one of \(.*'dcgan'.*\), got 'zeros'"),
    ],
    ids=["size", "seed", "channels", "base", "widest", "init"],
)
def test_refuses_options_out_of_range(name: str, option: dict[str, int], message: str) -> None:
    """The error names the option, what is allowed, and what was given."""
    kind, options = NETWORKS[name]
    with pytest.raises(ConfigError, match=message):
        kind(**{**options, **option})


@pytest.mark.parametrize("name", DISCRIMINATORS)
@pytest.mark.parametrize("dropout", [-0.1, 1.0])
def test_refuses_to_drop_everything(name: str, dropout: float) -> None:
    """Dropout is a probability below 1."""
    kind, options = DISCRIMINATORS[name]
    with pytest.raises(ConfigError, match=f"dropout must be at least 0 and below 1, got {dropout}"):
        kind(**{**options, "dropout": dropout})


@pytest.mark.parametrize("name", GENERATORS)
def test_refuses_an_empty_latent(name: str) -> None:
    """A latent vector has at least one number."""
    kind, options = GENERATORS[name]
    with pytest.raises(ConfigError, match="latent_dim must be at least 1, got 0"):
        kind(**options, latent_dim=0)


@pytest.mark.parametrize("name", [name for name in NETWORKS if "dcgan" not in name])
def test_refuses_to_have_no_classes(name: str) -> None:
    """With codes, the rows are too many too."""
    kind, options = NETWORKS[name]
    with pytest.raises(ConfigError, match="num_classes must be at least 1, got 0"):
        kind(**{**options, "num_classes": 0})


@pytest.mark.parametrize("label", [-1, 4])
@pytest.mark.parametrize(
    "name", ["acgan generator", *(name for name in NETWORKS if "gan " not in name)]
)
def test_a_label_out_of_range_is_no_image(name: str, label: int) -> None:
    """It neither counts from the end nor gives all zeros."""
    network = build(name).eval()
    first, labels = inputs(network)
    labels[2] = label
    with pytest.raises(IndexError, match="out of range"):
        network(first, labels)
