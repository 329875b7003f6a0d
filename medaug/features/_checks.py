"""What is asked of images before a network sees them."""

from torch import Tensor

from ..errors import UserError


def check_images(images: Tensor, *channels: int, side: int = 1) -> None:
    """Refuse what isn't (N, C, H, W) floats in [0, 1], C in `channels`, sides from `side` on."""
    if not isinstance(images, Tensor) or images.ndim != 4 or not images.is_floating_point():
        given = (
            f"{images.dtype} of {tuple(images.shape)}"
            if isinstance(images, Tensor)
            else type(images).__name__
        )
        raise UserError(f"images must be a tensor of floats of (N, C, H, W), got {given}")
    if images.shape[1] not in channels:
        allowed = " or ".join(map(str, channels))
        raise UserError(f"images must have {allowed} channels, got {images.shape[1]}")
    if len(images) < 1 or min(images.shape[2:]) < side:
        raise UserError(
            f"images must be at least one, with sides of at least {side}, got {tuple(images.shape)}"
        )
    low, high = (float(value) for value in images.detach().aminmax())
    # a comparison with NaN is False
    if not (low >= -1e-5 and high <= 1 + 1e-5):
        raise UserError(f"images must lie in 0 to 1, got values from {low:g} to {high:g}")
