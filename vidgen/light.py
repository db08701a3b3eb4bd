"""Code values and light: the curves of HDR, what an SDR screen shows of them, and primaries.

Sources, by which the constants are named: SMPTE ST 2084 and ITU-R BT.2100-2 (PQ, HLG), ITU-R
BT.2390-10 section 5.4 (EETF), ITU-R BT.1886 (the SDR screen), ITU-T H.273 (primaries).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BRIGHTEST",
    "HLG",
    "HLG_PEAK",
    "PQ",
    "SDR_GAMMA",
    "SDR_PEAK",
    "eetf",
    "gain",
    "hlg_scene",
    "luma_weights",
    "pq_code",
    "pq_light",
    "rgb_matrix",
]

PQ, HLG = 16, 18
"""The transfers of HDR10 (SMPTE ST 2084) and of broadcasts (ARIB STD-B67), in H.273's numbers."""

BRIGHTEST = 10_000.0
"""cd/m2 of PQ's code 1."""
HLG_PEAK = 1000.0
"""cd/m2 of the screen that HLG's system gamma of 1.2 is meant for (BT.2100)."""
SDR_PEAK = 100.0
"""cd/m2 of an SDR master's white (BT.2035)."""
SDR_GAMMA = 2.4
"""Of an SDR screen whose black is black (BT.1886)."""

_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_A = 0.17883277
_B, _C = 1 - 4 * _A, 0.5 - _A * np.log(4 * _A)

_D65 = (0.3127, 0.3290)
_CHROMATICITIES = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
}
"""H.273's number -> x, y of red, green, blue and white: BT.709, BT.2020, P3 on D65."""


def pq_light(code: Any) -> NDArray[np.float64]:
    """Light in cd/m2 of PQ code values in [0, 1] (the EOTF of ST 2084)."""
    root = np.clip(np.asarray(code, np.float64), 0, 1) ** (1 / _M2)
    light = BRIGHTEST * (np.maximum(root - _C1, 0) / (_C2 - _C3 * root)) ** (1 / _M1)
    return np.asarray(light)


def pq_code(light: Any) -> NDArray[np.float64]:
    """PQ code values in [0, 1] of light in cd/m2, 0 to 10,000."""
    powered = (np.clip(np.asarray(light, np.float64), 0, BRIGHTEST) / BRIGHTEST) ** _M1
    return np.asarray(((_C1 + _C2 * powered) / (1 + _C3 * powered)) ** _M2)


def hlg_scene(code: Any) -> NDArray[np.float64]:
    """Light of the scene, in [0, 1], of HLG code values in [0, 1] (BT.2100's inverse OETF)."""
    code = np.clip(np.asarray(code, np.float64), 0, 1)
    return np.asarray(np.where(code <= 0.5, code**2 / 3, (np.exp((code - _C) / _A) + _B) / 12))


def eetf(code: Any, peak: float, target: float) -> NDArray[np.float64]:
    """PQ code values as a screen of `target` cd/m2 should show those of a master of `peak`.

    BT.2390's curve: nothing changes up to a knee, above it a Hermite spline runs into the peak of
    the screen. Both blacks are 0. The identity where the screen is as bright as the master.
    """
    code = np.asarray(code, np.float64)
    if peak <= target:
        return np.asarray(code)
    white = float(pq_code(peak))
    most = float(pq_code(target)) / white
    knee = 1.5 * most - 0.5
    given = np.clip(code / white, 0, 1)
    t = (given - knee) / (1 - knee)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee
        + (t**3 - 2 * t**2 + t) * (1 - knee)
        + (-2 * t**3 + 3 * t**2) * most
    )
    return np.asarray(np.where(given < knee, given, spline) * white)


def gain(light: Any, peak: float, target: float = SDR_PEAK) -> NDArray[np.float64]:
    """What light in cd/m2 is to be multiplied by, to become what `eetf` says, as parts of `target`.

    What is brighter than `peak` becomes the screen's white.
    """
    light = np.maximum(np.asarray(light, np.float64), 1e-4)
    shown = np.minimum(pq_light(eetf(pq_code(light), peak, target)), target)
    return np.asarray(shown / light / target)


@cache
def _to_xyz(primaries: int) -> NDArray[np.float64]:
    """RGB to CIE XYZ, white at Y = 1 (SMPTE RP 177)."""
    *corners, white = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in _CHROMATICITIES[primaries])
    columns = np.stack(corners, 1)
    return np.asarray(columns * np.linalg.solve(columns, white))


def rgb_matrix(source: int, target: int) -> NDArray[np.float64]:
    """Linear RGB (3, 3) from one set of primaries (H.273: 1, 9 or 12) to another. KeyError else."""
    return np.asarray(np.linalg.solve(_to_xyz(target), _to_xyz(source)))


def luma_weights(primaries: int) -> NDArray[np.float64]:
    """Of red, green and blue in luminance (3,), to four places as the standards round them."""
    return np.asarray(_to_xyz(primaries)[1].round(4))
