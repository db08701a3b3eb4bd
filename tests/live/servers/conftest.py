"""Real servers and senders on loopback, each ended with its test; skipped where not installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress

import av
import pytest

_NGINX = """
daemon off;
worker_processes 1;
error_log {folder}/error.log;
pid {folder}/pid;
load_module {module};
events {{ worker_connections 64; }}
rtmp {{ server {{ listen 127.0.0.1:{rtmp}; application live {{ live on; }} }} }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{http}; root {folder}/www; }}
}}
"""
_MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so"
_ROOT = "user root;"  # as root nginx changes to a user who cannot read the test's folder

RTSP_SERVER = """
import sys, gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
port, film = sys.argv[1:]
server, factory = GstRtspServer.RTSPServer(), GstRtspServer.RTSPMediaFactory()
server.set_address("127.0.0.1")
server.set_service(port)
factory.set_launch(
    f"( filesrc location={film} ! qtdemux name=film"
    " film.video_0 ! queue ! rtph264pay name=pay0 pt=96"
    " film.audio_0 ! queue ! rtpmp4apay name=pay1 pt=97 )"
)
server.get_mount_points().add_factory("/film", factory)
server.attach(None)
GLib.MainLoop().run()
"""
SYSTEM_PYTHON = "/usr/bin/python3"  # which has the bindings of GStreamer

SENDER = """
import sys, time, av
source, url, form, seconds = sys.argv[1:]
end = time.monotonic() + float(seconds)
while time.monotonic() < end:
    try:
        out = av.open(url, "w", format=form)
        with av.open(source) as film:
            twins = [out.add_stream_from_template(each) for each in film.streams]
        out.start_encoding()
        break
    except OSError:
        time.sleep(0.2)
with out:
    began, shift, reached = time.monotonic(), 0.0, {}
    while time.monotonic() < end:
        with av.open(source) as film:
            length = float(film.duration / av.time_base)
            for packet in film.demux():
                if packet.dts is None:
                    continue
                due = shift + float(packet.dts * packet.time_base)
                time.sleep(max(0, due - time.monotonic() + began))
                packet.stream = twins[packet.stream_index]
                ticks = round(shift / packet.time_base)
                packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
                if packet.dts > reached.get(packet.stream_index, -1):
                    reached[packet.stream_index] = packet.dts
                    out.mux(packet)
        shift += length
"""


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture
def program():
    """`program(name)`: skip the test where it is not installed."""

    def require(name):
        if shutil.which(name) is None:
            pytest.skip(f"{name} is not here: make live-deps")

    return require


@pytest.fixture
def child(tmp_path):
    """`child(*command)`: a process that does not outlive the test; what it says is in a file."""
    started = []

    def start(*command):
        with (tmp_path / f"said-{len(started)}.txt").open("w") as said:
            words = list(map(str, command))
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
    for process in started:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=15)
        process.kill()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=15)


@pytest.fixture
def film(clip):
    """Two seconds of picture and sound, for ever sent anew."""
    return clip("in.mp4", frames=50, audio="aac", options={"preset": "ultrafast", "g": "10"})


@pytest.fixture
def send(child, film):
    """`send(url, form)`: a sender in a process of its own, for a minute and a half at most."""
    return lambda url, form, film=film: child(sys.executable, "-c", SENDER, film, url, form, 90)


@pytest.fixture
def stream(child):
    """`stream(*words)`: `vidgen stream` in a process of its own."""
    return lambda *words: child(sys.executable, "-m", "vidgen", "stream", *words)


@pytest.fixture
def rtsp(child, clip):
    """RTSP address at which GStreamer's server plays a film of twenty seconds."""
    known = "import gi; gi.require_version('GstRtspServer', '1.0')"
    asked = [SYSTEM_PYTHON, "-c", known]
    if subprocess.run(asked, stderr=subprocess.DEVNULL, timeout=60).returncode:
        pytest.skip("GStreamer's RTSP server is not here: make live-deps")
    options = {"preset": "ultrafast", "g": "10"}
    film, port = clip("served.mp4", frames=500, audio="aac", options=options), free_port()
    child(SYSTEM_PYTHON, "-c", RTSP_SERVER, port, film)
    answers(port)
    return f"rtsp://127.0.0.1:{port}/film"


@pytest.fixture
def nginx(program, child, tmp_path):
    """(RTMP address of an application, HTTP address, its folder) of a server of this test."""
    program("nginx")
    if not os.path.exists(_MODULE):
        pytest.skip("nginx has no RTMP module here: make live-deps")
    ports = {"rtmp": free_port(), "http": free_port()}
    (tmp_path / "www").mkdir()
    config = _NGINX.format(folder=tmp_path, module=_MODULE, **ports)
    if os.geteuid() == 0:
        config = _ROOT + config
    (tmp_path / "nginx.conf").write_text(config)
    child("nginx", "-p", tmp_path, "-e", tmp_path / "error.log", "-c", tmp_path / "nginx.conf")
    answers(ports["rtmp"])
    rtmp, http = (f"{scheme}://127.0.0.1:{port}" for scheme, port in ports.items())
    return f"{rtmp}/live", http, tmp_path / "www"


def answers(port, seconds=60):
    """Wait until somebody listens there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    pytest.fail(f"nobody listens at port {port}")


@pytest.fixture
def watched(tmp_path):
    """`watched(url)`: size, kinds and times of what can be read there, tried for a minute."""

    def read(url, pictures=20, seconds=75, **words):
        end = time.monotonic() + seconds
        while True:
            try:
                return _read(url, pictures, **words)
            except (OSError, EOFError, av.FFmpegError) as error:
                if time.monotonic() > end:
                    said = "".join(each.read_text() for each in tmp_path.glob("said-*.txt"))
                    pytest.fail(f"{url}: {error}; {said}")
                time.sleep(0.3)

    return read


def _read(url, pictures, **words):
    times = {"video": [], "audio": []}
    with av.open(url, timeout=25, **words) as container:
        video = container.streams.video[0]
        size = video.width, video.height
        for packet in container.demux():
            if packet.pts is not None and packet.stream.type in times:
                times[packet.stream.type].append(packet.pts * packet.time_base)
            if len(times["video"]) >= pictures:
                return size, times
    raise EOFError(f"{len(times['video'])} pictures")
