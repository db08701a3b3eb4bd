"""Cuts and duplicates: what must be found, and what must not be taken for one."""

from functools import cache

import av
import numpy as np
import pytest

from vidgen.motion import ChangeDetector, half_luma

HEIGHT, WIDTH = 180, 320


def cuts(pictures):
    detector = ChangeDetector()
    return [n for n, picture in enumerate(pictures) if detector(half_luma(picture)).cut]


def duplicates(pictures):
    detector = ChangeDetector()
    return [n for n, picture in enumerate(pictures) if detector(half_luma(picture)).duplicate]


@pytest.fixture(scope="module")
def shot(texture):
    """`shot(kind, n)`: float luma of frame n of shot `kind`; shots differ in all but style."""
    y, x = np.mgrid[0:HEIGHT, 0 : WIDTH + 240].astype(np.float64)

    @cache
    def canvas(kind):
        scale, dark = 0.6 + 0.3 * (kind % 4), 20 + 25 * (kind % 3)
        there = scale * x + 1000 * kind, scale * y + 777 * kind
        return dark + (110 + 20 * (kind % 5)) * texture(*there)

    def picture(kind, n, speed=2.0):
        left = round(speed * n) % 240
        return canvas(kind)[:, left : left + WIDTH]

    return picture


def seen(luma):
    return np.clip(np.rint(luma), 0, 255).astype(np.uint8)


def test_every_cut_is_found_and_nothing_else(shot):
    pictures = [seen(shot(n // 12, n % 12)) for n in range(120)]
    assert cuts(pictures) == list(range(0, 120, 12))


@pytest.mark.parametrize("speed", [0, 1.5, 8, 24])
def test_a_pan_is_no_cut(shot, speed):
    assert cuts(seen(shot(1, n, speed)) for n in range(10)) == [0]


def test_a_flash_is_no_cut(shot):
    light = [0, 0, 0, 70, 45, 20, 0, 0]
    assert cuts(seen(shot(2, n) + add) for n, add in enumerate(light)) == [0]


@pytest.mark.parametrize("length", [8, 24])
def test_fades_are_no_cuts(shot, length):
    levels = [1 - n / length for n in range(length + 1)] + [n / length for n in range(length + 1)]
    assert cuts(seen(16 + level * (shot(3, n) - 16)) for n, level in enumerate(levels)) == [0]


def test_a_dissolve_is_no_cut(shot):
    shares = [0, 0, *np.linspace(0, 1, 13), 1, 1]
    mixed = [(1 - s) * shot(1, n) + s * shot(2, n) for n, s in enumerate(shares)]
    assert cuts(map(seen, mixed)) == [0]


def test_grain_and_noise_are_no_cuts(shot, rng):
    grain = [seen(shot(1, n) + rng.normal(0, 12, (HEIGHT, WIDTH))) for n in range(6)]
    noise = [rng.integers(0, 256, (HEIGHT, WIDTH)).astype(np.uint8) for _ in range(6)]
    assert cuts(grain) == cuts(noise) == [0]


def test_a_cut_to_black_and_back_is_one(shot):
    black = np.full((HEIGHT, WIDTH), 16.0)
    order = [shot(1, 0), shot(1, 1), black, black, shot(2, 0)]
    assert cuts(map(seen, order)) == [0, 2, 4]


def test_the_decision_needs_only_the_frame_before(shot):
    pictures = [seen(shot(n // 5, n)) for n in range(20)]
    whole = cuts(pictures)
    for start in (3, 8, 11):
        later = [n + start for n in cuts(pictures[start:])]
        assert later[1:] == [n for n in whole if n > start]


def test_a_size_that_changes_starts_a_shot(shot):
    assert cuts([seen(shot(1, 0)), seen(shot(1, 1))[:, :200]]) == [0, 1]


def test_duplicates_are_found_through_coding_noise(shot, rng):
    noise = [rng.integers(-1, 2, (HEIGHT, WIDTH)) for _ in range(12)]
    twos = [seen(shot(1, n // 2) + noise[n]) for n in range(12)]
    assert duplicates(twos) == [1, 3, 5, 7, 9, 11]


def test_a_small_movement_is_no_duplicate(shot):
    still = seen(shot(1, 0))
    blink = still.copy()
    blink[80:88, 100:112] ^= 60
    assert duplicates([still, blink, still]) == []
    assert duplicates([still, seen(shot(1, 0) + 1)]) == []  # a slow fade


@pytest.mark.parametrize("size", [(2, 2), (16, 16), (240, 20), (20, 600)], ids=str)
def test_odd_sizes_are_handled(rng, size):
    first, last = (rng.integers(0, 256, size).astype(np.uint8) for _ in range(2))
    assert duplicates([first, first]) == [1]
    assert cuts([first, last])[0] == 0


def lumas(path, count):
    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for _, frame in zip(range(count), container.decode(stream), strict=False):
            yield frame.to_ndarray(format="gray", width=frame.width // 2, height=frame.height // 2)


@pytest.mark.needs_data
def test_cuts_of_a_trailer(eval_data):
    """All four cuts of its action, told by eye, and none in its fades from, to and between titles.

    The first is between two faces in the dark; after the second the camera is whirled about.
    """
    path = eval_data / "video" / "sintel_trailer_audio_subs_chapters.mkv"
    found = cuts(lumas(path, 504))
    assert [n for n in found if n >= 250] == [334, 396, 404, 420]
    assert [n for n in found if n < 250] == [0]


@pytest.mark.needs_data
@pytest.mark.parametrize("name", ["hd_sam2_02_cups.mp4", "vfr_phone_dog_1080p.mp4"])
def test_one_shot_is_one_shot(eval_data, name):
    assert cuts(lumas(eval_data / "video" / name, 60)) == [0]


@pytest.mark.needs_data
def test_joints_of_films_are_cuts(eval_data):
    """Recall on real pictures: every joint of two films, whose sizes are made equal."""
    names = ["hd_sam2_02_cups", "vfr_phone_dog_1080p", "cartoon_bbb_1080p60"]
    films = [[p[:360, :640] for p in lumas(eval_data / "video" / f"{n}.mp4", 12)] for n in names]
    joined = [picture for film in [*films, *films] for picture in film]
    assert cuts(joined) == [12 * n for n in range(6)]
