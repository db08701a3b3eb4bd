"""Ctrl-C and its relatives in mid-film: one line, the exit code, and work that goes on."""

import re
import signal
import sys
import time

import pytest

from vidgen.__main__ import main

WORDS = ["--scale", "1", "--fps", "250", "--codec", "ffv1", "--segment", "1"]


@pytest.fixture
def running(tmp_path, clip, begin):
    """A run that has written part of its output and would go on for minutes."""
    source = clip("in.mkv", frames=250, size=(96, 72), options={"preset": "ultrafast"})
    words = ["upscale", source, "out.mkv", *WORDS]
    # a shell's background job ignores Ctrl-C, and its children would too
    command = ["env", "--default-signal=INT", sys.executable, "-m", "vidgen", *words]
    process = begin(command)
    until(lambda: list(tmp_path.glob("out.mkv.vidgen/*/00001.json")), process)
    return process


def until(condition, process, seconds=60):
    """Wait for `condition`; fail if the process ends or time runs out."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_says_how_far_it_is(running, number, tmp_path):
    running.send_signal(number)
    errors = running.communicate(timeout=60)[1]
    assert running.returncode == 130
    assert re.fullmatch(
        r"vidgen: error: stopped with 0:00:0\d of 0:00:10 finished; "
        r"the same command goes on from there\n",
        errors,
    )
    assert [path.name for path in tmp_path.glob("out*")] == ["out.mkv.vidgen"]
    assert not list(tmp_path.glob("out.mkv.vidgen/*/*.tmp"))


def test_impatience_does_no_harm(running, tmp_path):
    for _ in range(3):
        running.send_signal(signal.SIGINT)
        time.sleep(0.02)
    errors = running.communicate(timeout=60)[1]
    assert running.returncode != 0
    assert "Traceback" not in errors
    assert not (tmp_path / "out.mkv").exists()


def test_ctrl_c_while_the_program_is_loaded(capsys, monkeypatch):
    class Interrupted:
        def find_spec(self, name, path, target=None):
            if name == "vidgen.cli":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "vidgen.cli", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    assert main() == 130
    assert capsys.readouterr().err == "vidgen: error: stopped\n"
