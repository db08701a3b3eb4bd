"""Pieces of a film put together by packet: the same pictures at the same times as in one go."""

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from vidgen.errors import OutputError
from vidgen.frame import Color, Frame, VideoFormat
from vidgen.media import Encoder, Joiner, Piece, codec_names

CLOCK = Fraction(1, 24000)
FORMAT = VideoFormat(64, 48, fps=Fraction(24000, 1001), color=Color(1, 1, 1, 1, 1))
PRESETS = {"x264": "veryfast", "x265": "ultrafast", "svtav1": "12", "prores": "proxy"}


def frames(stamps, last=1001):
    """Textured pictures, each unlike all others, shown at `stamps` (in units of CLOCK)."""
    noise = np.random.default_rng(1).integers(40, 200, (48, 64), np.uint8)
    for number, (pts, after) in enumerate(pairwise([*stamps, stamps[-1] + last])):
        y = np.roll(noise, 3 * number, 1)
        y[:8, : number % 60 + 1] = 16
        yield Frame(y, np.full((24, 32, 2), 128, np.uint8), pts, after - pts, CLOCK)


def piece(path, shown, film, codec="x264", **words):
    shown = list(shown)
    words = {"preset": PRESETS.get(codec), "threads": 3, **words}
    encoder = Encoder(
        path, FORMAT, codec=codec, time_base=CLOCK, piece_of=film, start=shown[0].time, **words
    )
    with encoder:
        for frame in shown:
            encoder.write(frame)
    return Piece(path, shown[0].time, encoder.time_base, encoder.coded, shown[-1].end)


def joined(path, pieces, film=None, codec="x264", **words):
    words = {"preset": PRESETS.get(codec), "threads": 3, **words}
    with Joiner(path, FORMAT, codec=codec, time_base=CLOCK, copy_from=film, **words) as joiner:
        joiner.join(pieces)
    return path


def shown(path):
    """(time in seconds, all planes as numbers) of every picture."""
    with av.open(path) as container:
        return [
            (frame.pts * frame.time_base, frame.to_ndarray()) for frame in container.decode(video=0)
        ]


def times(path):
    return [time for time, _ in shown(path)]


def stream_facts(path):
    with av.open(path) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        return (
            *(context.extradata, stream.average_rate, context.width, context.height),
            *(context.color_range, context.colorspace, context.color_primaries, context.color_trc),
            *(stream.sample_aspect_ratio, stream.codec_context.codec_tag, stream.time_base),
        )


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [
        *((codec, ".mkv") for codec in codec_names()),
        ("x264", ".mp4"),
        ("x264", ".ts"),
        ("x265", ".mp4"),
        ("x265", ".ts"),
        ("svtav1", ".webm"),
        ("prores", ".mov"),
    ],
)
def test_pieces_join_as_if_encoded_in_one_go(clip, tmp_path, codec, suffix):
    film, whole = clip("film.mkv", frames=3), [*frames([n * 1001 for n in range(30)])]
    parts = [whole[:13], whole[13:14], whole[14:]]
    pieces = [piece(tmp_path / str(n), part, film, codec=codec) for n, part in enumerate(parts)]
    target = joined(tmp_path / f"joined{suffix}", pieces, film, codec)
    direct = tmp_path / f"direct{suffix}"
    words = {"preset": PRESETS.get(codec), "threads": 3}
    with Encoder(direct, FORMAT, codec=codec, time_base=CLOCK, copy_from=film, **words) as encoder:
        for frame in whole:
            encoder.write(frame)
    zeros = [shown(film)[0][0] for film in (target, direct)] if suffix == ".ts" else [0, 0]
    since = [
        [t - zero for t in times(film)] for film, zero in zip((target, direct), zeros, strict=True)
    ]
    assert since[0] == since[1]
    assert stream_facts(target) == stream_facts(direct)
    alone = [picture for each in pieces for _, picture in shown(each.path)]
    for (_, picture), expected in zip(shown(target), alone, strict=True):
        assert np.array_equal(picture, expected)


def test_a_change_of_rate_between_pieces(clip, tmp_path):
    """120 a second, one a second, 120 again: decoding times of the pieces would run backwards."""
    film = clip("film.mkv", frames=3)
    parts, at = [], 0
    for step, count in ((200, 40), (24000, 9), (200, 40)):
        parts.append([*frames([at + step * n for n in range(count)], step)])
        at += step * count
    pieces = [piece(tmp_path / str(n), part, film) for n, part in enumerate(parts)]
    target = joined(tmp_path / "joined.mp4", pieces, film)
    assert times(target) == [frame.time for part in parts for frame in part]
    with av.open(target) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    assert all(early.dts < late.dts for early, late in pairwise(packets))
    assert all(packet.dts <= packet.pts for packet in packets)


def test_pieces_of_another_encoder_are_refused(clip, tmp_path):
    film = clip("film.mkv", frames=3)
    one = piece(tmp_path / "0", frames([0, 1001]), film)
    other = piece(tmp_path / "1", frames([2002, 3003]), film, crf=40)
    with pytest.raises(OutputError, match="--no-resume"):
        joined(tmp_path / "joined.mkv", [one, other], film)
