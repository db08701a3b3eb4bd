"""One peer of a TCP port, as the file that PyAV reads from or writes to.

FFmpeg's own `listen` cannot be stopped from outside; here the wait and every read end soon after
`close`.
"""

from __future__ import annotations

import socket
from threading import Event
from time import monotonic

from vidgen.errors import VidgenError

__all__ = ["Peer"]

_POLL_SECONDS = 0.25
_OPENING_SECONDS = 30
"""A header that goes on for longer is no header."""
_MOST_BYTES = 256 << 20
"""Without a picture: demuxers keep attachments, tags and the like, however many there are."""


class Peer:
    """Waits at `(host, port)` for one peer; then `read` and `write` are those of a file.

    `close` may be called from another thread, or `stop` be set: a wait then ends within a quarter
    of a second, with the end of the stream. `stall_seconds` without a byte end it by TimeoutError.
    A KeyboardInterrupt, which PyAV would print and forget, ends a read, and is kept for
    `interrupt`.
    """

    def __init__(
        self,
        address: tuple[str, int],
        stall_seconds: float,
        error: type[VidgenError],
        stop: Event,
    ) -> None:
        self._address, self._stall_seconds, self._error = address, stall_seconds, error
        self._stop, self._closed, self._interrupted = stop, False, False
        self._until: float | None = None
        self._left = _MOST_BYTES
        self._peer: socket.socket | None = None
        self.name = "tcp://{}:{}".format(*address)

    def accept(self) -> bool:
        """Wait for the peer; False where `stop` came first. Raises the error given."""
        try:
            family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
            with socket.create_server(self._address, family=family, backlog=1) as server:
                server.settimeout(_POLL_SECONDS)
                while not self._stop.is_set():
                    try:
                        self._peer, _ = server.accept()
                    except TimeoutError:
                        continue
                    self._peer.settimeout(_POLL_SECONDS)
                    self._until = monotonic() + _OPENING_SECONDS
                    return True
        except OSError as error:
            raise self._error(f"{self.name}: cannot wait there ({error.strerror})") from error
        return False

    def pictured(self) -> None:
        """A picture has come: the stream may last, and its bytes are counted anew."""
        self._until, self._left = None, _MOST_BYTES

    def interrupt(self) -> None:
        """Raise a KeyboardInterrupt that came while PyAV was reading or writing."""
        if self._interrupted:
            self._interrupted = False
            raise KeyboardInterrupt

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end of the stream. Raises the error given."""
        began = monotonic()
        while self._peer is not None and not (self._closed or self._stop.is_set()):
            if self._until is not None and monotonic() > self._until:
                self._closed = True  # PyAV reads on, and prints all errors but the last
                raise TimeoutError(f"no picture within {_OPENING_SECONDS} seconds")
            if self._left <= 0:
                self._closed = True
                raise self._error(f"{self.name}: sends {_MOST_BYTES >> 20} MiB without a picture")
            try:
                data = self._peer.recv(size)
                self._left -= len(data)
                return data
            except TimeoutError:
                if monotonic() - began > self._stall_seconds:
                    raise
            except OSError:  # the peer broke off: what it sent has been read
                return b""
            except KeyboardInterrupt:
                self._interrupted = self._closed = True
        return b""

    def write(self, data: bytes) -> int:
        """All of `data`."""
        began, left = monotonic(), memoryview(data)
        while left and self._peer is not None and not (self._closed or self._stop.is_set()):
            try:
                left = left[self._peer.send(left) :]
            except TimeoutError:
                if monotonic() - began > self._stall_seconds:
                    raise
            except KeyboardInterrupt:  # the packet is sent whole, for what is flushed after it
                self._interrupted = True
        return len(data)

    def close(self) -> None:
        """Leave; from any thread, more than once."""
        self._closed = True
        if self._peer is not None:
            self._peer.close()
