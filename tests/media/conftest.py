"""Films with every kind of stream and time, written by PyAV, and what is in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vidgen.frame import Frame
from vidgen.media import Decoder, Encoder

INTRA = {"g": "1"}


@dataclass
class Film:
    """What `write_film` is to write; the picture of frame n is flat, of level `level(n)`."""

    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    size: tuple[int, int] = (64, 48)
    frames: int = 12
    fps: Fraction = Fraction(25)
    pts: Sequence[int] | None = None
    time_base: Fraction | None = None
    options: dict[str, str] = field(default_factory=dict)
    muxer_options: dict[str, str] = field(default_factory=dict)
    picture: Callable[[int], av.VideoFrame] | None = None
    tags: dict[str, int] = field(default_factory=dict)
    sample_aspect_ratio: Fraction | None = None
    rotation: int = 0
    audio: Sequence[tuple[str, str]] = ()
    """(encoder, language) a track; a sine."""
    audio_start: Fraction = Fraction(0)
    subtitles: Sequence[tuple[str, str]] = ()
    """(encoder, language) a track; a line a fifth of a second."""
    chapters: Sequence[tuple[int, int, str]] = ()
    """(start, end) in ms, title."""
    attachments: Sequence[tuple[str, str, bytes]] = ()
    cover: bytes | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    shift: Fraction = Fraction(0)
    """Added to every time of every stream."""


def level(number: int) -> int:
    """The luma of frame `number`: far enough apart to survive any codec, never repeating in 20."""
    return 30 + number * 37 % 20 * 10


def flat(number: int, film: Film) -> av.VideoFrame:
    """A frame whose every plane is flat: luma at `level(number)`, chroma neutral."""
    picture = av.VideoFrame(*film.size, film.pix_fmt)
    deep = picture.format.components[0].bits > 8
    shift = picture.format.components[0].bits - 8
    for index, plane in enumerate(picture.planes):
        value = (level(number) if index == 0 else 128) << shift
        plane.update(np.full(plane.buffer_size >> deep, value, np.uint16 if deep else np.uint8))
    return picture


def write_film(path: Path, film: Film) -> Path:
    """Write `film` with its packets in the order of their times."""
    with av.open(str(path), "w", container_options=film.muxer_options) as output:
        packets = _video(output, film)
        for number, (encoder, language) in enumerate(film.audio):
            packets += _audio(output, film, encoder, language, number)
        for encoder, language in film.subtitles:
            packets += _subtitles(output, film, encoder, language)
        if film.cover is not None:
            packets += _cover(output, film.cover)
        for name, kind, data in film.attachments:
            output.add_attachment(name, kind, data)
        if film.chapters:
            output.set_chapters([_chapter(n, *entry) for n, entry in enumerate(film.chapters)])
        output.metadata.update(film.metadata)
        output.start_encoding()
        for packet in sorted(packets, key=_due):
            _shift(packet, film.shift)
            output.mux_one(packet)
    return path


def _due(packet) -> Fraction:
    ticks = packet.dts if packet.dts is not None else packet.pts or 0
    return ticks * packet.time_base


def _shift(packet, seconds: Fraction) -> None:
    ticks = seconds / packet.time_base
    assert ticks.denominator == 1
    packet.pts = None if packet.pts is None else packet.pts + int(ticks)
    packet.dts = None if packet.dts is None else packet.dts + int(ticks)


def _video(output, film: Film) -> list:
    time_base = film.time_base or 1 / film.fps
    stream = output.add_stream(
        film.codec, rate=film.fps, width=film.size[0], height=film.size[1], time_base=time_base
    )
    stream.pix_fmt = film.pix_fmt
    stream.options = dict(film.options)
    context = stream.codec_context
    context.thread_count = 1
    for name, value in film.tags.items():
        setattr(context, name, value)
    if film.sample_aspect_ratio:
        context.sample_aspect_ratio = film.sample_aspect_ratio
    if film.rotation:
        stream.set_display_rotation(film.rotation)
    stamps = list(film.pts) if film.pts is not None else list(range(film.frames))
    packets, lasts = [], dict(zip(stamps, [*np.diff(stamps), 0], strict=True))
    for number, pts in enumerate(stamps):
        picture = film.picture(number) if film.picture else flat(number, film)
        for name, value in film.tags.items():
            setattr(picture, name, value)
        picture.pts, picture.time_base = pts, time_base
        packets += stream.encode(picture)
    packets += stream.encode(None)
    nominal = max(1, round(1 / (film.fps * time_base)))
    for packet in packets:
        packet.duration = int(lasts.get(packet.pts, 0)) or nominal
        packet.time_base = time_base
    return packets


def _audio(output, film: Film, encoder: str, language: str, number: int) -> list:
    rate = 48000
    stream = output.add_stream(encoder, rate=rate, layout="mono")
    stream.metadata["language"] = language
    stream.metadata["title"] = f"track {number}"
    start = int(film.audio_start * rate)
    total = int(film.frames / film.fps * rate)
    context, packets = stream.codec_context, []
    context.open()
    count = context.frame_size or 1024
    for done in range(0, total, count):
        samples = 8000 * np.sin(
            2 * np.pi * (440 + 110 * number) / rate * np.arange(done, done + count)
        )
        block = av.AudioFrame.from_ndarray(samples.astype(np.int16)[None], "s16", "mono")
        block.sample_rate, block.pts, block.time_base = rate, start + done, Fraction(1, rate)
        packets += [packet for each in _resampled(block, context) for packet in stream.encode(each)]
    packets += stream.encode(None)
    return packets


def _resampled(block, context) -> list:
    resampler = av.AudioResampler(context.format.name, "mono", context.sample_rate)
    return resampler.resample(block)


def _subtitles(output, film: Film, encoder: str, language: str) -> list:
    stream = output.add_stream(encoder)
    stream.metadata["language"] = language
    context = stream.codec_context
    context.subtitle_header = ASS_HEADER
    context.time_base = Fraction(1, 1000)
    stream.disposition = 64 if language == "ger" else 0  # forced
    packets = []
    for number in range(int(film.frames / film.fps * 5)):
        text = f"{number},0,Default,,0,0,0,,line {number} {language}".encode()
        packet = context.encode_subtitle(av.subtitles.subtitle.SubtitleSet.create(text, 0, 150))
        packet.pts = packet.dts = number * 200
        packet.duration, packet.time_base, packet.stream = 150, Fraction(1, 1000), stream
        packets.append(packet)
    return packets


ASS_HEADER = b"""[Script Info]
ScriptType: v4.00+
PlayResX: 384
PlayResY: 288

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, \
Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, \
Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def _cover(output, data: bytes) -> list:
    stream = output.add_stream("png", rate=1, width=16, height=16, pix_fmt="rgb24")
    stream.disposition = 1024  # attached_pic
    packet = av.Packet(data)
    packet.pts = packet.dts = 0
    packet.time_base, packet.stream = Fraction(1, 90000), stream
    packet.is_keyframe = True
    return [packet]


