"""SRT, which the FFmpeg inside PyAV does not speak: `srt-live-transmit` beside it, over UDP.

It is started with each connection, on loopback, and ended with it, or with this program: a shell
beside it waits for the end of a pipe whose other end is here, which closes however that ends. (The
kernel's own PR_SET_PDEATHSIG goes by the thread that started the helper, and those end sooner.)
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import subprocess

from vidgen.errors import InputError

__all__ = ["Relay", "local_udp", "srt_url"]

log = logging.getLogger(__name__)

_HELPER = "srt-live-transmit"
_WATCHED = """
exec 3<&0
"$@" 3<&- </dev/null & helper=$!
{ cat >/dev/null; kill $helper; } <&3 & watch=$!
wait $helper
kill $watch
"""
"""A command run until it ends by itself or the shell's stdin does."""
_PATIENCE_SECONDS = 5


def local_udp() -> str:
    """A UDP address on loopback that nobody uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return f"udp://127.0.0.1:{free.getsockname()[1]}"


def srt_url(url: str, listen: bool) -> str:
    """`url` as the helper takes it, waiting for the other side where `listen` says so."""
    if not listen or "mode=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}mode=listener"


class Relay:
    """The helper, carrying packets from one URL to another until `close`.

    Raises InputError where it is not installed.
    """

    def __init__(self, origin: str, target: str) -> None:
        program = shutil.which(_HELPER)
        if program is None:
            url = origin if origin.startswith("srt:") else target
            raise InputError(
                f"{url}: SRT needs the program {_HELPER}, which is not here; install it (Debian: "
                f"apt-get install srt-tools)"
            )
        log.debug("%s %s %s", program, origin, target)
        self._process = subprocess.Popen(
            ["sh", "-c", _WATCHED, _HELPER, program, "-quiet", origin, target],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for this program, which has things to flush
        )

    def lives(self) -> bool:
        """Whether the helper still runs: UDP to nobody is no error."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it; calling again does nothing."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
