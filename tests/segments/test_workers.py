"""Several workers on one machine: the same film as one makes, and nobody left over."""

import os
import re
import signal
import sys
import time
from fractions import Fraction
from pathlib import Path

import pytest

from vidgen.errors import OutputError, UsageError
from vidgen.media import Decoder
from vidgen.segments import run, workers
from vidgen.segments.film import _looked_at
from vidgen.segments.folder import work_folder
from vidgen.segments.plan import most_segments, starts

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="looks for processes in Linux's /proc"
)


def descendants(pid: int) -> list[int]:
    """Workers that `pid` and its children have begun: no tracker of multiprocessing, and nobody
    who is still to become one."""
    everybody = [int(each.name) for each in Path("/proc").glob("[0-9]*")]
    children = [each for each in everybody if status(each, "PPid") == str(pid)]
    found = [child for child in children if b"spawn_main" in command(child)]
    return found + [inner for child in children for inner in descendants(child)]


def command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def status(pid: int, name: str) -> str:
    """What the kernel says of a process; nothing where it is gone."""
    try:
        return re.search(rf"{name}:\s+(\w+)", Path(f"/proc/{pid}/status").read_text())[1]
    except OSError:
        return ""


def alive(pids) -> list[int]:
    """Those that still run; a zombie does not."""
    return [pid for pid in pids if status(pid, "State") not in {"", "Z", "X"}]


def looked_at(asked):
    with Decoder(asked.source) as decoder:
        return _looked_at(asked, decoder)[0]


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def starting(clip, begin):
    """The command line with two workers, just begun, as a terminal would: a group of its own."""
    source = clip("in.mkv", frames=250, size=(96, 72), options={"preset": "ultrafast"})
    words = ["upscale", source, "out.mkv", "--scale", 1, "--fps", 250, "--codec", "ffv1"]
    words += ["--segment", 2, "--jobs", 2]
    command = ["env", "--default-signal=INT", sys.executable, "-m", "vidgen", *map(str, words)]
    return begin(command, start_new_session=True)


@pytest.fixture
def started(tmp_path, starting):
    """The same with both workers at work."""
    until(lambda: len(list(tmp_path.glob("out.mkv.vidgen/*/*.tmp"))) >= 2)
    return starting


def test_two_workers_make_the_same_film(settings, contents, whole):
    asked, seen = settings(jobs=2), []
    report = run(asked, seen.append)
    assert contents(asked.target) == whole
    assert (report.frames_in, report.frames_out) == (150, 300)
    assert seen[-1].frames == 300
    assert not work_folder(asked.target).exists()
    assert not alive(descendants(os.getpid()))


@pytest.mark.parametrize(("length", "count"), [(6, 0), (3, 2), (1, 4)])
def test_no_more_workers_than_pieces(settings, length, count):
    asked, seen = settings(jobs=4, segment=Fraction(length), scale=1, fps=None), []
    run(asked, lambda _: seen.append(len(descendants(os.getpid()))))
    assert max(seen) == count


@pytest.mark.parametrize("length", ["1", "1.3", "2.1", "4", "4.01", "9"])
def test_how_many_pieces_there_can_be(settings, length):
    job = looked_at(settings(segment=Fraction(length)))
    assert len(list(starts(job))) <= most_segments(job.total, job.settings.segment)
    assert most_segments(None, job.settings.segment) is None


def test_an_error_of_a_worker_is_the_error_of_the_run(settings):
    asked = settings(jobs=2)

    def spoil(progress):
        for folder in work_folder(asked.target).glob("*/"):
            folder.rename(folder.with_name("gone"))

    with pytest.raises(OutputError, match=r"does not exist|cannot be"):
        run(asked, spoil)
    assert not alive(descendants(os.getpid()))


def test_workers_take_the_gpus_in_turn(settings, monkeypatch):
    def devices(**words):
        asked = settings(jobs=3, **words)
        job = looked_at(asked)
        return [workers._on_its_gpu(job, number).settings.device for number in range(3)]

    assert devices() == [None, None, None]
    monkeypatch.setattr(workers, "gpu_count", lambda: 2)
    assert devices() == [0, 1, 0]
    assert devices(device=1) == [1, 1, 1]


@pytest.mark.parametrize("jobs", [0, 1000])
def test_how_many_there_may_be(settings, jobs):
    with pytest.raises(UsageError, match="--jobs"):
        run(settings(jobs=jobs))


def test_a_killed_worker_ends_the_run_with_an_error(started, tmp_path):
    os.kill(descendants(started.pid)[0], signal.SIGKILL)
    errors = started.communicate(timeout=60)[1].splitlines()
    assert started.returncode == 1
    assert "a worker process ended (SIGKILL)" in errors[-1]


def test_a_ctrl_c_while_workers_load_reaches_the_run_alone(starting):
    """A terminal sends it to all processes; they could not handle it yet."""
    until(lambda: len(descendants(starting.pid)) == 2)
    begun = descendants(starting.pid)
    assert all(int(status(pid, "SigBlk"), 16) >> (signal.SIGINT - 1) & 1 for pid in begun)
    maps = [Path(f"/proc/{pid}/maps") for pid in begun]
    until(lambda: all("numpy" in path.read_text() for path in maps))
    os.killpg(starting.pid, signal.SIGINT)
    errors = starting.communicate(timeout=60)[1]
    assert starting.returncode == 130
    assert errors.splitlines() == ["vidgen: error: stopped"]
    until(lambda: not alive(begun))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nobody_is_left_over(started, number, tmp_path):
    begun = descendants(started.pid)
    assert len(begun) == 2
    started.send_signal(number)
    errors = started.communicate(timeout=60)[1]
    assert "Traceback" not in errors
    until(lambda: not alive(begun))
    if number == signal.SIGINT:
        assert started.returncode == 130
        assert not list(tmp_path.glob("out.mkv.vidgen/*/*.tmp"))
