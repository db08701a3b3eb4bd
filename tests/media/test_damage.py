"""Damage is counted and passed over; a film that breaks off is read as far as it goes, and said."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vidgen.errors import InputError, TruncatedError
from vidgen.media import Decoder
from vidgen.media.packets import Packets


def decode(path: Path, **kwargs):
    with Decoder(path, **kwargs) as decoder:
        return list(decoder)


def rewritten(source: Path, target: Path, change) -> Path:
    """`source` with the data of its video packets passed through `change(number, bytes)`."""
    with av.open(str(source)) as container, av.open(str(target), "w") as output:
        stream = output.add_stream_from_template(container.streams.video[0], opaque=True)
        number = 0
        for packet in container.demux(container.streams.video[0]):
            if not packet.size:
                continue
            copy = av.Packet(change(number, bytes(packet)))
            copy.pts, copy.dts, copy.duration = packet.pts, packet.dts, packet.duration
            copy.time_base, copy.is_keyframe = packet.time_base, packet.is_keyframe
            copy.stream = stream
            output.mux_one(copy)
            number += 1
    return target


def test_damaged_packet_is_counted_and_passed_over(film, tmp_path, caplog):
    whole = film("a.mov", codec="png", pix_fmt="rgb24", frames=12, picture=_rgb_flat)
    path = rewritten(whole, tmp_path / "b.mov", lambda n, data: b"junk" * 9 if n == 4 else data)
    with Decoder(path) as decoder:
        frames = list(decoder)
        assert decoder.failures == 1
        assert "1 damaged packets were skipped" in decoder.notes
    assert len(frames) == 11
    assert frames[3].end == frames[4].time == Fraction(5, 25)
    assert "cannot be decoded" in caplog.text


def _rgb_flat(number: int) -> av.VideoFrame:
    frame = av.VideoFrame(64, 48, "rgb24")
    frame.planes[0].update(np.full(frame.planes[0].buffer_size, 20 * number, np.uint8))
    return frame


def test_eight_damaged_packets_in_a_row_are_the_end(film, tmp_path):
    whole = film(
        "a.mov", codec="png", pix_fmt="rgb24", frames=20, picture=lambda n: _rgb_flat(n % 12)
    )
    path = rewritten(whole, tmp_path / "b.mov", lambda n, data: b"junk" * 9 if n > 4 else data)
    frames = []
    with (
        Decoder(path) as decoder,
        pytest.raises(TruncatedError, match="8 damaged packets in a row"),
    ):
        frames += decoder
    assert len(frames) == 5


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts", "a.avi"])
@pytest.mark.parametrize("audio", [(), (("aac", "eng"),)])
def test_truncated_film_is_read_as_far_as_it_goes(film, levels, name, audio):
    path = film(
        name,
        codec="mpeg4" if name == "a.avi" else "libx264",
        frames=150,
        options={"g": "10"},
        muxer_options={"movflags": "faststart"} if name == "a.mp4" else {},
        picture=_noise,
        audio=audio,
    )
    whole = [frame.pts for frame in decode(path)]
    assert len(whole) == 150
    cut(path, 0.55)
    frames = []
    with Decoder(path) as decoder, pytest.raises(TruncatedError) as raised:
        frames.extend(frame.pts for frame in decoder)
    assert 60 < len(frames) < 110
    assert frames == whole[: len(frames)]
    assert str(path) in str(raised.value)
    assert "broke off at 0:00:03" in str(raised.value) or "broke off at 0:00:02" in str(
        raised.value
    )
    assert "\n" not in str(raised.value)


def _noise(number: int) -> av.VideoFrame:
    frame = av.VideoFrame(64, 48, "yuv420p")
    random = np.random.default_rng(number)
    for plane in frame.planes:
        plane.update(random.integers(0, 255, plane.buffer_size, np.uint8))
    return frame


def test_a_range_before_the_break_is_whole(film):
    path = film(frames=150, options={"g": "10"}, picture=_noise)
    cut(path, 0.55)
    assert len(decode(path, end=Fraction(2))) == 50


def test_mp4_without_its_index_says_so(film):
    path = cut(film("a.mp4", frames=40), 0.6)
    with pytest.raises(InputError, match=r"a\.mp4: cannot be read as video \(the index \(moov\)"):
        Decoder(path)


def test_stated_length_that_is_no_time_is_passed_over(film):
    path = film()
    data = path.read_bytes()
    assert data.count(b"00:00:00.480000000") == 1
    path.write_bytes(data.replace(b"00:00:00.480000000", b"00:00:00.4800\xff0000"))
    assert len(decode(path)) == 12


def test_a_stream_that_begins_late_is_no_error(film, caplog):
    """PyAV does not know a stream that shows up on the way, and may trip over it at the end."""

    class Stumbling:
        def __init__(self, container) -> None:
            self.format, self.packets = container.format, list(container.demux())

        def demux(self):
            yield from self.packets
            raise IndexError("list index out of range")

    path = film()
    with av.open(str(path)) as container:
        assert len(list(Packets(Stumbling(container), path))) == 12
    assert "a stream that begins late is not read" in caplog.text


def test_sound_that_the_muxer_refuses_is_left_out(film, tmp_path, redo, packets):
    """One damaged head of AAC in a broadcast must not cost the film."""
    path = film("a.ts", frames=50, audio=(("aac", "eng"),))
    data = bytearray(path.read_bytes())
    head = -1
    for _ in range(20):
        head = data.index(b"\xff\xf1\x4c", head + 1)
    data[head + 1] &= 0xFE  # with a checksum
    data[head + 6] |= 1  # over two blocks, which FFmpeg cannot take apart
    path.write_bytes(data)
    notes = redo(path, tmp_path / "out.mkv")
    assert notes == ["1 damaged packets of other streams were left out"]
    before, after = packets(path), packets(tmp_path / "out.mkv")
    assert len(after[0]) == 50
    assert len(after[1]) == len(before[1]) - 1
