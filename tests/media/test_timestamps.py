"""Times only go forward, and whatever had to be put right is said."""

from fractions import Fraction

import av
import pytest

from vidgen.media.timestamps import Stamps

MS = Fraction(1, 1000)


def stamped(stated, rate=Fraction(25), duration=0):
    stamps, found = Stamps(MS, rate), []
    for pts in stated:
        picture = av.VideoFrame(16, 16)
        picture.pts, picture.duration = pts, duration
        found.append(stamps(picture))
    return found, stamps.notes()


def test_good_times_are_left_alone():
    assert stamped([5, 40, 400, 401]) == ([5, 40, 400, 401], [])


@pytest.mark.parametrize(
    ("stated", "duration", "expected"),
    [
        ([None, None, None], 0, [0, 40, 80]),
        ([None, None, None], 20, [0, 20, 40]),
        ([100, None, 180], 0, [100, 140, 180]),
    ],
)
def test_a_missing_time_is_where_the_picture_before_ends(stated, duration, expected):
    found, notes = stamped(stated, duration=duration)
    assert found == expected
    assert notes == [
        f"{stated.count(None)} pictures had no time and were placed where the one before them ends"
    ]


def test_doubled_and_disordered_times_go_just_after():
    found, notes = stamped([0, 40, 40, 30, 80])
    assert found == [0, 40, 41, 42, 80]
    assert len(notes) == 1
    assert notes[0].startswith("2 pictures had a time that does not go forward")


def test_without_a_rate_a_picture_still_lasts():
    found, _ = stamped([None, None], rate=None)
    assert found == [0, 40]
