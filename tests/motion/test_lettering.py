"""Subtitles that change while the picture moves."""

import cv2
import numpy as np
import pytest

from vidgen.motion import Between, FlowEstimator, half_luma

HEIGHT, WIDTH = 288, 512
UV = np.full((HEIGHT // 2, WIDTH // 2, 2), 128, np.uint8)


@pytest.fixture(scope="module")
def view(texture):
    """`view(n, words)`: a texture that slides by 6 pixels a frame, with a line at its foot."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)

    def of(n, words=""):
        luma = (40 + 100 * texture(x - 6 * n, y)).clip(0, 255).astype(np.uint8)
        (long, _), _ = cv2.getTextSize(words, cv2.FONT_HERSHEY_SIMPLEX, 1, 2)
        for width, level in ((6, 16), (2, 235)):
            place = (WIDTH - long) // 2, 260
            cv2.putText(luma, words, place, cv2.FONT_HERSHEY_SIMPLEX, 1, level, width, cv2.LINE_AA)
        return luma, UV

    return of


def between(before, after, phase):
    motion = FlowEstimator()(half_luma(before[0]), half_luma(after[0]))
    return Between(before, after, motion).picture(phase)[0]


@pytest.mark.parametrize(("first", "last"), [("", "Who is there?"), ("Who is there?", "It is me")])
@pytest.mark.parametrize("turned", [False, True], ids=["forward", "backward"])
def test_lines_are_whole_or_not_there(view, first, last, turned):
    ends = view(0, first), view(1, last)
    ends = ends[::-1] if turned else ends
    for phase, nearer in ((0.4, ends[0]), (0.6, ends[1])):
        strokes = view(0, first)[0] > 200, view(0, last)[0] > 200
        shown = np.logical_or(*strokes)
        apart = np.abs(between(*ends, phase)[shown].astype(int) - nearer[0][shown])
        assert np.mean(apart > 24) < 0.05


def test_a_picture_that_moves_without_lines_moves_as_a_whole(view):
    made = between(view(0), view(1), 0.5)
    assert np.abs(made[:, 16:-16].astype(int) - view(0.5)[0][:, 16:-16]).mean() < 2
