"""Subtitles of a source pass where the sink's container can hold them, and are named where not."""

from fractions import Fraction

import av
import pytest

from tests.media.conftest import Film, write_film
from vidgen.live import LiveSettings, run
from vidgen.media.live import LiveInput

TEXTS = (("subrip", "eng"), ("ass", "ger"))


@pytest.fixture
def subtitled(tmp_path):
    """A second with two tracks of subtitles; NUT holds neither, Matroska both."""
    return write_film(tmp_path / "in.mkv", Film(frames=25, subtitles=TEXTS))


def test_each_kind_is_told(subtitled):
    with LiveInput(str(subtitled)) as source:
        assert len(source.others) == 2
        assert [kind.split()[0] for kind in source.kinds] == ["subtitle"] * 2
        assert not source.notes


@pytest.mark.parametrize(("name", "kept"), [("out.mkv", 2), ("out.ts", 0)])
def test_subtitles_pass_or_are_named(subtitled, tmp_path, name, kept):
    settings = LiveSettings(source=str(subtitled), sink=str(tmp_path / name), latency=Fraction(1))
    report = run(settings)
    with av.open(tmp_path / name) as film:
        assert len(film.streams.subtitles) == kept
        lines = [each for each in film.demux() if each.stream.type == "subtitle" and each.size]
    assert len(lines) == 5 * kept
    assert sum("subtitle stays behind" in note for note in report.notes) == 2 - kept
