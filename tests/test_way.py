"""Pictures that stay on the GPU, on the stand-ins of CuPy, NVDEC and NVENC: the film is the same.

The stand-in of CuPy counts what crosses to it and back, and refuses an array on another thread.
"""

import gc
import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from benchmarks.shim import Kernels
from benchmarks.standin_media import media_standin
from tests.engines.conftest import on_the_cpu
from vidgen.bench.scenes import Scene
from vidgen.frame import Color, VideoFormat
from vidgen.job import Settings
from vidgen.media import Decoder
from vidgen.media.nvidia import Feeder
from vidgen.pipeline import build_stages
from vidgen.scan import Run, Scan
from vidgen.segments import run
from vidgen.stages import Upscale
from vidgen.surface import Surface
from vidgen.way import way_of
from vidgen.zoo import load

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


def film(clip, pix_fmt="yuv420p", chroma="left", **words):
    """`chroma` in the middle of its four pixels stays there; left-sited it has to be moved back."""
    options = {"x264-params": f"chromaloc={['left', 'center'].index(chroma)}:keyint=4"}
    return clip(frames=FRAMES, size=SIZE, pix_fmt=pix_fmt, options=options, **words)


@pytest.mark.parametrize(
    ("pix_fmt", "itemsize", "chroma"), [("yuv420p", 1, "center"), ("yuv420p10le", 2, "left")]
)
def test_from_end_to_end_half_the_luma_crosses(clip, tmp_path, pix_fmt, itemsize, chroma):
    source = film(clip, pix_fmt, chroma, audio="aac")
    with media_standin(decodes=False, encodes=False):
        there, theirs, (up, down) = made(source, tmp_path)
    with media_standin():
        here, ours, (still_up, still_down) = made(source, tmp_path)
    assert_same(ours, theirs)
    assert here.engine.endswith("; pictures stay on the GPU from NVDEC to NVENC")
    assert "pictures decoded on the host (no NVDEC: " in there.engine
    assert there.engine.endswith("encoded from the host (nvenc-hevc takes them there)")
    pixels = SIZE[0] * SIZE[1]
    picture = pixels * 3 // 2 * itemsize
    weights = 4 * (11 + 1) if chroma == "left" else 0
    assert up - still_up == FRAMES * picture - weights
    assert down == FRAMES * 4 * picture
    assert still_down == FRAMES * pixels // 4


def test_each_end_by_itself(clip, tmp_path):
    source = film(clip, chroma="center")
    with media_standin(decodes=False, encodes=False):
        _, theirs, (up, down) = made(source, tmp_path)
    with media_standin(encodes=False):
        by_nvdec, ours, (less_up, _) = made(source, tmp_path)
    assert_same(ours, theirs)
    assert by_nvdec.engine.endswith(
        "pictures decoded by NVDEC on the GPU, encoded from the host (nvenc-hevc takes them there)"
    )
    picture = SIZE[0] * SIZE[1] * 3 // 2
    assert up - less_up == FRAMES * picture
    with media_standin(decodes=False):
        by_nvenc, ours, (all_up, less_down) = made(source, tmp_path)
    assert_same(ours, theirs)
    assert by_nvenc.engine.endswith(", encoded by NVENC on the GPU")
    assert (all_up, less_down) == (up, 0)
    assert down == FRAMES * 4 * picture


@pytest.mark.parametrize(
    ("words", "decoded", "encoded"),
    [
        ({"codec": "x264"}, "", "x264 takes them there"),
        ({"codec": "qsv-hevc"}, "", "qsv-hevc takes them there"),
        ({"fps": "x2"}, "the frame rate changes", ""),
        ({"depth": 10}, "8 bits become 10", ""),
        ({"size": "100x60"}, "", "pictures are resized after the network"),
        ({"model": "x4-realtime", "scale": 4}, "", ""),
        ({"scale": 4}, "", ""),
    ],
)
def test_why_an_end_is_on_the_host(words, decoded, encoded):
    words = {"backend": "cuda", "codec": "nvenc-hevc", **words}
    settings = Settings(source="in.mkv", target="out.mkv", **words)
    way = way_of(settings, build_stages(settings, VideoFormat(64, 36, Fraction(25)))[0])
    assert (way.decode_on_host, way.encode_on_host) == (decoded, encoded)
    assert (way.lands is None, way.stays is None) == (bool(decoded), bool(encoded))
    assert way.steps["upscale"].stays == (not encoded)


