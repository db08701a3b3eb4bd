"""`--depth`: what is written has it, and a smooth picture keeps its steps."""

from fractions import Fraction

import av
import numpy as np

from vidgen.media import Decoder, probe


def ramp(_, size=(320, 64)) -> av.VideoFrame:
    """Ten bits, sixteen steps from left to right; colours neutral."""
    frame = av.VideoFrame(*size, "yuv420p10le")
    for index, plane in enumerate(frame.planes):
        levels = np.linspace(200, 216, plane.width) if index == 0 else np.full(plane.width, 512)
        rows = np.zeros((plane.height, plane.line_size // 2), np.uint16)
        rows[:, : plane.width] = np.rint(levels)
        plane.update(rows)
    return frame


def film(path, frames=2):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=25, width=320, height=64, pix_fmt="yuv420p10le")
        for number in range(frames):
            picture = ramp(number)
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


def planes(path):
    with Decoder(path) as decoder:
        return [frame.planes for frame in decoder]


def test_ten_bits_become_eight_by_dither(vidgen, tmp_path):
    source, target = film(tmp_path / "in.mkv"), tmp_path / "out.mkv"
    words = ("--scale", "1", "--codec", "ffv1", "--depth", "8")
    done = vidgen("upscale", source, target, *words)
    assert done.returncode == 0, done.stderr
    assert probe(target).video.bit_depth == 8
    (before, _), (after, uv) = planes(source)[0], planes(target)[0]
    error = (after.astype(int) * 4 - before).reshape(32, 2, 160, 2).mean(axis=(1, 3))
    assert np.abs(error).max() <= 0.5  # cut off it is up to three steps
    assert (uv == 128).all()


def test_eight_bits_become_ten_before_the_network(vidgen, clip, tmp_path):
    source = clip(codec="ffv1")
    for depth in (8, 10):
        target = tmp_path / f"{depth}.mkv"
        words = ("--codec", "ffv1", "--depth", str(depth))
        done = vidgen("upscale", source, target, *words)
        assert done.returncode == 0, done.stderr
        assert probe(target).video.bit_depth == depth
    coarse, fine = (planes(tmp_path / f"{depth}.mkv")[0][0] for depth in (8, 10))
    assert np.abs(fine.astype(int) - coarse.astype(int) * 4).max() <= 8
    assert np.unique(fine % 4).size == 4  # drawn in ten bits, not multiplied afterwards


def test_a_codec_that_cannot_is_named(vidgen, clip, tmp_path):
    done = vidgen("upscale", clip(), tmp_path / "out.mkv", "--codec", "nvenc-hevc")
    assert done.returncode == 1
    assert "--codec nvenc-hevc: this machine cannot run it" in done.stderr
    assert "Give --codec x265" in done.stderr
    assert len(done.stderr.splitlines()) == 1
