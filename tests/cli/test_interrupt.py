"""Ctrl-C and its relatives in mid-film: one line, the exit code, and a file that plays."""

import signal
import subprocess
import sys
import time

import pytest


@pytest.fixture
def running(tmp_path, clip):
    """A run that has written part of its output and would go on for minutes."""
    source = clip("in.mkv", frames=250, size=(320, 240), options={"preset": "ultrafast"})
    words = ["upscale", source, "out.mkv", "--scale", "1", "--fps", "1000", "--codec", "ffv1"]
    # a shell's background job ignores Ctrl-C, and its children would too
    command = ["env", "--default-signal=INT", sys.executable, "-m", "vidgen", *words]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        partial = tmp_path / "out.partial.mkv"
        until(lambda: partial.exists() and partial.stat().st_size > 500_000, process)
        yield process
        process.kill()


def until(condition, process, seconds=60):
    """Wait for `condition`; fail if the process ends or time runs out."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_a_playable_part(running, number, pictures_of, tmp_path):
    running.send_signal(number)
    errors = running.communicate(timeout=20)[1]
    assert running.returncode == 130
    assert errors == "vidgen: error: stopped\n"
    assert not (tmp_path / "out.mkv").exists()
    width, height, times = pictures_of(tmp_path / "out.partial.mkv")
    assert (width, height) == (320, 240)
    assert len(times) > 5


def test_impatience_does_no_harm(running, tmp_path):
    for _ in range(3):
        running.send_signal(signal.SIGINT)
        time.sleep(0.02)
    errors = running.communicate(timeout=20)[1]
    assert running.returncode != 0
    assert "Traceback" not in errors
    assert not (tmp_path / "out.mkv").exists()
