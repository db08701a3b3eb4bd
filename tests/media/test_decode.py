"""Every picture comes out once, in order, with its exact time; what is damaged is said."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vidgen.media import Decoder

NTSC = Fraction(24000, 1001)


def decode(path: Path, **kwargs):
    with Decoder(path, **kwargs) as decoder:
        return list(decoder)


def timing(path: Path, recipe: str) -> str:
    """A golden text: what was done, then pts, duration and picture size of every frame."""
    with Decoder(path) as decoder:
        lines = [f"# {recipe}", f"# {decoder.format}"]
        lines += [f"{frame.pts} {frame.duration} {frame.y.shape}" for frame in decoder]
        return "\n".join([*lines, *(f"# {note}" for note in decoder.notes)]) + "\n"


def test_golden_b_frames_in_mp4(film, golden):
    path = film("a.mp4", fps=NTSC, time_base=Fraction(1, 24000), pts=[n * 1001 for n in range(12)])
    golden("h264_mp4_23976", timing(path, "x264, B-frames, 24000/1001, mp4"))


def test_golden_variable_rate(film, golden):
    stamps = [0, 33, 66, 100, 400, 401, 500, 1000]
    path = film(pts=stamps, time_base=Fraction(1, 1000), fps=Fraction(30))
    golden("h264_mkv_vfr", timing(path, f"x264, mkv, pts {stamps} ms"))


def test_golden_transport_stream(film, golden):
    path = film("a.ts", codec="mpeg2video", options={"bf": "2"}, fps=Fraction(30000, 1001))
    golden("mpeg2_ts_2997", timing(path, "mpeg2video, bf 2, 30000/1001, ts"))


def test_golden_raw_stream_without_times(film, golden):
    path = film("a.h264", frames=8)
    golden("h264_raw", timing(path, "x264, no container: no times at all"))


CODECS = {
    "h264": ("libx264", "yuv420p", "mkv", {"bf": "3", "b-adapt": "0"}),
    "h264-10": ("libx264", "yuv420p10le", "mp4", {"bf": "3", "b-adapt": "0"}),
    "hevc": ("libx265", "yuv420p", "mp4", {"x265-params": "log-level=none:bframes=4"}),
    "mpeg2": ("mpeg2video", "yuv420p", "ts", {"bf": "2"}),
    "mpeg4": ("mpeg4", "yuv420p", "avi", {}),
    "vp9": ("libvpx-vp9", "yuv420p", "webm", {"lag-in-frames": "10", "cpu-used": "8"}),
    "ffv1": ("ffv1", "yuv420p", "mkv", {}),
}


@pytest.mark.parametrize("name", CODECS)
def test_no_frame_is_lost(film, levels, name):
    codec, pix_fmt, suffix, options = CODECS[name]
    path = film(f"a.{suffix}", codec=codec, pix_fmt=pix_fmt, options=options, frames=19)
    frames = decode(path)
    assert levels(frames) == list(range(19))
    ends = [frame.pts + frame.duration for frame in frames]
    assert [frame.pts for frame in frames[1:]] == ends[:-1]


def test_variable_durations_are_those_to_the_next_frame(film):
    stamps = [0, 33, 66, 100, 400, 401, 500, 1000]
    frames = decode(film(pts=stamps, time_base=Fraction(1, 1000), fps=Fraction(30)))
    assert [frame.pts for frame in frames] == stamps
    assert [frame.duration for frame in frames[:-1]] == list(np.diff(stamps))
    assert frames[-1].duration > 0


def test_ten_bit_is_uint16_with_low_bits(film):
    (frame, *_) = decode(film(codec="ffv1", pix_fmt="yuv420p10le"))
    assert frame.y.dtype == np.uint16
    assert (frame.y == 120).all()
    assert (frame.uv == 512).all()


@pytest.mark.parametrize("size", [(53, 38), (54, 37), (53, 37), (854, 480)])
def test_odd_sizes_are_padded_by_their_edges(film, size):
    width, height = size
    y = np.random.default_rng(1).integers(16, 235, (height, width), np.uint8)
    uv = np.random.default_rng(2).integers(
        16, 240, (2, (height + 1) // 2, (width + 1) // 2), np.uint8
    )

    def picture(number):
        frame = av.VideoFrame(width, height, "yuv420p")
        for plane, data in zip(frame.planes, (y, *uv), strict=True):
            rows = np.zeros((plane.height, plane.line_size), np.uint8)
            rows[:, : plane.width] = data
            plane.update(rows)
        return frame

    path = film(codec="ffv1", size=size, frames=2, picture=picture)
    with Decoder(path) as decoder:
        even = (height + height % 2, width + width % 2)
        assert (decoder.format.height, decoder.format.width) == even
        frames = list(decoder)
        padded = any("is padded to" in note for note in decoder.notes)
    assert padded == (even != (height, width))
    np.testing.assert_array_equal(
        frames[1].y, np.pad(y, ((0, even[0] - height), (0, even[1] - width)), mode="edge")
    )
    np.testing.assert_array_equal(frames[1].uv, uv.transpose(1, 2, 0))
    assert frames[1].y.flags.c_contiguous
    assert frames[1].uv.flags.c_contiguous


def test_frames_outlive_the_decoder(film, levels):
    frames = decode(film(size=(96, 64)))
    assert levels(frames) == list(range(12))


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "ts"])
@pytest.mark.parametrize("shift", [0, 7])
def test_range_is_exact(film, levels, suffix, shift):
    path = film(f"a.{suffix}", options={"g": "5", "bf": "2"}, frames=20, shift=Fraction(shift))
    for first in (1, 4, 5, 6, 13):
        for last in (first + 1, 20):
            frames = decode(path, start=Fraction(first, 25), end=Fraction(last, 25))
            assert levels(frames) == list(range(first, last)), (first, last)
    assert levels(decode(path, start=Fraction(41, 1000), end=Fraction(1, 8))) == [2, 3]


@pytest.mark.parametrize(("early", "first"), [(0, 13), (2, 11), (3, 10), (4, 10), (9, 10)])
def test_range_may_begin_at_the_keyframe_before(film, levels, early, first):
    path = film("a.mkv", options={"g": "5", "bf": "2", "sc_threshold": "0"}, frames=20)
    start, end = Fraction(13, 25), Fraction(16, 25)
    frames = decode(path, start=start, end=end, early=Fraction(early, 25))
    assert levels(frames) == list(range(first, 16))


def test_range_keeps_absolute_times(film):
    path = film("a.mp4", frames=20, options={"g": "5"})
    whole = {frame.pts: frame.duration for frame in decode(path)}
    for frame in decode(path, start=Fraction(1, 5), end=Fraction(3, 5)):
        assert whole[frame.pts] == frame.duration


def test_rate_of_a_raw_stream_is_the_one_it_states(film):
    """FFmpeg's average for a stream without times is 25, whatever the codec says."""
    for suffix, codec in (("h264", "libx264"), ("m2v", "mpeg2video")):
        path = film(f"a.{suffix}", codec=codec, frames=8, fps=Fraction(50))
        with Decoder(path) as decoder:
            assert decoder.format.fps == 50
            assert {frame.duration * frame.time_base for frame in decoder} == {Fraction(1, 50)}


