"""What a file holds, said in FFmpeg's words."""

import struct
from fractions import Fraction

import pytest

from vidgen.media import Chapter, probe


def test_everything_that_is_there(film, cover_png):
    path = film(
        "a.mp4",
        frames=25,
        fps=Fraction(24000, 1001),
        audio=(("aac", "eng"), ("ac3", "ger")),
        subtitles=(("mov_text", "ger"),),
        chapters=((0, 400, "one"), (400, 1000, "two")),
        cover=cover_png,
        metadata={"title": "a film"},
        sample_aspect_ratio=Fraction(4, 3),
        rotation=90,
    )
    info = probe(path)
    assert info.path == path
    assert "mp4" in info.container
    assert info.codec == "h264"
    assert info.pix_fmt == "yuv420p"
    assert info.frames == 25
    assert not info.interlaced
    assert info.start == 0
    assert abs(info.duration - Fraction(25 * 1001, 24000)) < Fraction(1, 25)
    assert (info.video.width, info.video.height) == (64, 48)
    assert info.video.fps == Fraction(24000, 1001)
    assert info.video.sample_aspect_ratio == Fraction(4, 3)
    assert info.video.rotation == 90
    assert info.tags["title"] == "a film"
    assert info.chapters == (
        Chapter(Fraction(0), Fraction(4, 10), "one"),
        Chapter(Fraction(4, 10), Fraction(1), "two"),
    )
    kept = [stream for stream in info.streams if stream.type != "data"]  # the chapters' own track
    assert [(stream.type, stream.codec, stream.language) for stream in kept] == [
        ("video", "h264", ""),
        ("audio", "aac", "eng"),
        ("audio", "ac3", "ger"),
        ("subtitle", "mov_text", "ger"),
        ("video", "png", ""),
    ]
    assert [stream.attached_pic for stream in kept] == [False] * 4 + [True]


def test_titles_and_dispositions_of_matroska(film):
    info = probe(film(audio=(("aac", "eng"),), subtitles=(("subrip", "eng"), ("ass", "ger"))))
    assert info.streams[1].title == "track 0"
    assert [stream.forced for stream in info.streams] == [False, False, False, True]


def test_frames_are_estimated_where_they_are_not_stated(film):
    assert probe(film("a.mkv", frames=50)).frames == 50
    assert probe(film("a.h264", frames=5)).frames is None


def test_interlaced(film):
    path = film(codec="mpeg2video", name="a.ts", options={"flags": "+ildct+ilme", "top": "1"})
    assert probe(path).interlaced


def test_a_film_without_stated_rate_or_duration(film):
    info = probe(film("a.h264", frames=5))
    assert info.duration is None
    assert info.video.fps == 25


@pytest.mark.parametrize("name", ["a.mkv", "a.nut", "a.mp4", "a.ts"])
@pytest.mark.parametrize("shift", [0, 7, 100])
def test_the_length_of_a_film_whose_clock_begins_late(film, name, shift):
    """Matroska and NUT count it from 0."""
    path = film(name, frames=50, audio=[("libmp3lame", "eng")], shift=Fraction(shift))
    info = probe(path)
    assert abs(info.start - shift) < 2
    assert abs(info.duration - 2) < Fraction(1, 5)
    assert abs(info.frames - 50) <= 5


def test_a_length_that_is_counted_from_the_beginning(film):
    """As mkvmerge does: what FFmpeg has written, with another number."""
    path = film(frames=200, shift=Fraction(7), options={"g": "25"})
    data, duration = path.read_bytes(), b"\x44\x89\x88"  # a double, in milliseconds
    assert data.count(duration) == 1
    at = data.index(duration) + len(duration)
    assert struct.unpack(">d", data[at : at + 8])[0] == pytest.approx(15000, abs=100)
    for stated in (8000, 15000):
        path.write_bytes(data[:at] + struct.pack(">d", stated) + data[at + 8 :])
        assert abs(probe(path).duration - 8) < Fraction(1, 5)
