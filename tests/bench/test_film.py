"""Films of drawn scenes, and pictures taken out of films."""

from fractions import Fraction

import pytest

from vidgen.bench.film import frame_at, write_scene
from vidgen.bench.metrics import psnr
from vidgen.bench.scenes import Scene
from vidgen.errors import InputError
from vidgen.media import probe


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    target = tmp_path_factory.mktemp("scene") / "scene.mp4"
    scene = Scene(160, 96, cut=None)
    write_scene(target, scene, fps=Fraction(24), seconds=Fraction(1, 2), crf=12)
    return target, scene


def test_a_scene_becomes_a_film(film):
    info = probe(film[0])
    assert (info.video.width, info.video.height, info.video.fps) == (160, 96, 24)
    assert info.frames == 12
    assert info.duration == Fraction(1, 2)
    assert info.video.color == film[1].format(Fraction(24)).color


def test_the_picture_at_a_time_is_the_one_drawn_for_it(film):
    target, scene = film
    frame = frame_at(target, Fraction(5, 24))
    assert frame.time == Fraction(5, 24)
    near, far = (psnr(frame.y, scene.planes(Fraction(n, 24))[0]) for n in (5, 7))
    assert near > 38
    assert near > far + 3


def test_between_two_pictures_the_later_one_is_taken(film):
    assert frame_at(film[0], Fraction(11, 48)).time == Fraction(6, 24)


def test_after_the_end_there_is_none(film):
    with pytest.raises(InputError, match="no picture"):
        frame_at(film[0], Fraction(9))
