"""`--audio`: encoded anew and not a sample away from the picture, whatever it was before."""

from fractions import Fraction
from itertools import product
from pathlib import Path

import av
import numpy as np
import pytest

from vidgen.errors import OutputError, UsageError
from vidgen.media import Encoder, probe, require_sound
from vidgen.media.codecs import CONTAINERS
from vidgen.media.sound_codecs import SOUND_CODECS

CLICKS = (0.3, 1.1, 1.7)  # seconds
SECONDS = 2
MILLISECOND = 0.001  # the clock of Matroska and WebM


def write(path, tracks, *, gap=(9, 9), late=0.0):
    """A film of two seconds; tracks of (encoder, layout, rate), with clicks in the first channel.

    No packet of sound begins in `gap`; sound begins `late` seconds after the picture.
    """
    with av.open(path, "w") as container:
        video = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        video.width, video.height = 64, 48
        streams = [container.add_stream(encoder, rate=rate) for encoder, _, rate in tracks]
        for stream, (_, layout, _) in zip(streams, tracks, strict=True):
            stream.codec_context.layout = layout
        for number in range(SECONDS * 25):
            picture = av.VideoFrame.from_ndarray(np.full((72, 64), 90, np.uint8), "yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        for stream, (_, layout, rate) in zip(streams, tracks, strict=True):
            for block in blocks(layout, rate):
                if not gap[0] <= block.pts / rate < gap[1]:
                    block.pts += round(late * rate)
                    container.mux(stream.encode(block))
            container.mux(stream.encode(None))
    return path


def blocks(layout, rate):
    """Sound in blocks of a 50th of a second; each channel has a tone of its own."""
    channels = [channel.name for channel in av.AudioLayout(layout).channels]
    at = np.arange(SECONDS * rate)
    tones = [np.sin(2 * np.pi * pitch(n) / rate * at) for n in range(len(channels))]
    sound = 0.1 * np.stack(tones, 1).astype(np.float32)
    for click in CLICKS:
        length = rate // 2000
        begin = round(click * rate) - length // 2
        sound[begin : begin + length + 1, 0] = np.hanning(length + 1)
    for begin in range(0, len(sound), rate // 50):
        part = sound[begin : begin + rate // 50]
        block = av.AudioFrame.from_ndarray(part.reshape(1, -1), "flt", layout)
        block.sample_rate, block.pts, block.time_base = rate, begin, Fraction(1, rate)
        yield block


def pitch(channel):
    return 60 + 150 * channel  # below what the LFE channel of an encoder cuts off, for the first


def heard(path, track=0):
    """(samples, channels), names of the channels, rate, and seconds of the first against the
    picture."""
    with av.open(path) as container:
        zero = container.streams.video[0].start_time * container.streams.video[0].time_base
        stream = container.streams.audio[track]
        packed, parts, first = None, [], None
        for frame in container.decode(stream):
            packed = packed or av.AudioResampler("flt", frame.layout.name, frame.sample_rate)
            names = [channel.name for channel in frame.layout.channels]
            first = frame.pts * frame.time_base if first is None else first
            parts += [each.to_ndarray().reshape(-1, len(names)) for each in packed.resample(frame)]
    return np.concatenate(parts), names, frame.sample_rate, float(first - zero)


def clicks(path, track=0):
    """Seconds against the picture."""
    sound, _, rate, first = heard(path, track)
    loud = np.abs(sound[:, 0])
    found = []
    while (at := int(loud.argmax())) and loud[at] > 0.4:
        found.append(first + at / rate)
        loud[max(at - rate // 50, 0) : at + rate // 50] = 0
    return sorted(found)


def loudest(path):
    """Which channel's tone each channel of the first track holds; None: silence."""
    sound, names, rate, _ = heard(path)
    spectra = np.abs(
        np.fft.rfft(sound[rate // 2 : rate] * np.hanning(rate - rate // 2)[:, None], axis=0)
    )
    tones = [pitch(n) * 0.5 for n in range(8)]
    found = {}
    for name, spectrum in zip(names, spectra.T, strict=True):
        at = int(spectrum[:800].argmax())
        nearest = min(range(8), key=lambda n: abs(tones[n] - at))
        found[name] = nearest if spectrum[at] > 100 else None
    return found


HELD = [
    (word, suffix)
    for word, suffix in product(SOUND_CODECS, CONTAINERS)
    if suffix in SOUND_CODECS[word].containers and suffix != ".m4v"
]


@pytest.mark.parametrize(("word", "suffix"), HELD)
def test_no_sample_moves_against_the_picture(redo, tmp_path, word, suffix):
    source = write(tmp_path / "in.mkv", [("flac", "stereo", 48000)])
    target = tmp_path / f"out{suffix}"
    codec = "svtav1" if suffix == ".webm" else "x264"
    notes = redo(source, target, audio=word, codec=codec)
    rounded = MILLISECOND / 2 if suffix in (".mkv", ".webm") else 0
    assert clicks(target) == pytest.approx(CLICKS, abs=rounded + 2 / 48000)
    assert any(f"becomes {word}, 48000 Hz, stereo" in note for note in notes)
    assert probe(target).streams[1].codec == word
    assert len(heard(target)[0]) == pytest.approx(SECONDS * 48000, abs=2048)


@pytest.mark.parametrize("before", [("aac", 44100), ("libopus", 48000), ("pcm_s16le", 96000)])
@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_what_the_first_encoder_put_in_front_is_not_heard_twice(redo, tmp_path, before, suffix):
    encoder, rate = before
    source = write(tmp_path / "in.mkv", [(encoder, "mono", rate)])
    was, target = clicks(source), tmp_path / f"out{suffix}"
    redo(source, target, audio="aac" if encoder == "libopus" else "opus")
    assert clicks(target) == pytest.approx(was, abs=MILLISECOND)
    assert was == pytest.approx(CLICKS, abs=MILLISECOND)


@pytest.mark.parametrize("word", SOUND_CODECS)
def test_a_range_is_cut_to_the_sample(redo, tmp_path, word):
    source = write(tmp_path / "in.mkv", [("flac", "mono", 48000)])
    target = tmp_path / "out.mp4"
    notes = redo(source, target, audio=word, start=Fraction(12, 25), end=Fraction(37, 25))
    assert not any("silent" in note for note in notes)
    assert clicks(target) == pytest.approx([CLICKS[1] - 0.48], abs=2 / 48000)
    with av.open(target) as container:
        sound = container.streams.audio[0]
        assert sound.duration * sound.time_base == pytest.approx(1, abs=0.03)


def test_sound_that_begins_late_and_has_a_gap_stays_in_time(redo, tmp_path):
    source = write(tmp_path / "in.mkv", [("flac", "mono", 48000)], gap=(0.5, 0.9), late=0.25)
    target = tmp_path / "out.mp4"
    notes = redo(source, target, audio="aac")
    wanted = [click + 0.25 for click in CLICKS]
    assert clicks(target) == pytest.approx(wanted, abs=2 * MILLISECOND)
    assert any("is silent for 0.40 s in gaps" in note for note in notes)


@pytest.mark.parametrize(
    ("word", "layout", "given", "places"),
    [
        ("opus", "5.1(side)", "5.1", {"BL": 4, "BR": 5}),
        ("opus", "5.0", "5.1", {"FC": 2, "LFE": None, "BL": 3, "BR": 4}),
        ("opus", "2.1", "5.1", {"FL": 0, "FR": 1, "FC": None, "LFE": 2}),
        ("opus", "7.1", "7.1", {"BL": 4, "BR": 5, "SL": 6, "SR": 7}),
        ("aac", "5.1(side)", "5.1", {"FC": 2, "BL": 4, "BR": 5}),
        ("aac", "7.1", "7.1", {"FC": 2, "BL": 4, "BR": 5, "SL": 6, "SR": 7}),
        ("aac", "4.0", "4.0", {"FL": 0, "FR": 1, "FC": 2, "BC": 3}),
    ],
)
def test_every_loudspeaker_keeps_its_sound(redo, tmp_path, word, layout, given, places):
    source = write(tmp_path / "in.mkv", [("flac", layout, 48000)])
    target = tmp_path / "out.mkv"
    notes = redo(source, target, audio=word)
    assert any(f"48000 Hz, {given}, " in note for note in notes)
    assert loudest(target).items() >= places.items()


@pytest.mark.parametrize(("rate", "becomes"), [(44100, 48000), (8000, 8000), (96000, 48000)])
def test_opus_is_given_a_rate_that_it_takes(redo, tmp_path, rate, becomes):
    source, target = tmp_path / "in.mkv", tmp_path / "out.mkv"
    write(source, [("pcm_s16le", "stereo", rate)])
    notes = redo(source, target, audio="opus")
    assert any(f"becomes opus, {becomes} Hz" in note for note in notes)
    assert clicks(target) == pytest.approx(CLICKS, abs=MILLISECOND)


def test_every_track_is_encoded_and_named_as_before(redo, film, tmp_path):
    tracks = (("flac", "eng"), ("ac3", "ger"), ("aac", "fre"))
    source = film(frames=50, audio=tracks, subtitles=(("subrip", "eng"),))
    target = tmp_path / "out.mkv"
    notes = redo(source, target, audio="aac")
    names = [(each.type, each.language, each.title, each.default) for each in probe(source).streams]
    made = probe(target).streams
    assert [(each.type, each.language, each.title, each.default) for each in made] == names
    assert [each.codec for each in made] == ["h264", "aac", "aac", "aac", "subrip"]
    assert sum("becomes aac" in note for note in notes) == 2  # the third is that, and copied


def test_packets_are_the_same_every_time(redo, packets, tmp_path):
    source = write(tmp_path / "in.mkv", [("flac", "stereo", 44100)])
    made = []
    for name in ("a.mkv", "b.mkv"):
        redo(source, tmp_path / name, audio="opus")
        made.append(packets(tmp_path / name)[1])
    assert made[0] == made[1]
    assert len(made[0]) > 50


@pytest.mark.parametrize(
    ("name", "word", "said"),
    [
        ("a.webm", "aac", "does not hold it; give opus, or end OUT in .mkv or .mp4"),
        ("a.mov", "opus", "does not hold it; give aac, or end OUT in .mkv or .webm"),
        ("a.mkv", "mp3", "unknown; give copy, aac, opus"),
    ],
)
def test_what_a_container_does_not_hold_is_refused(name, word, said):
    with pytest.raises(UsageError, match=said):
        require_sound(Path(name), word)


def test_the_fix_is_said_where_sound_cannot_be_copied(film, tmp_path):
    source = film(frames=5, audio=(("aac", "eng"),))
    words = {"codec": "svtav1", "time_base": Fraction(1, 25), "copy_from": source}
    with pytest.raises(OutputError, match=r"cannot hold stream 1 .*, or --audio opus"):
        Encoder(tmp_path / "a.webm", probe(source).video, **words)


def test_loudspeakers_that_change_in_mid_stream(redo, tmp_path):
    """As broadcasts do between film and advertisement: what comes first says what comes out."""
    source, target = tmp_path / "in.ts", tmp_path / "out.mp4"
    parts = [av.CodecContext.create("ac3", "w") for _ in range(2)]
    packets = []
    for half, (encoder, layout) in enumerate(zip(parts, ("stereo", "5.1"), strict=True)):
        encoder.layout, encoder.sample_rate, encoder.format = layout, 48000, "fltp"
        encoder.time_base = Fraction(1, 48000)
        packed = av.AudioResampler("fltp", layout, 48000, frame_size=1536)
        for block in blocks(layout, 48000):
            if block.pts // 48000 == half:
                packets += [
                    each for part in packed.resample(block) for each in encoder.encode(part)
                ]
    write(tmp_path / "picture.mkv", [])
    with av.open(tmp_path / "picture.mkv") as reader, av.open(source, "w") as writer:
        video = writer.add_stream_from_template(reader.streams.video[0])
        sound = writer.add_stream("ac3", rate=48000, layout="stereo")
        for packet in reader.demux():
            if packet.dts is not None:
                packet.stream = video
                writer.mux(packet)
        for packet in packets:
            packet.stream = sound
            writer.mux(packet)
    notes = redo(source, target, audio="aac")
    assert any("becomes aac, 48000 Hz, stereo" in note for note in notes)
    assert clicks(target)[:2] == pytest.approx(CLICKS[:2], abs=0.01)
    assert len(clicks(target)) == 3
