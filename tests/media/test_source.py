"""What cannot be read is refused in one line that says why."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from vidgen.errors import InputError
from vidgen.media import Decoder, source


def test_no_such_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        Decoder(tmp_path / "none.mp4")


def test_a_directory(tmp_path):
    with pytest.raises(InputError, match="is a directory"):
        Decoder(tmp_path)


def test_zero_bytes(tmp_path):
    (tmp_path / "a.mp4").touch()
    with pytest.raises(InputError, match=r"is empty \(0 bytes\)"):
        Decoder(tmp_path / "a.mp4")


def test_text_named_mp4(tmp_path):
    (tmp_path / "a.mp4").write_text("this is not a film\n" * 99)
    with pytest.raises(InputError, match="cannot be read as video") as raised:
        Decoder(tmp_path / "a.mp4")
    assert "\n" not in str(raised.value)
    assert str(raised.value).endswith("(it is no video, whatever its name says)")


def test_garbage_gets_the_reason_of_ffmpeg(tmp_path):
    (tmp_path / "a.mkv").write_bytes(b"\x1a\x45\xdf\xa3" + b"what" * 99)
    with pytest.raises(InputError, match="cannot be read as video") as raised:
        Decoder(tmp_path / "a.mkv")
    assert "\n" not in str(raised.value)
    assert "Invalid data" in str(raised.value)


def test_audio_alone_names_what_is_there(film, tmp_path):
    with av.open(str(tmp_path / "a.m4a"), "w", format="mp4") as output:
        stream = output.add_stream("aac", rate=48000, layout="mono")
        block = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        block.sample_rate, block.pts, block.time_base = 48000, 0, Fraction(1, 48000)
        output.mux(stream.encode(block))
        output.mux(stream.encode(None))
    with pytest.raises(InputError, match=r"holds no video, only audio \(aac\)"):
        Decoder(tmp_path / "a.m4a")


def test_a_container_without_streams(tmp_path):
    """What `ffmpeg -ss` makes of a film's time after its end."""
    head = struct.pack(">12xI84x", 1000)  # a clock of milliseconds, no tracks
    boxes = (
        (b"ftyp", b"isom" + bytes(4)),
        (b"mdat", b""),
        (b"moov", struct.pack(">I4s", 108, b"mvhd") + head),
    )
    data = b"".join(struct.pack(">I4s", 8 + len(body), kind) + body for kind, body in boxes)
    (tmp_path / "a.mp4").write_bytes(data)
    with pytest.raises(InputError, match="holds no video, nor anything else; give a file"):
        Decoder(tmp_path / "a.mp4")


def test_unreadable_file(film, monkeypatch):
    path = film()
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(InputError, match="no permission to read it"):
        Decoder(path)


def test_a_film_is_described_once(clip, monkeypatch):
    """While it is, FFmpeg's log is on for all threads; a file that changed is another film."""
    asked, real = [], source._dumped
    monkeypatch.setattr(source, "_dumped", lambda container: asked.append(1) or real(container))
    film = clip("a.mp4", frames=2)
    for _ in range(3):
        with Decoder(film) as decoder:
            assert decoder.format.color.chroma_location == 1
    assert len(asked) == 1
    clip("a.mp4", frames=3)
    with Decoder(film):
        pass
    assert len(asked) == 2
