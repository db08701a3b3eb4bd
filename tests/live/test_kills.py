"""Real processes that come and go: a sender is killed, the program is told to end."""

import json
import signal
import sys
import time
from fractions import Fraction
from itertools import pairwise

import av
import pytest

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


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_sender_that_is_killed_twenty_times(film, running, sender, rng):
    """The output goes on: it never left out more than the budget and two seconds."""
    times = killed(20, film, running, sender, rng)
    assert max(b - a for a, b in pairwise(times)) < Fraction(1, 2) + 2
