"""Rational arithmetic of presentation times. Nothing here knows pictures, files or floats.

A time is a `Fraction` of a second. An output grid of rate `fps` holds the instants
`origin + n / fps` with integer n; see `grid`. A float appears only where a person reads it or a
network takes a phase.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, gcd, lcm

from vidgen.errors import UsageError

__all__ = ["common_time_base", "format_time", "grid", "parse_rate", "parse_time", "snap_rate"]

NTSC = Fraction(1000, 1001)


def grid(begin: Fraction, end: Fraction, fps: Fraction, origin: Fraction) -> range:
    """Indices n of the instants `origin + n / fps` in [begin, end).

    Neighbouring intervals [a, b), [b, c) give neighbouring ranges: no instant is lost or doubled.
    """
    return range(ceil((begin - origin) * fps), ceil((end - origin) * fps))


def common_time_base(*times: Fraction) -> Fraction:
    """Largest time base in which every given time (in seconds, not all zero) is an integer."""
    denominator = lcm(*(time.denominator for time in times))
    numerator = gcd(*(int(time * denominator) for time in times))
    return Fraction(numerator or 1, denominator)


def snap_rate(rate: Fraction) -> Fraction:
    """The usual rate within 0.1 % of `rate` (24000/1001 for 23.976), else `rate` itself.

    Containers with coarse clocks and averages over short clips give rates such as 23976/1000 or
    19001/317; nothing in use lies between those and the integer or NTSC rate beside them.
    """
    whole = Fraction(round(rate))
    ntsc = Fraction(round(rate / NTSC)) * NTSC
    nearest = min((whole, ntsc), key=lambda candidate: abs(candidate - rate))
    return nearest if nearest > 0 and abs(nearest - rate) * 1000 < rate else rate


def parse_rate(text: str, source: Fraction | None = None, option: str = "--fps") -> Fraction:
    """`60`, `23.976`, `60000/1001`, or `x2` (times the rate of the source) as frames per second.

    `source` is the source's average rate; `x2` needs it. Raises UsageError, which names `option`.
    """
    accepted = "a number (60, 23.976), a fraction (60000/1001) or a factor (x2)"
    if text.startswith("x") and source is None:
        raise UsageError(f"{option} {text}: the source states no rate; give {accepted}")
    try:
        if text.startswith("x"):
            rate = _number(text[1:]) * (source or 0)
        else:
            rate = snap_rate(_number(text)) if "." in text else _number(text)
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"{option} {text}: not a rate; give {accepted}") from None
    if not 0 < rate <= 1000:
        raise UsageError(f"{option} {text}: out of range; give a rate above 0 and up to 1000")
    return rate


def parse_time(text: str, option: str = "") -> Fraction:
    """`90`, `90.5`, `1:30` or `1:02:03.25` as seconds. Raises UsageError, which names `option`."""
    try:
        parts = [_number(part) for part in text.split(":")]
    except (ValueError, ZeroDivisionError):
        parts = []
    if not 1 <= len(parts) <= 3 or any(part < 0 for part in parts):
        given = f"{option} {text}".strip()
        raise UsageError(f"{given}: not a time; give seconds (90.5) or [hours:]minutes:seconds")
    seconds = Fraction(0)
    for part in parts:
        seconds = seconds * 60 + part
    return seconds


def _number(text: str) -> Fraction:
    """Raises ValueError, for exponents too: all the digits of 1e99999999 would be reckoned."""
    if "e" in text.lower():
        raise ValueError(text)
    return Fraction(text)


def format_time(seconds: Fraction | float) -> str:
    """`h:mm:ss` for a person; fractions of a second are dropped."""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}"
