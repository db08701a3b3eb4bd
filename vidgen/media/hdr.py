"""What HDR10 says beside colour tags: its mastering display and its brightest light."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.sidedata.sidedata import Type

from vidgen.media.source import main_video, open_source

__all__ = ["LightLevels", "light_levels", "stated_peak", "with_light_levels"]

_WORDS = {
    "x264": ("x264-params", "mastering-display", "cll"),
    "x265": ("x265-params", "master-display", "max-cll"),
    "svtav1": ("svtav1-params", "mastering-display", "content-light"),
}
"""Encoder -> FFmpeg's option, and the names in it for the display and the light."""
_CHROMATICITY = 50000  # units of the encoders' words: 0.00002
_LUMINANCE = 10000  # and 0.0001 cd/m2


@dataclass(frozen=True, slots=True)
class LightLevels:
    """Static metadata of SMPTE ST 2086 and CTA-861.3."""

    primaries: tuple[float, ...] = ()
    """x, y of red, green, blue and white; empty where they are not stated."""
    luminance: tuple[float, float] = (0, 0)
    """Least and most of the mastering display, cd/m2; zeros where they are not stated."""
    brightest: tuple[int, int] = (0, 0)
    """MaxCLL and MaxFALL, cd/m2; zeros where they are not stated."""


def light_levels(source: Path) -> LightLevels | None:
    """What the first picture of `source` says; None when that is nothing."""
    with open_source(source) as container:
        try:
            first = next(container.decode(main_video(container, source)), None)
        except av.FFmpegError:  # the Decoder says what is damaged
            first = None
        return None if first is None else _levels(first)


def stated_peak(picture: av.VideoFrame) -> int:
    """cd/m2 that nothing in the film is brighter than, by its own word; 0 where it has none."""
    levels = _levels(picture)
    if levels is None:
        return 0
    stated = [light for light in (round(levels.luminance[1]), levels.brightest[0]) if light]
    return min(stated, default=0)


def _levels(picture: av.VideoFrame) -> LightLevels | None:
    side_data: Any = picture.side_data  # a dict to PyAV's stubs alone
    said = {data.type: bytes(data) for data in side_data}
    display, light = (
        said.get(Type.MASTERING_DISPLAY_METADATA),
        said.get(Type.CONTENT_LIGHT_LEVEL),
    )
    if display is None and light is None:
        return None
    primaries, luminance = _display(display) if display else ((), (0.0, 0.0))
    brightest = struct.unpack_from("=2I", light) if light else (0, 0)
    return LightLevels(primaries, luminance, (brightest[0], brightest[1]))


def _display(data: bytes) -> tuple[tuple[float, ...], tuple[float, float]]:
    """AVMasteringDisplayMetadata: ten fractions of int32, then which of them are set."""
    *parts, has_primaries, has_luminance = struct.unpack_from("=22i", data)
    values = [a / b if b else 0.0 for a, b in zip(parts[::2], parts[1::2], strict=True)]
    luminance = (values[8], values[9]) if has_luminance else (0.0, 0.0)
    return tuple(values[:8]) if has_primaries else (), luminance


def with_light_levels(options: dict[str, str], word: str, levels: LightLevels) -> dict[str, str]:
    """The options of an encoder that writes `levels` into the stream; the same for others."""
    said: list[str] = []
    option, display, light = _WORDS.get(word, ("", "", ""))
    if levels.primaries and option:
        scales = (1.0, 1.0) if word == "svtav1" else (_CHROMATICITY, _LUMINANCE)
        said.append(f"{display}={_volume(levels, *scales)}")
    if any(levels.brightest) and option:
        said.append(f"{light}={levels.brightest[0]},{levels.brightest[1]}")
    if not said:
        return options
    return {**options, option: ":".join([*filter(None, [options.get(option)]), *said])}


def _volume(levels: LightLevels, chromaticity: float, luminance: float) -> str:
    """`G(x,y)B(x,y)R(x,y)WP(x,y)L(max,min)`, as the encoders write a display."""

    def number(value: float, scale: float) -> str:
        return f"{value:.5f}" if scale == 1 else str(round(value * scale))

    red, green, blue, white = (
        f"({number(x, chromaticity)},{number(y, chromaticity)})"
        for x, y in zip(levels.primaries[::2], levels.primaries[1::2], strict=True)
    )
    least, most = (number(value, luminance) for value in levels.luminance)
    return f"G{green}B{blue}R{red}WP{white}L({most},{least})"
