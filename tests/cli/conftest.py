"""What tests of the command line share: wrapped and refused runs, a film with everything in it."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import pytest

SUBTITLES = """1
00:00:00,200 --> 00:00:00,900
first words

2
00:00:01,200 --> 00:00:01,800
last words
"""


@pytest.fixture
def vidgen_under(tmp_path):
    """`vidgen_under([wrapper...], *words)`: the command line, started by another program."""

    def run(wrapper: list[str], *words: object) -> subprocess.CompletedProcess[str]:
        command = [*wrapper, sys.executable, "-m", "vidgen", *map(str, words)]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False
        )

    return run


@pytest.fixture
def error_of(tmp_path):
    """`error_of(result, code)`: the message of a refused run, checked for what every one owes."""

    def check(result: subprocess.CompletedProcess[str], code: int, target: str = "out.mkv") -> str:
        assert result.returncode == code, result.stderr
        lines = result.stderr.splitlines()
        assert len(lines) == 1, result.stderr
        assert lines[0].startswith("vidgen: error: ")
        assert result.stdout == ""
        assert not (tmp_path / target).exists()
        return lines[0].removeprefix("vidgen: error: ")

    return check


@pytest.fixture
def pictures_of():
    """`pictures_of(film)`: width, height and the times of all pictures, by FFmpeg's own decoder."""

    def read(film: Path) -> tuple[int, int, list[Fraction]]:
        with av.open(film) as container:
            frames = list(container.decode(video=0))
        first = frames[0]
        return first.width, first.height, [frame.pts * frame.time_base for frame in frames]

    return read


@pytest.fixture
def index_first():
    """`index_first(film)`: an MP4 with its index in front, so that a piece of it can be read."""

    def remux(source: Path) -> Path:
        target = source.with_name(f"first-{source.name}")
        options = {"movflags": "faststart"}
        with av.open(source) as reader, av.open(target, "w", options=options) as writer:
            _copy(writer, [reader])
        return target

    return remux


@pytest.fixture
def full_film(clip, tmp_path) -> Path:
    """A Matroska film of two seconds with sound, a subtitle stream, two chapters and a title."""
    # without B frames, Matroska tells the decoding time of every packet
    film = clip("plain.mkv", frames=50, audio="flac", options={"bf": "0"})
    words = tmp_path / "words.srt"
    words.write_text(SUBTITLES, "utf-8")
    target = tmp_path / "full.mkv"
    with av.open(film) as reader, av.open(words) as text, av.open(target, "w") as writer:
        writer.metadata["title"] = "A film"
        writer.set_chapters([_chapter(number) for number in range(2)])
        _copy(writer, [reader, text])
    return target


def _chapter(second: int) -> dict:
    return {
        "id": second + 1,
        "start": second * 1000,
        "end": second * 1000 + 1000,
        "time_base": Fraction(1, 1000),
        "metadata": {"title": f"Chapter {second + 1}"},
    }


def _copy(writer, readers) -> None:
    """All packets of `readers`, in order of time, into `writer`."""
    packets = []
    for reader in readers:
        made = [writer.add_stream_from_template(stream) for stream in reader.streams]
        for packet in reader.demux():
            if packet.dts is not None:
                packets.append((packet.dts * packet.time_base, made[packet.stream_index], packet))
    for _, stream, packet in sorted(packets, key=lambda entry: entry[0]):
        packet.stream = stream
        writer.mux(packet)
