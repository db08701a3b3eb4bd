"""Copied streams keep in step with the picture: in ranges, when it ends early, as it is written."""

from collections import deque
from fractions import Fraction

import av
import pytest

from vidgen.media import Decoder, Encoder, probe

CHAPTERS = ((0, 800, "one"), (800, 2000, "two"))


@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_a_range_starts_everything_at_zero(redo, film, packets, tmp_path, suffix):
    source = film(
        f"in.{suffix}",
        frames=50,
        audio=(("ac3", "eng"),),
        subtitles=(("subrip" if suffix == "mkv" else "mov_text", "eng"),),
        chapters=CHAPTERS,
        options={"g": "10"},
    )
    target = tmp_path / f"out.{suffix}"
    start, end = Fraction(13, 25), Fraction(35, 25)
    redo(source, target, start=start, end=end)
    before, after = packets(source), packets(target)
    assert len(after[0]) == 22
    assert min(pts for pts, *_ in after[0]) == 0
    sound = [(pts - start, data) for pts, _, _, data in before[1] if start <= pts < end]
    tolerance = Fraction(1, 1000) if suffix == "mkv" else 0
    found = [(pts, data) for pts, *_, data in after[1]]
    extra = len(found) - len(sound)  # one that begins before and sounds mostly after
    assert extra in (0, 1)
    for (pts, data), (due, same) in zip(found[extra:], sound, strict=True):
        assert abs(pts - due) <= tolerance
        assert data == same
    lines = [(pts, pts + duration, data) for pts, _, duration, data in after[2] if len(data) > 2]
    assert lines[0][:2] == (0, Fraction(3, 100))  # said from 0.4 to 0.55
    assert b"line 2" in lines[0][2]
    assert lines[1][:2] == (Fraction(8, 100), Fraction(23, 100))
    assert lines[-1][1] <= end - start
    assert [(c.start, c.end, c.title) for c in probe(target).chapters] == [
        (0, Fraction(28, 100), "one"),
        (Fraction(28, 100), end - start, "two"),
    ]


def test_an_error_keeps_the_sound_up_to_it(film, packets, tmp_path):
    source = film(frames=50, audio=(("ac3", "eng"),))
    target = tmp_path / "out.mkv"
    with Decoder(source, end=Fraction(1)) as decoder:
        frames = list(decoder)

    def broken_off():
        yield from frames
        raise RuntimeError

    encoder = Encoder(
        target, decoder.format, time_base=Fraction(1, 1000), copy_from=source, preset="ultrafast"
    )
    with pytest.raises(RuntimeError), encoder:
        deque(map(encoder.write, broken_off()), maxlen=0)
    read = packets(target)
    assert len(read[0]) == 25
    assert Fraction(9, 10) < max(pts for pts, *_ in read[1]) <= 1


def test_streams_are_interleaved(redo, film, tmp_path):
    """No stream runs ahead of another by more than a moment, so players need not seek."""
    source = film(frames=100, audio=(("ac3", "eng"),))
    redo(source, tmp_path / "out.mkv")
    latest = {0: Fraction(0), 1: Fraction(0)}
    with av.open(str(tmp_path / "out.mkv")) as container:
        for packet in container.demux():
            if packet.size:
                latest[packet.stream_index] = packet.pts * packet.time_base
                assert abs(latest[0] - latest[1]) < Fraction(1, 4)


def test_timecode_goes_along_while_it_holds(redo, film, tmp_path):
    source = film("in.mov", frames=10, metadata={"timecode": "01:00:00:00"})
    assert redo(source, tmp_path / "out.mov") == []
    with av.open(str(tmp_path / "out.mov")) as container:
        assert container.streams.video[0].metadata.get("timecode") == "01:00:00:00"
    redo(source, tmp_path / "cut.mov", start=Fraction(1, 25))
    with av.open(str(tmp_path / "cut.mov")) as container:
        assert "timecode" not in container.streams.video[0].metadata


@pytest.mark.parametrize("suffix", ["mov", "mkv"])
def test_counted_samples_keep_their_times_in_a_range(redo, film, tmp_path, suffix):
    """MP4 counts PCM samples from the first packet on: moving that one would move the sound."""
    source = film("in.mov", frames=50, audio=(("pcm_s16le", "eng"),))
    before = sound(source)
    for start in (Fraction(13, 25), Fraction(14, 25), Fraction(1)):
        redo(source, tmp_path / f"out.{suffix}", start=start)
        after = sound(tmp_path / f"out.{suffix}")
        begin, tolerance = min(after), 48 if suffix == "mkv" else 0  # its clock: 1 ms
        assert 0 <= begin < 1024
        moved = round(start * 48000)
        due = next(time for time, data in before.items() if data == after[begin])
        assert abs(due - moved - begin) <= tolerance


def sound(path) -> dict[int, bytes]:
    """The samples of the sound in blocks of 1024, by the number of the first."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        blocks = [
            (frame.pts * frame.time_base, frame.to_ndarray()) for frame in container.decode(stream)
        ]
    return {round(time * 48000): block.tobytes() for time, block in blocks}
