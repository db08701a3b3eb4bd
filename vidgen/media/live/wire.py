"""A connection by FFmpeg's own protocols, as the file that PyAV reads from or writes to.

Left to PyAV, a sink is opened while no other thread may run, and nothing ends a write that waits: a
server that takes the call and then says nothing would stop the whole program for good. What waits
here ends with `close`, with `stop`, or when nothing has moved for `stall_seconds`.
"""

from __future__ import annotations

import atexit
import ctypes
from collections.abc import Mapping
from functools import cache
from threading import Event, Lock
from time import monotonic
from typing import Any
from weakref import WeakSet

import av.container.core

__all__ = ["Wire"]

_READ, _WRITE = 1, 2  # AVIO_FLAG_READ, AVIO_FLAG_WRITE
_FAREWELL_SECONDS = 1.0
_LEAVING_SECONDS = 1.0
"""What `close` waits for who is within FFmpeg: it asks each tenth of a second whether to go on, but
not while a name is looked up."""
_ASKS = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)


class _Interrupt(ctypes.Structure):
    """AVIOInterruptCB of <libavformat/avio.h>."""

    _fields_ = (("callback", _ASKS), ("opaque", ctypes.c_void_p))


class _Context(ctypes.Structure):
    """AVIOContext of <libavformat/avio.h>, as far as it is asked here."""

    _fields_ = (
        ("av_class", ctypes.c_void_p),
        ("buffer", ctypes.c_void_p),
        ("buffer_size", ctypes.c_int),
        ("buf_ptr", ctypes.c_void_p),
        ("buf_end", ctypes.c_void_p),
        ("opaque", ctypes.c_void_p),
        ("read_packet", ctypes.c_void_p),
        ("write_packet", ctypes.c_void_p),
        ("seek", ctypes.c_void_p),
        ("pos", ctypes.c_int64),
        ("eof_reached", ctypes.c_int),
        ("error", ctypes.c_int),
    )


class Wire:
    """One connection to `url`, as `Peer` is one: `read` or, with `writes`, `write` a file's.

    `options` are those of the protocol; others are passed over. Raises OSError, TimeoutError where
    nothing moves for `stall_seconds`. `close` and `stop` end what waits on another thread.
    """

    def __init__(
        self,
        url: str,
        options: Mapping[str, str],
        stall_seconds: float,
        stop: Event,
        *,
        writes: bool = False,
    ) -> None:
        self.name, self._stall_seconds, self._stop = url, stall_seconds, stop
        self._closed = self._interrupted = self._leaves = False
        self._ahead = b""
        self._busy, self._data = Lock(), ctypes.create_string_buffer(1 << 15)
        self._library = _library()
        self._asks = _ASKS(self._is_over)  # to be held for as long as FFmpeg may call it
        self._context = ctypes.POINTER(_Context)()
        given = ctypes.c_void_p()
        for key, value in options.items():
            self._library.av_dict_set(ctypes.byref(given), key.encode(), value.encode(), 0)
        self._until = monotonic() + stall_seconds
        _wires.add(self)
        try:
            with self._busy:
                code = self._library.avio_open2(
                    ctypes.byref(self._context),
                    url.encode(),
                    _WRITE if writes else _READ,
                    ctypes.byref(_Interrupt(self._asks, None)),
                    ctypes.byref(given),
                )
            self._checked(code)
        finally:
            self._library.av_dict_free(ctypes.byref(given))

    def _is_over(self, opaque: object) -> bool:
        """What FFmpeg asks while it waits."""
        try:
            stopped = self._closed or self._stop.is_set()
            return monotonic() > self._until or (stopped and not self._leaves)
        except KeyboardInterrupt:  # which ctypes would print and forget
            self._interrupted = True
            return True

    def _checked(self, code: int) -> int:
        """The same. Raises OSError for an error of FFmpeg's."""
        if code >= 0:
            return code
        if monotonic() > self._until:
            raise TimeoutError(f"nothing has moved for {self._stall_seconds:g} seconds")
        words = ctypes.create_string_buffer(256)
        self._library.av_strerror(code, words, len(words))
        raise OSError(-code, words.value.decode("utf-8", "replace"))

    def pictured(self) -> None:
        """Nothing: see `Peer`."""

    def interrupt(self) -> None:
        """Raise a KeyboardInterrupt that came while PyAV was reading or writing."""
        if self._interrupted:
            self._interrupted = False
            raise KeyboardInterrupt

    def peek(self, size: int) -> bytes:
        """The first `size` bytes, or all there are, which `read` will give again."""
        while len(self._ahead) < size and (data := self._received(size)):
            self._ahead += data
        return self._ahead[:size]

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end, also where the other side broke off."""
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        return data or self._received(size)

    def _received(self, size: int) -> bytes:
        with self._busy:
            if self._closed:
                return b""
            if len(self._data) < size:
                self._data = ctypes.create_string_buffer(size)
            self._until = monotonic() + self._stall_seconds
            got = self._library.avio_read_partial(self._context, self._data, size)
            if got < 0 and monotonic() > self._until:
                self._closed = True  # PyAV reads on, and prints all errors but the last
                self._checked(got)
            return self._data.raw[:got] if got > 0 else b""

    def write(self, data: bytes) -> int:
        """All of `data`, unless it is closed."""
        with self._busy:
            if not self._closed:
                self._until = monotonic() + self._stall_seconds
                self._library.avio_write(self._context, bytes(data), len(data))
                self._library.avio_flush(self._context)
                self._checked(self._context.contents.error)
        return len(data)

    def close(self) -> None:
        """Leave; from any thread, more than once."""
        self._closed = True
        if self._busy.acquire(timeout=_LEAVING_SECONDS):
            self._leaves, self._until = True, monotonic() + _FAREWELL_SECONDS
            self._library.avio_closep(ctypes.byref(self._context))
            self._busy.release()


_wires: WeakSet[Wire] = WeakSet()


@atexit.register
def _leave_all() -> None:
    """Before Python ends: FFmpeg must not ask `_is_over` after that."""
    for wire in list(_wires):
        wire.close()


@cache
def _library() -> Any:
    """FFmpeg as PyAV is linked to it, with what is called here."""
    library = ctypes.CDLL(av.container.core.__file__)  # its symbols, and those of what it needs
    pointer, number, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    library.avio_open2.argtypes = [pointer, text, number, pointer, pointer]
    library.avio_read_partial.argtypes = [pointer, pointer, number]
    library.avio_write.argtypes = [pointer, text, number]
    library.avio_write.restype = library.avio_flush.restype = None
    library.avio_flush.argtypes = library.avio_closep.argtypes = [pointer]
    library.av_dict_set.argtypes = [pointer, text, text, number]
    library.av_dict_free.argtypes = [pointer]
    library.av_dict_free.restype = None
    library.av_strerror.argtypes = [number, pointer, ctypes.c_size_t]
    return library
