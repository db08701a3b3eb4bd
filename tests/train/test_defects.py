"""Old film: what is drawn over it, and where."""

import numpy as np

from vidgen.train.defects import aged
from vidgen.train.degrade import Degradation, degrade, draw

GREY = np.full((180, 320), 120, np.uint8), np.full((90, 160, 2), 128, np.uint8)


def changed(seed, frames=6):
    """(frames, H, W): where luma is not grey any more."""
    run = aged([GREY] * frames, np.random.default_rng(seed))
    assert all(np.array_equal(uv, GREY[1]) for _, uv in run)
    assert all(y.dtype == np.uint8 for y, _ in run)
    return np.stack([y != 120 for y, _ in run])


def test_little_of_a_picture_is_hidden_and_dirt_is_gone_in_the_next():
    marks = [changed(seed) for seed in range(20)]
    assert 0.0005 < np.mean(marks) < 0.05
    lines = [mark.sum(1) for mark in marks]  # rows hidden in each frame and column
    scratched = [line for line in lines if (line.max(1) > 60).all()]
    assert scratched
    for line in scratched:  # stays in its column, but for a little
        assert np.abs(np.diff(line.argmax(1))).max() <= 3
    alone = [mark & ~mark.all(0) for mark in marks]
    assert np.mean([each.sum() > 0 for each in alone]) > 0.9


def test_the_same_seed_ages_a_film_the_same_way():
    assert np.array_equal(changed(3), changed(3))
    assert not np.array_equal(changed(3), changed(4))


def test_only_films_that_are_asked_for_get_defects():
    how = [draw(np.random.default_rng(seed), 0.5) for seed in range(60)]
    assert 15 < sum(each.defects for each in how) < 45
    assert not any(draw(np.random.default_rng(seed)).defects for seed in range(60))
    big = [(np.kron(GREY[0], np.ones((2, 2), np.uint8)), np.full((180, 320, 2), 128, np.uint8))]
    clean, dirty = (
        degrade(big * 3, Degradation(kernel="area", codec="none", quality=20, preset="medium",
                                     defects=defects), seed=1)
        for defects in (False, True)
    )  # fmt: skip
    assert (clean[0][0] == 120).all()
    assert any((y != 120).any() for y, _ in dirty)
