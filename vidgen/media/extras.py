"""What pictures carry beside their samples and cannot take along: said, never silently lost."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.sidedata.sidedata import Type

from vidgen.media.source import dump

__all__ = ["dolby_vision", "what_is_left_behind"]

_DOLBY = re.compile(r"DOVI configuration record: .*\bprofile: (\d+).* compatibility id: (\d+)")

# FFmpeg's encoders would take most of these from the side data of a picture; PyAV lets nobody add
# any to one.
_LEFT_BEHIND = {
    Type.DYNAMIC_HDR_PLUS: "HDR10+ scene data is not carried; the static levels of HDR10 are",
    Type.DOVI_METADATA: "Dolby Vision data is not carried; the picture under it is kept as it is",
    Type.DOVI_RPU_BUFFER: "Dolby Vision data is not carried; the picture under it is kept as it is",
    Type.DYNAMIC_HDR_VIVID: "HDR Vivid scene data is not carried",
    Type.A53_CC: "closed captions inside the video are not carried; extract them to a file first",
    Type.STEREO3D: "that the picture is 3D is not carried",
    Type.SPHERICAL: "that the picture is a sphere (360 degrees) is not carried",
}


def what_is_left_behind(first: av.VideoFrame, *, scene: bool) -> list[str]:
    """Notes on the side data of the first picture of a film; `scene`: its HDR10+ comes along."""
    side_data: Any = first.side_data  # a dict to PyAV's stubs alone
    said = {data.type: data for data in side_data}
    if scene:
        said.pop(Type.DYNAMIC_HDR_PLUS, None)
    notes = {text: None for kind, text in _LEFT_BEHIND.items() if kind in said}
    if Type.DISPLAYMATRIX in said and _mirrors(bytes(said[Type.DISPLAYMATRIX])):
        notes["that the picture is shown mirrored is not carried: it comes out unmirrored"] = None
    return list(notes)


def dolby_vision(container: InputContainer, source: Path) -> tuple[int, int] | None:
    """Profile and compatibility of a film in Dolby Vision, see `MediaInfo`; None of others."""
    found = _DOLBY.search(dump(container, source))
    return (int(found[1]), int(found[2])) if found else None


def _mirrors(matrix: bytes) -> bool:
    """Whether a display matrix (nine int32, rows a b u, c d v, x y w) turns left into right."""
    a, b, _, c, d = struct.unpack_from("=5i", matrix)
    return bool(a * d - b * c < 0)
