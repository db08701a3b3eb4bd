"""Published to a real server, filtered, published again, read back; and every other way."""

import itertools
import json
import socket
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest

from tests.live.servers.conftest import free_port
from vidgen.errors import OutputError
from vidgen.frame import Frame, VideoFormat
from vidgen.media.live import LiveInput, LiveOutput, OutputOptions, relay

WORDS = ["--scale", "2", "--tier", "realtime", "--latency", "400"]


def right(read):
    """The size is doubled, times go forward, and there is sound about the picture's time."""
    size, times = read
    assert size == (128, 96)
    video = times["video"]
    assert all(b > a for a, b in itertools.pairwise(video))
    assert times["audio"]
    assert min(abs(each - video[-1]) for each in times["audio"]) < 1


def test_rtmp_through_a_server(nginx, send, stream, watched):
    rtmp, _, _ = nginx
    send(f"{rtmp}/in", "flv")
    stream(f"{rtmp}/in", f"{rtmp}/out", *WORDS)
    right(watched(f"{rtmp}/out"))


def test_hls_from_a_web_server(nginx, send, stream, watched, tmp_path):
    _, http, folder = nginx
    port = free_port()
    stream("--listen", f"tcp://127.0.0.1:{port}", folder / "live.m3u8", *WORDS)
    send(f"tcp://127.0.0.1:{port}", "mpegts")
    right(watched(f"{http}/live.m3u8"))


def test_hls_is_known_to_come_in_pieces(nginx, clip):
    _, http, _ = nginx
    clip("www/live.m3u8", frames=50, options={"g": "25"})
    with LiveInput(f"{http}/live.m3u8") as source:
        assert (source.in_pieces, source.paced) == (True, False)
        assert sum(isinstance(each, Frame) for each in source) == 50
    with LiveInput(str(clip("in.mkv"))) as source:
        assert not source.in_pieces


def test_a_publisher_without_a_server(send, stream, watched):
    """RTMP waited for by FFmpeg's own listener; TCP served to the reader."""
    rtmp, tcp = free_port(), free_port()
    stream(
        "--listen", f"rtmp://127.0.0.1:{rtmp}/live/in", "--serve", f"tcp://127.0.0.1:{tcp}", *WORDS
    )
    send(f"rtmp://127.0.0.1:{rtmp}/live/in", "flv")
    right(watched(f"tcp://127.0.0.1:{tcp}"))


def test_a_sender_to_http(send, stream, watched):
    http, tcp = (f"{scheme}://127.0.0.1:{free_port()}" for scheme in ("http", "tcp"))
    stream("--listen", http, "--serve", tcp, *WORDS)
    send(http, "mpegts")
    right(watched(tcp))


def test_rtsp_from_a_server(rtsp, stream, watched):
    tcp = f"tcp://127.0.0.1:{free_port()}"
    stream(rtsp, "--serve", tcp, *WORDS)
    right(watched(tcp))


def test_a_sender_by_rtsp(send, stream, watched):
    rtsp, tcp = (f"{scheme}://127.0.0.1:{free_port()}" for scheme in ("rtsp", "tcp"))
    stream("--listen", f"{rtsp}/in", "--serve", tcp, *WORDS)
    send(f"{rtsp}/in", "rtsp")
    right(watched(tcp))


def test_a_pipe_between_two_programs(program, film, watched, tmp_path):
    """Two processes of FFmpeg, and ours between them."""
    program("ffmpeg")
    ffmpeg = ["ffmpeg", "-loglevel", "error"]
    commands = [
        [*ffmpeg, "-i", str(film), "-c", "copy", "-f", "matroska", "-"],
        [sys.executable, "-m", "vidgen", "stream", "-", "-", *WORDS],
        [*ffmpeg, "-i", "-", "-c", "copy", str(tmp_path / "out.mkv")],
    ]
    processes = []
    given = subprocess.DEVNULL
    try:
        for command in commands:
            processes.append(subprocess.Popen(command, stdin=given, stdout=subprocess.PIPE))
            given = processes[-1].stdout
        for process in processes:
            process.stdout.close()
        assert [each.wait(timeout=100) for each in processes] == [0, 0, 0]
    finally:
        for process in processes:
            process.kill()
            process.wait(timeout=30)
    right(watched(str(tmp_path / "out.mkv"), pictures=10))


def test_udp(send, stream, watched):
    here, there = (free_port(socket.SOCK_DGRAM) for _ in range(2))
    send(f"udp://127.0.0.1:{here}?pkt_size=1316", "mpegts")
    stream(f"udp://127.0.0.1:{here}", f"udp://127.0.0.1:{there}?pkt_size=1316", *WORDS)
    right(watched(f"udp://127.0.0.1:{there}"))


