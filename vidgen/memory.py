"""Memory of pictures: freed blocks stay with the process instead of going back to the kernel.

A picture is megabytes, made and dropped many times a second. By default glibc maps such a block
anew each time, and the kernel zeroes every page of it again: a fifth of the time of a made frame.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["keep_freed_memory", "short_collections"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # mallopt's names in <malloc.h>
_KEPT_BYTES = 1 << 30
_ARENAS = 1
"""With one for each thread, what one thread frees is no use to another. Each is made of pieces of
64 MiB that go back to the kernel when empty unless M_TOP_PAD holds them, and then what is in use
creeps through that pad, 1.9 KB a frame however small the picture, until all of it is touched."""


def keep_freed_memory() -> bool:
    """Let the allocator of this process keep what it has freed; True where that is glibc's.

    For programs, not for libraries: it concerns everything in the process. The peak of memory stays
    the same; what falls is the number of page faults. Call it before other threads begin.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl
        return False
    values = {
        _ARENA_MAX: _ARENAS,
        _TRIM_THRESHOLD: _KEPT_BYTES,
        _MMAP_THRESHOLD: _KEPT_BYTES,
    }
    accepted = [mallopt(name, value) == 1 for name, value in values.items()]
    return all(accepted)


@contextmanager
def short_collections() -> Iterator[None]:
    """Keep Python's collector off what has been there before: going through all of it stops every
    thread for 38 ms, and a picture is due every 17."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
