"""Fixtures for all tests: clips made by code, evaluation data, golden texts, the command line."""

from __future__ import annotations

import difflib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
os.environ["XDG_DATA_HOME"] = str(ROOT / "none")  # models that this machine's user added stay out

EVAL_DATA = ROOT.parent / "shared" / "data" / "eval"


def pytest_addoption(parser):
    parser.addoption("--rewrite-golden", action="store_true", help="write golden texts anew")


@pytest.fixture(autouse=True)
def _reset_random_generators():
    """No test depends on the tests before it."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - libraries under test may use the old generator
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def eval_data() -> Path:
    """`../shared/data/eval`: real films that nothing was trained on."""
    if not EVAL_DATA.is_dir():
        pytest.skip("no evaluation films: ../shared/data/eval is absent")
    return EVAL_DATA


@pytest.fixture
def golden(request) -> Callable[[str, str], None]:
    """`golden(name, text)`: `text` equals the file `golden/<name>.txt` beside the test."""

    def check(name: str, text: str) -> None:
        path = request.path.parent / "golden" / f"{name}.txt"
        if request.config.getoption("--rewrite-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        expected = path.read_text("utf-8") if path.exists() else ""
        lines = (each.splitlines() for each in (expected, text))
        difference = "\n".join(difflib.unified_diff(*lines, str(path), "now", lineterm=""))
        assert text == expected, f"{difference}\n`make golden` rewrites it"

    return check


@pytest.fixture
def vidgen(tmp_path):
    """`vidgen(*words)`: the command line in a process of its own, as a user calls it."""

    def run(*words: object, cwd: Path = tmp_path, **kwargs) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "vidgen", *map(str, words)]
        return subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, timeout=100, check=False, **kwargs
        )

    return run


_KILLED_SECONDS = 60  # in which a killed process is gone, on a machine that may stand still


def end(process: subprocess.Popen) -> None:
    """Kill `process` unless it has ended, and see it end."""
    process.kill()
    try:
        process.wait(timeout=_KILLED_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.fail(f"{process.args}: still there {_KILLED_SECONDS} s after SIGKILL")
    finally:
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


@pytest.fixture
def begin(tmp_path):
    """`begin(command, ...)`: a program that goes on beside the test and is killed after it."""
    begun = []

    def popen(command, **kwargs) -> subprocess.Popen[str]:
        words = {"cwd": tmp_path, "stderr": subprocess.PIPE, "text": True, **kwargs}
        begun.append(subprocess.Popen(command, **words))
        return begun[-1]

    yield popen
    for process in begun:
        end(process)


@pytest.fixture
def clip(tmp_path) -> Callable[..., Path]:
    """`clip(name, ...)`: a small film in a fresh folder; see `write_clip`."""

    def make(name: str = "clip.mkv", **kwargs) -> Path:
        return write_clip(tmp_path / name, **kwargs)

    return make


def write_clip(
    path: Path,
    frames: int = 8,
    size: tuple[int, int] = (64, 48),
    fps: Fraction | int = 25,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    audio: str | None = None,
    pts: list[int] | None = None,
    time_base: Fraction | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """A film of `frames` pictures in which a bright square crosses a ramp.

    `audio` names an encoder (`aac`, `flac`): a sine as long as the picture. `pts` in units of
    `time_base` make the rate variable. `frames=0` makes a film without a video stream.
    """
    fps = Fraction(fps)
    time_base = time_base or 1 / fps
    stamps = pts if pts is not None else range(frames)
    with av.open(path, "w") as container:
        video = container.add_stream(codec, rate=fps) if frames else None
        sound = container.add_stream(audio, rate=48000) if audio else None
        if video is not None:
            video.width, video.height = size
            video.pix_fmt = pix_fmt
            video.codec_context.time_base = time_base
            video.options = options or {}
            for number, stamp in enumerate(stamps):
                picture = _picture(number, size).reformat(format=pix_fmt)
                picture.pts, picture.time_base = stamp, time_base
                container.mux(video.encode(picture))
            container.mux(video.encode(None))
        if sound is not None:
            _add_sine(container, sound, Fraction(frames or 25) / fps)
    return path


def _picture(number: int, size: tuple[int, int]) -> av.VideoFrame:
    width, height = size
    ramp = np.linspace(40, 160, width * height).reshape(height, width)
    rgb = np.dstack([ramp, ramp[::-1], np.full_like(ramp, 90)]).astype(np.uint8)
    left, edge = (4 + 2 * number) % (width - 8), max(height // 4, 2)
    rgb[edge : 2 * edge, left : left + edge] = 230
    return av.VideoFrame.from_ndarray(rgb, format="rgb24")


def _add_sine(container, stream, seconds: Fraction) -> None:
    rate, done = 48000, 0
    total = int(seconds * rate)
    while done < total:
        count = min(1024, total - done)
        samples = 0.2 * np.sin(2 * np.pi * 440 / rate * np.arange(done, done + count))
        block = av.AudioFrame.from_ndarray(samples.astype(np.float32)[None], "fltp", "mono")
        block.sample_rate, block.pts, block.time_base = rate, done, Fraction(1, rate)
        container.mux(stream.encode(block))
        done += count
    container.mux(stream.encode(None))


def pytest_runtest_setup(item):
    """GPU tests are skipped without a GPU, and fail there when FAIL_WITHOUT_CUDA is set."""
    if item.get_closest_marker("needs_cuda") is None or _has_cuda():
        return
    if os.environ.get("FAIL_WITHOUT_CUDA"):
        pytest.fail("FAIL_WITHOUT_CUDA is set and there is no usable NVIDIA GPU")
    pytest.skip("no usable NVIDIA GPU (CuPy and a driver)")


def pytest_configure():
    """A shell's background job ignores Ctrl-C, and so would all that it starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionstart():
    _has_cuda()  # before a test puts another CuPy in place of it


@cache
def _has_cuda() -> bool:
    try:
        import cupy
    except ImportError:
        return False
    return bool(cupy.is_available())
