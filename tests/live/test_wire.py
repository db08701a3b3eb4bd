"""Connections by FFmpeg's protocols: nothing waits for the other side for longer than it may."""

import socket
import subprocess
import sys
import time
from threading import Event, Thread

import pytest

from vidgen.errors import OutputError
from vidgen.frame import VideoFormat
from vidgen.media.live import LiveOutput, OutputOptions
from vidgen.media.live.wire import Wire

PATIENCE = 60  # seconds, for a machine that stands still


@pytest.fixture
def server():
    """A listening socket, and the URL of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        yield server, "tcp://127.0.0.1:{}".format(*server.getsockname()[1:])


@pytest.fixture
def wire(server):
    """`wire(**words)`: a connection to the server, and the server's end of it."""
    made = []

    def connect(stall=PATIENCE, stop=None, **words):
        made.append(Wire(server[1], {}, stall, stop or Event(), **words))
        connection = server[0].accept()[0]
        made.append(connection)
        return made[-2], connection

    yield connect
    for each in made:
        each.close()


def test_bytes_come_until_the_end(wire):
    ours, theirs = wire()
    theirs.sendall(b"some")
    assert ours.read(1000) == b"some"
    theirs.close()
    assert ours.read(1000) == b""


def test_bytes_go(wire):
    ours, theirs = wire(writes=True)
    data = bytes(range(256)) * 1000
    Thread(target=lambda: (ours.write(data), ours.close()), daemon=True).start()
    got = b""
    while more := theirs.recv(1 << 16):
        got += more
    assert got == data


def test_who_has_left_is_an_error(wire):
    ours, theirs = wire(writes=True)
    theirs.close()
    with pytest.raises(OSError, match=r"Broken pipe|reset"):
        [ours.write(bytes(1000)) for _ in range(1000)]


@pytest.mark.parametrize("writes", [False, True])
def test_who_stands_still_is_given_up(wire, writes):
    ours, _ = wire(stall=0.5, writes=writes)
    with pytest.raises(TimeoutError, match=r"for 0\.5 seconds"):
        ours.write(bytes(1 << 26)) if writes else ours.read(1000)


@pytest.mark.parametrize("by", ["close", "stop"])
def test_another_thread_ends_a_wait(wire, by):
    stop, got = Event(), []
    ours, _ = wire(stop=stop)
    thread = Thread(target=lambda: got.append(ours.read(1000)), daemon=True)
    thread.start()
    time.sleep(0.2)
    ours.close() if by == "close" else stop.set()
    thread.join(timeout=PATIENCE)
    assert got == [b""]


def test_nobody_is_there(server):
    server[0].close()
    with pytest.raises(OSError, match="refused"):
        Wire(server[1], {}, PATIENCE, Event())


def test_a_server_that_takes_the_call_and_says_nothing(server):
    """Other threads go on, and the sink is given up."""
    beats, done = [], Event()

    def beat():
        while not done.wait(timeout=0.05):
            beats.append(time.monotonic())

    Thread(target=beat, daemon=True).start()
    url = server[1].replace("tcp", "rtmp") + "/live/out"
    video = VideoFormat(width=64, height=48, fps=25)
    with pytest.raises(OutputError, match="nothing has moved for 1 seconds"):
        LiveOutput(url, video, [], OutputOptions(stall_seconds=1.0))
    done.set()
    assert len(beats) > 5


@pytest.mark.parametrize("answers", ["", "RTSP/1.0 200 OK\r\nCSeq: 1\r\nPublic: ANNOUNCE\r\n\r\n"])
def test_an_rtsp_server_that_falls_silent_is_an_error(clip, server, answers):
    """In a process of its own: what FFmpeg waits for there, all its threads wait for."""
    url = server[1].replace("tcp:", "rtsp:")
    words = ["stream", str(clip("film.mkv", frames=25)), f"{url}/in", "--stall", "1"]
    words += ["--scale", "1", "--tier", "off", "--no-reconnect"]
    child = subprocess.Popen([sys.executable, "-m", "vidgen", *words], stderr=subprocess.PIPE)
    try:
        with server[0].accept()[0] as connection:
            connection.settimeout(PATIENCE)
            assert connection.recv(1 << 16).startswith(b"OPTIONS")
            connection.sendall(answers.encode())
            said = child.communicate(timeout=PATIENCE)[1].decode()
    finally:
        child.kill()
    assert child.returncode == 1
    assert said == f"vidgen: error: {url}/in: cannot be written (no RTSP server answers in time)\n"
