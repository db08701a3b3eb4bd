"""What became of the streams of a film, and when they are heard."""

from fractions import Fraction

import av
import pytest

from vidgen.bench.streams import compare_streams
from vidgen.media.spans import spans


def remuxed(
    source,
    target,
    *,
    keep=None,
    delay=Fraction(0),
    language=None,
    chapters=0,
    until=Fraction(9),
    of=("audio",),
):
    """`source` by packet: streams whose index is in `keep`, sound later by `delay` seconds; no
    packet of a type in `of` from `until` on."""
    with av.open(source) as reader, av.open(target, "w") as writer:
        made = {
            stream.index: writer.add_stream_from_template(stream)
            for stream in reader.streams
            if keep is None or stream.index in keep
        }
        if language and 1 in made:
            made[1].metadata["language"] = language
        if chapters:
            at = {"start": chapters - 1, "end": chapters + 100, "time_base": Fraction(1, 1000)}
            writer.set_chapters([{"id": 1, **at, "metadata": {}}])
        for packet in reader.demux():
            if packet.dts is None or packet.stream_index not in made:
                continue
            if packet.stream.type in of and packet.pts * packet.time_base >= until:
                continue
            if packet.stream.type == "audio":
                packet.pts += round(delay / packet.time_base)
                packet.dts += round(delay / packet.time_base)
            packet.stream = made[packet.stream_index]
            writer.mux(packet)
    return target


@pytest.fixture
def film(clip):
    # without B frames, Matroska tells the decoding time of every packet
    return clip("film.mkv", frames=25, audio="flac", options={"bf": "0"})


def test_a_copy_keeps_all(film, tmp_path):
    found = compare_streams(film, remuxed(film, tmp_path / "copy.mkv"))
    assert [lane.fate for lane in found.lanes] == ["kept", "kept"]
    assert all(lane.start_shift == lane.end_shift == 0 for lane in found.lanes)
    assert found.audio_shift == 0
    assert found.chapters == (0, 0)


def test_what_is_lost_and_added(film, tmp_path):
    less = remuxed(film, tmp_path / "less.mkv", keep=[0], chapters=1)
    found = compare_streams(film, less)
    assert [lane.fate for lane in found.lanes] == ["kept", "lost"]
    assert found.audio_shift is None
    assert found.chapters == (0, 1)
    assert [lane.fate for lane in compare_streams(less, film).lanes] == ["kept", "added"]


def test_another_language_is_another_stream(film, tmp_path):
    english = remuxed(film, tmp_path / "eng.mkv", language="eng")
    french = remuxed(film, tmp_path / "fre.mkv", language="fre")
    assert [lane.fate for lane in compare_streams(english, french).lanes] == [
        "kept",
        "lost",
        "added",
    ]
    assert [lane.fate for lane in compare_streams(film, french).lanes] == ["kept", "kept"]


@pytest.mark.parametrize("delay", [Fraction(1, 8), Fraction(-1, 25)])
def test_sound_that_moved_is_seen(film, tmp_path, delay):
    """Also where the film now begins with it: times count from the picture."""
    found = compare_streams(film, remuxed(film, tmp_path / "moved.mkv", delay=delay))
    assert float(found.audio_shift) == pytest.approx(float(delay), abs=0.001)
    assert found.lanes[1].start_shift == found.audio_shift


def test_times_of_a_film(film):
    video, audio = spans(film)
    assert (video.type, video.codec, video.packets) == ("video", "h264", 25)
    assert (video.start, video.end) == (0, 1)
    assert (audio.type, audio.codec, audio.start) == ("audio", "flac", 0)
    assert float(audio.end) == pytest.approx(1, abs=0.03)


def test_an_end_that_is_not_told_is_not_guessed(film, tmp_path):
    """NUT has no durations: the end of the last packet of sound is unknown."""
    found = compare_streams(film, remuxed(film, tmp_path / "copy.nut"))
    assert found.lanes[1].output.end is None
    assert found.lanes[1].output.last == found.lanes[1].reference.last
    assert (found.lanes[1].start_shift, found.lanes[1].end_shift) == (0, None)


def test_priming_is_not_shown(clip):
    """AAC begins with a frame that the container marks as not to be heard."""
    for name in ("film.mp4", "film.mkv"):
        _, audio = spans(clip(name, frames=25, audio="aac"))
        assert audio.codec == "aac"
        assert abs(audio.start) < Fraction(1, 40)


def test_a_part_of_a_film_is_in_step_with_all_of_it(film, tmp_path):
    """Sound that ends with a shorter picture has not moved; where it alone ends, it has."""
    both = remuxed(film, tmp_path / "part.mkv", until=Fraction(1, 2), of=("audio", "video"))
    assert abs(compare_streams(film, both).audio_shift) < Fraction(1, 10)  # a packet of FLAC
    short = remuxed(film, tmp_path / "short.mkv", until=Fraction(1, 2))
    assert compare_streams(film, short).audio_shift < Fraction(-2, 5)


def test_chapters_that_moved_are_seen(film, tmp_path):
    first = remuxed(film, tmp_path / "a.mkv", chapters=200)
    later = remuxed(film, tmp_path / "b.mkv", chapters=240)
    assert compare_streams(first, later).chapter_shift == Fraction(1, 25)
    assert compare_streams(first, film).chapter_shift is None
