"""Real processes that come and go: a sender is killed, the program is told to end."""

import json
import os
import signal
import socket
import sys
import time
from contextlib import closing
from fractions import Fraction
from itertools import pairwise
from threading import Event, Thread

import av
import pytest

from vidgen.errors import OutputError
from vidgen.media.live import LiveInput
from vidgen.media.live.peer import Peer

PATIENCE = 100  # seconds, for a machine that stands still


@pytest.fixture
def running(child, tmp_path, port):
    """The program, waiting for a sender; its figures as a function; its URL and its output."""
    url, got, status = f"tcp://127.0.0.1:{port}", tmp_path / "got.ts", tmp_path / "status.json"
    words = [
        "--listen",
        "--scale",
        1,
        "--tier",
        "off",
        "--preset",
        "ultrafast",
        "--stall",
        PATIENCE,
    ]
    words += ["--stall", PATIENCE, "--status-file", status, "--quiet"]
    program = child(sys.executable, "-m", "vidgen", "stream", url, got, *words)

    def until(met):
        """The figures, once they are so."""
        deadline = time.monotonic() + PATIENCE
        while True:
            assert program.poll() is None
            assert time.monotonic() < deadline
            report = json.loads(status.read_text("utf-8")) if status.exists() else {}
            if report and met(report):
                return report
            time.sleep(0.1)

    return program, until, url, got


def killed(times, film, running, sender, rng):
    """The times of what is shown of a sender that is begun again so often, in seconds."""
    program, until, url, got = running
    for number in range(times + 1):
        sending = sender(film, url, 2, 1000)
        seen = until(lambda report, number=number: report["reconnects"] == number)["frames_in"]
        until(lambda report, seen=seen: report["frames_in"] > seen + rng.integers(10, 60))
        sending.kill()
        sending.wait(timeout=PATIENCE)
    program.send_signal(signal.SIGTERM)
    assert program.wait(timeout=PATIENCE) == 0
    with av.open(got) as result:
        stamps = sorted(packet.pts for packet in result.demux(video=0) if packet.size)
        base = result.streams.video[0].time_base
    return [stamp * base for stamp in stamps]


def test_a_sender_that_is_killed(film, running, sender, rng):
    """Begun again once; then SIGTERM, which leaves a whole file."""
    times = killed(1, film, running, sender, rng)
    assert len(times) > 25


def called(port, then):
    """Call that port once somebody listens, and do `then(connection)`, on a thread of its own."""

    def call():
        for _ in range(600):
            try:
                connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
                break
            except OSError:
                time.sleep(0.05)
        with closing(connection):
            then(connection)

    thread = Thread(target=call, daemon=True)
    thread.start()
    return thread


def interrupted(connection):
    """A Ctrl-C while the other side waits."""
    time.sleep(0.3)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.3)


def test_ctrl_c_while_a_sender_says_nothing(port):
    thread = called(port, interrupted)
    with pytest.raises(KeyboardInterrupt):
        LiveInput(f"tcp://127.0.0.1:{port}", listen=True)
    thread.join(timeout=PATIENCE)


def test_ctrl_c_while_a_reader_is_slow(port):
    """What was being sent is sent whole: flushing goes on behind it."""
    read = []

    def then(connection):
        interrupted(connection)
        while data := connection.recv(1 << 20):
            read.append(len(data))

    thread = called(port, then)
    peer = Peer(("127.0.0.1", port), PATIENCE, OutputError, Event())
    assert peer.accept()
    assert peer.write(bytes(64 << 20)) == 64 << 20
    with pytest.raises(KeyboardInterrupt):
        peer.interrupt()
    peer.close()
    thread.join(timeout=PATIENCE)
    assert sum(read) == 64 << 20


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_sender_that_is_killed_twenty_times(film, running, sender, rng):
    """The output goes on: it never left out more than the budget and two seconds."""
    times = killed(20, film, running, sender, rng)
    assert max(b - a for a, b in pairwise(times)) < Fraction(1, 2) + 2
