"""The HTML report: long films drawn in pieces, names made harmless."""

import re
from fractions import Fraction

import numpy as np
import pytest

from vidgen.bench.compare import Comparison, Pair, Score
from vidgen.bench.report import report
from vidgen.bench.streams import Lane, StreamReport
from vidgen.frame import VideoFormat
from vidgen.media.spans import Span


@pytest.fixture
def comparison():
    """Two hours at one frame a second, bad at one place for a second."""
    video = VideoFormat(64, 48, Fraction(1))
    result = Comparison(video, video, 8, every=100)
    planes = np.zeros((48, 64), np.uint8), np.full((24, 32, 2), 128, np.uint8)
    for second in range(7200):
        figures = {"psnr_y": 12.5 if second == 4321 else 40.0 + second % 3}
        if second % 100 == 0:
            figures["tof"] = second / 7200
        result.scores.append(Score(Fraction(second), figures))
    result.worst = [Pair(planes, planes, result.scores[4321])]
    return result


def test_a_long_film_keeps_its_worst_place(comparison):
    text = report("a", "b", comparison, StreamReport((), (0, 0)))
    curves = [line.split() for line in re.findall(r'class="curve" points="(.*?)"', text)]
    assert len(curves[0]) <= 280
    assert len(curves[1]) == 72
    bands = re.findall(r'class="band" points="(.*?)"', text)
    lowest = max(float(point.split(",")[1]) for point in bands[0].split())
    worst = re.search(r'class="worst" cx="(.*?)" cy="(.*?)"', text)
    assert lowest == pytest.approx(float(worst[2]), abs=0.1)  # the band reaches down to it
    assert 300 < float(worst[1]) < 400  # at three fifths of the film
    assert "1:12:01.000" in text


def test_names_of_films_are_no_markup(comparison):
    span = Span(0, "audio", "aac", "eng", '<i>"x"</i>', True, False)
    streams = StreamReport((Lane(span, None),), (3, 0))
    text = report("<b>ref</b>.mkv", "a&b.mkv", comparison, streams)
    assert "a&amp;b.mkv beside &lt;b&gt;ref&lt;/b&gt;.mkv" in text
    assert "<b>" not in text
    assert "<i>" not in text
    assert "<td>lost</td>" in text
    assert "3 chapters in REF, 0 in OUT" in text
