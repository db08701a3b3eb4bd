"""HDR10+ data goes with its picture, by FFmpeg's own reading of it, in pieces and between them."""

from fractions import Fraction

import av
import pytest
from av.sidedata.sidedata import Type

from vidgen.job import Settings
from vidgen.media import Decoder
from vidgen.media.scenes import scene_data
from vidgen.segments import run

HDR = {"color_range": 1, "colorspace": 9, "color_primaries": 9, "color_trc": 16}
NOT_CARRIED = "HDR10+ scene data is not carried; --codec x265 takes it"


def message(number: int, windows: int = 1) -> bytes:
    """For a screen of `number` cd/m2; the rest of it is 0."""
    bits = (windows << 30 | number << 3).to_bytes(4, "big")
    return bytes.fromhex("b5003c00010401") + bits + bytes(60)


def escaped(data: bytes) -> bytes:
    out = bytearray()
    for byte in data:
        if out[-2:] == b"\0\0" and byte <= 3:
            out.append(3)
        out.append(byte)
    return bytes(out)


@pytest.fixture
def source(film, tmp_path):
    """`source(suffix)`: thirty pictures with B-frames; each says its number, plus 256."""

    def make(suffix=".mp4", windows=1):
        options = {"x265-params": "log-level=error:bframes=3", "crf": "10"}
        words = {"codec": "libx265", "pix_fmt": "yuv420p10le", "size": (64, 64), "frames": 30}
        plain = film("plain.mp4", tags=HDR, options=options, **words)
        told = tmp_path / f"told{suffix}"
        with av.open(plain) as reader, av.open(told, "w") as writer:
            stream = reader.streams.video[0]
            copy = writer.add_stream_from_template(stream)
            for packet in reader.demux(stream):
                if not packet.size:
                    continue
                said = message(256 + round(packet.pts * packet.time_base * 25), windows)
                unit = b"\x4e\x01" + escaped(bytes([4, len(said)]) + said + b"\x80")
                more = av.Packet(len(unit).to_bytes(4, "big") + unit + bytes(packet))
                more.pts, more.dts, more.time_base = packet.pts, packet.dts, packet.time_base
                more.is_keyframe, more.duration, more.stream = (
                    packet.is_keyframe,
                    packet.duration,
                    copy,
                )
                writer.mux(more)
        return told

    return make


def told_by(path):
    """(time, screen's cd/m2 as FFmpeg reads it) of each picture."""
    found = []
    with av.open(path) as container:
        for picture in container.decode(video=0):
            said = {data.type: bytes(data) for data in picture.side_data}
            found.append((picture.pts * picture.time_base, said.get(Type.DYNAMIC_HDR_PLUS)))
    return found


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts"])
def test_each_picture_keeps_its_own(source, tmp_path, suffix):
    film, target = source(suffix), tmp_path / "out.mkv"
    before = told_by(film)
    assert len({said for _, said in before}) == 30
    words = {"scale": 2, "codec": "x265", "preset": "ultrafast", "segment": Fraction(1)}
    report = run(Settings(source=film, target=target, **words))
    assert [said for _, said in told_by(target)] == [said for _, said in before]
    assert not any("HDR10+" in note for note in report.notes)


def test_made_pictures_have_that_of_the_one_before(source, tmp_path):
    film, target = source(), tmp_path / "out.mp4"
    words = {"scale": 1, "fps": "50", "codec": "x265", "preset": "ultrafast"}
    run(Settings(source=film, target=target, **words))
    known = [said for _, said in told_by(film)]
    shown = [known.index(said) for _, said in told_by(target)]
    assert len(shown) == 60
    assert all(abs(2 * number - n) <= 1 for n, number in enumerate(shown))


def test_other_codecs_say_that_they_do_not_take_it(source, tmp_path):
    words, heard = {"scale": 1, "preset": "ultrafast"}, []
    settings = Settings(source=source(), target=tmp_path / "out.mkv", **words)
    report = run(settings, lambda _: heard.append("a frame"), heard.append)
    assert heard == [f"note: {NOT_CARRIED}", *["a frame"] * 30]  # before the work
    assert report.notes.count(NOT_CARRIED) == 1


def test_sdr_needs_none(source, tmp_path):
    film, target = source(), tmp_path / "out.mkv"
    words = {"scale": 1, "preset": "ultrafast", "codec": "x265", "hdr": "sdr"}
    report = run(Settings(source=film, target=target, **words))
    assert {said for _, said in told_by(target)} == {None}
    assert not any("HDR10+" in note for note in report.notes)


def test_windows_of_the_picture_would_not_fit(source):
    with Decoder(source(windows=2)) as decoder:
        assert any("HDR10+" in note for note in decoder.notes)
        assert not any(frame.scene for frame in decoder)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\0\x02\x4e",
        b"\0\0\0\x06\x4e\x01\xff\xff\xff\xff",
        b"\xff\xff\xff\xff\x4e\x01\x04\x40",
        b"\0\0\1",
        b"\0\0\1\x4e",
        b"\0\0\1\x4e\x01\x04\xff",
    ],
)
@pytest.mark.parametrize("length", [0, 4])
def test_damaged_units_say_nothing(data, length):
    assert scene_data(data, length) == b""