def test_srt_by_its_helper(program, child, send, stream, watched):
    """A sender's SRT is waited for, and what is made is sent by SRT to a waiting reader."""
    program("srt-live-transmit")
    first, last, srt, out = (free_port(socket.SOCK_DGRAM) for _ in range(4))
    child("srt-live-transmit", f"udp://127.0.0.1:{first}", f"srt://127.0.0.1:{srt}")
    child("srt-live-transmit", f"srt://127.0.0.1:{out}?mode=listener", f"udp://127.0.0.1:{last}")
    send(f"udp://127.0.0.1:{first}?pkt_size=1316", "mpegts")
    stream("--listen", f"srt://127.0.0.1:{srt}", f"srt://127.0.0.1:{out}", *WORDS)
    right(watched(f"udp://127.0.0.1:{last}"))


def test_a_slate_before_there_is_a_source(nginx, send, stream, watched):
    """The sink is there from the start, and shows the source once there is one."""
    rtmp, _, _ = nginx
    words = ["--slate", "black", "--size", "128x96", "--fps", "25", "--tier", "off"]
    stream(f"{rtmp}/in", f"{rtmp}/out", *words)
    size, times = watched(f"{rtmp}/out")
    assert (size, times["audio"]) == ((128, 96), [])
    send(f"{rtmp}/in", "flv")
    end = monotonic() + 60
    while not (read := watched(f"{rtmp}/out"))[1]["audio"]:
        assert monotonic() < end
    right(read)


def test_a_source_that_comes_back(nginx, send, stream, watched):
    """The publisher is killed and another one begins: the reader's stream goes on."""
    rtmp, _, _ = nginx
    first = send(f"{rtmp}/in", "flv")
    stream(f"{rtmp}/in", f"{rtmp}/out", *WORDS)
    watched(f"{rtmp}/out")
    first.kill()
    first.wait(timeout=30)
    send(f"{rtmp}/in", "flv")
    right(watched(f"{rtmp}/out", pictures=60))


def test_another_codec_in_mid_stream(nginx, send, stream, watched, clip, tmp_path):
    """The next publisher sends H.263 where the first one sent H.264, at the same address; there is
    no sound by which to tell."""
    rtmp, _, _ = nginx
    one, other = (
        clip(f"{codec}.flv", frames=50, codec=codec, options={"g": "10"})
        for codec in ("libx264", "flv")
    )
    status = tmp_path / "status.json"

    def come():
        report = json.loads(status.read_text("utf-8")) if status.exists() else {}
        return report.get("reconnects", 0), report.get("frames_in", 0)

    first = send(f"{rtmp}/in", "flv", one)
    stream(f"{rtmp}/in", f"{rtmp}/out", "--stall", "20", "--status-file", status, *WORDS)
    until(lambda: come()[1] > 25)
    first.kill()
    first.wait(timeout=30)
    send(f"{rtmp}/in", "flv", other)
    until(lambda: come()[0] == 1)
    before = come()[1]
    until(lambda: come()[1] > before + 25)
    assert "another codec in mid-stream" in "".join(
        each.read_text() for each in tmp_path.glob("said-*.txt")
    )
    assert watched(f"{rtmp}/out")[0] == (128, 96)


def test_a_helper_does_not_outlive_a_program_that_is_killed(program, child):
    program("srt-live-transmit")
    origin, target = (f"udp://127.0.0.1:{free_port(socket.SOCK_DGRAM)}" for _ in range(2))
    start = "import sys, time; from vidgen.media.live.relay import Relay; Relay(*sys.argv[1:])"
    killed = child(sys.executable, "-c", f"{start}; time.sleep(300)", origin, target)
    until(lambda: helpers(target))
    killed.kill()
    until(lambda: not helpers(target))


def helpers(target):
    """Processes of the helper that send there."""
    lines = [each.read_bytes() for each in Path("/proc").glob("[0-9]*/cmdline") if each.exists()]
    return [each for each in lines if b"live-transmit" in each and target.encode() in each]


def until(met):
    end = monotonic() + 60
    while not met():
        assert monotonic() < end
        sleep(0.1)


def test_a_helper_that_ends_is_a_lost_sink(monkeypatch):
    """UDP to a helper that is gone is no error; here it is one that ends at once."""
    monkeypatch.setattr(relay, "_HELPER", "true")
    video = VideoFormat(width=32, height=16, fps=Fraction(25))
    planes = np.zeros((16, 32), np.uint8), np.full((8, 16, 2), 128, np.uint8)
    end = monotonic() + 60

    def pictures():
        url = f"srt://127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
        with LiveOutput(url, video, [], OutputOptions()) as output:
            for n in itertools.takewhile(lambda _: monotonic() < end, itertools.count()):
                output.write(Frame(*planes, n, 1, Fraction(1, 25)))

    with pytest.raises(OutputError, match="helper has ended"):
        pictures()


@pytest.mark.parametrize("scheme", ["rtmp", "tcp", "srt"])
def test_nobody_there(vidgen, scheme, program):
    if scheme == "srt":
        program("srt-live-transmit")
    url = f"{scheme}://127.0.0.1:{free_port()}"
    result = vidgen("stream", url, "out.ts", "--stall", "2")
    assert result.returncode == 1
    assert f"{url}: cannot be opened" in result.stderr
