"""Real films, through decoder and encoder: no frame, stream or moment is lost."""

from fractions import Fraction

import av
import pytest

from vidgen.media import Decoder, Encoder, probe

pytestmark = pytest.mark.needs_data

FILMS = {
    "bw_1906_french_gp.ogv": "mkv",
    "bw_his_girl_friday.mp4": "mp4",
    "cartoon_bbb_1080p60.mp4": "mkv",
    "hd_sam2_02_cups.mp4": "mp4",
    "hdr10_pq_av1_portrait.mp4": "mkv",
    "hdr10_pq_hevc_1080p.mp4": "mp4",
    "interlaced_bbb_1080i30_tff.mp4": "mp4",
    "nasa_2audio_2subs.mp4": "mp4",
    "sintel_trailer_audio_subs_chapters.mkv": "mkv",
    "vfr_phone_dog_1080p.mp4": "mp4",
}


def video_packets(path):
    """How many packets the main video has, and which pts."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return sorted(packet.pts for packet in container.demux(stream) if packet.size)


@pytest.mark.parametrize("name", FILMS)
def test_every_packet_becomes_a_frame(eval_data, name):
    path = eval_data / "video" / name
    expected = video_packets(path)
    with Decoder(path) as decoder:
        stamps = []
        for frame in decoder:
            assert frame.y.shape == (decoder.format.height, decoder.format.width)
            stamps.append((frame.pts, frame.pts + frame.duration))
        assert decoder.failures == 0
    assert [pts for pts, _ in stamps] == expected
    assert [end for _, end in stamps[:-1]] == expected[1:]


@pytest.mark.parametrize("name", FILMS)
def test_half_a_second_again(eval_data, tmp_path, name):
    """Streams, times and tags of half a second, encoded anew with everything copied."""
    source = eval_data / "video" / name
    target = tmp_path / f"out.{FILMS[name]}"
    start, end = Fraction(1, 3), Fraction(5, 6)
    given = []
    with Decoder(source, start=start, end=end) as decoder:
        frames = iter(decoder)
        first = next(frames)
        with Encoder(
            target,
            decoder.format,
            preset="ultrafast",
            time_base=first.time_base,
            copy_from=source,
            start=start,
            end=end,
        ) as encoder:
            for frame in (first, *frames):
                encoder.write(frame)
                given.append(frame.time)
    before, after = probe(source), probe(target)
    with Decoder(target) as made:
        found = [frame.time for frame in made]
    clock = Fraction(1, 2000) if target.suffix == ".mkv" else 0
    assert len(found) == len(given)
    for time, expected in zip(found, given, strict=True):
        assert abs(time - (expected - before.start - start)) <= clock
    assert given[0] >= before.start + start
    assert given[-1] < before.start + end
    assert kinds(after) == kinds(before)
    assert after.video.color.matrix == decoder.format.color.matrix
    assert after.video.color.transfer == decoder.format.color.transfer
    assert before.video.color.matrix in (2, after.video.color.matrix)
    assert after.video.bit_depth == before.video.bit_depth
    assert after.video.sample_aspect_ratio == before.video.sample_aspect_ratio


def kinds(info) -> list[tuple[str, str]]:
    """Sound and subtitles; another video has no keyframe to begin from in so short a range."""
    others = [stream for stream in info.streams if stream.type in ("audio", "subtitle")]
    return [(stream.type, stream.language) for stream in others]


@pytest.mark.parametrize("name", ["nasa_2audio_2subs.mp4", "bw_his_girl_friday.mp4"])
def test_a_whole_film_keeps_its_length(eval_data, tmp_path, name):
    source, target = eval_data / "video" / name, tmp_path / "out.mp4"
    with Decoder(source) as decoder:
        frames = iter(decoder)
        first = next(frames)
        with Encoder(
            target,
            decoder.format,
            preset="ultrafast",
            time_base=first.time_base,
            copy_from=source,
        ) as encoder:
            for frame in (first, *frames):
                encoder.write(frame)
    before, after = probe(source), probe(target)
    assert abs(after.duration - before.duration) < Fraction(1, 1000)
    assert video_packets(source)[-1] * first.time_base == video_packets(target)[-1] * _clock(target)
    assert sound(target) == sound(source)


def _clock(path) -> Fraction:
    with av.open(str(path)) as container:
        return container.streams.video[0].time_base


def sound(path) -> list[tuple]:
    with av.open(str(path)) as container:
        return [
            (packet.pts, packet.duration, bytes(packet))
            for packet in container.demux(container.streams.audio)
            if packet.size
        ]
