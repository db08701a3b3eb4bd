"""Pictures that stay on the GPU, on the stand-ins of CuPy, NVDEC and NVENC: the film is the same.

The stand-in of CuPy counts what crosses to it and back, and refuses an array on another thread.
"""

import sys
from fractions import Fraction

import numpy as np
import pytest

from benchmarks.standin_media import media_standin
from tests.engines.conftest import on_the_cpu
from vidgen.job import Settings
from vidgen.media import Decoder
from vidgen.segments import run

SIZE, FRAMES = (64, 36), 7


@pytest.fixture(scope="module", autouse=True)
def cuda():
    yield from on_the_cpu()


def made(source, folder, codec="nvenc-hevc", **words):
    """The film's report, pictures and times, and bytes up and down."""
    cupy, target = sys.modules["cupy"], folder / "out.mkv"
    up, down = cupy.bytes_up, cupy.bytes_down
    words = {"backend": "cuda", "preset": "ultrafast", "overwrite": True, **words}
    report = run(Settings(source=source, target=target, codec=codec, **words))
    with Decoder(target) as decoder:
        frames = [(frame.time, *frame.planes) for frame in decoder]
    return report, frames, (cupy.bytes_up - up, cupy.bytes_down - down)


def assert_same(ours, theirs):
    assert len(ours) == len(theirs) == FRAMES
    for (time, *planes), (other, *wanted) in zip(ours, theirs, strict=True):
        assert time == other
        for plane, expected in zip(planes, wanted, strict=True):
            np.testing.assert_array_equal(plane, expected)


def film(clip, pix_fmt="yuv420p", **words):
    """Chroma lies in the middle of its four pixels, where a network leaves it."""
    options = {"x264-params": "chromaloc=1:keyint=4"}
    return clip(frames=FRAMES, size=SIZE, pix_fmt=pix_fmt, options=options, **words)


@pytest.mark.parametrize(("pix_fmt", "itemsize"), [("yuv420p", 1), ("yuv420p10le", 2)])
def test_from_end_to_end_nothing_crosses_but_half_the_luma(clip, tmp_path, pix_fmt, itemsize):
    source = film(clip, pix_fmt, audio="aac")
    with media_standin(decodes=False, encodes=False):
        there, theirs, (up, down) = made(source, tmp_path)
    with media_standin():
        here, ours, (still_up, still_down) = made(source, tmp_path)
    assert_same(ours, theirs)
    assert here.engine.endswith("; pictures stay on the GPU from NVDEC to NVENC")
    assert "pictures decoded on the host (no NVDEC: " in there.engine
    assert there.engine.endswith("encoded from the host (for nvenc-hevc)")
    pixels = SIZE[0] * SIZE[1]
    picture = pixels * 3 // 2 * itemsize
    assert up - still_up == FRAMES * picture
    assert down == FRAMES * 4 * picture
    assert still_down == FRAMES * pixels // 4


def test_each_end_by_itself(clip, tmp_path):
    source = film(clip)
    with media_standin(decodes=False, encodes=False):
        _, theirs, (up, down) = made(source, tmp_path)
    with media_standin(encodes=False):
        by_nvdec, ours, (less_up, _) = made(source, tmp_path)
    assert_same(ours, theirs)
    assert by_nvdec.engine.endswith(
        "pictures decoded by NVDEC on the GPU, encoded from the host (for nvenc-hevc)"
    )
    picture = SIZE[0] * SIZE[1] * 3 // 2
    assert up - less_up == FRAMES * picture
    with media_standin(decodes=False):
        by_nvenc, ours, (all_up, less_down) = made(source, tmp_path)
    assert_same(ours, theirs)
    assert by_nvenc.engine.endswith("encoded by NVENC there")
    assert (all_up, less_down) == (up, 0)
    assert down == FRAMES * 4 * picture


@pytest.mark.parametrize(
    ("words", "decoded", "encoded"),
    [
        ({}, "", "for x264"),
        ({"fps": "x2"}, "the frame rate changes", "for x264"),
        ({"codec": "nvenc-hevc", "depth": 10}, "8 bits become 10", ""),
        ({"codec": "nvenc-hevc", "size": "100x60"}, "", "pictures are resized after the network"),
        ({"deinterlace": "on"}, "fields are made pictures", "for x264"),
    ],
)
def test_why_an_end_is_on_the_host(clip, tmp_path, words, decoded, encoded):
    """Each by the settings alone, which a longer film would be made with."""
    with media_standin():
        report, frames, _ = made(film(clip), tmp_path, **{"codec": "x264", **words})
    before = f"decoded on the host ({decoded})" if decoded else "decoded by NVDEC on the GPU"
    after = f"encoded from the host ({encoded})" if encoded else "encoded by NVENC there"
    assert report.engine.endswith(f"; pictures {before}, {after}")
    assert len(frames) >= FRAMES


def test_a_codec_whose_pictures_are_not_laid_down_to_the_code_is_decoded_here(clip, tmp_path):
    source = clip(frames=FRAMES, size=SIZE, codec="mpeg4")
    with media_standin():
        report, _, _ = made(source, tmp_path)
    assert "decoded on the host (NVDEC is not used for mpeg4)" in report.engine


def test_segments_from_the_middle_are_the_same(clip, tmp_path):
    """With their run-in, and times from the middle of the film."""
    source = film(clip)
    words = {"start": Fraction(3, 25), "codec": "x264"}
    with media_standin(decodes=False):
        _, theirs, _ = made(source, tmp_path, **words)
    with media_standin():
        report, ours, _ = made(source, tmp_path, **words)
    assert "decoded by NVDEC" in report.engine
    assert len(ours) == len(theirs) == FRAMES - 3
    for mine, other in zip(ours, theirs, strict=True):
        assert mine[0] == other[0]
        np.testing.assert_array_equal(mine[1], other[1])


def test_without_a_gpu_nothing_is_said_of_it(clip, tmp_path):
    report, _, _ = made(film(clip), tmp_path, codec="x264", backend="openvino")
    assert "pictures" not in report.engine
