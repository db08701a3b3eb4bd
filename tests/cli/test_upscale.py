"""`vidgen upscale` doing what it was asked: pictures, times, other streams, and what it says."""

import json
import re
from fractions import Fraction
from itertools import pairwise

import av
import pytest


def test_twice_the_size_is_the_default(vidgen, clip, pictures_of, tmp_path):
    source = clip("in.mp4", frames=9, audio="aac")
    result = vidgen("upscale", source, "out.mp4")
    assert result.returncode == 0
    assert result.stdout == ""
    assert "64x48 -> 128x96, 9 -> 9 frames" in result.stderr
    assert "x2-realtime on OpenVINO" in result.stderr
    width, height, times = pictures_of(tmp_path / "out.mp4")
    assert (width, height) == (128, 96)
    assert times == pictures_of(source)[2]
    assert not list(tmp_path.glob("*partial*"))


@pytest.mark.parametrize(
    ("words", "size"),
    [
        (["--size", "100x80"], (100, 80)),
        (["--size", "480p"], (640, 480)),
        (["--scale", "4"], (256, 192)),
        (["--size", "32x24"], (32, 24)),
        (["--scale", "1"], (64, 48)),
    ],
)
def test_sizes(vidgen, clip, pictures_of, tmp_path, words, size):
    result = vidgen("upscale", clip(frames=3), "out.mkv", *words)
    assert result.returncode == 0, result.stderr
    assert pictures_of(tmp_path / "out.mkv")[:2] == size


@pytest.mark.parametrize(
    ("source_fps", "words", "count", "step"),
    [
        (24, "60", 30, Fraction(1, 60)),
        (Fraction(24000, 1001), "x2", 24, Fraction(1001, 48000)),
        (25, "23.976", 12, Fraction(1001, 24000)),
        (37, "75", 25, Fraction(1, 75)),
    ],
)
def test_rates(vidgen, clip, pictures_of, tmp_path, source_fps, words, count, step):
    source = clip("in.mp4", frames=12, fps=source_fps)
    result = vidgen("upscale", source, "out.mp4", "--scale", 1, "--fps", words)
    assert result.returncode == 0, result.stderr
    times = pictures_of(tmp_path / "out.mp4")[2]
    assert len(times) == count
    assert {late - early for early, late in pairwise(times)} == {step}
    assert times[0] == 0


@pytest.mark.parametrize("how", ["interpolate", "predict", "off"])
def test_frames_of_another_rate_are_counted_by_how_they_came(vidgen, clip, tmp_path, how):
    source = clip("in.mp4", frames=6, fps=25)
    words = ["--scale", 1, "--fps", 50, "--generate", how, "--report", "report.json"]
    assert vidgen("upscale", source, "out.mkv", *words).returncode == 0
    (report,) = json.loads((tmp_path / "report.json").read_text())["films"]
    assert report["frames_out"] == 12
    assert (report["frames_generated"] > 0) is (how != "off")
    if how == "off":
        assert report["frames_held"] == {"off": 6}
    counted = report["frames_generated"] + sum(report["frames_held"].values())
    assert counted == (5 if how == "interpolate" else 6)  # the last frame lasts, unless told ahead


def test_larger_and_smoother_at_once(vidgen, clip, pictures_of, tmp_path):
    source = clip("in.mp4", frames=12, audio="aac", fps=25)
    result = vidgen("upscale", source, "out.mkv", "--size", "160x120", "--fps", "x2")
    assert result.returncode == 0, result.stderr
    width, height, times = pictures_of(tmp_path / "out.mkv")
    assert (width, height, len(times)) == (160, 120, 24)
    assert re.search(r"12 -> 24 frames, \d+ generated", result.stderr)
    with av.open(tmp_path / "out.mkv") as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]


@pytest.mark.parametrize(
    ("words", "codec", "pix_fmt"),
    [
        (["--codec", "x265", "--preset", "ultrafast"], "hevc", "yuv420p"),
        (["--codec", "svtav1", "--preset", "12"], "av1", "yuv420p"),
        (["--codec", "ffv1"], "ffv1", "yuv420p"),
        (["--codec", "prores", "--preset", "proxy"], "prores", "yuv422p10le"),
    ],
)
def test_codecs_say_nothing_of_their_own(vidgen, clip, tmp_path, words, codec, pix_fmt):
    result = vidgen("upscale", clip(), "out.mkv", "--scale", 1, "--quiet", *words)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    with av.open(tmp_path / "out.mkv") as container:
        context = container.streams.video[0].codec_context
        assert (context.codec.canonical_name, context.pix_fmt) == (codec, pix_fmt)


