"""Segments on a Ray cluster of two nodes: the film that one process makes, and lost workers."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import av
import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'vidgen[cluster]'")

KILLS = int(os.environ.get("VIDGEN_KILLS", "100"))
WORDS = ["--scale", "1", "--fps", "50", "--preset", "ultrafast", "--segment", "1", "--quiet"]
RAY = {
    **os.environ,
    "RAY_AUTH_MODE": "disabled",  # of a cluster that nobody else reaches
    "RAY_worker_niceness": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def address():
    """Two nodes of one core, on this machine; it takes them some seconds to come up."""
    port = free_port()
    ray = [sys.executable, "-m", "ray.scripts.scripts", "start", "--node-ip-address", "127.0.0.1"]
    ray += ["--num-cpus", "1", "--object-store-memory", str(80 << 20), "--block"]
    nodes = []
    try:
        for words in (
            ["--head", "--port", str(port), "--include-dashboard", "false"],
            ["--address", f"127.0.0.1:{port}"],
        ):
            null = subprocess.DEVNULL
            node = subprocess.Popen([*ray, *words], stdout=null, stderr=null, env=RAY)
            nodes.append(node)
            wait_for(port, node)
        yield f"127.0.0.1:{port}"
    finally:
        for node in reversed(nodes):
            node.terminate()
            try:
                node.wait(timeout=30)
            except subprocess.TimeoutExpired:
                node.kill()
                node.wait(timeout=60)


def wait_for(port: int, node) -> None:
    """Until the head answers; the second node may come while the film is in the making."""
    end = time.monotonic() + 100
    while time.monotonic() < end:
        assert node.poll() is None
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    pytest.fail("Ray did not start")


def tasks() -> list[int]:
    """Processes that make a segment."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if line.read_bytes().startswith(b"ray::make"):
                found.append(int(line.parent.name))
        except OSError:
            continue
    return found


def pictures(path):
    with av.open(path) as container:
        return [(frame.pts, frame.to_ndarray().tobytes()) for frame in container.decode(video=0)]


def finished(run, code: int) -> str:
    """What a run says that is to end with `code`."""
    errors = run.communicate(timeout=100)[1]
    assert run.returncode == code, errors
    return errors


@pytest.fixture
def upscaled(begin):
    """`upscaled(source, target, *words, before="")`: a finished run, after some code."""

    def run(source, target, *words, before=""):
        code = f"import sys\n{before}\nfrom vidgen.cli import main\nsys.exit(main(sys.argv[1:]))"
        command = [sys.executable, "-c", code, "upscale", str(source), target, *WORDS, *words]
        return begin(command, env=RAY)

    return run


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds processes in Linux's /proc")
def test_two_nodes_make_the_same_film_though_a_worker_is_killed(upscaled, address, clip, tmp_path):
    source = clip("in.mkv", frames=100, audio="flac", options={"g": "12"})
    errors = finished(upscaled(source, "here.mkv"), 0)
    assert errors == ""
    run = upscaled(source, "there.mkv", "--cluster", address)
    killed = None
    while run.poll() is None and killed is None:
        records = list(tmp_path.glob("there.mkv.vidgen/*/0*.json"))
        killed = next(iter(tasks()), None) if records else None
        if killed:
            os.kill(killed, signal.SIGKILL)
        time.sleep(0.01)
    finished(run, 0)
    assert killed
    assert pictures(tmp_path / "there.mkv") == pictures(tmp_path / "here.mkv")
    assert not (tmp_path / "there.mkv.vidgen").exists()


@pytest.mark.soak
@pytest.mark.timeout(4 * 3600)
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds processes in Linux's /proc")
def test_a_minute_is_the_same_though_a_hundred_workers_are_killed(
    upscaled, address, clip, tmp_path
):
    source = clip("in.mkv", frames=1500, audio="flac", options={"g": "50"})
    words = ["--segment", "5", "--cluster", address]
    begun = time.monotonic()
    finished(upscaled(source, "whole.mkv", *words), 0)
    duration, whole = time.monotonic() - begun, pictures(tmp_path / "whole.mkv")
    killed = number = 0
    while killed < KILLS:
        run, target = upscaled(source, f"{number}.mkv", *words), tmp_path / f"{number}.mkv"
        moment = time.monotonic() + random.uniform(0, duration)
        while run.poll() is None and (time.monotonic() < moment or not tasks()):
            time.sleep(0.01)
        for worker in tasks()[:1]:
            os.kill(worker, signal.SIGKILL)
            killed += 1
        finished(run, 0)
        assert pictures(target) == whole
        target.unlink()
        number += 1
        assert number <= 3 * KILLS  # some moments are after the last piece


def test_a_film_that_the_nodes_do_not_have_is_read_through(upscaled, address, clip, tmp_path):
    source = clip("in.mp4", frames=60, options={"g": "12"})
    errors = finished(upscaled(source, "here.mkv"), 0)
    assert errors == ""
    nowhere = "import vidgen.cluster.near as near\nnear.content_of = lambda path: 'not there'"
    run = upscaled(source, "there.mkv", "--cluster", address, before=nowhere)
    finished(run, 0)
    assert pictures(tmp_path / "there.mkv") == pictures(tmp_path / "here.mkv")


def test_no_cluster_is_an_error_that_says_what_to_do(upscaled, clip, tmp_path):
    run = upscaled(clip(), "out.mkv", "--cluster", f"127.0.0.1:{free_port()}")
    errors = finished(run, 1)
    assert "no Ray cluster" in errors.splitlines()[-1]
    assert "ray start --head" in errors.splitlines()[-1]
    assert not list(tmp_path.glob("out*"))