def _chapter(number: int, start: int, end: int, title: str) -> dict:
    clock = Fraction(1, 1000)
    return {
        "id": number,
        "start": start,
        "end": end,
        "time_base": clock,
        "metadata": {"title": title},
    }


def png(size: tuple[int, int] = (16, 16)) -> bytes:
    """A small picture file."""
    context = av.CodecContext.create("png", "w")
    context.width, context.height, context.pix_fmt = *size, "rgb24"
    context.time_base = Fraction(1, 25)
    picture = av.VideoFrame(*size, "rgb24")
    picture.planes[0].update(np.arange(picture.planes[0].buffer_size, dtype=np.uint8))
    return b"".join(bytes(packet) for packet in context.encode(picture) + context.encode(None))


@pytest.fixture
def film(tmp_path) -> Callable[..., Path]:
    """`film(name, **facts)`: a film in a fresh folder; see `Film`."""
    return lambda name="film.mkv", **facts: write_film(tmp_path / name, Film(**facts))


@pytest.fixture
def cover_png() -> bytes:
    return png()


@pytest.fixture
def levels() -> Callable[[Sequence[Frame]], list[int]]:
    """`levels(frames)`: the number of each frame of a film, read from its picture."""
    known = {level(number): number for number in range(20)}

    def read(frames: Sequence[Frame]) -> list[int]:
        found = []
        for frame in frames:
            mean = float(frame.y.mean()) / (4 if frame.y.itemsize == 2 else 1)
            nearest = min(known, key=lambda value: abs(value - mean))
            assert abs(nearest - mean) < 4, (nearest, mean)
            found.append(known[nearest])
        return found

    return read


@pytest.fixture
def packets() -> Callable[[Path], dict[int, list[tuple]]]:
    """`packets(path)`: per stream, (pts, dts, duration in seconds, bytes) of every packet."""

    def read(path: Path) -> dict[int, list[tuple]]:
        with av.open(str(path)) as container:
            found: dict[int, list[tuple]] = {stream.index: [] for stream in container.streams}
            for packet in container.demux():
                if packet.size:
                    clock = packet.time_base
                    pts, dts = (None if t is None else t * clock for t in (packet.pts, packet.dts))
                    entry = (pts, dts, (packet.duration or 0) * clock, bytes(packet))
                    found[packet.stream_index].append(entry)
        return found

    return read


@pytest.fixture
def redo() -> Callable[..., list[str]]:
    """`redo(source, target)`: the film decoded and encoded again; the notes of the encoder."""
    return _redo


def _redo(source, target, *, start=None, end=None, codec="x264", **kwargs):
    with Decoder(source, start=start, end=end) as decoder:
        frames = iter(decoder)
        first = next(frames)
        with Encoder(
            target,
            decoder.format,
            codec=codec,
            preset="ultrafast" if codec == "x264" else None,
            time_base=first.time_base,
            copy_from=source,
            start=start,
            end=end,
            **kwargs,
        ) as encoder:
            encoder.write(first)
            for frame in frames:
                encoder.write(frame)
    return encoder.notes
