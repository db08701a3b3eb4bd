"""What pictures carry and the output cannot: each is made by hand, and each is said."""

import struct

import av
import pytest

from vidgen.errors import InputError
from vidgen.job import Settings
from vidgen.media import Decoder, probe, require_showable
from vidgen.segments import run

CAPTIONS = bytes.fromhex("b50031") + b"GA94" + bytes.fromhex("03c1fffc9420ff")
HDR10_PLUS = bytes.fromhex("b5003c00010401") + b"\x40" + bytes(80)
RPU = b"\0\0\1\x7c\x01" + bytes(range(25, 60))  # a unit of type 62, as in Dolby Vision profile 8
SEI = {"libx264": b"\x06", "libx265": b"\x4e\x01"}


def escaped(data: bytes) -> bytes:
    """Without three bytes that look like the beginning of a unit."""
    out = bytearray()
    for byte in data:
        if out[-2:] == b"\0\0" and byte <= 3:
            out.append(3)
        out.append(byte)
    return bytes(out)


def with_sei(source, target, codec: str, payload: bytes, behind: bytes = b""):
    """A raw stream with user data registered by ITU-T T.35 before its first picture."""
    unit = SEI[codec] + escaped(bytes([4, len(payload)]) + payload + b"\x80")
    with av.open(str(source)) as container, target.open("wb") as file:
        annex_b = av.bitstream.BitStreamFilterContext(
            f"{'h264' if codec == 'libx264' else 'hevc'}_mp4toannexb", container.streams.video[0]
        )
        for number, packet in enumerate(container.demux(container.streams.video[0])):
            if not packet.size:
                continue
            for out in annex_b.filter(packet):
                data = bytes(out)
                if not number:  # after the heads, before the picture
                    slices = (b"\0\0\1\x65", b"\0\0\1\x26\1", b"\0\0\1\x28\1", b"\0\0\1\x2a\1")
                    place = next(data.index(s) for s in slices if s in data)
                    data = data[:place] + b"\0\0\1" + unit + data[place:] + behind
                file.write(data)
    return target


def notes(path) -> list[str]:
    with Decoder(path) as decoder:
        return [note for note in decoder.notes if "its colour" not in note]


def test_captions_inside_the_video(film, tmp_path):
    whole = film("a.mp4", frames=3)
    path = with_sei(whole, tmp_path / "b.h264", "libx264", CAPTIONS)
    assert notes(whole) == []
    assert [note[:32] for note in notes(path)] == ["closed captions inside the video"]


def test_hdr10_plus(film, tmp_path):
    options = {"x265-params": "log-level=none"}
    whole = film("a.mp4", codec="libx265", pix_fmt="yuv420p10le", frames=3, options=options)
    path = with_sei(whole, tmp_path / "b.hevc", "libx265", HDR10_PLUS)
    assert notes(whole) == []
    assert notes(path) == ["HDR10+ scene data is not carried; the static levels of HDR10 are"]


def test_dolby_vision_is_said_before_the_work_and_after(film, tmp_path):
    options = {"x265-params": "log-level=none"}
    whole = film("a.mp4", codec="libx265", pix_fmt="yuv420p10le", frames=3, options=options)
    path, heard = with_sei(whole, tmp_path / "b.hevc", "libx265", HDR10_PLUS[:3], RPU), []
    settings = Settings(source=path, target=tmp_path / "out.mkv", scale=1)
    report = run(settings, lambda _: heard.append("a frame"), heard.append)
    note = "Dolby Vision data is not carried; the picture under it is kept as it is"
    assert heard == [f"note: {note}", *["a frame"] * 3]
    assert note in report.notes


def with_box(data: bytes, path: list[bytes], box: bytes) -> bytes:
    """An MP4 with `box` at the end of the box that `path` leads to."""
    out, at = b"", 0
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        part = data[at : at + size]
        if path and name == path[0]:
            head = {b"stsd": 16, b"hvc1": 86}.get(name, 8)
            inner = part[head:] + box if len(path) == 1 else with_box(part[head:], path[1:], box)
            part = struct.pack(">I", head + len(inner)) + part[4:head] + inner
        out, at = out + part, at + size
    return out


@pytest.mark.parametrize(("profile", "shown_as", "refused"), [(5, 0, True), (8, 1, False)])
def test_dolby_vision_that_is_nothing_without_its_data(film, tmp_path, profile, shown_as, refused):
    options = {"x265-params": "log-level=none"}
    video = {"codec": "libx265", "pix_fmt": "yuv420p10le", "size": (64, 64), "options": options}
    plain = film("a.mp4", frames=3, **video)
    record = bytes([1, 0]) + (profile << 9 | 0b1101).to_bytes(2, "big") + bytes([shown_as << 4])
    box = struct.pack(">I4s", 32, b"dvcC") + record + bytes(24 - len(record))
    path = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"hvc1"]
    data = plain.read_bytes().replace(b"hev1", b"hvc1")
    (tmp_path / "b.mp4").write_bytes(with_box(data, path, box))
    require_showable(probe(plain))
    settings = Settings(source=tmp_path / "b.mp4", target=tmp_path / "out.mkv", scale=1)
    if refused:
        with pytest.raises(InputError, match=r"Dolby Vision profile 5; .* convert it to HDR10"):
            run(settings)
    else:
        assert run(settings).frames_out == 3


@pytest.mark.parametrize(("a", "b", "c", "d", "mirrored"), [
    (-1, 0, 0, 1, True), (1, 0, 0, -1, True), (0, 1, 1, 0, True),
    (-1, 0, 0, -1, False), (0, 1, -1, 0, False),
])  # fmt: skip
def test_a_mirrored_film_says_so(film, a, b, c, d, mirrored):
    path = film("a.mp4", frames=3)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # the matrix of a track's head, version 0
    for place, value in ((0, a), (4, b), (12, c), (16, d)):
        data[at + place : at + place + 4] = (value << 16).to_bytes(4, "big", signed=True)
    path.write_bytes(data)
    told = ["that the picture is shown mirrored is not carried: it comes out unmirrored"]
    assert notes(path) == (told if mirrored else [])
