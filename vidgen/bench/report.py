"""The report of a comparison as one HTML file: no script, no font, no picture from elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from fractions import Fraction
from html import escape
from itertools import groupby

import cv2
import numpy as np
from numpy.typing import NDArray

from vidgen.bench.compare import Comparison, Pair, side_by_side
from vidgen.bench.meter import METRICS, Metric
from vidgen.bench.streams import Lane, StreamReport
from vidgen.frame import VideoFormat
from vidgen.timing import format_time

__all__ = ["report"]

_CROP = 640, 360  # pixels of the film in one picture
_LOSSLESS = [cv2.IMWRITE_WEBP_QUALITY, 101]  # above 100 OpenCV keeps every pixel

_WIDTH, _HEIGHT = 560, 120  # of a curve, in CSS pixels
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 8, 8, 20  # room for the words around it
_DOTS = 80  # places that are shown one by one where there are no more
_POINTS = 280  # of a curve; a longer film is drawn as the mean and range of each piece

_STYLE = """
:root { color-scheme: light dark; --ink: #1a1d21; --dim: #667079; --line: #d9dee3; --paper: #fff;
  --curve: #1f6feb; --band: #1f6feb33; --bad: #c93c37 }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ec; --dim: #97a1ab; --line: #363d45;
  --paper: #16191d; --curve: #6ea8fe; --band: #6ea8fe33; --bad: #ff8078 } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1320px; margin: 2rem auto; padding: 0 1.5rem }
h1 { font-size: 1.4rem; font-weight: 600; margin: 0 }
h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem }
p { margin: .3rem 0; color: var(--dim) }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .9rem .25rem 0; text-align: left; border-bottom: 1px solid var(--line) }
th { font-weight: 500; color: var(--dim) } .n { text-align: right }
.curves { display: grid; gap: 1rem 2rem;
  grid-template-columns: repeat(auto-fit, minmax(480px, 1fr)) }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 6px }
figure { margin: 0 0 1.4rem } figcaption { margin-bottom: .3rem }
img { width: 100%; display: block } svg { width: 100%; height: auto }
.bad { color: var(--bad) }
svg text { font-size: 11px; fill: var(--dim) } .axis { stroke: var(--line) }
.curve { fill: none; stroke: var(--curve); stroke-width: 1.5; stroke-linejoin: round }
.band { fill: var(--band) } .worst { fill: var(--bad) } .dot { fill: var(--curve) }
"""


def report(reference: str, output: str, result: Comparison, streams: StreamReport) -> str:
    """The whole file; `reference` and `output` are the films' names as a reader should see them."""
    title = f"{escape(output)} beside {escape(reference)}"
    facts = (
        f"REF {_facts(result.reference)}; OUT {_facts(result.output)}; {len(result.scores)} frames"
    )
    body = [
        f"<h1>{title}</h1>",
        f"<p>{facts}, compared at {result.bit_depth} bit.{_notes(result)}</p>",
        _table(result),
        "<h2>Over time</h2>",
        f'<div class="curves">{"".join(_curve(result, key) for key in result.means)}</div>',
        "<h2>Streams</h2>",
        _streams(streams),
        "<h2>Worst places</h2>",
        "<p>Left REF, right OUT: the part of the frame in which the two differ most.</p>",
        *(_picture(result, pair) for pair in result.worst),
    ]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}<title>{title}</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _facts(video: VideoFormat) -> str:
    fps = f", {float(video.fps):.5g} fps" if video.fps else ""
    return f"{video.width}x{video.height}{fps}"


def _notes(result: Comparison) -> str:
    notes = ""
    if result.every > 1:
        notes += f" LPIPS, tOF and warp error are taken at one of {result.every} frames."
    if result.unmatched:
        notes += f" {result.unmatched} frames of OUT lie after the end of REF."
    if result.between:
        notes += f" {result.between} frames of OUT lie between those of REF and are not measured."
    return notes


def _table(result: Comparison) -> str:
    rows = []
    for key, mean in result.means.items():
        metric, worst = METRICS[key], result.worst_of(key)
        better = "higher" if metric.higher_is_better else "lower"
        rows.append(
            [
                metric.label,
                _written(mean, metric),
                _written(worst.measures[key], metric),
                _time(worst.time),
                f"{better} is better",
            ]
        )
    return _grid(["", "mean", "worst", "at", ""], rows, numbers=(1, 2, 3))


def _written(value: float, metric: Metric) -> str:
    return f"{value:.{metric.digits}f} {metric.unit}".rstrip()


def _time(time: Fraction) -> str:
    return f"{format_time(time)}.{int(time % 1 * 1000):03d}"


def _grid(head: list[str], rows: Iterable[list[str]], numbers: tuple[int, ...] = ()) -> str:
    """A table; `numbers` are the columns set flush right. Cells are text and are escaped."""

    def row(cells: list[str], tag: str) -> str:
        kinds = (' class="n"' if index in numbers else "" for index in range(len(cells)))
        words = zip(cells, kinds, strict=True)
        return "".join(f"<{tag}{kind}>{escape(cell)}</{tag}>" for cell, kind in words)

    lines = [f"<tr>{row(head, 'th')}</tr>", *(f"<tr>{row(cells, 'td')}</tr>" for cells in rows)]
    return f"<table>{''.join(lines)}</table>"


