"""What a run tells while it runs: a line redrawn on a terminal, plain lines elsewhere."""

import io
import re
from fractions import Fraction

import pytest

from vidgen.cli import progress
from vidgen.job import Progress

HALF = Progress(frames=48, done=Fraction(2), total=Fraction(4), seconds=6.0)
UNKNOWN = Progress(frames=48, done=Fraction(2), total=None, seconds=6.0)
LINE = " 50 %  frame 48  0:00:02 of 0:00:04  8.0 fps  0:00:06 left"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def shown(monkeypatch):
    """`shown(stream, progress...)`: what is written when each report comes 10 seconds later."""

    def show(stream, *reports, silent=False):
        clock = iter(range(0, 1000, 10))
        monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
        bar = progress.Bar(stream, silent=silent)
        for report in reports:
            bar.show(report)
        bar.close()
        return stream.getvalue()

    return show


def test_plain_lines_in_a_log(shown):
    assert shown(io.StringIO(), HALF, HALF) == f"{LINE}\n{LINE}\n"


def test_one_line_on_a_terminal(shown):
    assert shown(Terminal(), HALF, HALF) == f"\r{LINE}\x1b[K\r{LINE}\x1b[K\n"


def test_silence(shown):
    assert shown(io.StringIO(), HALF, silent=True) == ""


def test_a_film_of_unknown_length(shown):
    assert shown(io.StringIO(), UNKNOWN) == "frame 48  0:00:02  8.0 fps\n"


def test_pictures_are_counted(shown):
    some = Progress(frames=2, done=Fraction(2), total=Fraction(8), seconds=1.0, counts=True)
    assert shown(io.StringIO(), some) == " 25 %  picture 2 of 8  2.0 fps  0:00:03 left\n"


def test_the_end_is_never_beyond_the_whole(shown):
    late = Progress(frames=100, done=Fraction(5), total=Fraction(4), seconds=6.0)
    assert shown(io.StringIO(), late).startswith("100 %")


def test_no_progress_yet(shown):
    first = Progress(frames=0, done=Fraction(0), total=Fraction(4), seconds=0.0)
    assert re.match(r"  0 %  frame 0 .* 0.0 fps", shown(io.StringIO(), first))


def test_not_more_often_than_useful(monkeypatch):
    times = iter([0.0, 0.1, 0.2, 9.9, 10.1, 10.2])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    stream = io.StringIO()
    bar = progress.Bar(stream, silent=False)
    for _ in range(5):
        bar.show(HALF)
    assert stream.getvalue() == f"{LINE}\n"
