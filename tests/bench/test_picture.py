"""Pictures for people: colours as players show them, crops inside, sheets of even rows."""

import cv2
import numpy as np
import pytest

from vidgen.bench.picture import beside, crop, most_different, to_bgr, write_png
from vidgen.errors import OutputError
from vidgen.frame import Color


def flat(y, u, v, size=(16, 8), dtype=np.uint8):
    width, height = size
    luma = np.full((height, width), y, dtype)
    chroma = np.empty((height // 2, width // 2, 2), dtype)
    chroma[:] = u, v
    return luma, chroma


@pytest.mark.parametrize(
    ("planes", "color", "bgr"),
    [
        (flat(16, 128, 128), Color(), (0, 0, 0)),
        (flat(235, 128, 128), Color(), (255, 255, 255)),
        (flat(255, 128, 128), Color(range=2), (255, 255, 255)),
        (flat(63, 102, 240), Color(range=1, matrix=1), (0, 0, 255)),  # BT.709 red
        (flat(81, 90, 240), Color(range=1, matrix=6), (0, 0, 255)),  # BT.601 red
        (flat(81, 90, 240), Color(), (0, 0, 255)),  # untagged and small: BT.601
        (flat(32, 240, 118), Color(range=1, matrix=1), (255, 0, 0)),  # BT.709 blue
    ],
)
def test_colours(planes, color, bgr):
    picture = to_bgr(planes, color)
    assert picture.shape == (8, 16, 3)
    assert np.abs(picture.astype(int) - bgr).max() <= 2


def test_ten_bits_look_like_eight():
    low, high = flat(100, 90, 200), flat(400, 360, 800, dtype=np.uint16)
    np.testing.assert_array_equal(to_bgr(low, Color()), to_bgr(high, Color(), 10))


@pytest.mark.parametrize("center", [(0, 0), (50, 20), (99, 39)])
def test_crops_stay_inside(rng, center):
    picture = rng.integers(0, 256, (40, 100, 3), np.uint8)
    part = crop(picture, center, (30, 20))
    assert part.shape == (20, 30, 3)
    assert crop(picture, center, (300, 200)).shape == picture.shape


def test_the_place_of_the_difference_is_found():
    one = np.full((100, 200), 90, np.uint8)
    other = one.copy()
    other[48:60, 130:140] += 40
    x, y = most_different(one, other)
    assert abs(x - 135) < 16
    assert abs(y - 54) < 16


def test_a_sheet_holds_its_pictures(tmp_path):
    red, blue = (np.full((20, 30, 3), color, np.uint8) for color in ((0, 0, 200), (200, 0, 0)))
    picture = beside([[("red", red), ("blue", blue)], [("again", red), ("and", blue)]])
    assert (picture == (0, 0, 200)).all(2).sum() == 2 * red.shape[0] * red.shape[1]
    assert (picture == (200, 0, 0)).all(2).sum() == 2 * 20 * 30
    write_png(tmp_path / "sheet.png", picture)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "sheet.png")), picture)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(OutputError, match="cannot write"):
        write_png(tmp_path / "none" / "sheet.png", np.zeros((4, 4, 3), np.uint8))
