"""Black bars stay black: through the network, the resampling and a lossless codec."""

from fractions import Fraction

import av
import numpy as np
import pytest

from vidgen.media import Decoder

WIDTH, HEIGHT, BAR = 96, 96, 24
NEAR = 12  # rows of the source beside the picture's edge, which the network may reach into


def film(path, pix_fmt):
    """Noise between bars of the range's black."""
    deep = pix_fmt.endswith("10le")
    dtype, step = (np.uint16, 4) if deep else (np.uint8, 1)
    noise = np.random.default_rng(3)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pix_fmt
        for number in range(3):
            picture = av.VideoFrame(WIDTH, HEIGHT, pix_fmt)
            for index, plane in enumerate(picture.planes):
                bar, black = (BAR, 16) if index == 0 else (BAR // 2, 128)
                rows = np.full((plane.height, plane.line_size // dtype().itemsize), black * step)
                rows[bar:-bar] = noise.integers(16, 235, rows[bar:-bar].shape) * step
                plane.update(rows.astype(dtype))
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("pix_fmt", "words"),
    [
        ("yuv420p", ("--scale", "2")),
        ("yuv420p10le", ("--size", "144x144")),
        ("yuv420p10le", ("--size", "144x144", "--depth", "8")),
    ],
)
def test_bars_are_exactly_black(vidgen, tmp_path, pix_fmt, words):
    source, target = film(tmp_path / "in.mkv", pix_fmt), tmp_path / "out.mkv"
    done = vidgen("upscale", source, target, *words, "--codec", "ffv1")
    assert done.returncode == 0, done.stderr
    with Decoder(target) as decoder:
        frames = list(decoder)
        step = 4 if decoder.format.bit_depth == 10 else 1
    for frame in frames:
        rows = (BAR - NEAR) * frame.y.shape[0] // HEIGHT
        for plane, black in ((frame.y, 16), (frame.uv, 128)):
            bars = rows * plane.shape[0] // frame.y.shape[0]
            assert (plane[:bars] == black * step).all()
            assert (plane[-bars:] == black * step).all()
            assert plane[plane.shape[0] // 2].std() > 5 * step  # and the picture is there
