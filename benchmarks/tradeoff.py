"""Decibels against milliseconds: every x2 network that was tried, and those that are shipped.

    python -m benchmarks.grid --time      first: times the candidates on this machine
    python -m benchmarks.tradeoff         times the shipped ones and draws all

Decibels are the gain in PSNR-Y over Lanczos on the files that the recipes hold out of training.
Candidates were trained for a thousand steps each, alike; shipped networks to their end. So what
lies between a candidate and the shipped network of its shape is training.
"""

from __future__ import annotations

import json
import math
import tomllib
from dataclasses import asdict, dataclass

from benchmarks.common import RESULTS, machine_name, write_result
from benchmarks.grid import milliseconds
from vidgen import zoo
from vidgen.engines import choose_backend

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 720, 420, 60, 50
_TICKS_MS = (10, 20, 50, 100, 200, 500, 1000, 2000)


@dataclass(frozen=True)
class Point:
    """One network."""

    name: str
    ms: float
    gain_y_db: float
    shipped: bool


def main() -> None:
    points = [*candidates(), *shipped()]
    for point in points:
        print(f"{point.name:24} {point.ms:8.1f} ms {point.gain_y_db:+.3f} dB")
    data = {"engine": choose_backend().describe(), "points": [asdict(each) for each in points]}
    path = write_result("tradeoff", data).with_suffix(".svg")
    path.write_text(drawn(points), "utf-8")
    print(f"wrote {path}")


def candidates() -> list[Point]:
    """Those of `benchmarks.grid`, as timed on this machine."""
    path = RESULTS / f"grid-{machine_name()}.json"
    if not path.is_file():
        raise SystemExit(f"{path} is missing; run python -m benchmarks.grid --time first")
    rows = json.loads(path.read_text())["rows"]
    return [Point(row["name"], row["ms"], row["gain_y_db"], shipped=False) for row in rows]


def shipped() -> list[Point]:
    """The networks of `models/`."""
    points = []
    for name in zoo.names(zoo.models_folder(), task="upscale"):
        model = zoo.load(name)
        if model.scale == 2:
            card = tomllib.loads(zoo.card_text(name))
            gain = card["quality"]["validation"]["gain_psnr_y_over_lanczos"]
            points.append(Point(name, milliseconds(model, 15)["ms"], gain, shipped=True))
    return points


def drawn(points: list[Point]) -> str:
    """All of them as SVG, time on a logarithmic axis."""
    ticks = [ms for ms in _TICKS_MS if ms <= 2 * max(point.ms for point in points)]
    least, most = math.log(ticks[0]), math.log(max(ticks[-1], *(point.ms for point in points)))
    top = 0.2 * math.ceil(5 * max(point.gain_y_db for point in points) + 0.5)
    bottom = min(0.0, 0.2 * math.floor(5 * min(point.gain_y_db for point in points)))

    def x(ms: float) -> float:
        return _LEFT + (math.log(ms) - least) / (most - least) * (_WIDTH - _LEFT - 110)

    def y(gain: float) -> float:
        return 20 + (top - gain) / (top - bottom) * (_HEIGHT - _BOTTOM - 20)

    parts = ['<rect width="100%" height="100%" fill="white"/>']
    for ms in ticks:
        parts.append(f'<path d="M{x(ms):.0f} 20V{y(bottom):.0f}" stroke="#ddd"/>')
        parts.append(text(x(ms), _HEIGHT - 30, str(ms), "middle"))
    for step in range(round((top - bottom) / 0.2) + 1):
        gain = bottom + 0.2 * step
        parts.append(f'<path d="M{_LEFT} {y(gain):.0f}H{_WIDTH - 10}" stroke="#ddd"/>')
        parts.append(text(_LEFT - 6, y(gain) + 4, f"{gain:+.1f}", "end"))
    for point in points:
        fill = "#3a7ca5" if point.shipped else "white"
        parts.append(
            f'<circle cx="{x(point.ms):.1f}" cy="{y(point.gain_y_db):.1f}" r="5" fill="{fill}" '
            'stroke="#3a7ca5"/>'
        )
        parts.append(text(x(point.ms) + 8, y(point.gain_y_db) + 4, point.name, "start"))
    words = "ms a 960x540 picture; upwards: dB of PSNR-Y over Lanczos (filled: shipped)"
    parts.append(text(_LEFT, _HEIGHT - 8, words, "start"))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
    return "\n".join([head + 'font-family="sans-serif" font-size="11">', *parts, "</svg>\n"])


def text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{words}</text>'


if __name__ == "__main__":
    main()
