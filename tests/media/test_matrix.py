"""Every container in, the two that hold most out: every picture, every packet, in step."""

from fractions import Fraction
from itertools import pairwise

import av
import pytest

from vidgen.media import Decoder, probe

FILMS = {  # suffix -> video, sound
    "mp4": ("libx264", "aac"),
    "mov": ("mpeg4", "pcm_s16le"),
    "mkv": ("libx265", "flac"),
    "webm": ("libvpx-vp9", "libopus"),
    "ts": ("libx264", "libmp3lame"),
    "avi": ("mpeg4", "libmp3lame"),
    "mpg": ("mpeg2video", "mp2"),
    "ogv": ("libvpx", "flac"),
    "flv": ("libx264", "aac"),
    "y4m": ("wrapped_avframe", ""),
}
OPTIONS = {"libx265": {"x265-params": "log-level=none"}, "libvpx-vp9": {"cpu-used": "8"}}
CLOCK = Fraction(1, 500)  # Matroska and FLV tick in milliseconds, each end rounds once


def make(film, suffix, **facts):
    video, sound = FILMS[suffix]
    audio = [(sound, "eng")] if sound else []
    options = OPTIONS.get(video, {"g": "10"})
    return film(f"in.{suffix}", codec=video, frames=30, audio=audio, options=options, **facts)


def streams(packets, path):
    """Times and data of the sound, and the time of the first picture."""
    found = packets(path)
    with av.open(str(path)) as container:
        kinds = {stream.index: stream.type for stream in container.streams}
    sound = [found[index] for index, kind in kinds.items() if kind == "audio"]
    picture = [found[index] for index, kind in kinds.items() if kind == "video"]
    return (sound[0] if sound else []), min(pts for pts, *_ in picture[0] if pts is not None)


@pytest.mark.parametrize("target", ["mkv", "mp4"])
@pytest.mark.parametrize("suffix", FILMS)
def test_nothing_is_lost_and_all_stays_in_step(film, redo, packets, tmp_path, suffix, target):
    source, out = make(film, suffix), tmp_path / f"out.{target}"
    if (suffix, target) == ("mov", "mp4"):
        out = tmp_path / "out.mov"  # an MP4 of FFmpeg's own reading holds PCM, few players do
    redo(source, out)
    with Decoder(source) as before, Decoder(out) as after:
        times = [[frame.time for frame in decoder] for decoder in (before, after)]
    assert len(times[1]) == len(times[0])
    steps = [[b - a for a, b in pairwise(each)] for each in times]
    assert max(abs(a - b) for a, b in zip(*steps, strict=True)) <= CLOCK
    (sound, picture), (heard, shown) = streams(packets, source), streams(packets, out)
    if target == "mkv":  # what AAC's encoder put in front is thrown away: Matroska cannot hide it
        sound = [packet for packet in sound if packet[0] >= 0 or suffix not in ("mp4", "flv")]
    assert [data for *_, data in heard] == [data for *_, data in sound]
    for (was, *_), (now, *_) in zip(sound, heard, strict=True):
        assert abs((now - shown) - (was - picture)) <= CLOCK
    kinds = [[stream.type for stream in probe(path).streams] for path in (source, out)]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "mov"])
@pytest.mark.parametrize("late", [Fraction(3, 25), Fraction(2)])
def test_sound_that_begins_late_stays_late(film, redo, packets, tmp_path, suffix, late):
    source, out = make(film, suffix, audio_start=late), tmp_path / "out.mkv"
    redo(source, out)
    (sound, picture), (heard, shown) = streams(packets, source), streams(packets, out)
    assert abs((heard[0][0] - shown) - (sound[0][0] - picture)) <= CLOCK
    assert len(heard) == len(sound)


def without_a_part(source, target, begin, end):
    """A copy without the sound between `begin` and `end`, in seconds."""
    with av.open(str(source)) as container, av.open(str(target), "w") as output:
        copies = [output.add_stream_from_template(s, opaque=True) for s in container.streams]
        for packet in container.demux():
            if not packet.size:
                continue
            sound = packet.stream.type == "audio"
            if not sound or not begin <= packet.pts * packet.time_base < end:
                packet.stream = copies[packet.stream_index]
                output.mux_one(packet)
    return target


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "mov"])
def test_sound_after_a_gap_stays_in_step(film, redo, packets, tmp_path, suffix):
    whole = film("in.mkv", frames=50, audio=[("aac" if suffix == "mp4" else "flac", "eng")])
    if suffix == "mov":
        whole = film("in.mkv", frames=50, audio=[("pcm_s16le", "eng")])
    source = without_a_part(whole, tmp_path / "gap.mkv", Fraction(1, 2), Fraction(3, 2))
    notes = redo(source, tmp_path / f"out.{suffix}")
    assert any("is silent for 1.0" in note or "is silent for 0.9" in note for note in notes)
    (sound, picture), (heard, shown) = (
        streams(packets, path) for path in (source, tmp_path / f"out.{suffix}")
    )
    assert abs((heard[-1][0] - shown) - (sound[-1][0] - picture)) <= 2 * CLOCK
