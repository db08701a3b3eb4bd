"""The element inside real pipelines: its pictures are the filter's, its times GStreamer's."""

import os
import shutil
import subprocess
import sys
import sysconfig
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vidgen import Filter

ROOT = Path(__file__).parents[2]
PYTHON = "/usr/bin/python3"
SIZE = 66, 48
SEEK = """
import gi, sys
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
line = sys.argv[1]
pipeline = Gst.parse_launch(line)
shown = []
pipeline.get_by_name("end").connect("preroll-handoff", lambda *args: None)
pipeline.get_by_name("end").connect("handoff", lambda sink, buffer, pad: shown.append(buffer.pts))
pipeline.set_state(Gst.State.PAUSED)
assert pipeline.get_state(60 * Gst.SECOND)[0] == Gst.StateChangeReturn.SUCCESS
for again in range(3):
    assert pipeline.seek_simple(Gst.Format.TIME, Gst.SeekFlags.FLUSH, 0)
    assert pipeline.get_state(60 * Gst.SECOND)[0] == Gst.StateChangeReturn.SUCCESS
shown.clear()
pipeline.set_state(Gst.State.PLAYING)
types = Gst.MessageType.EOS | Gst.MessageType.ERROR
message = pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, types)
pipeline.set_state(Gst.State.NULL)
print(message.type.first_value_nick, *shown)
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """GStreamer's, in which it finds the element, and the element the packages of this Python."""
    if not all(map(shutil.which, ("gst-launch-1.0", "gst-inspect-1.0", PYTHON))):
        pytest.skip("no GStreamer: apt-get install gstreamer1.0-tools and python3-gst-1.0")
    words = {
        **os.environ,
        "GST_PLUGIN_PATH": str(ROOT / "vidgen" / "plugins"),
        "GST_REGISTRY": str(tmp_path_factory.mktemp("gst") / "registry"),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{sysconfig.get_paths()['purelib']}",
    }
    code = "import sys, gi; gi.require_version('GstVideo', '1.0'); print(*sys.version_info[:2])"
    asked = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, timeout=100)
    if asked.returncode:
        pytest.skip("the system's Python has no gi with GstVideo: apt-get install python3-gst-1.0")
    if asked.stdout.split() != [*map(str, sys.version_info[:2])]:
        pytest.skip(f"the system's Python is {asked.stdout.strip()}: not that of these packages")
    for plugin in ("python", "rawparse", "matroska"):
        there = ["gst-inspect-1.0", plugin]
        if subprocess.run(there, env=words, capture_output=True, timeout=100).returncode:
            pytest.skip(f"GStreamer's plug-in {plugin} is not installed")
    return words


@pytest.fixture
def launch(environment, tmp_path):
    def run(*line):
        return subprocess.run(
            ["gst-launch-1.0", "-q", *" ".join(line).split()],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
        )

    return run


