"""MPEG-TS whose streams move to other PIDs while it is on the air."""

import socket
import time
from contextlib import closing, suppress
from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from threading import Event, Thread

import av
import numpy as np
import pytest

from vidgen.errors import InputError
from vidgen.frame import Frame
from vidgen.live.clock import MachineClock
from vidgen.live.settings import LiveReport, LiveSettings
from vidgen.live.source import Source
from vidgen.media.live import LiveInput
from vidgen.media.live.programs import Programs

RATE, LENGTH = 25, 75  # in pictures
WITHIN = {"pictures and sound elsewhere": {"mpegts_start_pid": "512"}}
LAYOUTS = {
    "another table": {"mpegts_start_pid": "512", "mpegts_pmt_start_pid": "4352"},
    "another program": {
        "mpegts_start_pid": "512",
        "mpegts_pmt_start_pid": "4352",
        "mpegts_service_id": "2",
    },
    "places changed": {},
    "another codec": {},
}


def broadcast(codec="libx264", kinds=("video", "audio"), **layout):
    """Three seconds of pictures and sound as MPEG-TS, laid out like that."""
    file = BytesIO()
    with av.open(file, "w", format="mpegts", container_options=layout) as to:
        streams = {}
        for kind in kinds:
            if kind == "video":
                options = {"preset": "ultrafast", "g": "5", "bf": "0"} if codec == "libx264" else {}
                video = streams[kind] = to.add_stream(codec, rate=RATE, options=options)
                video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
            else:
                streams[kind] = to.add_stream("aac", rate=48000, layout="mono")
        for n in range(LENGTH):
            frame = av.VideoFrame.from_ndarray(np.full((72, 64), 3 * n, np.uint8), "yuv420p")
            frame.pts = n
            to.mux(streams["video"].encode(frame))
            block = av.AudioFrame.from_ndarray(np.zeros((1, 1920), np.float32), "fltp", "mono")
            block.sample_rate, block.pts = 48000, n * 1920
            to.mux(streams["audio"].encode(block))
        to.mux([*streams["video"].encode(None), *streams["audio"].encode(None)])
    return file.getvalue()


def after(name):
    """What is sent then."""
    words = {}
    if name == "places changed":
        words = {"kinds": ("audio", "video")}
    if name == "another codec":
        words = {"codec": "mpeg2video"}
    return broadcast(**words, **(WITHIN | LAYOUTS)[name])


@pytest.fixture
def served():
    """`served([data, ...], ...)`: the URL of a server that sends a caller what is in each list, the
    next piece whenever `go` is set, and holds the line; and `go`. By HTTP, too."""
    open_ones, go = [], Event()

    def serve(*callers, scheme="tcp"):
        server = socket.create_server(("127.0.0.1", 0))

        def answer():
            with closing(server), suppress(OSError):  # callers may leave
                for pieces in callers:
                    connection = server.accept()[0]
                    open_ones.append(connection)
                    if scheme == "http":
                        assert connection.recv(1 << 16).startswith(b"GET /live ")
                        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                    for data in pieces:
                        connection.sendall(data)
                        assert go.wait(timeout=60)

        Thread(target=answer, daemon=True).start()
        path = "/live" if scheme == "http" else ""
        return f"{scheme}://127.0.0.1:{server.getsockname()[1]}{path}", go

    yield serve
    go.set()
    for connection in open_ones:
        connection.close()


def passed(source, counts):
    """Count what comes until all has been there of both layouts."""
    for item in source:
        counts[type(item).__name__] += 1
        if counts["Frame"] == 2 * LENGTH:
            return


@pytest.mark.parametrize("name", WITHIN)
def test_what_moves_within_its_program_is_followed(name, served):
    counts, (url, go) = {"Frame": 0, "Passing": 0}, served([broadcast(), 2 * after(name)])
    with LiveInput(url, stall_seconds=30) as source:
        go.set()
        passed(source, counts)
    assert counts["Frame"] == 2 * LENGTH
    assert counts["Passing"] > 1.5 * LENGTH


