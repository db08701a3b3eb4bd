"""A finished Matroska file is told how it is to be shown, and is else what it was."""

from fractions import Fraction
from zlib import crc32

import av
import pytest

from vidgen.media import probe
from vidgen.media.matroska import tell_display_aspect

FONTS = [("font.ttf", "application/x-truetype-font", b"a font " * 40)]
RICH = {
    "codec": "ffv1",
    "frames": 50,
    "audio": (("aac", "eng"), ("flac", "fre")),
    "subtitles": (("subrip", "eng"),),
    "chapters": ((0, 800, "one"), (800, 2000, "two")),
    "attachments": FONTS,
    "metadata": {"title": "a film"},
}


def size_at(data, at):
    """The number at `at`, and where it ends."""
    length = 9 - data[at].bit_length()
    return int.from_bytes(data[at : at + length]) & ((1 << 7 * length) - 1), at + length


def children(data, begin, end):
    """(id, content begin, content end), one after the other without a gap."""
    while begin < end:
        named = begin + 9 - data[begin].bit_length()
        size, content = size_at(data, named)
        yield data[begin:named].hex(), content, content + size
        begin = content + size
    assert begin == end


@pytest.mark.parametrize("aspect", [Fraction(16, 9), Fraction(1_000_003, 999_983)])
def test_all_else_stays_in_its_place(film, packets, aspect):
    path = film(**RICH)
    before, packets_before, size = probe(path), packets(path), path.stat().st_size
    assert tell_display_aspect(path, aspect)
    found = probe(path)
    assert found.video.sample_aspect_ratio == aspect / Fraction(64, 48)
    assert (found.streams, found.chapters, found.tags) == (
        before.streams,
        before.chapters,
        before.tags,
    )
    assert packets(path) == packets_before
    assert path.stat().st_size == size
    with av.open(path) as container:
        assert [each.data for each in container.streams.attachments] == [FONTS[0][2]]
        container.seek(1_000_000)  # by the index at the end, which the head points to
        assert next(container.decode(video=0)).pts > 0


def test_places_and_checksums_are_right(film):
    path = film(**RICH)
    assert tell_display_aspect(path, Fraction(16, 9))
    data = path.read_bytes()
    (_, _, end), (name, segment, _) = children(data, 0, len(data))
    assert name == "18538067"
    assert end < segment
    tops = {}
    for name, content, end in children(data, segment, len(data)):
        tops.setdefault(name, (content, end))
    for name in ("114d9b74", "1549a966", "1654ae6b"):
        (first, begin, end), *_ = children(data, *tops[name])
        assert first == "bf"
        assert data[begin:end] == crc32(data[end : tops[name][1]]).to_bytes(4, "little")
    for name, begin, end in children(data, *tops["114d9b74"]):
        if name == "4dbb":
            (_, id_begin, id_end), (_, at_begin, at_end) = children(data, begin, end)
            place = segment + int.from_bytes(data[at_begin:at_end])
            assert data[place : place + id_end - id_begin] == data[id_begin:id_end]


def test_without_room_the_file_stays_as_it_was(film):
    path = film("film.mp4", frames=2)
    before = path.read_bytes()
    assert not tell_display_aspect(path, Fraction(16, 9))
    assert path.read_bytes() == before
