"""A long film of changing rate, made in pieces: picture and sound meet where they did before.

As an editor, a phone and a slide show would leave it: 1, 24, 120 pictures a second, a stretch with
a single one. Chapters are dark and bright in turn and begin with a click of the sound, off every
grid. In `make soak` it lasts two hours.
"""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vidgen.job import Settings
from vidgen.media import probe
from vidgen.segments import run

CLOCK = Fraction(1, 120_000)
RATE = 8000  # of the sound
PARTS = (24, 1, 120, 24, 0, 24, 1, 24)  # pictures a second in each chapter; 0: one for all of it
DENSE_SECONDS = 2  # of 120 a second; that part goes on at 24
MILLISECOND = Fraction(1, 1000)  # Matroska's clock
SIZE = 32, 32


def begins(seconds: int) -> list[Fraction]:
    """When chapters begin, and the end."""
    length = Fraction(seconds, len(PARTS)) + Fraction(1, 7)
    return [round(n * length / CLOCK) * CLOCK for n in range(len(PARTS) + 1)]


def stamps(seconds: int) -> dict[int, int]:
    """Time in CLOCK of each picture, and its chapter."""
    found, ends = {}, begins(seconds)
    for chapter, (rate, begin, end) in enumerate(zip(PARTS, ends[:-1], ends[1:], strict=True)):
        at = begin
        while at < end:
            found[round(at / CLOCK)] = chapter
            slow = rate == 120 and at - begin >= DENSE_SECONDS
            at += Fraction(1, 24 if slow else rate) if rate else end - begin
    return found


def write_long(path: Path, seconds: int) -> Path:
    drawn = np.random.default_rng(0).integers(0, 70, (2, 16, 128), np.uint8)
    noise = [
        cv2.resize(each, (256, 32)) + base for each, base in zip(drawn, (30, 150), strict=True)
    ]
    with av.open(path, "w") as container:
        video = container.add_stream("libx264", rate=24, time_base=CLOCK)
        video.width, video.height = SIZE
        video.options = {"preset": "ultrafast", "g": "48"}
        sound = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        ends = begins(seconds)
        container.set_chapters([_chapter(n, *at) for n, at in enumerate(pairwise(ends))])
        for number, (pts, chapter) in enumerate(stamps(seconds).items()):
            left = number % 224
            luma = noise[chapter % 2][:, left : left + 32]
            planes = np.concatenate([luma, np.full((16, 32), 128)]).astype(np.uint8)
            picture = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            picture.pts, picture.time_base = pts, CLOCK
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        clicks = np.zeros(int(ends[-1] * RATE), np.int16)
        clicks[[round(begin * RATE) for begin in ends[:-1]]] = 30000
        for at in range(0, len(clicks), RATE):
            block = av.AudioFrame.from_ndarray(clicks[None, at : at + RATE], "s16", "mono")
            block.sample_rate, block.pts, block.time_base = RATE, at, Fraction(1, RATE)
            container.mux(sound.encode(block))
        container.mux(sound.encode(None))
    return path


def _chapter(number: int, begin: Fraction, end: Fraction) -> dict:
    clock = Fraction(1, 1_000_000)
    at = {"start": round(begin / clock), "end": round(end / clock), "time_base": clock}
    return {"id": number + 1, **at, "metadata": {"title": str(number)}}


def turns(path: Path) -> list[Fraction]:
    """When the film turns bright or dark."""
    found, before = [], None
    with av.open(path) as container:
        for frame in container.decode(video=0):
            bright = np.frombuffer(frame.planes[0], np.uint8)[: SIZE[0]].mean() > 130
            if bright != before:
                found.append(frame.pts * frame.time_base)
            before = bright
    return found


def clicks(path: Path) -> list[Fraction]:
    found = []
    with av.open(path) as container:
        for frame in container.decode(audio=0):
            at = np.flatnonzero(frame.to_ndarray()[0] > 20000)
            found += [frame.pts * frame.time_base + Fraction(int(n), RATE) for n in at]
    return found


@pytest.mark.parametrize(
    "seconds",
    [40, pytest.param(7200, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])],
)
@pytest.mark.parametrize("fps", [None, "60"])
def test_picture_and_sound_stay_in_step(tmp_path, seconds, fps):
    source = write_long(tmp_path / "in.mkv", seconds)
    target, said = tmp_path / "out.mkv", []
    words = {"scale": 1, "preset": "ultrafast", "fps": fps, "segment": Fraction(10)}
    run(Settings(source=source, target=target, **words), announce=said.append)
    seen, heard, told = turns(target), clicks(target), probe(target).chapters
    assert len(seen) == len(heard) == len(told) == len(PARTS)
    apart = Fraction(1, 2 * int(fps)) if fps else Fraction(0)  # half a picture of the output
    for picture, sound, chapter in zip(seen, heard, told, strict=True):
        assert abs(picture - sound) <= apart + MILLISECOND
        assert abs(chapter.start - sound) <= MILLISECOND
    assert len(said) == (seconds >= 600)