def test_range_of_a_raw_stream(film, levels):
    path = film("a.h264", frames=20, options={"g": "5"})
    assert levels(decode(path, start=Fraction(7, 25), end=Fraction(9, 25))) == [7, 8]


def test_range_beyond_the_film_is_empty(film):
    assert decode(film(), start=Fraction(60)) == []


def test_start_is_zero_of_the_film_not_of_the_clock(film, levels):
    path = film("a.ts", frames=10, shift=Fraction(100))
    frames = decode(path, start=Fraction(0), end=Fraction(2, 25))
    assert levels(frames) == [0, 1]
    assert frames[0].time >= 100


def test_cover_art_is_not_the_film(film, levels, cover_png):
    path = film("a.mp4", cover=cover_png)
    assert levels(decode(path)) == list(range(12))


def test_names_that_look_like_protocols_and_patterns(film, levels):
    assert levels(decode(film("a: b - c.mkv"))) == list(range(12))


def test_memory_stays_flat(film):
    """Thousands of frames leave nothing behind: not the frames, not FFmpeg's buffers."""
    import resource

    path = film(
        frames=1000, size=(320, 240), options={"g": "50", "preset": "ultrafast"}, fps=Fraction(50)
    )

    def once() -> int:
        with Decoder(path) as decoder:
            for frame in decoder:
                assert frame.duration > 0
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    once()
    before = once()
    assert once() - before < 8 * 1024  # KiB; 1000 frames of this size are 110 MiB
