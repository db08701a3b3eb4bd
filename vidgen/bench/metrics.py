"""How far one plane is from another: PSNR, SSIM and MS-SSIM, on the decoded samples themselves."""

from __future__ import annotations

from math import log10
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.errors import UsageError

__all__ = ["PSNR_LIMIT", "psnr", "similarities", "ssim"]

PSNR_LIMIT = 100.0
"""Decibels given to equal planes, where the formula has no value; above what 10 bits can reach."""

_WINDOW = 11
_SIGMA = 1.5
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al. 2003, section 3.2


def psnr(reference: NDArray[Any], other: NDArray[Any], bit_depth: int = 8) -> float:
    """Peak signal-to-noise ratio of two planes (H, W) of one integer dtype, in decibels.

    `10 log10(peak^2 / mean((reference - other)^2))` with `peak = 2^bit_depth - 1`, at most
    `PSNR_LIMIT`. Raises UsageError where the planes differ in shape or dtype.
    """
    _require_alike(reference, other)
    # exact: 64-bit sums of squares of a plane's integer differences
    difference = cv2.absdiff(reference, other).ravel()
    if difference.dtype == np.uint8:
        squares = float(cv2.norm(difference, cv2.NORM_L2SQR))
    else:
        squares = float(np.square(difference, dtype=np.uint32).sum(dtype=np.uint64))
    if squares == 0:
        return PSNR_LIMIT
    peak = 2**bit_depth - 1
    return min(10 * log10(peak * peak * difference.size / squares), PSNR_LIMIT)


def ssim(reference: NDArray[Any], other: NDArray[Any], bit_depth: int = 8) -> float:
    """Structural similarity of two planes (H, W) of one integer dtype, both sides at least 11.

    Z. Wang et al., "Image quality assessment: from error visibility to structural similarity",
    IEEE Trans. Image Processing 13 (2004), eq. 13 with its constants: with local means m, variances
    v and covariance c under a Gaussian window of 11x11 and sigma 1.5,

        (2 m_a m_b + C1) (2 c + C2) / ((m_a^2 + m_b^2 + C1) (v_a + v_b + C2)),

    C1 = (0.01 peak)^2, C2 = (0.03 peak)^2, averaged over the windows that lie wholly inside the
    plane, at full resolution. 1 means equal. Raises UsageError where the planes do not fit.
    """
    a, b = _floats(reference, other)
    return _similarity(a, b, 2**bit_depth - 1)[0]


def similarities(
    reference: NDArray[Any], other: NDArray[Any], bit_depth: int = 8
) -> tuple[float, float | None]:
    """`ssim`, and the multi-scale one, which is None where a side is below 176 samples.

    MS-SSIM: Z. Wang et al., "Multi-scale structural similarity for image quality assessment",
    Asilomar 2003, eq. 7: the means of the contrast-structure term at full, 1/2, 1/4 and 1/8 size
    and of the whole SSIM at 1/16, each to the power of its weight, multiplied. Sizes are halved by
    means of 2x2; an odd last row or column is left out; a negative mean counts as 0.
    """
    a, b = _floats(reference, other)
    peak = 2**bit_depth - 1
    whole, contrast = _similarity(a, b, peak)
    if min(a.shape) < _WINDOW * 2 ** (len(_SCALE_WEIGHTS) - 1):
        return whole, None
    product = max(contrast, 0.0) ** _SCALE_WEIGHTS[0]
    for weight in _SCALE_WEIGHTS[1:-1]:
        a, b = _halved(a), _halved(b)
        product *= max(_similarity(a, b, peak)[1], 0.0) ** weight
    last = _similarity(_halved(a), _halved(b), peak)[0]
    return whole, float(product * max(last, 0.0) ** _SCALE_WEIGHTS[-1])


def _floats(
    reference: NDArray[Any], other: NDArray[Any]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    _require_alike(reference, other)
    if min(reference.shape) < _WINDOW:
        height, width = reference.shape
        raise UsageError(f"SSIM takes planes of at least 11x11 samples, not {width}x{height}")
    return reference.astype(np.float32), other.astype(np.float32)


def _similarity(a: NDArray[np.float32], b: NDArray[np.float32], peak: int) -> tuple[float, float]:
    """Means of SSIM and of its contrast-structure term over the windows inside the planes."""
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    mean_a, mean_b = _blur(a), _blur(b)
    square_a, square_b, product = mean_a * mean_a, mean_b * mean_b, mean_a * mean_b
    # E[a^2] + E[b^2] in one pass: the formula needs the two variances only as a sum
    variances = _blur(a * a + b * b) - square_a - square_b
    covariance = _blur(a * b) - product
    contrast = (2 * covariance + c2) / (variances + c2)
    whole = contrast * (2 * product + c1)
    whole /= square_a + square_b + c1
    return float(whole.mean(dtype=np.float64)), float(contrast.mean(dtype=np.float64))


def _halved(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of 2x2 samples."""
    height, width = (side // 2 * 2 for side in plane.shape)
    size = (width // 2, height // 2)
    small = cv2.resize(plane[:height, :width], size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _blur(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Gaussian means of all windows inside `plane` (H, W): (H - 10, W - 10) float32."""
    kernel = cv2.getGaussianKernel(_WINDOW, _SIGMA, cv2.CV_32F)
    blurred = cv2.sepFilter2D(plane, cv2.CV_32F, kernel, kernel)
    margin = _WINDOW // 2
    return np.asarray(blurred[margin:-margin, margin:-margin], np.float32)


def _require_alike(reference: NDArray[Any], other: NDArray[Any]) -> None:
    if reference.shape != other.shape or reference.dtype != other.dtype:
        raise UsageError(
            f"planes must be alike, not {reference.shape} {reference.dtype} "
            f"and {other.shape} {other.dtype}"
        )
