"""What is written is what was given: pictures, times, tags; refusals come before any frame."""

import os
import resource
import sys
from collections import deque
from dataclasses import replace
from fractions import Fraction
from math import floor
from pathlib import Path

import av
import numpy as np
import pytest

from vidgen.frame import Color, Frame, VideoFormat
from vidgen.media import Decoder, Encoder, codec_names, probe
from vidgen.media.codecs import CODECS

FORMAT = VideoFormat(64, 48, Fraction(25))
FAST = {"x264": "ultrafast", "x265": "ultrafast", "svtav1": "12", "prores": "proxy"}
FILM = Fraction(24000, 1001)


def frames(count, time_base=Fraction(1, 25), step=1, size=(64, 48), depth=8, first=0):
    """Moving noise that no codec can guess."""
    random = np.random.default_rng(3)
    dtype, top = (np.uint8, 256) if depth == 8 else (np.uint16, 1024)
    width, height = size
    for number in range(count):
        y = random.integers(0, top, (height, width), dtype)
        uv = random.integers(0, top, (height // 2, width // 2, 2), dtype)
        yield Frame(y, uv, first + number * step, step, time_base)


def encode(path: Path, given, video=FORMAT, **kwargs) -> list[str]:
    given = list(given)
    kwargs.setdefault("preset", FAST.get(kwargs.get("codec", "x264")))
    with Encoder(path, video, time_base=given[0].time_base, **kwargs) as encoder:
        for frame in given:
            encoder.write(frame)
    return encoder.notes


def decode(path: Path) -> list[Frame]:
    with Decoder(path) as decoder:
        return list(decoder)


def times(given) -> list[tuple[Fraction, Fraction]]:
    return [(frame.time, frame.end) for frame in given]


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
@pytest.mark.parametrize("size", [(64, 48), (86, 50)])
def test_ffv1_is_lossless(tmp_path, depth, suffix, size):
    given = list(frames(4, size=size, depth=depth))
    video = replace(FORMAT, width=size[0], height=size[1], bit_depth=depth)
    encode(tmp_path / f"a.{suffix}", given, video, codec="ffv1")
    for one, other in zip(given, decode(tmp_path / f"a.{suffix}"), strict=True):
        np.testing.assert_array_equal(one.y, other.y)
        np.testing.assert_array_equal(one.uv, other.uv)


PAIRS = [(word, suffix) for word, codec in CODECS.items() for suffix in codec.containers]


@pytest.mark.parametrize(("word", "suffix"), PAIRS)
@pytest.mark.parametrize("depth", [8, 10])
def test_every_codec_in_every_container(tmp_path, word, suffix, depth):
    """All frames arrive at their times; flat colours are close, in range and depth."""
    y, uv = (np.full((64, 64), 180), np.full((32, 32, 2), 90))
    scale = 1 if depth == 8 else 4
    dtype = np.uint8 if depth == 8 else np.uint16
    planes = (y * scale).astype(dtype), (uv * scale).astype(dtype)
    given = [Frame(*planes, number * 1001, 1001, Fraction(1, 24000)) for number in range(10)]
    color = Color(1, 1, 1, 1, 1)
    video = VideoFormat(64, 64, FILM, depth, color=color)
    path = tmp_path / f"a{suffix}"
    assert encode(path, given, video, codec=word) == []
    found = decode(path)
    zero = found[0].time if suffix == ".ts" else Fraction(0)  # its muxer leaves room before 0
    clock = 0 if suffix in (".mp4", ".m4v", ".mov") else Fraction(1, 1000)
    for one, other in zip(given, found, strict=True):
        assert abs(other.time - zero - one.time) <= clock
    tenfold = 4 if found[0].y.dtype == np.uint16 else 1
    assert abs(found[5].y / tenfold - 180).max() <= 1
    assert abs(found[5].uv / tenfold - 90).max() <= 1
    info = probe(path)
    assert info.video.bit_depth == (10 if word == "prores" else depth)
    stated = info.video.color
    assert (stated.range, stated.matrix, stated.primaries, stated.transfer) == (1, 1, 1, 1)


@pytest.mark.parametrize("rate", ["24000/1001", "30000/1001", "60000/1001", "25", "120"])
@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_mp4_times_are_exact(tmp_path, rate, suffix):
    rate = Fraction(rate)
    given = list(frames(14, time_base=1 / rate))
    encode(tmp_path / f"a.{suffix}", given, replace(FORMAT, fps=rate))
    found = decode(tmp_path / f"a.{suffix}")
    assert times(found) == times(given)
    with av.open(str(tmp_path / f"a.{suffix}")) as container:
        stream = container.streams.video[0]
        assert stream.duration * stream.time_base == 14 / rate
        assert stream.average_rate == rate


def test_matroska_rounds_each_time_once(tmp_path):
    given = list(frames(48, time_base=1 / FILM))
    encode(tmp_path / "a.mkv", given, replace(FORMAT, fps=FILM))
    found = [frame.pts for frame in decode(tmp_path / "a.mkv")]
    assert found == [floor(frame.time * 1000 + Fraction(1, 2)) for frame in given]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_variable_rate_keeps_every_time_and_the_last_duration(tmp_path, suffix):
    stamps = [0, 33, 66, 100, 400, 401, 500, 1000, 1700]
    given = [
        replace(frame, pts=a, duration=b - a)
        for frame, a, b in zip(frames(8, Fraction(1, 1000)), stamps, stamps[1:], strict=False)
    ]
    encode(tmp_path / f"a.{suffix}", given, replace(FORMAT, fps=None))
    found = decode(tmp_path / f"a.{suffix}")
    assert [frame.time for frame in found] == [frame.time for frame in given]
    info = probe(tmp_path / f"a.{suffix}")
    assert info.duration == Fraction(1700, 1000)
    if suffix == "mp4":
        assert times(found) == times(given)


TAGS = {
    "hd": Color(1, 1, 1, 1, 1),
    "pal": Color(1, 5, 5, 6, 2),
    "ntsc, full": Color(2, 6, 6, 6, 1),
    "hdr10": Color(1, 9, 9, 16, 3),
    "hlg": Color(1, 9, 9, 18, 3),
    "unspecified": Color(),
}


@pytest.mark.parametrize("name", TAGS)
@pytest.mark.parametrize(("codec", "suffix"), [("x264", "mp4"), ("x265", "mkv"), ("ffv1", "mkv")])
def test_colour_tags_come_back(tmp_path, name, codec, suffix):
    color = TAGS[name]
    depth = 10 if color.transfer in (16, 18) else 8
    video = replace(FORMAT, width=64, height=64, bit_depth=depth, color=color)
    path = tmp_path / f"a.{suffix}"
    encode(path, frames(2, size=(64, 64), depth=depth), video, codec=codec)
    found = probe(path).video.color
    if color.chroma_location == 0:  # H.264 and H.265 have a default, left
        found = replace(found, chroma_location=0)
    if color.range == 0 and codec != "x264":  # the others cannot leave it open: limited
        found = replace(found, range=0)
    assert found == color


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [
        ("x264", "mp4"),
        ("x264", "mkv"),
        ("svtav1", "mp4"),
        ("svtav1", "mkv"),
        ("svtav1", "webm"),
        ("ffv1", "mkv"),
        ("prores", "mkv"),
    ],
)
def test_pixel_aspect_and_rotation_come_back(tmp_path, codec, suffix):
    for rotation in (0, 90, 180, 270):
        video = replace(
            FORMAT, width=64, height=64, sample_aspect_ratio=Fraction(32, 27), rotation=rotation
        )
        path = tmp_path / f"a{rotation}.{suffix}"
        notes = encode(path, frames(2, size=(64, 64)), video, codec=codec)
        found = probe(path).video
        assert notes == []
        assert found.sample_aspect_ratio == Fraction(32, 27)
        assert found.rotation == rotation


def test_what_cannot_be_told_is_noted(tmp_path):
    video = replace(FORMAT, sample_aspect_ratio=Fraction(32, 27), rotation=90)
    assert encode(tmp_path / "a.ts", frames(2), video) == [
        ".ts cannot say that the picture is shown turned by 90 degrees; use .mp4 or another codec"
    ]


def test_apple_tag_of_h265(tmp_path):
    for suffix, tag in (("mp4", "hvc1"), ("mov", "hvc1")):
        encode(tmp_path / f"a.{suffix}", frames(2), codec="x265")
        with av.open(str(tmp_path / f"a.{suffix}")) as container:
            assert container.streams.video[0].codec_tag == tag


def test_start_is_the_zero_of_the_output(tmp_path):
    given = list(frames(9, time_base=Fraction(1, 24000), step=1001, first=240_240))
    start = Fraction(240_000, 24000)
    encode(tmp_path / "a.mp4", given, replace(FORMAT, fps=FILM), start=start)
    found = decode(tmp_path / "a.mp4")
    assert [frame.time for frame in found] == [frame.time - start for frame in given]


def test_a_time_base_may_differ_from_that_of_a_frame(tmp_path):
    given = list(frames(5, Fraction(1, 50), step=2))
    with Encoder(
        tmp_path / "a.mp4", FORMAT, time_base=Fraction(1, 100), preset="ultrafast"
    ) as encoder:
        for frame in given:
            encoder.write(frame)
    assert times(decode(tmp_path / "a.mp4")) == times(given)


def test_read_only_unaligned_and_strided_planes(tmp_path):
    y = np.frombuffer(bytes(range(256)) * 13, np.uint8)[3 : 3 + 64 * 48].reshape(48, 64)
    uv = np.arange(24 * 40 * 2, dtype=np.uint8).reshape(24, 40, 2)[:, 5:37]
    given = [Frame(y, uv, number, 1, Fraction(1, 25)) for number in range(3)]
    with Encoder(tmp_path / "a.mp4", FORMAT, time_base=Fraction(1, 25), crf=0) as encoder:
        for frame in given:
            encoder.write(frame)
    for found in decode(tmp_path / "a.mp4"):
        np.testing.assert_array_equal(found.y, y)
        np.testing.assert_array_equal(found.uv, uv)


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_is_broken_off_plays_as_far_as_it_got(tmp_path, suffix, error):
    path = tmp_path / f"a.{suffix}"

    def broken_off():
        yield from frames(45)
        raise error

    with pytest.raises(error), Encoder(path, FORMAT, time_base=Fraction(1, 25)) as encoder:
        deque(map(encoder.write, broken_off()), maxlen=0)
    assert len(decode(path)) == 45


def test_nothing_is_said_past_the_logs(tmp_path, capfd):
    for codec in codec_names():
        suffix = CODECS[codec].containers[0]
        encode(
            tmp_path / f"a{suffix}",
            frames(2, size=(64, 64)),
            replace(FORMAT, height=64),
            codec=codec,
        )
    assert capfd.readouterr() == ("", "")


def test_memory_stays_flat(tmp_path):
    def once():
        encode(tmp_path / "a.mkv", frames(2000, size=(64, 48)))
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = once()
    assert once() - before < 8 * 1024  # KiB


@pytest.mark.parametrize("color_range", [0, 1, 2])
@pytest.mark.parametrize("matrix", [1, 2, 10])
def test_prores_is_limited_range_in_numbers_too(tmp_path, color_range, matrix):
    """Its decoders say limited whatever was said, so full range must become that."""
    video = replace(FORMAT, color=Color(color_range, matrix, 1, 1, 0))
    y, uv = np.full((48, 64), 255, np.uint8), np.full((24, 32, 2), 128, np.uint8)
    given = [Frame(y, uv, number, 1, Fraction(1, 25)) for number in range(2)]
    notes = encode(tmp_path / "a.mov", given, video, codec="prores")
    (frame, _) = decode(tmp_path / "a.mov")
    full = color_range == 2
    assert notes == ["prores knows no full range: it becomes limited range"] * full
    assert abs(frame.y.astype(int) - (940 if full else 1020)).max() <= 3
    assert (frame.uv == 512).all()
    found = probe(tmp_path / "a.mov").video.color
    assert (found.range, found.matrix) == (1, matrix)


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the threads' scheduling")
def test_no_encoder_takes_real_time_priority(tmp_path):
    """SVT-AV1 does when run as root, and then starves the threads that feed it."""
    video = VideoFormat(128, 96)
    planes = np.full((96, 128), 60, np.uint8), np.full((48, 64, 2), 128, np.uint8)
    with Encoder(tmp_path / "out.mkv", video, codec="svtav1", time_base=Fraction(1, 24)) as encoder:
        encoder.write(Frame(*planes, 0, 1, Fraction(1, 24)))
        tasks = [int(name) for name in os.listdir("/proc/self/task")]
        assert {os.sched_getscheduler(task) for task in tasks} == {os.SCHED_OTHER}
