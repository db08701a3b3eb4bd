"""What is missing of a film is said, though no packet is damaged; a healthy film says nothing."""

import re
from fractions import Fraction

import av
import numpy as np
import pytest

from vidgen.errors import TruncatedError
from vidgen.media import Decoder


def notes(path) -> list[str]:
    with Decoder(path) as decoder:
        for _ in decoder:
            pass
        return [note for note in decoder.notes if "its colour" not in note]


def test_pictures_missing_in_the_middle_are_counted(film):
    kept = [n for n in range(40) if n not in (7, 20, 21)]
    path = film("a.ts", pts=kept, options={"bf": "0"})
    said = "about 3 pictures are missing in the source (the first at 0:00:00): what is before"
    assert [note[: len(said)] for note in notes(path)] == [said]


def test_variable_rate_has_no_gaps(film):
    stamps = [0, 33, 66, 100, 400, 401, 500, 1000, 1020, 2000]
    assert notes(film(pts=stamps, time_base=Fraction(1, 1000), fps=Fraction(30))) == []


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.ts", "a.avi", "a.webm", "a.mov"])
def test_a_healthy_film_says_nothing(film, name):
    codec = {"a.avi": "mpeg4", "a.webm": "libvpx-vp9"}.get(name, "libx264")
    sound = "libopus" if name == "a.webm" else "libmp3lame"
    assert notes(film(name, codec=codec, frames=30, audio=[(sound, "eng")])) == []


@pytest.mark.parametrize("name", ["a.mkv", "a.nut", "a.mp4", "a.mov", "a.ts"])
def test_a_film_whose_clock_begins_late(film, name):
    """Some formats then count the length from 0 on, and cannot tell that nothing was before."""
    said = notes(film(name, frames=50, audio=[("libmp3lame", "eng")], shift=Fraction(7)))
    assert len(said) == (name in ("a.mkv", "a.nut"))
    assert all(re.match(r"its pictures begin (7\.00|6\.98) s after the 0", note) for note in said)


def test_a_film_whose_pictures_begin_late_says_so(film):
    path = film(frames=30, pts=range(20, 50), audio=[("flac", "eng")])
    assert notes(path) == ["its first picture is shown 0.80 s after its sound"]


@pytest.mark.parametrize("shift", [0, 7])
def test_a_film_that_ends_before_its_stated_length_is_not_whole(film, shift):
    """The tag says two seconds more than there is: what a hole at the end of a file leaves."""
    path = film(frames=25, shift=Fraction(shift))
    data, stated = path.read_bytes(), b"00:00:0%d.000000000"
    assert data.count(stated % (shift + 1)) == 1
    path.write_bytes(data.replace(stated % (shift + 1), stated % (shift + 3)))
    with pytest.raises(TruncatedError, match="its pictures end before the film"):
        notes(path)


def test_a_missing_fragment_is_counted(film):
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    path = film("a.mp4", frames=50, options={"g": "10"}, muxer_options=options)
    assert notes(path) == []
    data = path.read_bytes()
    first, second, third = [place.start() - 4 for place in re.finditer(b"moof", data)][:3]
    path.write_bytes(data[:second] + data[third:])
    said = notes(path)
    assert "1 fragments of the file are missing, with all that was in them" in said
    path.write_bytes(data[:first] + data[second:])
    (said,) = notes(path)
    assert said.startswith("its pictures begin 0.44 s after the 0 that its length counts from: if ")


def test_sound_with_a_gap_says_so(film, tmp_path, redo):
    """A second of sound is cut out of a recording: its packets are copied, the gap is told."""
    path = film("a.ts", frames=75, audio=[("libmp3lame", "eng")], picture=noise)
    packets = [path.read_bytes()[n : n + 188] for n in range(0, path.stat().st_size, 188)]
    with av.open(str(path)) as container:
        sound = container.streams.audio[0].id
    heard = [n for n, p in enumerate(packets) if (p[1] & 31) << 8 | p[2] == sound]
    lost = set(heard[len(heard) // 3 : 2 * len(heard) // 3])
    path.write_bytes(b"".join(p for n, p in enumerate(packets) if n not in lost))
    (said,) = redo(path, tmp_path / "out.mkv")
    assert said.startswith("stream 1 (audio) is silent for ")
    assert 0.5 < float(said.split()[6]) < 1.5


def y4m(path, words: str, samples: int, frames: int = 3):
    data = f"YUV4MPEG2 W18 H10 F25:1 Ip A1:1 {words}\n".encode()
    path.write_bytes(data + frames * (b"FRAME\n" + bytes(samples)))
    return path


KINDS = {
    "": 270, "C420jpeg": 270, "C422": 360, "C444": 540, "C411": 280, "Cmono": 180,
    "C420p10": 540, "C444p10": 1080, "C444alpha": 720,
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_y4m_is_whole_when_its_last_picture_is(tmp_path, kind):
    path = y4m(tmp_path / "a.y4m", kind, KINDS[kind])
    with Decoder(path) as decoder:
        assert len(list(decoder)) == 3
    path.write_bytes(path.read_bytes()[:-1])
    frames = []
    with Decoder(path) as decoder, pytest.raises(TruncatedError, match="shorter than it says"):
        frames += decoder
    assert len(frames) == 2


def test_ogg_is_whole_when_its_last_page_is(film):
    path = film("a.ogv", codec="libvpx", frames=30, options={"deadline": "realtime"})
    assert notes(path) == []
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(TruncatedError, match="shorter than it says"):
        notes(path)


def noise(number: int) -> av.VideoFrame:
    frame = av.VideoFrame(96, 64, "yuv420p")
    random = np.random.default_rng(number)
    for plane in frame.planes:
        plane.update(random.integers(0, 255, plane.buffer_size, np.uint8))
    return frame


def test_pictures_that_the_decoder_mends_are_counted(film):
    path = film("a.mpg", codec="mpeg2video", frames=12, size=(96, 64), picture=noise)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 300] = bytes(300)
    path.write_bytes(data)
    assert any("damaged pictures are shown as well as FFmpeg mends them" in n for n in notes(path))


def test_an_error_at_the_very_end_is_not_lost(film):
    """Several threads decode; the last one's error takes along what is behind it, unsaid."""
    path = film(codec="ffv1", frames=12, options={"slicecrc": "1", "level": "3", "g": "1"})
    with av.open(str(path)) as container:
        last = [bytes(packet) for packet in container.demux() if packet.size][-1]
    data = path.read_bytes()
    assert data.count(last) == 1
    path.write_bytes(data.replace(last, b"\xff" * len(last)))
    with Decoder(path) as decoder:
        shown = len(list(decoder))
        assert shown + decoder.failures >= 12
        assert shown == 12 or any("damaged packets were" in note for note in decoder.notes)
