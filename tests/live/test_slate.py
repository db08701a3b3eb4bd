"""What a sink is sent before there is a source."""

import socket
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from vidgen.errors import InputError, UsageError
from vidgen.live.clock import MachineClock
from vidgen.live.settings import LiveSettings
from vidgen.live.slate import Slate

WORDS = {"source": "tcp://there:1", "size": "64x48", "fps": "25"}


@pytest.fixture
def received(tmp_path):
    """`received(slate)`: the sink's pictures, and for how long the slate says that it was shown."""

    def receive(name):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reader:
            reader.bind(("127.0.0.1", 0))
            reader.settimeout(60)
            sink = f"udp://127.0.0.1:{reader.getsockname()[1]}?pkt_size=1316"
            slate = Slate(LiveSettings(sink=sink, slate=name, **WORDS), MachineClock())
            data = b"".join(reader.recv(65536) for _ in range(12))
            slate.close()
        (tmp_path / "got.ts").write_bytes(data)
        with av.open(tmp_path / "got.ts") as film:
            return list(film.decode(video=0)), slate.seconds

    return receive


def test_black(received):
    pictures, seconds = received("black")
    assert {(each.width, each.height) for each in pictures} == {(64, 48)}
    assert max(each.to_ndarray()[:48].max() for each in pictures) <= 17
    assert seconds >= Fraction(len(pictures), 25)


def test_a_picture(received, tmp_path):
    """Of another size, scaled; its colour stays."""
    cv2.imwrite(str(tmp_path / "card.png"), np.full((30, 40, 3), (0, 0, 255), np.uint8))
    pictures, _ = received(str(tmp_path / "card.png"))
    red = pictures[0].to_ndarray(format="rgb24").reshape(-1, 3).mean(0)
    assert red == pytest.approx((255, 0, 0), abs=12)


def test_none_is_none():
    slate = Slate(LiveSettings(sink="out.ts", **WORDS), MachineClock())
    slate.close()
    assert slate.seconds == 0


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"sink": "out.ts"}, UsageError, "leave --slate out"),
        ({"fps": None}, UsageError, "give --size and --fps"),
        ({"fps": "x2"}, UsageError, "--fps x2"),
        ({"slate": "none.png"}, InputError, "none.png"),
    ],
)
def test_refusals(words, error, message):
    settings = LiveSettings(**{"sink": "udp://127.0.0.1:9", "slate": "black", **WORDS, **words})
    with pytest.raises(error, match=message):
        Slate(settings, MachineClock())
