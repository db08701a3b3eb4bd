"""Recordings joined end to end play through, with sound and picture in step."""

from fractions import Fraction
from itertools import pairwise

import pytest

from vidgen.media import Decoder, Encoder


@pytest.fixture
def joined(film, tmp_path):
    """Two recordings of two seconds with unrelated clocks, as `cat one.ts two.ts` makes them."""

    def make(one: int, two: int):
        facts = {"frames": 20, "audio": (("aac", "eng"),)}
        parts = [
            film("one.ts", shift=Fraction(one), **facts),
            film("two.ts", shift=Fraction(two), **facts),
        ]
        path = tmp_path / "joined.ts"
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
        return path

    return make


@pytest.mark.parametrize(("one", "two"), [(1000, 10), (10, 1000), (10, 40_000)])
def test_pictures_go_on_without_a_gap(joined, levels, one, two):
    with Decoder(joined(one, two)) as decoder:
        frames = list(decoder)
        assert "its clock jumps in the middle: parts are joined without a gap" in decoder.notes
    assert levels(frames) == [*range(20), *range(20)]
    steps = [b.time - a.time for a, b in pairwise(frames)]
    assert all(step == Fraction(1, 25) for step in steps[:19] + steps[20:])
    assert abs(steps[19] - Fraction(1, 25)) < Fraction(1, 25)


@pytest.mark.parametrize(("one", "two"), [(1000, 10), (10, 1000)])
def test_sound_stays_in_step(joined, packets, tmp_path, one, two):
    source, target = joined(one, two), tmp_path / "out.mp4"
    with (
        Decoder(source) as decoder,
        Encoder(target, decoder.format, time_base=Fraction(1, 90000), copy_from=source) as encoder,
    ):
        for frame in decoder:
            encoder.write(frame)
    before, after = packets(source), packets(target)
    assert len(after[0]) == 40
    assert len(after[1]) == len(before[1])
    picture = sorted(pts for pts, *_ in after[0])
    sound = [pts for pts, *_ in after[1]]
    # Each recording's sound ends as long after its picture; where they overlap it is squeezed.
    first, second = picture[19] - sound[len(sound) // 2 - 1], picture[39] - sound[-1]
    assert abs(first - second) < Fraction(1, 1000)


def test_a_slow_film_that_is_begun_in_the_middle_has_one_clock(clip):
    """There packets without a decoding time come first, and are shown a second and more later."""
    source = clip(frames=7, fps=2, options={"x264-params": "keyint=4"})
    for start in range(7):
        with Decoder(source, start=Fraction(start, 2)) as decoder:
            assert [frame.time for frame in decoder] == [Fraction(n, 2) for n in range(start, 7)]
            assert not [note for note in decoder.notes if "clock" in note]
