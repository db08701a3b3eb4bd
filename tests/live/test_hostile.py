"""Rubbish, endless headers, sizes that change a thousand times: bounded, and said."""

import socket
from fractions import Fraction
from threading import Thread
from time import sleep
from types import SimpleNamespace

import av
import numpy as np
import pytest

from vidgen.errors import InputError
from vidgen.media.live import LiveInput, peer


@pytest.fixture
def attacked():
    """`attacked(data)`: what a listener makes of a sender who says `data` over and over."""

    def attack(chunks, **words):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        thread = Thread(target=_send, args=(port, chunks), daemon=True)
        thread.start()
        try:
            with LiveInput(f"tcp://127.0.0.1:{port}", listen=True, **words) as source:
                return list(source)
        finally:
            thread.join(timeout=60)

    return attack


def _send(port, chunks):
    for _ in range(600):
        try:
            sender = socket.create_connection(("127.0.0.1", port), timeout=1)
            break
        except OSError:
            sleep(0.05)
    with sender:
        try:
            for chunk in chunks:
                sender.sendall(chunk)
        except OSError:
            return  # the listener has heard enough


@pytest.mark.parametrize("container", [None, "mpegts", "flv", "matroska"])
def test_rubbish(attacked, container):
    rng = np.random.default_rng(5)
    chunks = [rng.integers(0, 256, 65536).astype(np.uint8).tobytes() for _ in range(64)]
    with pytest.raises(InputError, match=r"cannot be opened|no video|first picture"):
        attacked(chunks, container=container)


def test_a_header_without_end(attacked, monkeypatch):
    """FLV script data, megabyte after megabyte: given up after a while, whatever comes."""
    monkeypatch.setattr(peer, "_OPENING_SECONDS", 1)
    size = 1 << 16
    tag = (
        b"\x12" + size.to_bytes(3, "big") + bytes(7) + bytes(size) + (size + 11).to_bytes(4, "big")
    )

    def chunks():
        yield b"FLV\x01\x05\x00\x00\x00\x09" + bytes(4)
        while True:
            yield tag

    with pytest.raises(InputError, match=r"cannot be opened|no picture|first picture|no video"):
        attacked(chunks(), container="flv")


def test_attachments_without_end(attacked, monkeypatch):
    """Matroska's, which the demuxer keeps, each of a megabyte: memory stays bounded."""
    monkeypatch.setattr(peer, "_MOST_BYTES", 8 << 20)
    fields = {"466e": b"a.ttf", "4660": b"font/ttf", "465c": bytes(1 << 20), "46ae": b"\1"}
    file = b"".join(_element(each, data) for each, data in fields.items())
    sent = []

    def chunks():
        yield _element("1a45dfa3", _element("4282", b"matroska"))
        yield bytes.fromhex("18538067 01ffffffffffffff")  # a segment of unknown length
        while True:
            sent.append(len(file))
            yield _element("1941a469", _element("61a7", file))

    with pytest.raises(InputError, match="sends 8 MiB without a picture"):
        attacked(chunks())
    assert sum(sent) < 64 << 20  # the kernel holds some of it


def _element(name, data):
    """As Matroska writes it: RFC 8794."""
    return bytes.fromhex(name) + (len(data) | 1 << 56).to_bytes(8, "big") + data


def test_a_thousand_changes_of_size(tmp_path):
    """All pictures have the size of the first one, and none is lost."""
    one, other = (_picture(size) for size in ((64, 48), (96, 32)))
    (tmp_path / "in.h264").write_bytes(b"".join([one, other] * 500))
    with LiveInput(str(tmp_path / "in.h264")) as source:
        shapes = [frame.y.shape for frame in source]
    assert len(shapes) == 1000
    assert {*shapes} == {(48, 64)}


def test_fields_whose_size_changes(tmp_path):
    """The large ones come first: what made them whole must not be given the small ones."""
    one, other = (_picture(size, "interlaced=1:tff=1") for size in ((640, 480), (64, 32)))
    (tmp_path / "in.h264").write_bytes(b"".join([one, other, other] * 50))
    with LiveInput(str(tmp_path / "in.h264")) as source:
        frames = list(source)
        assert source.notes
    assert len(frames) == 150
    assert {frame.y.shape for frame in frames} == {(480, 640)}
    assert {int(frame.y.max()) for frame in frames} == {int(frames[0].y.max())}


def _picture(size, params=""):
    """One keyframe with its headers."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = size
    encoder.pix_fmt, encoder.time_base = "yuv420p", Fraction(1, 25)
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": params}
    frame = av.VideoFrame(*size, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.pts = 0
    return b"".join(bytes(each) for each in [*encoder.encode(frame), *encoder.encode(None)])


@pytest.mark.parametrize(
    ("container", "other", "said"),
    [
        ("flv", "flv", "another codec"),
        ("ts", "mpeg2video", "laid out anew|nothing that can be decoded"),
    ],
)
def test_another_codec_in_mid_stream(attacked, clip, container, other, said):
    """Without sound, whose packets would go on, there is nothing else by which to tell.

    What comes while the stream is still being found out is decoded before its tables are heard.
    """
    first, then = (
        clip(f"{codec}.{container}", frames=50, codec=codec, options={"g": "10"}).read_bytes()
        for codec in ("libx264", other)
    )

    after = then[13:] if container == "flv" else then  # without the header of the file
    with pytest.raises(InputError, match=said):
        attacked([first, *[after] * 40])


def test_sound_alone_in_mid_stream(attacked, clip):
    """It goes on, and no picture comes any more."""
    whole = clip("in.ts", frames=50, audio="aac").read_bytes()
    packets = [whole[n : n + 188] for n in range(0, len(whole), 188)]
    sound = b"".join(each for each in packets if (each[1] & 31, each[2]) == (1, 1))  # its PID

    def chunks():
        yield whole
        for _ in range(100):
            sleep(0.05)
            yield sound

    with pytest.raises(InputError, match="no pictures any more"):
        attacked(chunks(), stall_seconds=1)


def test_damaged_packets_are_counted(clip, tmp_path):
    whole = bytearray(clip("in.ts", frames=50, options={"g": "5", "bf": "0"}).read_bytes())
    with LiveInput(str(tmp_path / "in.ts")) as source:
        assert len(list(source)) == 50
        assert source.damaged == 0
    for packet in range(40, len(whole) // 188, 15):
        whole[188 * packet + 3] ^= 0b1000  # the continuity counter: a packet before it is lost
    (tmp_path / "in.ts").write_bytes(whole)
    with LiveInput(str(tmp_path / "in.ts")) as source:
        list(source)
        assert source.damaged > 0


def test_interlaced_pictures_are_made_whole(clip, tmp_path):
    film = clip("in.mp4", frames=20, options={"x264-params": "interlaced=1:tff=1"})
    with LiveInput(str(film)) as source:
        frames = list(source)
        assert source.notes == ["interlaced: fields are made whole by bwdif, a picture a frame"]
    assert len(frames) == 20
    assert [frame.pts for frame in frames] == sorted({frame.pts for frame in frames})
    assert not any(frame.interlaced for frame in frames)


def test_closing_ends_the_helper(clip):
    """Also where the stream was never read, as when another setting is refused."""
    source, ended = LiveInput(str(clip("in.mp4"))), []
    source._relay = SimpleNamespace(close=lambda: ended.append(True))
    source.close()
    assert ended == [True]
