"""What cannot be written is refused before any frame, in one line that says what can be."""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from vidgen.errors import OutputError, UsageError
from vidgen.frame import VideoFormat
from vidgen.media import Encoder, codec_names

FORMAT = VideoFormat(64, 48, Fraction(25))


def test_codec_words():
    assert codec_names() == ("x264", "x265", "svtav1", "ffv1", "prores")


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        (
            "a.mp4",
            {"codec": "x266"},
            r"--codec x266: unknown; give one of x264, .*; did you mean x26",
        ),
        ("a.mp4", {"preset": "warp"}, "--preset warp: not a preset of x264; give one of ultrafast"),
        ("a.mp4", {"crf": 77}, r"--crf 77: x264 takes 0 \(best\) to 51"),
        ("a.mkv", {"codec": "ffv1", "crf": 20}, "--crf 20: ffv1 has no such setting; leave it out"),
        (
            "a.mkv",
            {"codec": "ffv1", "preset": "slow"},
            "--preset slow: not a preset of ffv1; leave it",
        ),
        ("a.mp4", {"codec": "prores"}, r"\.mp4 does not hold prores; end it in \.mov or \.mkv"),
        ("a.webm", {"codec": "x264"}, r"\.webm does not hold x264; end it in \.mkv or \.mp4"),
        ("a.xyz", {}, r"no container is known by \.xyz; end it in one of \.mkv, \.mp4"),
        ("a", {}, "no container is known by no suffix"),
    ],
)
def test_words_are_refused_before_anything_is_written(tmp_path, name, settings, message):
    with pytest.raises(UsageError, match=message):
        Encoder(tmp_path / name, FORMAT, time_base=Fraction(1, 25), **settings)
    assert list(tmp_path.iterdir()) == []


def test_no_such_folder(tmp_path):
    with pytest.raises(OutputError, match=r"the folder .* does not exist; make it first"):
        Encoder(tmp_path / "none" / "a.mp4", FORMAT, time_base=Fraction(1, 25))


def test_target_is_a_folder(tmp_path):
    (tmp_path / "a.mp4").mkdir()
    with pytest.raises(OutputError, match="is a directory"):
        Encoder(tmp_path / "a.mp4", FORMAT, time_base=Fraction(1, 25))


def test_unwritable_folder():
    target = Path("/proc/a.mp4")
    if not target.parent.is_dir():
        pytest.skip("no /proc: no folder that even root cannot write to")
    with pytest.raises(OutputError, match=r"a\.mp4: cannot be written") as raised:
        Encoder(target, FORMAT, time_base=Fraction(1, 25))
    assert "\n" not in str(raised.value)


FULL_DISK = """
import resource, signal, sys
from fractions import Fraction
import numpy as np
from pathlib import Path
from vidgen.errors import OutputError
from vidgen.frame import Frame, VideoFormat
from vidgen.media import Encoder
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
random = np.random.default_rng(0)
try:
    with Encoder(Path(sys.argv[1]), VideoFormat(320, 240), codec=sys.argv[2],
                 time_base=Fraction(1, 25)) as encoder:
        for n in range(200):
            y = random.integers(0, 255, (240, 320), np.uint8)
            uv = random.integers(0, 255, (120, 160, 2), np.uint8)
            encoder.write(Frame(y, uv, n, 1, Fraction(1, 25)))
except OutputError as error:
    print(f"{n}: {error}")
"""


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_disk_full(tmp_path, name):
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / name), "ffv1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    number, message = done.stdout.strip().split(": ", 1)
    assert int(number) < 20
    assert message.endswith(f"{name}: cannot be written (File too large)")
    assert done.stderr == ""


def test_a_file_that_was_there_is_left_alone_when_refused(tmp_path):
    (tmp_path / "a.mp4").write_text("mine")
    with pytest.raises(UsageError):
        Encoder(tmp_path / "a.mp4", FORMAT, time_base=Fraction(1, 25), crf=99)
    assert (tmp_path / "a.mp4").read_text() == "mine"
    assert os.listdir(tmp_path) == ["a.mp4"]


@pytest.mark.parametrize("size", [(4096, 16), (256, 30), (16, 4096)])
def test_pictures_too_small_for_svtav1_are_refused(tmp_path, size):
    """It would wait for itself for ever."""
    with pytest.raises(UsageError, match=r"too small, it takes 32 pixels a side or more; give"):
        Encoder(tmp_path / "a.mkv", VideoFormat(*size), codec="svtav1", time_base=Fraction(1, 25))
    assert not (tmp_path / "a.mkv").exists()
