"""`vidgen upscale` on interlaced and telecined films: what comes out, when, and what is said."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.restore.conftest import NTSC, in_frames, pulled_down
from vidgen.frame import Planes
from vidgen.media import Decoder


@pytest.fixture
def film(tmp_path):
    """`film(frames, **options)`: lossless, in a container whose clock ticks once a field."""

    def make(frames: list[Planes], name: str = "in.mov", **options: str) -> Path:
        path = tmp_path / name
        with av.open(path, "w") as container:
            stream = container.add_stream("libx264", rate=NTSC, options={"qp": "0", **options})
            stream.height, stream.width = frames[0][0].shape
            stream.pix_fmt, stream.codec_context.time_base = "yuv420p", 1 / NTSC
            for number, (y, uv) in enumerate(frames):
                parts = [y, uv[..., 0], uv[..., 1]]
                rows = np.concatenate([np.ascontiguousarray(part).reshape(-1) for part in parts])
                picture = av.VideoFrame.from_ndarray(rows.reshape(-1, y.shape[1]), "yuv420p")
                picture.pts, picture.time_base = number, 1 / NTSC
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))
        return path

    return make


def decoded(path: Path) -> list[tuple[Fraction, bytes]]:
    with Decoder(path) as decoder:
        return [(frame.time, frame.y.tobytes() + frame.uv.tobytes()) for frame in decoder]


@pytest.fixture
def small(pictures) -> list[Planes]:
    """A corner of the pictures."""
    corner = slice(40, 104), slice(80, 176)
    half = slice(20, 52), slice(40, 88)
    return [(y[corner].copy(), uv[half].copy()) for y, uv in pictures]


def test_fields_become_pictures(vidgen, film, small, tmp_path):
    source = film(in_frames(small[:20]), **{"x264-params": "tff=1"})
    out = tmp_path / "out.mkv"
    done = vidgen("upscale", source, out, "--scale", "1")
    assert done.returncode == 0, done.stderr
    assert "10 of 10 frames interlaced, top field first" in done.stderr
    times = [time for time, _ in decoded(out)]
    assert len(times) == 20
    assert all(abs(time - n / NTSC / 2) <= Fraction(1, 1000) for n, time in enumerate(times))


@pytest.mark.parametrize(
    ("words", "count"),
    [(["--deinterlace", "off"], 10), (["--fps", "30000/1001"], 10), (["--fps", "x2"], 20)],
)
def test_how_many(vidgen, film, small, tmp_path, words, count):
    source = film(in_frames(small[:20]), **{"x264-params": "tff=1"})
    out = tmp_path / "out.mkv"
    done = vidgen("upscale", source, out, "--scale", "1", *words)
    assert done.returncode == 0, done.stderr
    assert len(decoded(out)) == count
    assert ("interlaced" in done.stderr) == ("off" not in words)


def test_telecine_in_segments_as_in_one_go(vidgen, film, pictures, tmp_path):
    """Bit for bit the film, at its own times, also where pieces are made on their own."""
    pictures = [(np.tile(y, (3, 1)), np.tile(uv, (3, 1, 1))) for y, uv in pictures[:72]]  # 432 rows
    source = film(in_frames([pictures[n] for n in pulled_down(72, (2, 3))]))
    made = []
    for name, words in (("whole", []), ("pieces", ["--segment", "1", "--jobs", "2"])):
        out = tmp_path / f"{name}.mkv"
        done = vidgen("upscale", source, out, "--scale", "1", "--codec", "ffv1", *words)
        assert done.returncode == 0, done.stderr
        assert "90 of 90 frames 3:2 pulldown" in done.stderr
        made.append(decoded(out))
    assert made[0] == made[1]
    assert [y for _, y in made[0]] == [y.tobytes() + uv.tobytes() for y, uv in pictures]
    film_rate = Fraction(24000, 1001)
    assert all(abs(t - n / film_rate) <= Fraction(1, 1000) for n, (t, _) in enumerate(made[0]))


def test_interlaced_in_segments_as_in_one_go(vidgen, film, small, tmp_path):
    source = film(in_frames(small[:90]), **{"x264-params": "tff=1"})
    made = []
    for name, words in (("whole", []), ("pieces", ["--segment", "1"])):
        out = tmp_path / f"{name}.mkv"
        done = vidgen("upscale", source, out, "--scale", "1", "--codec", "ffv1", *words)
        assert done.returncode == 0, done.stderr
        made.append(decoded(out))
    assert len(made[0]) == 90
    assert made[0] == made[1]


def test_info_says_what_is_flagged_and_what_is_found(vidgen, film, pictures):
    told = vidgen("info", film(in_frames(pictures[:16], False), **{"x264-params": "tff=1"}))
    assert "yuv420p, interlaced" in told.stdout
    assert "measured  8 of 8 frames interlaced, bottom field first" in told.stdout