def pictures(count, depth):
    width, height = SIZE
    for n in range(count):
        y = np.tile(np.linspace(40, 160, width), (height, 1)).astype(np.uint8)
        y[12:30, 6 + 2 * n : 24 + 2 * n] = 230
        uv = np.full((height // 2, width // 2, 2), 90 + 3 * n, np.uint8)
        yield (y, uv) if depth == 8 else (y.astype(np.uint16) * 4, uv.astype(np.uint16) * 4)


def raw(planes, layout):
    """As GStreamer lays it: rows end at four bytes."""
    y, uv = planes
    if layout == "p010-10le":
        y, uv = y << 6, uv << 6
    semi = layout in ("nv12", "p010-10le")
    parts = [y, uv.reshape(len(uv), -1)] if semi else [y, uv[..., 0], uv[..., 1]]
    rows = [np.ascontiguousarray(part).view(np.uint8) for part in parts]
    return b"".join(np.pad(r, ((0, 0), (0, -r.shape[1] % 4))).tobytes() for r in rows)


def source(path, layout, count):
    """A raw film, and the words that read it."""
    depth = 10 if "10" in layout else 8
    path.write_bytes(b"".join(raw(each, layout) for each in pictures(count, depth)))
    size = f"width={SIZE[0]} height={SIZE[1]}"
    return f"filesrc location={path} ! rawvideoparse format={layout} {size} framerate=25/1"


@pytest.mark.parametrize("layout", ["nv12", "p010-10le", "i420-10le"])
def test_its_pictures_are_the_filters(layout, launch, tmp_path):
    done = launch(
        source(tmp_path / "in.raw", layout, 4), "! vidgen fps=50 ! filesink location=out.raw"
    )
    assert done.returncode == 0, done.stderr
    with Filter(scale=2, fps="50", rate="25") as filter:
        made = [
            frame
            for planes in pictures(4, 10 if "10" in layout else 8)
            for frame in filter.send(planes)
        ] + filter.flush()
    assert len(made) == 8
    expected, got = (
        np.frombuffer(data, np.uint16 if "10" in layout else np.uint8).astype(int)
        for data in (
            b"".join(raw(frame.planes, layout) for frame in made),
            (tmp_path / "out.raw").read_bytes(),
        )
    )
    least = 64 if layout == "p010-10le" else 1  # a network rounds by how its input lies in memory
    assert np.abs(got - expected).max() <= least
    assert np.mean(got != expected) < 0.01


def test_its_times_and_size(launch, tmp_path):
    done = launch(
        source(tmp_path / "in.raw", "i420", 5),
        "! vidgen scale=1 fps=x2 tier=balanced ! matroskamux ! filesink location=out.mkv",
    )
    assert done.returncode == 0, done.stderr
    with av.open(tmp_path / "out.mkv") as film:
        frames = list(film.decode(video=0))
    assert [frame.pts * frame.time_base for frame in frames] == [Fraction(n, 50) for n in range(10)]
    assert (frames[0].width, frames[0].height) == SIZE


def test_every_buffer_passes_at_its_own_time(launch, tmp_path):
    done = launch(
        source(tmp_path / "in.raw", "nv12", 5),
        "! identity drop-buffer-flags=0 ! vidgen size=96x64",
        "! videoconvert ! video/x-raw,format=I420 ! matroskamux ! filesink location=out.mkv",
    )
    assert done.returncode == 0, done.stderr
    with av.open(tmp_path / "out.mkv") as film:
        frames = list(film.decode(video=0))
    assert [frame.pts * frame.time_base for frame in frames] == [Fraction(n, 25) for n in range(5)]
    assert {(frame.width, frame.height) for frame in frames} == {(96, 64)}


def test_the_format_that_the_next_element_takes(launch, tmp_path):
    source = "videotestsrc num-buffers=2 ! video/x-raw,width=64,height=48,framerate=25/1"
    done = launch(source, "! vidgen ! video/x-raw,format=NV12 ! filesink location=out.raw")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.raw").stat().st_size == 2 * 128 * 96 * 3 // 2


@pytest.mark.parametrize("word", ["scale=3", "generate=all fps=50"])
def test_a_word_that_is_not_accepted(word, launch, tmp_path):
    done = launch(source(tmp_path / "in.raw", "i420", 2), f"! vidgen {word} ! fakesink")
    assert done.returncode != 0
    assert word.split()[0].split("=")[1] in done.stderr
    assert "Traceback" not in done.stderr


def test_a_seek_begins_anew(environment, tmp_path):
    line = source(tmp_path / "in.raw", "i420", 6)
    line += " ! vidgen scale=1 fps=50 ! fakesink name=end signal-handoffs=true"
    done = subprocess.run(
        [PYTHON, "-c", SEEK, line], env=environment, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    word, *shown = done.stdout.split()
    assert word == "eos", done.stderr
    assert [int(pts) for pts in shown][-11:] == [20_000_000 * n for n in range(1, 12)]