def test_deep_interlaced_and_hdr_film_is_touched_on_the_host():
    settings = Settings(source="in.mkv", target="out.mkv", backend="cuda", codec="nvenc-h264")
    deep = VideoFormat(64, 36, Fraction(25), bit_depth=10, color=Color(1, 9, 9, 16, 1))
    way = way_of(settings, build_stages(settings, deep)[0])
    assert (way.decode_on_host, way.encode_on_host) == ("", "10 bits become 8")
    fields = Scan(runs=(Run(0, 8, "interlaced"),))
    woven = build_stages(settings, deep, scan=fields)[0]
    assert way_of(settings, woven).decode_on_host == "fields are made pictures"
    settings = replace(settings, hdr="sdr")
    assert way_of(settings, build_stages(settings, deep)[0]).decode_on_host == "HDR becomes SDR"


def test_what_a_network_pads_goes_through_the_host():
    settings = Settings(source="in.mkv", target="out.mkv", backend="cuda", codec="nvenc-hevc")
    steps, _ = build_stages(settings, VideoFormat(64, 36, Fraction(25)))
    upscale = steps["upscale"]
    steps["upscale"] = replace(upscale, model=replace(upscale.model, multiple_of=8))
    way = way_of(settings, steps)
    assert way.decode_on_host == way.encode_on_host == "they are padded for the network"


def test_a_codec_whose_pictures_are_not_laid_down_to_the_code_is_decoded_here(clip, tmp_path):
    source = clip(frames=FRAMES, size=SIZE, codec="mpeg4")
    with media_standin():
        report, _, _ = made(source, tmp_path)
    assert "decoded on the host (NVDEC is not used for mpeg4)" in report.engine


def test_pieces_from_the_middle_are_the_same(clip, tmp_path):
    """With their run-in and their times; each says which way its pictures went."""
    source = film(clip, fps=2)
    words = {"start": Fraction(1, 2), "codec": "x264", "segment": Fraction(1)}
    with media_standin(decodes=False):
        _, theirs, _ = made(source, tmp_path, **words)
    with media_standin():
        report, ours, _ = made(source, tmp_path, **words)
    assert report.engine.count("decoded by NVDEC on the GPU") == 1
    assert len(ours) == len(theirs) == FRAMES - 1
    for mine, other in zip(ours, theirs, strict=True):
        assert mine[0] == other[0]
        for plane, expected in zip(mine[1:], other[1:], strict=True):
            np.testing.assert_array_equal(plane, expected)


def test_without_a_gpu_nothing_is_said_of_it(clip, tmp_path):
    report, _, _ = made(film(clip), tmp_path, codec="x264", backend="openvino")
    assert "pictures" not in report.engine


def test_between_two_passes_nothing_crosses(cuda):
    """Without a past the second pass is the same network on what the first one gave."""
    cupy, scene, model = sys.modules["cupy"], Scene(24, 16, cut=None), load("x2-realtime")
    frames, small = list(scene.frames(Fraction(24), Fraction(2, 24))), scene.format(Fraction(24))
    once = Upscale(cuda, model, small, history=False)
    again = Upscale(cuda, model, once.output(small), history=False)
    expected = list(again(once(frames)))
    down = cupy.bytes_down
    twice = list(Upscale(cuda, model, small, passes=2, history=False)(frames))
    assert cupy.bytes_down - down == 2 * 16 * 24 * 16 * 3 // 2
    for ours, theirs in zip(twice, expected, strict=True):
        np.testing.assert_array_equal(ours.y, theirs.y)
        np.testing.assert_array_equal(ours.uv, theirs.uv)


def test_a_thousand_pictures_take_no_memory_of_the_gpu(cuda, monkeypatch):
    """From surface to surface; kernels only seem to run."""
    monkeypatch.setattr(Kernels, "launch", lambda *words: None)
    gc.collect()
    cupy, gpu = sys.modules["cupy"], cuda.pictures()
    begun, feed = cupy.held, Feeder(gpu)
    weights = np.ones(1, np.float32)
    surface = Surface(0, 256, 36, 36, 64, 1, None)
    for number in range(1000):
        y, uv = gpu.planes(surface)
        gpu.half_luma(y)
        frame = feed((y, gpu.shifted(uv, weights, weights, 255)), "nv12")
        if number == 10:
            held = cupy.held
    assert cupy.held == held > begun
    del y, uv, frame, feed, gpu
    assert cupy.held == begun
