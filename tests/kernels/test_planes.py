"""planes.cu against what FFmpeg calls nv12 and p010le."""

import numpy as np
import pytest

from vidgen.media.color import picture

HEIGHT, WIDTH = 36, 80


@pytest.mark.parametrize(
    ("name", "pix_fmt", "dtype"), [("nv12", "nv12", np.uint8), ("p010", "p010le", np.uint16)]
)
def test_surfaces_are_those_of_ffmpeg(launch, rng, name, pix_fmt, dtype):
    peak = 255 if dtype == np.uint8 else 1023
    y = rng.integers(0, peak + 1, (HEIGHT, WIDTH), dtype)
    uv = rng.integers(0, peak + 1, (HEIGHT // 2, WIDTH // 2, 2), dtype)
    pitch, chroma_row = 192, HEIGHT + 4
    surface = np.zeros((chroma_row + HEIGHT // 2, pitch), np.uint8)
    numbers = HEIGHT, WIDTH, pitch, chroma_row
    launch("planes", f"planes_to_{name}", (1, 7), (32, 8), (surface, y, uv, *numbers))

    frame = picture((y, uv), pix_fmt)
    first = 0
    for plane in frame.planes:
        wanted = np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, : WIDTH * y.itemsize]
        made = surface[first : first + plane.height, : WIDTH * y.itemsize]
        np.testing.assert_array_equal(made, wanted)
        first = chroma_row

    back = np.empty_like(y), np.empty_like(uv)
    launch("planes", f"{name}_to_planes", (1, 7), (32, 8), (surface, *back, *numbers))
    np.testing.assert_array_equal(back[0], y)
    np.testing.assert_array_equal(back[1], uv)
