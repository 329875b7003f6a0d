"""MS-SSIM of one pair, slow and plain, in float64.

Written from Wang, Simoncelli and Bovik 2003 (equation 7) in the form of `pytorch-msssim`: valid
convolutions with a two-dimensional window, negative terms cut to 0, zeros for odd sides. Five
scales have the published exponents (sum 1.0001), fewer are divided by their sum.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

WEIGHTS = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])


def msssim(x, y, window, sigma, scales, data_range=1.0):
    """Return the MS-SSIM of two (C, H, W) images, the mean over channels."""
    return float(
        np.mean(
            [_channel(a, b, window, sigma, scales, data_range) for a, b in zip(x, y, strict=True)]
        )
    )


def _channel(x, y, window, sigma, scales, data_range):
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    weights = WEIGHTS if scales == 5 else WEIGHTS[:scales] / WEIGHTS[:scales].sum()
    value = 1.0
    for scale, weight in enumerate(weights):
        if scale:
            x, y = _halved(x), _halved(y)
        luminance, contrast = _maps(x, y, window, sigma, data_range)
        last = scale == scales - 1
        term = (luminance * contrast if last else contrast).mean()
        value *= max(term, 0.0) ** weight
    return value


def _maps(x, y, window, sigma, data_range):
    """Return the luminance and the contrast-times-structure map."""
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    mean_x, mean_y = _blurred(x, window, sigma), _blurred(y, window, sigma)
    variance_x = _blurred(x * x, window, sigma) - mean_x**2
    variance_y = _blurred(y * y, window, sigma) - mean_y**2
    covariance = _blurred(x * y, window, sigma) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    return luminance, (2 * covariance + c2) / (variance_x + variance_y + c2)


def _blurred(image, window, sigma):
    offsets = np.arange(window) - window // 2
    row = np.exp(-(offsets**2) / (2 * sigma**2))
    kernel = np.outer(row, row) / row.sum() ** 2
    return (sliding_window_view(image, (window, window)) * kernel).sum(axis=(-2, -1))


def _halved(image):
    """Mean of 2 x 2; a side that is odd gets a zero before it and after it."""
    (top, left) = (side % 2 for side in image.shape)
    image = np.pad(image, ((top, top), (left, left)))
    height, width = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
    return image[:height, :width].reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
