"""Frames pulled from films, pipes and streams."""

import subprocess
import sys
from fractions import Fraction

import pytest

import vidgen
from vidgen.errors import InputError


def test_a_film_as_it_is(clip):
    path = clip(frames=4)
    with vidgen.open(path) as film:
        assert (film.format.width, film.format.height, film.format.fps) == (64, 48, 25)
        frames = list(film)
    assert [frame.time for frame in frames] == [Fraction(n, 25) for n in range(4)]


def test_a_film_through_the_stages(clip):
    frames = list(vidgen.stream(clip(frames=4), scale=2, fps="x2"))
    assert [frame.time for frame in frames] == [Fraction(n, 50) for n in range(8)]
    assert {frame.y.shape for frame in frames} == {(96, 128)}
    assert sum(frame.generated for frame in frames) == 3


def test_variable_times_are_kept(clip):
    stamps = [0, 30, 90, 130]
    path = clip(frames=4, pts=stamps, time_base=Fraction(1, 1000))
    assert [1000 * frame.time for frame in vidgen.stream(path, scale=2)] == stamps


def test_leaving_early_lets_go(clip):
    for frame in vidgen.stream(str(clip(frames=30)), scale=1):
        assert frame.y.shape == (48, 64)
        break


def test_standard_input(clip, tmp_path):
    path = clip("in.nut", frames=4, codec="ffv1")
    code = "import vidgen; print(*(frame.time for frame in vidgen.stream('-', scale=1)))"
    with path.open("rb") as given:
        done = subprocess.run(
            [sys.executable, "-c", code], stdin=given, capture_output=True, text=True, timeout=100
        )
    assert done.stdout.split() == ["0", "1/25", "2/25", "3/25"], done.stderr


def test_what_cannot_be_read(clip, tmp_path):
    with pytest.raises(InputError, match="no such file"):
        vidgen.open(tmp_path / "none.mkv")
    with pytest.raises(InputError, match="cannot be opened"):
        vidgen.open("tcp://127.0.0.1:9")
    with pytest.raises(InputError, match="holds no video"):
        next(vidgen.stream(clip("no.mkv", frames=0, audio="flac"), scale=1))
