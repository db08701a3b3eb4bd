"""Memory of pictures: freed blocks stay with the process instead of going back to the kernel.

A picture is megabytes, made and dropped many times a second. By default glibc maps such a block
anew each time, and the kernel zeroes every page of it again: a fifth of the time of a made frame.
"""

from __future__ import annotations

import ctypes
import sys

__all__ = ["keep_freed_memory"]

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # mallopt's names in <malloc.h>
_KEPT_BYTES = 1 << 30
_PAD_BYTES = 64 << 20


def keep_freed_memory() -> bool:
    """Let the allocator of this process keep what it has freed; True where that is glibc's.

    For programs, not for libraries: it concerns everything in the process. The peak of memory stays
    the same; what falls is the number of page faults.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl
        return False
    sizes = {
        _TRIM_THRESHOLD: _KEPT_BYTES,
        _TOP_PAD: _PAD_BYTES,
        _MMAP_THRESHOLD: _KEPT_BYTES,
    }
    accepted = [mallopt(name, size) == 1 for name, size in sizes.items()]
    return all(accepted)
