"""The film of a minute that `benchmarks.kills` upscales, and what counts in a film."""

from __future__ import annotations

from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

__all__ = ["RATE", "contents", "write_film"]

FILM_SECONDS, RATE, SIZE, SOUND_RATE = 60, 10, (96, 64), 8000
SHOTS = (0, 31, 64, 160, 181, 185, 330, 404, 470, 501, 555)  # first pictures


def write_film(path: Path) -> None:
    """H.264 in shots of 0.4 to 15 s beside a tone in FLAC; a chapter every ten seconds."""
    chance = np.random.default_rng(1)
    width, height = SIZE
    with av.open(path, "w") as film:
        video = film.add_stream("libx264", rate=RATE, options={"preset": "veryfast"})
        video.width, video.height = SIZE
        sound = film.add_stream("flac", rate=SOUND_RATE, layout="mono")
        film.set_chapters([_chapter(second) for second in range(0, FILM_SECONDS, 10)])
        texture = np.zeros((height, 2 * width), np.uint8)
        for number in range(FILM_SECONDS * RATE):
            if number in SHOTS:
                noise = cv2.GaussianBlur(chance.normal(0, 160, texture.shape), (0, 0), 2)
                texture = np.clip(noise + chance.uniform(60, 190), 16, 235).astype(np.uint8)
            luma = np.roll(texture, -2 * number, 1)[:, :width]
            planes = np.concatenate([luma, np.full((height // 2, width), 110, np.uint8)])
            picture = av.VideoFrame.from_ndarray(planes, "yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, RATE)
            film.mux(video.encode(picture))
            film.mux(sound.encode(_tone(number)))
        film.mux(video.encode(None))
        film.mux(sound.encode(None))


def _tone(number: int) -> av.AudioFrame:
    count = SOUND_RATE // RATE
    at = np.arange(number * count, (number + 1) * count)
    block = av.AudioFrame.from_ndarray((8e3 * np.sin(at / 3)).astype(np.int16)[None], "s16", "mono")
    block.sample_rate, block.pts, block.time_base = SOUND_RATE, int(at[0]), Fraction(1, SOUND_RATE)
    return block


def _chapter(second: int) -> Any:
    at = {"start": second, "end": second + 10, "time_base": Fraction(1)}
    return {"id": second + 1, **at, "metadata": {"title": f"from {second} s"}}


def contents(path: Path) -> str:
    """A digest of times and pictures, of the packets of all other streams, and of chapters."""
    digest = sha256()
    with av.open(path) as film:
        digest.update(repr(film.chapters()).encode())
        for frame in film.decode(video=0):
            digest.update(repr(frame.pts * frame.time_base).encode() + frame.to_ndarray().tobytes())
    with av.open(path) as film:
        for packet in film.demux():
            if packet.size and packet.stream.type != "video":
                place = packet.stream_index, packet.pts, packet.duration
                digest.update(repr(place).encode() + bytes(packet))
    return digest.hexdigest()
