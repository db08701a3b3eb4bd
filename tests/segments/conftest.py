"""A small film with shots, sound and chapters, runs on it in pieces, and what came out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vidgen.job import Settings
from vidgen.segments import run

SHOTS = (0, 30, 65)  # numbers of the frames that begin a shot; the last shot is long
FPS, FRAMES, SIZE = 25, 150, (96, 64)


def shot_picture(number: int) -> av.VideoFrame:
    """A texture that drifts; another one, of another brightness, in each shot."""
    shot = sum(number >= first for first in SHOTS)
    width, height = SIZE
    noise = np.random.default_rng(shot).integers(0, 256, (height, 2 * width), np.uint8)
    wide = cv2.GaussianBlur(noise, (0, 0), 2).astype(np.float32)
    wide = (wide - wide.mean()) * 4 + (70, 180, 110)[shot % 3 - 1]
    left = number * 2 % width
    luma = np.clip(wide[:, left : left + width], 16, 235).astype(np.uint8)
    planes = np.concatenate([luma, np.full((height // 2, width), 100 + 20 * (shot % 5), np.uint8)])
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


def write_shots(path: Path) -> Path:
    """H.264 with B-frames, 25 a second, beside a tone in FLAC; a chapter a second."""
    with av.open(path, "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast"})
        video.width, video.height = SIZE
        sound = container.add_stream("flac", rate=8000, layout="mono")
        container.set_chapters([_chapter(second) for second in range(FRAMES // FPS)])
        for number in range(FRAMES):
            picture = shot_picture(number)
            picture.pts, picture.time_base = number, Fraction(1, FPS)
            container.mux(video.encode(picture))
            container.mux(sound.encode(_tone(number)))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))
    return path


def _tone(number: int) -> av.AudioFrame:
    count = 8000 // FPS
    at = np.arange(number * count, (number + 1) * count)
    block = av.AudioFrame.from_ndarray(
        (8000 * np.sin(at / 3)).astype(np.int16)[None], "s16", "mono"
    )
    block.sample_rate, block.pts, block.time_base = 8000, int(at[0]), Fraction(1, 8000)
    return block


def _chapter(second: int) -> dict:
    clock, title = Fraction(1, 1000), {"title": f"chapter {second}"}
    at = {"start": 1000 * second, "end": 1000 * (second + 1), "time_base": clock}
    return {"id": second + 1, **at, "metadata": title}


@pytest.fixture(scope="session")
def film(tmp_path_factory) -> Path:
    """Six seconds in three shots."""
    return write_shots(tmp_path_factory.mktemp("film") / "film.mkv")


@pytest.fixture
def settings(film, tmp_path):
    """`settings(**words)`: a run in pieces of about a second, to `out.mkv`, without a network."""

    def make(source: Path = film, target: str = "out.mkv", **words) -> Settings:
        usual = {"scale": 1, "fps": "50", "preset": "ultrafast", "segment": Fraction(1)}
        return Settings(source=source, target=tmp_path / target, **{**usual, **words})

    return make


@pytest.fixture(scope="session")
def contents():
    """`contents(film)`: all that counts in it; see `read_contents`."""
    return read_contents


@pytest.fixture(scope="session")
def whole(film, tmp_path_factory) -> tuple:
    """What an uninterrupted run of `settings()` makes."""
    target = tmp_path_factory.mktemp("whole") / "out.mkv"
    words = {"scale": 1, "fps": "50", "preset": "ultrafast", "segment": Fraction(1)}
    run(Settings(source=film, target=target, **words))
    return read_contents(target)


def read_contents(path: Path) -> tuple:
    """(time, picture) of each frame, the packets of all other streams, chapters."""
    with av.open(path) as container:
        frames = [
            (frame.pts * frame.time_base, frame.to_ndarray().tobytes())
            for frame in container.decode(video=0)
        ]
        chapters = [(entry["start"], entry["metadata"]["title"]) for entry in container.chapters()]
    with av.open(path) as container:
        packets = [
            (packet.stream_index, packet.pts, packet.duration, bytes(packet))
            for packet in container.demux()
            if packet.size and packet.stream.type != "video"
        ]
    return frames, packets, chapters
