"""What a film does not say of its colours, as players take it: by the size of the picture.

A player that meets an untagged picture of 640x480 takes it for BT.601, and one of 1920x1080 for
BT.709. An untagged film made larger would change its colours on the way, so what was meant is found
at the size that it had, and is said from then on. The rules are those of libplacebo
(`pl_color_system_guess_ycbcr`, `pl_color_primaries_guess`), which mpv and VLC go by.
"""

from __future__ import annotations

from dataclasses import replace

from vidgen.frame import Color

__all__ = ["said_by_size"]

_UNSPECIFIED = 2
_BT709, _BT601_625, _BT601_525, _BT2020 = 1, 5, 6, 9  # the same numbers for matrix and primaries
_HDR = (16, 18)  # PQ, HLG
_NAMES = {_BT709: "BT.709", _BT601_625: "BT.601 (625)", _BT601_525: "BT.601", _BT2020: "BT.2020"}


def said_by_size(color: Color, width: int, height: int) -> tuple[Color, list[str]]:
    """`color` with matrix, primaries and transfer filled in, and a note if any was unspecified."""
    hd = width >= 1280 or height > 576
    wide = color.transfer in _HDR or _BT2020 in (color.matrix, color.primaries)
    matrix = _BT2020 if wide else _BT709 if hd else _BT601_525
    if color.matrix != _UNSPECIFIED:
        matrix = color.matrix
    lines = {576: _BT601_625, 480: _BT601_525, 488: _BT601_525}.get(height, _BT709)
    primaries = _BT2020 if wide else _BT709 if hd or matrix == _BT709 else lines
    # The curves of BT.709 and BT.601 are one; so is that of BT.2020 in 10 bits.
    transfer = _BT709 if wide or hd else _BT601_525
    full = replace(
        color,
        matrix=matrix,
        primaries=primaries if color.primaries == _UNSPECIFIED else color.primaries,
        transfer=transfer if color.transfer == _UNSPECIFIED else color.transfer,
    )
    names = ("matrix", "primaries", "transfer")
    missing = [name for name in names if getattr(color, name) != getattr(full, name)]
    if not missing:
        return color, []
    taken = _NAMES.get(full.matrix, "its matrix")
    said = f"the film does not say its colour {', '.join(missing)}"
    return full, [f"{said}: taken for {taken} as players do at {width}x{height}, and tagged so"]
