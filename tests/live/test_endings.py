"""The program is told to end while its source says nothing: once, twice, before it ever said it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from threading import Event, Thread

import av
import pytest

from vidgen.live.attend import attend

PATIENCE = (
    100  # seconds, for a machine that stands still; also until a silent source counts as lost
)
SOON = 40  # seconds, for the same machine: what waits for the source takes far longer


@pytest.fixture
def given(clip):
    """The bytes of a second of MPEG-TS."""
    options = {"preset": "ultrafast", "g": "5", "bf": "0"}
    return clip("in.ts", frames=30, size=(64, 48), audio="aac", options=options).read_bytes()


@pytest.fixture
def stack():
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def streaming(child, tmp_path):
    """`streaming(source, name)`: the program, whose source is to be silent for long."""

    def start(source, name, *words, stdin=None):
        words = [source, tmp_path / name, *words, "--scale", 1, "--tier", "off", "--stall"]
        words += [PATIENCE, "--status-file", tmp_path / "status.json", "--quiet"]
        return child(sys.executable, "-m", "vidgen", "stream", *words, stdin=stdin)

    return start


def sent(data, write):
    """All of it within a second, by `write`."""
    for n in range(0, len(data), len(data) // 20):
        write(data[n : n + len(data) // 20])
        time.sleep(0.05)


def served(stack, *each):
    """A port at which connection n is given to `each[n]`, and what comes after them is refused."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        with closing(server):
            for then in each:
                connection = stack.enter_context(server.accept()[0])
                then(connection)

    Thread(target=serve, daemon=True).start()
    return f"tcp://127.0.0.1:{server.getsockname()[1]}"


def connected(stack, port, program):
    """A connection to the program, once it listens."""
    while program.poll() is None:
        try:
            return stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        except OSError:
            time.sleep(0.05)
    raise AssertionError(program.returncode)


def figures(tmp_path):
    status = tmp_path / "status.json"
    return json.loads(status.read_text("utf-8")) if status.exists() else {}


def shown(program, tmp_path):
    """Wait until pictures have come and been shown, and none comes any more."""
    deadline, seen = time.monotonic() + PATIENCE, {}
    while not seen.get("frames_out") or figures(tmp_path)["frames_in"] != seen["frames_in"]:
        assert program.poll() is None
        assert time.monotonic() < deadline
        seen = figures(tmp_path)
        time.sleep(1.1)  # figures are a second old


def pictures(path):
    with av.open(path) as film:
        return sum(1 for packet in film.demux(video=0) if packet.size)


def test_a_sender_that_has_fallen_silent(given, stack, streaming, port, tmp_path):
    program = streaming(f"tcp://127.0.0.1:{port}", "out.mp4", "--listen")
    sent(given, connected(stack, port, program).sendall)
    shown(program, tmp_path)
    program.send_signal(signal.SIGTERM)
    program.send_signal(signal.SIGINT)
    assert program.wait(timeout=SOON) == 0
    assert pictures(tmp_path / "out.mp4") == figures(tmp_path)["frames_out"] > 10


def test_a_server_that_is_called_again(given, stack, streaming, tmp_path):
    """It is not there then: the program waits between two calls."""

    def lost(connection):
        sent(given, connection.sendall)
        connection.close()

    program = streaming(served(stack, lost), "out.mkv")
    shown(program, tmp_path)
    program.send_signal(signal.SIGTERM)
    assert program.wait(timeout=SOON) == 0
    assert pictures(tmp_path / "out.mkv") == figures(tmp_path)["frames_out"] > 10


def test_a_pipe_that_has_fallen_silent(given, stack, streaming, tmp_path):
    """And impatience: the file is whole all the same."""
    reading, writing = os.pipe()
    stack.callback(os.close, writing)
    program = streaming("-", "out.ts", stdin=reading)
    os.close(reading)
    sent(given, lambda data: os.write(writing, data))
    shown(program, tmp_path)
    for _ in range(2):
        program.send_signal(signal.SIGTERM)
        time.sleep(0.05)
    assert program.wait(timeout=SOON) == 0
    assert pictures(tmp_path / "out.ts") == figures(tmp_path)["frames_out"] > 10


@pytest.mark.parametrize("kind", ["server", "pipe"])
def test_a_source_that_never_said_anything(kind, stack, streaming, tmp_path):
    called, stdin = Event(), None
    if kind == "server":
        url = served(stack, lambda connection: called.set())
    else:
        url = "-"
        stdin, writing = os.pipe()
        stack.callback(os.close, writing)
        stack.callback(os.close, stdin)
        called.set()
    program = streaming(url, "out.ts", stdin=stdin)
    assert called.wait(timeout=PATIENCE)
    time.sleep(2 * (kind == "pipe"))
    program.send_signal(signal.SIGTERM)
    assert program.wait(timeout=SOON) == 130
    assert not (tmp_path / "out.ts").exists()


class Stuck:
    """Has something to end well, but does not come to it; who runs it asks for the end twice."""

    def __init__(self):
        self.asked, self.free = 0, Event()

    def run(self):
        for n in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            deadline = time.monotonic() + PATIENCE
            while self.asked <= n and time.monotonic() < deadline:
                time.sleep(0.01)
        self.free.wait(timeout=PATIENCE)

    def stop(self):
        self.asked += 1
        return self.asked < 2


def test_what_cannot_end_is_left_when_it_is_asked_twice():
    stream = Stuck()
    with pytest.raises(KeyboardInterrupt):
        attend(stream)
    assert stream.asked == 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    stream.free.set()


def test_a_disk_that_is_full_is_an_error(given, tmp_path):
    (tmp_path / "in.ts").write_bytes(given)
    words = "stream in.ts out.ts --scale 4 --tier off --codec ffv1 --to matroska"
    full = "ulimit -f 64; exec " + f"{sys.executable} -m vidgen {words}"  # blocks of 1 KiB
    done = subprocess.run(
        ["bash", "-c", full], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "out.ts: cannot be written" in done.stderr
