"""What the library does to the process that it lives in."""

import os
import subprocess
import sys

PROGRAM = """
import signal, sys
from threading import Thread
from vidgen import zoo
from vidgen.engines.openvino import OpenVINO

held = []

def build():
    held.append(OpenVINO().compile(zoo.load("x2-realtime"), 64, 48, 8))

def drop():
    held.pop().close()

def elsewhere(work):
    thread = Thread(target=work)
    thread.start()
    thread.join()

if sys.argv[1] == "drop":
    build(), elsewhere(drop)
else:
    elsewhere(build), drop()
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("heard")
"""


def test_a_ctrl_c_after_an_engine_was_let_go_of_elsewhere():
    """The library's stack for signals is not taken from under the main thread."""
    for elsewhere in ("drop", "build"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, elsewhere],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, "heard\n"), done.stderr


def test_nobody_is_told_that_it_runs(tmp_path):
    """Its telemetry begins with a number for this user, kept in his home, whatever the network."""
    program = "from vidgen.engines import choose_backend; choose_backend('openvino')"
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=environment | home, check=True, timeout=60)
    assert list(tmp_path.iterdir()) == []
