"""Scenes whose motion and whose pictures in between are known."""

import numpy as np
import pytest


@pytest.fixture(scope="session")
def texture():
    """`texture(x, y)`: smooth detail of many sizes, in [0, 1], at any real position in pixels."""
    generator = np.random.default_rng(5)
    angles = generator.uniform(0, np.pi, 24)
    lengths = np.geomspace(9, 120, 24)
    phases = generator.uniform(0, 2 * np.pi, 24)

    def draw(x, y):
        waves = sum(
            np.sin(2 * np.pi * (x * np.cos(a) + y * np.sin(a)) / length + phase)
            for a, length, phase in zip(angles, lengths, phases, strict=True)
        )
        return 0.5 + waves / 14

    return draw


@pytest.fixture(scope="session")
def circle_scene(texture):
    """`circle_scene(t)`: planes at time t of a textured disc over a background that moves too.

    Each edge is anti-aliased over a pixel. From t = 0 to 1 the disc moves by (12, 5) pixels and the
    background by (-4, 1). A letter in one corner stands still. 8 bit, or more with `bit_depth`.
    """
    height, width = 192, 320
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)

    def planes(t, bit_depth=8):
        luma = 50 + 130 * texture(x + 4 * t, y - t)
        across, down = x - 130 - 12 * t, y - 90 - 5 * t
        inside = np.clip(45.5 - np.hypot(across, down), 0, 1)
        luma += inside * (40 + 190 * texture(across + 700, down + 300) - luma)
        luma[20:60, 20:28] = luma[20:28, 12:36] = 235
        scale = 1 << (bit_depth - 8)
        dtype = np.uint8 if bit_depth == 8 else np.uint16
        chroma = np.stack([90 + 60 * inside, 150 - 50 * inside], -1)[::2, ::2]
        top = scale * 256 - 1
        quantized = [np.clip(np.rint(plane * scale), 0, top) for plane in (luma, chroma)]
        return tuple(np.ascontiguousarray(plane, dtype) for plane in quantized)

    return planes


@pytest.fixture(scope="session")
def psnr():
    """`psnr(a, b)`: decibels between two 8-bit planes."""

    def of(a, b):
        return 10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2))

    return of
