"""A stream that is joined while it runs, as RTMP servers give it: sound first, pictures later."""

import socket
from contextlib import suppress
from itertools import takewhile
from threading import Thread

import pytest

from vidgen.errors import InputError
from vidgen.frame import Frame
from vidgen.media.live import LiveInput

VIDEO, SOUND = 9, 8


def tags(data):
    """(kind, milliseconds, whole tag) of FLV after its header of 13 bytes."""
    place = 13
    while place < len(data):
        end = place + 15 + int.from_bytes(data[place + 1 : place + 4])
        yield data[place], int.from_bytes(data[place + 4 : place + 7]), data[place:end]
        place = end


def joined(film, milliseconds):
    """The film without its script, and without pictures before then; its headers stay."""
    data = film.read_bytes()
    all_tags = [each for each in tags(data) if each[0] in (VIDEO, SOUND)]
    header = next(tag for kind, _, tag in all_tags if kind == VIDEO)
    before = takewhile(lambda each: each[1] < milliseconds, all_tags)
    sound = [tag for kind, _, tag in before if kind == SOUND]
    rest = [tag for _, time, tag in all_tags if time >= milliseconds]
    return b"".join([data[:13], *sound, header, *rest])


@pytest.fixture
def served():
    """`served(data)`: a URL at which each of three callers gets that."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve(data):
            for _ in range(3):
                with suppress(OSError), server.accept()[0] as reader:
                    reader.sendall(data)

        def start(data):
            Thread(target=serve, args=(data,), daemon=True).start()
            return f"tcp://127.0.0.1:{server.getsockname()[1]}"

        yield start


@pytest.fixture
def film(clip):
    return clip("in.flv", frames=100, audio="aac", options={"g": "25", "bf": "0"})


@pytest.mark.parametrize("milliseconds", [0, 3000])
def test_pictures_may_begin_with_a_later_keyframe(served, film, milliseconds):
    with LiveInput(served(joined(film, milliseconds))) as source:
        assert source.kinds == ["audio aac"]
        frames = [each for each in source if isinstance(each, Frame)]
    assert len(frames) == 100 - milliseconds // 40


def test_they_are_waited_for_no_longer_than_a_stall(served, film):
    url = served(joined(film, 3000))
    with pytest.raises(InputError, match="holds no video"):
        LiveInput(url, stall_seconds=2)
