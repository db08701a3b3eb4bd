"""The whole machine on small films: sizes, times, streams, and what is left after an accident."""

from fractions import Fraction

import av
import pytest

from vidgen.errors import InputError, OutputError, UsageError
from vidgen.job import Settings
from vidgen.segments import run


def read(path):
    """(width, height, [time of each picture]) of a film, by FFmpeg's own decoder."""
    with av.open(path) as container:
        frames = list(container.decode(video=0))
        return frames[0].width, frames[0].height, [frame.pts * frame.time_base for frame in frames]


def settings(source, target, **words):
    return Settings(source=source, target=target, **{"preset": "ultrafast", **words})


def test_every_frame_comes_out_larger_at_its_own_time(clip, tmp_path):
    source, target = clip("in.mp4", frames=9, size=(64, 48)), tmp_path / "out.mp4"
    report = run(settings(source, target))
    width, height, times = read(target)
    assert (width, height) == (128, 96)
    assert times == read(source)[2]
    assert report.frames_in == report.frames_out == 9
    assert report.frames_generated == 0
    assert "x2-realtime" in report.engine
    assert {"decode", "upscale", "encode"} <= report.step_seconds.keys()
    assert not target.with_name("out.partial.mp4").exists()


def test_both_at_once(clip, tmp_path):
    source, target = clip("in.mp4", frames=12, size=(64, 48), fps=24), tmp_path / "out.mp4"
    report = run(settings(source, target, size="160x120", fps="60"))
    width, height, times = read(target)
    assert (width, height) == (160, 120)
    assert times == [Fraction(n, 60) for n in range(30)]
    assert report.frames_out == 30
    assert report.frames_generated > 0


def test_scale_one_runs_no_network(clip, tmp_path):
    report = run(settings(clip(), tmp_path / "out.mkv", scale=1))
    assert report.engine == ""
    assert "upscale" not in report.step_seconds
    assert read(tmp_path / "out.mkv")[:2] == (64, 48)


def test_a_shrinking_size_is_resampled(clip, tmp_path):
    report = run(settings(clip(), tmp_path / "out.mkv", size="32x24"))
    assert report.engine == ""
    assert read(tmp_path / "out.mkv")[:2] == (32, 24)


def test_start_and_end_keep_the_frames_between(clip, tmp_path):
    source = clip("in.mp4", frames=50, size=(64, 48), fps=25)
    report = run(settings(source, tmp_path / "out.mp4", start=Fraction(1, 2), end=Fraction(1)))
    times = read(tmp_path / "out.mp4")[2]
    assert report.frames_out == 12
    assert times == [Fraction(n, 25) - Fraction(1, 2) for n in range(13, 25)]
    with pytest.raises(InputError, match="no picture"):
        run(settings(source, tmp_path / "none.mp4", start=Fraction(90)))
    assert not list(tmp_path.glob("none*"))


def test_ten_bits_stay_ten_bits(clip, tmp_path):
    source = clip("in.mkv", pix_fmt="yuv420p10le", frames=4)
    run(settings(source, tmp_path / "out.mkv", codec="ffv1", preset=None))
    with av.open(tmp_path / "out.mkv") as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p10le"


def test_progress_counts_up_to_the_whole(clip, tmp_path):
    seen = []
    run(settings(clip("in.mp4", frames=9), tmp_path / "out.mp4"), seen.append)
    assert [progress.frames for progress in seen] == list(range(1, 10))
    assert seen[-1].done == seen[-1].total == Fraction(9, 25)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({"size": "huge"}, UsageError),
        ({"fps": "fast"}, UsageError),
        ({"scale": 2, "size": "1080p"}, UsageError),
        ({"backend": "vulkan"}, UsageError),
        ({"codec": "mpeg1"}, UsageError),
        ({"crf": 900.0}, UsageError),
    ],
)
def test_wrong_words_leave_nothing_behind(clip, tmp_path, words, error):
    with pytest.raises(error):
        run(settings(clip(), tmp_path / "out.mkv", **words))
    assert not list(tmp_path.glob("out*"))


def test_the_source_itself_is_never_written(clip):
    source = clip()
    before = source.read_bytes()
    with pytest.raises(OutputError, match="input itself"):
        run(settings(source, source, overwrite=True))
    assert source.read_bytes() == before
