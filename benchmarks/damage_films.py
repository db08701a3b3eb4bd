"""Small films of many kinds, and seeded ways to damage a file: what `benchmarks.damage` feeds."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

__all__ = ["DAMAGES", "FILMS", "FRAMES", "Film", "damaged", "write"]

FRAMES, RATE, SIZE = 24, 25, (96, 64)


@dataclass(frozen=True)
class Film:
    """One kind of film: container by suffix, FFmpeg's encoders."""

    suffix: str
    video: str
    audio: str = ""
    pix_fmt: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)
    muxer: dict[str, str] = field(default_factory=dict)
    format: str | None = None


_GOP = {"g": "8"}
_FRAGMENTS = {"movflags": "frag_keyframe+empty_moov"}
FILMS = {
    "mp4-h264": Film(".mp4", "libx264", "aac", options=_GOP),
    "mp4-front": Film(".mp4", "libx264", "aac", options=_GOP, muxer={"movflags": "faststart"}),
    "mp4-fragments": Film(".mp4", "libx264", "aac", options=_GOP, muxer=_FRAGMENTS),
    "mp4-hevc10": Film(".mp4", "libx265", "ac3", "yuv420p10le", {"x265-params": "log-level=none"}),
    "mov-mjpeg": Film(".mov", "mjpeg", "pcm_s16le", "yuvj420p"),
    "mov-prores": Film(".mov", "prores_ks", pix_fmt="yuv422p10le"),
    "mkv-h264": Film(".mkv", "libx264", "flac", options=_GOP),
    "mkv-ffv1": Film(".mkv", "ffv1", "pcm_s16le", options={"slicecrc": "1", "level": "3"}),
    "mkv-mpeg2": Film(".mkv", "mpeg2video", "ac3", options=_GOP),
    "webm-vp9": Film(".webm", "libvpx-vp9", "libopus", options={"deadline": "realtime", **_GOP}),
    "ts-h264": Film(".ts", "libx264", "aac", options=_GOP),
    "ts-mpeg2": Film(".ts", "mpeg2video", "mp2", options=_GOP),
    "mpg-mpeg2": Film(".mpg", "mpeg2video", "mp2", options=_GOP, format="vob"),
    "avi-mpeg4": Film(".avi", "mpeg4", "libmp3lame", options=_GOP),
    "ogv-vp8": Film(".ogv", "libvpx", "flac", options={"deadline": "realtime", **_GOP}),
    "y4m": Film(".y4m", "wrapped_avframe"),
}
"""Kinds of films by name."""


def write(film: Film, path: Path) -> Path:
    """`FRAMES` pictures in which noise moves, and a tone: about 20 to 250 kB."""
    with av.open(str(path), "w", format=film.format, container_options=film.muxer) as output:
        video = output.add_stream(film.video, rate=RATE, options=film.options)
        video.width, video.height, video.pix_fmt = *SIZE, film.pix_fmt
        video.codec_context.thread_count = 1
        sound = output.add_stream(film.audio, rate=48000, layout="stereo") if film.audio else None
        texture = np.random.default_rng(7).integers(30, 220, (SIZE[1], SIZE[0] * 2, 3), np.uint8)
        for number in range(FRAMES):
            pixels = np.ascontiguousarray(texture[:, 2 * number : 2 * number + SIZE[0]])
            picture = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(format=film.pix_fmt)
            picture.pts, picture.time_base = number, Fraction(1, RATE)
            output.mux(video.encode(picture))
            if sound is not None:
                _tone(output, sound, number)
        for stream in (video, sound):
            if stream is not None:
                output.mux(stream.encode(None))
    return path


def _tone(output: av.container.OutputContainer, stream: av.AudioStream, number: int) -> None:
    """The sound beside picture `number`."""
    count = 48000 // RATE
    time = (np.arange(count) + number * count) / 48000
    samples = np.tile((8000 * np.sin(2 * np.pi * 440 * time)).astype(np.int16), (2, 1)).T
    block = av.AudioFrame.from_ndarray(samples.reshape(1, -1), "s16", "stereo")
    block.sample_rate, block.pts, block.time_base = 48000, number * count, Fraction(1, 48000)
    output.mux(stream.encode(block))


def _flip_bits(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 2, 4, 8, 32, 128))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _flip_in_head(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        data[chance.randrange(min(len(data), 1500))] ^= 1 << chance.randrange(8)


def _flip_in_tail(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        data[-1 - chance.randrange(min(len(data), 3000))] ^= 1 << chance.randrange(8)


def _truncate(data: bytearray, chance: random.Random) -> None:
    del data[int(len(data) * chance.random()) :]


def _zeroes(data: bytearray, chance: random.Random) -> None:
    begin, length = _place(data, chance)
    data[begin : begin + length] = bytes(length)


def _hole(data: bytearray, chance: random.Random) -> None:
    begin, length = _place(data, chance)
    del data[begin : begin + length]


def _twice(data: bytearray, chance: random.Random) -> None:
    begin, length = _place(data, chance)
    data[begin:begin] = data[begin : begin + length]


def _place(data: bytearray, chance: random.Random) -> tuple[int, int]:
    length = min(chance.choice((16, 188, 512, 4096, 16384)), len(data) // 2)
    return chance.randrange(len(data) - length), length


DAMAGES: dict[str, Callable[[bytearray, random.Random], None]] = {
    "flip bits": _flip_bits,
    "flip in head": _flip_in_head,
    "flip in tail": _flip_in_tail,
    "truncate": _truncate,
    "zeroes": _zeroes,
    "hole": _hole,
    "twice": _twice,
}
"""What is done to a file in place; a head of another film is the eighth, in `damaged`."""


def damaged(films: dict[str, bytes], seed: int) -> tuple[str, str, bytes]:
    """(kind of film, damage, file) of that seed; the same for the same seed and films."""
    chance = random.Random(seed)
    name = chance.choice(sorted(films))
    how = chance.choice([*DAMAGES, "head of another"])
    data = bytearray(films[name])
    if how in DAMAGES:
        DAMAGES[how](data, chance)
    else:
        other = films[chance.choice(sorted(films))]
        length = chance.choice((8, 64, 512, 4096))
        data[:length] = other[:length]
    return name, how, bytes(data)