@pytest.mark.parametrize(
    ("name", "scheme"), [*((name, "tcp") for name in LAYOUTS), ("another program", "http")]
)
def test_what_is_elsewhere_is_lost_at_once(name, scheme, served):
    """The other side still holds the line: it would be waited for, or read for good."""
    pieces = [broadcast(), 2 * after(name)]
    counts, (url, go) = {"Frame": 0, "Passing": 0}, served(pieces, scheme=scheme)
    with LiveInput(url, stall_seconds=30) as source:
        go.set()
        with pytest.raises(InputError, match="laid out anew"):
            passed(source, counts)
    assert counts["Frame"] >= LENGTH // 2


def test_a_list_by_http_is_read_as_one(tmp_path):
    """Though its name does not say what it is: FFmpeg asks for it again, and for its pieces."""
    (tmp_path / "piece.ts").write_bytes(broadcast())
    head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:3\n#EXTINF:3.0,\n"
    (tmp_path / "list").write_text(f"{head}piece.ts\n#EXT-X-ENDLIST\n")

    class Handler(SimpleHTTPRequestHandler):
        extensions_map = {"": "application/vnd.apple.mpegurl", ".ts": "video/mp2t"}  # noqa: RUF012

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=tmp_path)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with LiveInput(f"http://127.0.0.1:{server.server_port}/list", stall_seconds=30) as source:
            assert source.in_pieces
            assert sum(isinstance(item, Frame) for item in source) == LENGTH
        server.shutdown()


def paced(data):
    """In twenty pieces a second."""
    size = len(data) * RATE // LENGTH // 20
    for n in range(0, len(data), size):
        time.sleep(0.05)
        yield data[n : n + size]


def test_the_source_goes_on(served):
    """Called again: what is there now has all of it under other PIDs."""
    anew = after("another program")
    url, go = served([broadcast(), anew], paced(anew))
    settings = LiveSettings(source=url, sink="-", stall_seconds=30)
    report = LiveReport()
    source = Source(settings, MachineClock(), report)
    source.connect()
    go.set()
    for _ in source.frames(Fraction(RATE)):
        if report.reconnects:
            break
    source.close()
    assert report.reconnects == 1


def read_through(data, size, pid):
    """What comes of `data` in pieces of that size, of which the stream of that PID is followed."""
    programs = Programs(BytesIO(data))
    got = programs.read(size)
    while piece := programs.read(size):
        programs.follow(pid)
        got += piece
    return got, programs.moved


@pytest.mark.parametrize("size", [188, 1000, 1316, 32768])
def test_bytes_pass_as_they_are(size):
    data = broadcast()
    assert read_through(b"\x47" * 3 + data, size, 0x100) == (b"\x47" * 3 + data, False)
    got, moved = read_through(data + after("another table"), size, 0x100)
    assert moved
    assert len(data) - size <= len(got) <= len(data) + 2 * size


def test_a_damaged_table_says_nothing():
    data, then = broadcast(), bytearray(after("another program"))
    tables = [
        n for n in range(0, len(then), 188) if then[n + 1] & 0x1F in (0, 0x11) and not then[n + 2]
    ]
    for n in tables:
        then[n + 10] ^= 1
    assert read_through(data + bytes(then), 1316, 0x100) == (data + bytes(then), False)


def test_rubbish_passes(rng):
    data = rng.integers(0, 256, 100_000, np.uint8).tobytes()
    assert read_through(data, 1316, 0x100) == (data, False)


def checksum(data):
    """As ISO/IEC 13818-1, annex A, has it."""
    crc = 0xFFFFFFFF
    for bit in (byte >> n & 1 for byte in data for n in range(7, -1, -1)):
        crc = (crc << 1 & 0xFFFFFFFF) ^ (0x04C11DB7 if crc >> 31 ^ bit else 0)
    return crc.to_bytes(4, "big")


def test_a_table_that_ends_before_it_says_anything():
    heads = [bytes([2, high << 4, 4]) for high in range(16)]
    whole = [head + checksum(head) for head in heads]
    tables = [table for table in whole if table[5] & 1]  # in force, if it were of usual length
    assert tables
    cells = b"".join((b"\x47\x50\x00\x10\x00" + table).ljust(188, b"\xff") for table in tables)
    data = broadcast()
    assert read_through(data + cells, 1316, 0x100) == (data + cells, False)


def test_what_is_no_mpeg_ts_is_not_looked_at():
    programs = Programs(BytesIO(broadcast() + after("another program")))
    programs.follow(None)
    passed = iter(lambda: programs.read(1316), b"")
    assert sum(map(len, passed)) == len(broadcast() + after("another program"))
    assert not programs.moved
