"""The program itself, under attack at full length: its memory stays bounded, and it says why."""

import re
import sys
from fractions import Fraction
from itertools import repeat
from pathlib import Path
from threading import Thread
from time import sleep

import av
import numpy as np
import pytest

from tests.live.test_hostile import _element, _picture, _send

MOST_MEGABYTES = 512  # of which the program alone, with its libraries, is about 75
MEGABYTE = 1 << 20


def rubbish():
    rng = np.random.default_rng(5)
    return (rng.integers(0, 256, MEGABYTE, np.uint8).tobytes() for _ in range(300))


def endless_script():
    """FLV's, tag after tag."""
    size = 1 << 16
    yield b"FLV\x01\x05\x00\x00\x00\x09" + bytes(4)
    head, end = b"\x12" + size.to_bytes(3, "big") + bytes(7), (size + 11).to_bytes(4, "big")
    yield from repeat(head + bytes(size) + end, 5000)


def endless_attachments():
    """Matroska's, which its demuxer keeps."""
    fields = {"466e": b"a.ttf", "4660": b"font/ttf", "465c": bytes(MEGABYTE), "46ae": b"\1"}
    file = b"".join(_element(name, data) for name, data in fields.items())
    yield _element("1a45dfa3", _element("4282", b"matroska"))
    yield bytes.fromhex("18538067 01ffffffffffffff")  # a segment of unknown length
    yield from repeat(_element("1941a469", _element("61a7", file)), 300)


def jpeg(width, height):
    """A picture whose header says that size, whatever it holds."""
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height = 64, 48
    encoder.pix_fmt, encoder.time_base = "yuvj420p", Fraction(1, 25)
    frame = av.VideoFrame(64, 48, "yuvj420p")
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    data = b"".join(bytes(each) for each in [*encoder.encode(frame), *encoder.encode(None)])
    size = data.index(b"\xff\xc0") + 5
    return data[:size] + height.to_bytes(2, "big") + width.to_bytes(2, "big") + data[size + 4 :]


def huge(after=0):
    for _ in range(after):
        yield jpeg(64, 48)
        sleep(0.04)
    yield from repeat(jpeg(16384, 16384), 600)


def thousand_sizes():
    for _ in range(500):
        yield _picture((64, 48)) + _picture((96, 32))
        sleep(0.04)


ATTACKS = {
    "rubbish": (rubbish, [], "cannot be opened"),
    "rubbish as FLV": (rubbish, ["--from", "flv"], "256 MiB without a picture"),
    "rubbish as MPEG-TS": (rubbish, ["--from", "mpegts"], "256 MiB without a picture"),
    "script without end": (endless_script, ["--from", "flv"], "holds no video"),
    "attachments without end": (endless_attachments, [], "256 MiB without a picture"),
    "16384x16384": (huge, ["--from", "mjpeg"], "nothing that can be decoded"),
    "then 16384x16384": (lambda: huge(50), ["--from", "mjpeg"], "nothing that can be decoded"),
    "1000 sizes": (thousand_sizes, ["--from", "h264"], None),
}


def peak(process):
    """Megabytes that the process has held at most, until it ends."""
    most = 0
    while process.poll() is None:
        said = Path(f"/proc/{process.pid}/status").read_text("utf-8")
        most = max([most, *(int(n) // 1024 for n in re.findall(r"VmHWM:\s+(\d+)", said))])
        sleep(0.05)
    return most


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="asks Linux for the memory held")
@pytest.mark.parametrize("name", ATTACKS)
def test_attack(name, child, tmp_path, port):
    chunks, words, said = ATTACKS[name]
    url = f"tcp://127.0.0.1:{port}"
    words = ["--listen", url, tmp_path / "out.ts", "--tier", "off", "--no-reconnect", *words]
    sender = Thread(target=_send, args=(port, chunks()), daemon=True)
    command = [sys.executable, "-m", "vidgen", "stream", *words]
    with (tmp_path / "errors.txt").open("w") as heard:
        program = child(*command, stderr=heard)
    sender.start()
    most = peak(program)
    errors = (tmp_path / "errors.txt").read_text("utf-8")
    sys.stdout.write(f"{name}: {most} MiB at most; {errors.splitlines()[-1]}\n")
    assert 0 < most < MOST_MEGABYTES
    assert "Traceback" not in errors
    assert program.returncode == (0 if said is None else 1)
    assert said is None or said in errors.splitlines()[-1]