def _curve(result: Comparison, key: str) -> str:
    """One figure over the time of the film: the mean of each piece, its range, the worst frame."""
    metric, worst = METRICS[key], result.worst_of(key)
    points = [(float(s.time), s.measures[key]) for s in result.scores if key in s.measures]
    end = max(float(result.scores[-1].time), 1e-9)
    low, high = _limits([value for _, value in points], metric)

    def x(time: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * time / end

    def y(value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - value) / (high - low)

    pieces = _pieces(points, end)
    upper = [f"{x(t):.1f},{y(top):.1f}" for t, _, _, top in pieces]
    lower = [f"{x(t):.1f},{y(bottom):.1f}" for t, bottom, _, _ in reversed(pieces)]
    line = " ".join(f"{x(t):.1f},{y(mean):.1f}" for t, _, mean, _ in pieces)
    value = worst.measures[key]
    dots = pieces if len(pieces) <= _DOTS else []
    words = escape(f"worst: {_written(value, metric)} at {_time(worst.time)}")
    return (
        f"<figure><figcaption>{escape(metric.label)}</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(metric.label)}">'
        f"{_rule(y(low), f'{low:.{metric.digits}f}')}{_rule(y(high), f'{high:.{metric.digits}f}')}"
        f"{_under(_LEFT, 'start', format_time(Fraction(0)))}"
        f"{_under(_WIDTH - _RIGHT, 'end', _time(result.scores[-1].time))}"
        f'<polygon class="band" points="{" ".join(upper + lower)}"/>'
        f'<polyline class="curve" points="{line}"/>'
        + "".join(
            f'<circle class="dot" cx="{x(t):.1f}" cy="{y(mean):.1f}" r="1.8"/>'
            for t, _, mean, _ in dots
        )
        + f'<circle class="worst" cx="{x(float(worst.time)):.1f}" cy="{y(value):.1f}" r="3">'
        f"<title>{words}</title></circle></svg></figure>"
    )


def _rule(y: float, words: str) -> str:
    """A line across the curve, named at its left."""
    line = f'<path class="axis" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>'
    return f'{line}<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{words}</text>'


def _under(x: int, anchor: str, words: str) -> str:
    """Words below the curve."""
    return f'<text x="{x}" y="{_HEIGHT - 5}" text-anchor="{anchor}">{words}</text>'


def _limits(values: list[float], metric: Metric) -> tuple[float, float]:
    """The range of the axis: that of the values, not thinner than what its digits tell apart."""
    low, high = min(values), max(values)
    thin = 4 * 10.0**-metric.digits
    return (low, high) if high - low >= thin else (low - thin, high + thin)


def _pieces(
    points: list[tuple[float, float]], end: float
) -> list[tuple[float, float, float, float]]:
    """(time, least, mean, greatest) of at most `_POINTS` pieces of the film that hold a point."""
    if len(points) <= _POINTS:
        return [(time, value, value, value) for time, value in points]
    found = []
    for _, group in groupby(points, lambda point: int(point[0] / end * (_POINTS - 1))):
        times, values = np.array(list(group)).T
        found.append((times.mean(), values.min(), values.mean(), values.max()))
    return found


def _picture(result: Comparison, pair: Pair) -> str:
    figures = ", ".join(
        f"{METRICS[key].label} {_written(value, METRICS[key])}"
        for key, value in pair.score.measures.items()
    )
    ours, theirs = side_by_side(result, pair, _CROP)
    images = "".join(
        f'<img alt="{name}" src="{_data(picture)}">'
        for name, picture in (("REF", ours), ("OUT", theirs))
    )
    caption = f"{_time(pair.score.time)}: {escape(figures)}"
    return f'<figure><figcaption>{caption}</figcaption><div class="pair">{images}</div></figure>'


def _data(picture: NDArray[np.uint8]) -> str:
    webp = cv2.imencode(".webp", np.ascontiguousarray(picture), _LOSSLESS)[1]
    return f"data:image/webp;base64,{base64.b64encode(webp.tobytes()).decode()}"


def _streams(streams: StreamReport) -> str:
    head = ["", "stream", "REF", "OUT", "start", "end", "packets"]
    shift = streams.audio_shift
    sound = ""
    if shift is not None:
        sound = (
            f" Sound lies at most {1000 * float(shift):+.1f} ms later to the picture than in REF."
        )
    if streams.chapter_shift is not None:
        sound += f" Chapters begin at most {1000 * float(streams.chapter_shift):+.1f} ms later."
    chapters = "<p>{} chapters in REF, {} in OUT.{}</p>".format(*streams.chapters, escape(sound))
    return _grid(head, (_stream(lane) for lane in streams.lanes), numbers=(4, 5, 6)) + chapters


def _stream(lane: Lane) -> list[str]:
    shown = lane.reference or lane.output
    assert shown is not None
    codecs = [span.codec or "unknown" if span else "-" for span in (lane.reference, lane.output)]
    packets = [str(span.packets) if span else "-" for span in (lane.reference, lane.output)]
    shifts = [
        "" if shift is None else f"{float(shift):+.3f} s"
        for shift in (lane.start_shift, lane.end_shift)
    ]
    name = " ".join(word for word in (shown.type, shown.language, shown.title) if word)
    return [lane.fate, name, *codecs, *shifts, " / ".join(packets)]
