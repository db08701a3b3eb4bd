"""Pictures pushed into the stages, and what comes back."""

import gc
import threading
from fractions import Fraction
from itertools import chain

import numpy as np
import pytest

from vidgen import RGB, Filter, Frame, from_rgb, to_rgb
from vidgen.errors import UsageError
from vidgen.filter.pushed import Pushed


def pictures(count, dtype=np.uint8):
    """A bright square that moves two pixels a frame."""
    top = 255 if dtype == np.uint8 else 1023
    for n in range(count):
        y = np.tile(np.linspace(top // 5, top // 2, 64), (48, 1)).astype(dtype)
        y[12:30, 6 + 2 * n : 24 + 2 * n] = top * 9 // 10
        yield y, np.full((24, 32, 2), (top + 1) // 2, dtype)


def test_a_frame_comes_back_at_once_where_none_is_made():
    with Filter(scale=2, rate="25") as filter:
        sent = [filter.send(each) for each in pictures(3)]
        assert [len(each) for each in sent] == [1, 1, 1]
        assert filter.flush() == []
    frame = sent[-1][0]
    assert frame.y.shape == (96, 128)
    assert frame.uv.shape == (48, 64, 2)
    assert frame.time == Fraction(2, 25)
    assert (filter.output.width, filter.output.height) == (128, 96)
    assert "x2-realtime" in filter.engine


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_frames_are_made_between_those_that_come(dtype):
    with Filter(scale=1, fps="x2", rate="25") as filter:
        sent = [filter.send(each) for each in pictures(4, dtype)]
        sent.append(filter.flush())
    assert [len(each) for each in sent] == [0, 2, 2, 2, 2]
    frames = list(chain.from_iterable(sent))
    assert [frame.time for frame in frames] == [Fraction(n, 50) for n in range(8)]
    assert [frame.generated for frame in frames] == [False, True] * 3 + [False, False]
    assert frames[2].y.dtype == dtype


@pytest.mark.parametrize("words", [{"scale": 2}, {"scale": 1, "fps": "x2"}])
def test_a_buffer_may_be_filled_anew(words):
    """As those who grab pictures do: what comes out is that of arrays of their own."""
    buffer, made = tuple(np.empty_like(plane) for plane in next(pictures(1))), []
    for shared in (True, False):
        with Filter(rate="25", **words) as filter:
            sent = []
            for planes in pictures(4):
                for plane, into in zip(planes, buffer, strict=True):
                    into[...] = plane
                sent += filter.send(buffer if shared else planes)
            made.append([*sent, *filter.flush()])
    for ours, theirs in zip(*made, strict=True):
        np.testing.assert_array_equal(ours.y, theirs.y)


def test_frames_keep_their_own_times():
    stamps = 0, 40, 70, 200
    with Filter(scale=2) as filter:
        made = [
            filter.send(Frame(*planes, pts, 30, Fraction(1, 1000)))
            for pts, planes in zip(stamps, pictures(4), strict=True)
        ]
    assert [frame.pts for (frame,) in made] == list(stamps)


def test_planes_of_other_libraries():
    class Foreign:
        """An array by DLPack alone."""

        def __init__(self, array):
            self._array = array

        def __dlpack__(self, **words):
            return self._array.__dlpack__(**words)

        def __dlpack_device__(self):
            return self._array.__dlpack_device__()

    y, uv = next(pictures(1))
    with Filter(scale=1, rate="25") as filter:
        (semi,) = filter.send((Foreign(y), Foreign(uv)))
        (planar,) = filter.send((y, uv[..., 0].copy(), uv[..., 1].copy()))
        np.testing.assert_array_equal(semi.y, y)
        assert np.array_equal(np.from_dlpack(planar.uv), uv)


def test_what_is_refused():
    y, uv = next(pictures(1))
    with pytest.raises(UsageError, match="rate="):
        Filter(scale=2).send((y, uv))
    with pytest.raises(UsageError, match="'scal'"):
        Filter(scal=2, rate="25").send((y, uv))
    with pytest.raises(UsageError, match=r"\(48, 64, 3\)"):
        Filter(rate="25").send((np.dstack([y, y, y]), uv))
    with pytest.raises(UsageError, match="NumPy or DLPack"):
        Filter(rate="25").send(("y", "uv"))
    with Filter(scale=1, rate="25") as filter:
        filter.send((y, uv))
        with pytest.raises(UsageError, match="32x48"):
            filter.send((y[:, :32], uv[:, :16]))
        filter.flush()
        with pytest.raises(ValueError, match="has ended"):
            filter.send((y, uv))


def test_rgb_there_and_back():
    ramp = np.linspace(0, 250, 64 * 48).reshape(48, 64).astype(np.uint8)
    rgb = np.dstack([ramp, ramp[::-1], np.full_like(ramp, 90)])
    back = to_rgb(from_rgb(rgb))
    assert np.abs(back.astype(int) - rgb).max() <= 4  # half-size chroma of a ramp, in 8 bits
    bgr = np.ascontiguousarray(rgb[..., ::-1])
    assert np.array_equal(to_rgb(from_rgb(bgr, bgr=True), bgr=True)[..., ::-1], back)
    with Filter(scale=2, rate="25", color=RGB) as filter:
        (frame,) = filter.send(from_rgb(rgb))
    assert to_rgb(frame.planes).shape == (96, 128, 3)
    with pytest.raises(UsageError, match="H and W even"):
        from_rgb(rgb[:47])


def work_of(results):
    """Yields `results(item)` for each item, and a last word."""

    def work(items):
        for item in items:
            yield from results(item)
        yield "end"

    return work


def test_pushed_takes_turns():
    pushed = Pushed(work_of(lambda item: [item] * item), "turns")
    assert [pushed.send(n) for n in (0, 2, 1)] == [[], [2, 2], [1]]
    assert pushed.end() == ["end"]
    assert pushed.over
    assert pushed.end() == []


def test_pushed_raises_where_the_error_happens():
    pushed = Pushed(work_of(lambda item: [1 / item]), "fails")
    assert pushed.send(1) == [1]
    with pytest.raises(ZeroDivisionError):
        pushed.send(0)
    with pytest.raises(ValueError, match="has ended"):
        pushed.send(1)


def test_pushed_leaves_no_thread():
    left = []

    def work(items):
        try:
            yield from items
        finally:
            left.append(True)

    for _ in range(3):
        pushed = Pushed(work, "leaves")
        pushed.send(1)
        pushed.close()
        pushed.close()
    gc.collect()
    assert left == [True] * 3
    assert not any(thread.name == "leaves" for thread in threading.enumerate())
