"""The function inside VapourSynth: frames in order, and frames asked for anywhere."""

import numpy as np
import pytest

from vidgen import Filter
from vidgen.errors import UsageError

vs = pytest.importorskip("vapoursynth", reason="VapourSynth (PyPI) needs Python 3.12")
WIDTH, HEIGHT = 64, 48


def planes(n, depth=8):
    y = np.tile(np.linspace(40, 160, WIDTH), (HEIGHT, 1)).astype(np.uint16)
    y[12:30, 6 + 2 * n : 24 + 2 * n] = 230
    uv = np.full((HEIGHT // 2, WIDTH // 2, 2), 90 + 3 * n, np.uint16)
    up = depth - 8
    return [(each << up).astype(np.uint8 if depth == 8 else np.uint16) for each in (y, uv)]


def clip(count, depth=8):
    layout = vs.YUV420P8 if depth == 8 else vs.YUV420P10
    blank = vs.core.std.BlankClip(
        width=WIDTH, height=HEIGHT, format=layout, length=count, fpsnum=25, fpsden=1
    )

    def draw(n, f):
        result = f.copy()
        y, uv = planes(n, depth)
        for plane, data in enumerate((y, uv[..., 0], uv[..., 1])):
            np.asarray(result[plane])[:] = data
        return result

    return blank.std.ModifyFrame([blank], draw)


def vidgen(source, **words):
    from vidgen.plugins.vs import vidgen

    return vidgen(source, **words)


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("fps", [None, "50", "60", "20"])
def test_in_order_it_is_the_filter(depth, fps):
    made = vidgen(clip(6, depth), scale=2, fps=fps)
    with Filter(scale=2, fps=fps, rate="25") as filter:
        expected = [frame for n in range(6) for frame in filter.send(planes(n, depth))]
        expected += filter.flush()
    assert (made.width, made.height, made.num_frames) == (128, 96, len(expected))
    assert str(made.fps) == (fps or "25")
    for n, frame in enumerate(expected):
        got = made.get_frame(n)
        for plane, data in enumerate((frame.y, frame.uv[..., 0], frame.uv[..., 1])):
            assert np.abs(np.asarray(got[plane]).astype(int) - data).max() <= 1


def test_anywhere():
    """Backwards and by jumps: the right picture, if not the same memory."""
    made = vidgen(clip(12), scale=1, fps="50")
    forward = [np.asarray(made.get_frame(n)[0]).copy() for n in range(24)]
    for n in (20, 3, 22, 0, 23, 11, 10, 9):
        again = np.asarray(vidgen(clip(12), scale=1, fps="50").get_frame(n)[0])
        assert np.array_equal(np.asarray(made.get_frame(n)[0]), forward[n])
        assert np.abs(again.astype(int) - forward[n]).mean() < 1


def test_what_is_refused():
    rgb = vs.core.std.BlankClip(format=vs.RGB24, length=1)
    with pytest.raises(UsageError, match="YUV420P10"):
        vidgen(rgb)
    with pytest.raises(UsageError, match="scale 3"):
        vidgen(clip(1), scale=3)
