"""What the library does to the process that it lives in."""

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
