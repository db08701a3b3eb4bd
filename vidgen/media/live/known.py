"""Which options FFmpeg knows: all others it passes over in silence, and PyAV does not tell."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable

import av.container.core

__all__ = ["unknown_options"]

_WRITING, _READING = 1, 2  # AV_OPT_FLAG_ENCODING_PARAM, AV_OPT_FLAG_DECODING_PARAM
_IN_CHILDREN, _OF_CLASS = 1, 2  # AV_OPT_SEARCH_CHILDREN, AV_OPT_SEARCH_FAKE_OBJ


def unknown_options(names: Iterable[str], *, writing: bool) -> list[str]:
    """Those of `names` that no format and no protocol of FFmpeg has.

    Asked of the library that PyAV is linked to, in its own words: `av_opt_find` on the class of
    AVFormatContext, whose children are all protocols, demuxers and muxers.
    """
    library = ctypes.CDLL(av.container.core.__file__)  # its symbols, and those of what it needs
    library.avformat_get_class.restype = library.av_opt_find.restype = ctypes.c_void_p
    kind = ctypes.c_void_p(library.avformat_get_class())
    flag = _WRITING if writing else _READING
    where = _IN_CHILDREN | _OF_CLASS
    return [
        name
        for name in names
        if not library.av_opt_find(ctypes.byref(kind), name.encode(), None, flag, where)
    ]
