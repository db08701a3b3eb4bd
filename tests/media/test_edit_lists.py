"""MP4s of editors that cut by list alone: what the list hides stays hidden, sound in step."""

import struct
from collections.abc import Iterator
from fractions import Fraction

import av
import pytest

from tests.media.conftest import level
from vidgen.job import Settings
from vidgen.media.spans import spans
from vidgen.segments import run

NOWHERE = -1  # the time in the medium of an edit that shows nothing


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(name, content) of each box."""
    at = 0
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        yield name, data[at + 8 : at + size]
        at += size


def box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def edited(data: bytes, edits: list[tuple[float, float]]) -> bytes:
    """An MP4 whose tracks all show `edits`: (seconds, from that second of the medium on)."""
    return b"".join(
        box(name, edited_head(content, edits) if name == b"moov" else content)
        for name, content in boxes(data)
    )


def edited_head(head: bytes, edits: list[tuple[float, float]]) -> bytes:
    (clock,) = struct.unpack_from(">I", dict(boxes(head))[b"mvhd"], 12)
    length = struct.pack(">I", round(clock * sum(seconds for seconds, _ in edits)))
    out = b""
    for name, content in boxes(head):
        if name == b"mvhd":
            content = content[:16] + length + content[20:]
        elif name == b"trak":
            content = edited_track(content, edits, clock)
        out += box(name, content)
    return out


def edited_track(track: bytes, edits: list[tuple[float, float]], clock: int) -> bytes:
    parts = dict(boxes(track))
    (own,) = struct.unpack_from(">I", dict(boxes(parts[b"mdia"]))[b"mdhd"], 12)
    (first,) = struct.unpack_from(">i", dict(boxes(parts[b"edts"]))[b"elst"], 12)  # B-frames, AAC
    entries = b"".join(
        struct.pack(
            ">IiI",
            round(seconds * clock),
            NOWHERE if at == NOWHERE else first + round(at * own),
            1 << 16,
        )
        for seconds, at in edits
    )
    parts[b"edts"] = box(b"elst", struct.pack(">II", 0, len(edits)) + entries)
    return b"".join(box(name, content) for name, content in parts.items())


@pytest.mark.parametrize(("suffix", "audio"), [("mp4", "copy"), ("mkv", "copy"), ("mkv", "opus")])
@pytest.mark.parametrize(
    ("edits", "numbers"),
    [
        ([(1, 0), (1, 2.4)], [*range(25), *range(60, 85)]),
        ([(1, 1.2)], [*range(30, 55)]),
        ([(0.52, NOWHERE), (1, 1), (1, 2.4)], [*range(25, 50), *range(60, 85)]),
    ],
    ids=["middle cut out", "begins within a group", "begins with nothing"],
)
def test_what_the_list_hides(film, packets, tmp_path, suffix, audio, edits, numbers):
    options = {"g": "50", "bf": "2"}
    whole = film("whole.mp4", frames=100, audio=(("aac", "eng"),), options=options)
    source, target = tmp_path / "cut.mp4", tmp_path / f"out.{suffix}"
    source.write_bytes(edited(whole.read_bytes(), edits))
    words = {"scale": 1, "preset": "ultrafast", "audio": audio}
    report = run(Settings(source=source, target=target, **words))
    assert not any(word in note for note in report.notes for word in ("jump", "missing", "ends"))
    with av.open(target) as container:
        shown = [(f.pts * f.time_base, f.to_ndarray()[0, 0]) for f in container.decode(video=0)]
    assert [round(time * 25) for time, _ in shown] == list(range(len(numbers)))
    assert all(abs(int(y) - level(n)) <= 2 for (_, y), n in zip(shown, numbers, strict=True))
    video, sound = spans(target)
    assert abs(video.end - sound.end) < Fraction(1, 20)
    assert abs(sound.start) < Fraction(1, 40)
    if audio == "copy":
        with av.open(source) as container:
            heard = [bytes(p) for p in container.demux(audio=0) if p.size and not p.is_discard]
        kept = [data for *_, data in packets(target)[1]]
        assert kept[-len(heard) + 1 :] == heard[1:]  # Matroska may leave out a half of the first
