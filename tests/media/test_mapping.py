"""`--map`: FFmpeg's words choose the streams, and one that means nothing is refused."""

import av
import pytest

from vidgen.errors import UsageError
from vidgen.media import probe
from vidgen.media.mapping import require_map, wanted_streams

ALL = {0, 1, 2, 3, 4, 5}
MAPS = {
    (): ALL,
    ("0",): ALL,
    ("0:a",): {1, 2},
    ("0:a:1",): {2},
    ("0:3",): {3},
    ("0:v", "0:a:m:language:ger"): {0, 2},
    ("-0:s",): {0, 1, 2, 5},
    ("0", "-0:a:0", "-0:t"): {0, 2, 3, 4},
    ("0:m:language:ENG",): {1, 3},
    ("0:d?",): set(),
    ("-0",): set(),
}


@pytest.fixture
def full(film):
    return film(
        audio=[("flac", "eng"), ("aac", "ger")],
        subtitles=[("subrip", "eng"), ("subrip", "ger")],
        attachments=[("a.ttf", "font/ttf", b"a font")],
    )


@pytest.mark.parametrize("words", MAPS, ids=" ".join)
def test_words_mean_what_they_mean_to_ffmpeg(full, words):
    with av.open(str(full)) as container:
        assert wanted_streams(container, words) == MAPS[words]


def test_only_what_is_wanted_is_written(full, tmp_path, redo):
    assert redo(full, tmp_path / "out.mkv", maps=("0:a:1", "0:s:0")) == []
    kept = [(stream.type, stream.language) for stream in probe(tmp_path / "out.mkv").streams]
    assert kept == [("video", ""), ("audio", "ger"), ("subtitle", "eng")]


def test_what_the_container_cannot_hold_may_be_left_out(film, tmp_path, redo):
    source = film(audio=[("flac", "eng"), ("aac", "ger")])
    redo(source, tmp_path / "out.ts", maps=("-0:a:0",))
    assert [stream.codec for stream in probe(tmp_path / "out.ts").streams] == ["h264", "aac"]


def test_a_word_that_meets_nothing_is_refused(full):
    with av.open(str(full)) as container, pytest.raises(UsageError, match="0:a:7: no such stream"):
        wanted_streams(container, ["0:a:7"])


@pytest.mark.parametrize("word", ["1:a", "a", "0:x", "0:a:eng", "", "0:[out]"])
def test_a_word_that_is_none_is_refused(word):
    with pytest.raises(UsageError, match="not understood; give 0, 0:a"):
        require_map([word])
