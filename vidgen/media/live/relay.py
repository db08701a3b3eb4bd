"""SRT, which the FFmpeg inside PyAV does not speak: `srt-live-transmit` beside it, over UDP.

It is started with each connection, on loopback, and ended with it.
"""

from __future__ import annotations

import logging
import shutil
import socket
import subprocess
from contextlib import suppress

from vidgen.errors import InputError

__all__ = ["Relay", "local_udp", "srt_url"]

log = logging.getLogger(__name__)

_HELPER = "srt-live-transmit"
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
            [program, "-quiet", origin, target],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def lives(self) -> bool:
        """Whether the helper still runs: UDP to nobody is no error."""
        return self._process.poll() is None

    def close(self) -> None:
        """End it; calling again does nothing."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_PATIENCE_SECONDS)
            return
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=_PATIENCE_SECONDS)