def test_crf_and_preset_reach_the_encoder(vidgen, clip, tmp_path):
    source, sizes = clip(size=(128, 96)), []
    for crf in (10, 40):
        words = ["--scale", 1, "--crf", crf, "--preset", "ultrafast", "--overwrite"]
        assert vidgen("upscale", source, "out.mkv", *words).returncode == 0
        data = (tmp_path / "out.mkv").read_bytes()
        assert f"crf={crf}.0".encode() in data  # x264 writes its settings into the stream
        assert b"subme=0" in data
        sizes.append(len(data))
    assert sizes[0] > sizes[1]


def test_part_of_a_film(vidgen, clip, pictures_of, tmp_path):
    source = clip("in.mp4", frames=75, audio="aac")
    words = ["--scale", 1, "--start", "0:01", "--end", "0:02.5"]
    result = vidgen("upscale", source, "out.mkv", *words)
    assert result.returncode == 0, result.stderr
    times = pictures_of(tmp_path / "out.mkv")[2]
    assert len(times) in (37, 38)  # 1.5 s at 25 frames a second, both ends between two frames
    with av.open(tmp_path / "out.mkv") as container:
        sound = container.streams.audio[0]
        packets = [packet for packet in container.demux(sound) if packet.dts is not None]
        length = (packets[-1].pts + packets[-1].duration - packets[0].pts) * sound.time_base
    assert abs(length - Fraction(3, 2)) < Fraction(1, 20)


def test_other_streams_come_along(vidgen, full_film, tmp_path):
    result = vidgen("upscale", full_film, "out.mkv", "--scale", 1, "--fps", 50)
    assert result.returncode == 0, result.stderr
    before, after = contents(full_film), contents(tmp_path / "out.mkv")
    assert [kind for kind, _ in after["streams"]] == ["video", "audio", "subtitle"]
    assert after["streams"][1:] == before["streams"][1:]
    assert after["chapters"] == before["chapters"]
    assert len(after["chapters"]) == 2
    assert after["title"] == "A film"


def contents(film):
    """Title, chapters, and each stream's type and, unless it is video, its packets."""
    with av.open(film) as container:
        packets = {stream.index: [] for stream in container.streams}
        for packet in container.demux():
            if packet.dts is not None:
                packets[packet.stream_index].append((packet.pts, bytes(packet)))
        chapters = [
            (each["start"] * each["time_base"], each["end"] * each["time_base"], each["metadata"])
            for each in container.chapters()
        ]
        streams = [
            (stream.type, [] if stream.type == "video" else packets[stream.index])
            for stream in container.streams
        ]
        title = container.metadata["title"]
    return {"title": title, "chapters": chapters, "streams": streams}


def test_quiet_says_nothing(vidgen, clip, tmp_path):
    result = vidgen("upscale", clip(), "out.mkv", "--scale", 1, "--quiet")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert (tmp_path / "out.mkv").exists()


def test_quiet_may_stand_before_the_command(vidgen, clip):
    result = vidgen("--quiet", "upscale", clip(), "out.mkv", "--scale", 1)
    assert (result.returncode, result.stderr) == (0, "")


def test_what_is_given_up_is_reported(vidgen, clip):
    source = clip("in.mkv", size=(66, 50), pix_fmt="yuv444p")
    result = vidgen("upscale", source, "out.mkv", "--scale", 1)
    assert result.returncode == 0
    assert "note: 4:4:4 (yuv444p) becomes 4:2:0" in result.stderr


def test_overwrite_replaces_the_output(vidgen, clip, pictures_of, tmp_path):
    (tmp_path / "out.mkv").write_text("old")
    result = vidgen("upscale", clip(), "out.mkv", "--scale", 1, "--overwrite")
    assert result.returncode == 0
    assert len(pictures_of(tmp_path / "out.mkv")[2]) == 8


def test_names_that_look_like_something_else(vidgen, clip, pictures_of, tmp_path):
    source = clip("a film: part 1, 100%d é.mkv")
    result = vidgen("upscale", source.name, "ö 'quoted' %03d.mkv", "--scale", 1)
    assert result.returncode == 0, result.stderr
    assert len(pictures_of(f"file:{tmp_path}/ö 'quoted' %03d.mkv")[2]) == 8


@pytest.mark.needs_data
def test_a_real_film(vidgen, eval_data, pictures_of, tmp_path):
    source = eval_data / "video" / "nasa_2audio_2subs.mp4"
    words = ["--scale", 2, "--start", 3, "--end", 4, "--fps", "x2"]
    result = vidgen("upscale", source, "out.mkv", *words)
    assert result.returncode == 0, result.stderr
    width, height, times = pictures_of(tmp_path / "out.mkv")
    assert (width, height, len(times)) == (640, 360, 50)
    with av.open(tmp_path / "out.mkv") as container:
        kinds = [stream.type for stream in container.streams]
    assert (kinds.count("audio"), kinds.count("subtitle")) == (2, 2)
