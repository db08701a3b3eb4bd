"""What `--scale` and `--size` mean."""

from fractions import Fraction

import pytest

from vidgen.errors import UsageError
from vidgen.frame import VideoFormat
from vidgen.sizes import SIZES, network_passes, target_format


def display_aspect(video):
    return Fraction(video.width, video.height) * video.sample_aspect_ratio


def test_the_default_doubles():
    made = target_format(VideoFormat(960, 540), None, None)
    assert (made.width, made.height, made.sample_aspect_ratio) == (1920, 1080, 1)


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize(
    "source",
    [
        VideoFormat(720, 576, sample_aspect_ratio=Fraction(64, 45)),
        VideoFormat(640, 480),
        VideoFormat(1920, 800),
        VideoFormat(214, 160),
        VideoFormat(1280, 720, rotation=90),
        VideoFormat(720, 1280),
    ],
)
def test_a_named_size_fits_inside_its_box_and_keeps_the_display_aspect(name, source):
    made = target_format(source, None, name)
    upright = source.width * source.sample_aspect_ratio < source.height
    box = SIZES[name][::-1] if upright else SIZES[name]
    assert made.sample_aspect_ratio == 1
    assert made.width <= box[0] + 1
    assert made.height <= box[1] + 1
    assert made.width >= box[0] - 1 or made.height >= box[1] - 1
    assert made.width % 2 == made.height % 2 == 0
    assert abs(display_aspect(made) / display_aspect(source) - 1) < Fraction(2, 100)


def test_an_exact_size_keeps_the_display_aspect_by_its_pixels():
    source = VideoFormat(720, 576, sample_aspect_ratio=Fraction(16, 15))
    made = target_format(source, None, "1920x1080")
    assert (made.width, made.height) == (1920, 1080)
    assert display_aspect(made) == display_aspect(source)


def test_rounding_alone_does_not_make_pixels_non_square():
    made = target_format(VideoFormat(854, 480), None, "1920x1080")
    assert made.sample_aspect_ratio == 1


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1080", "did you mean 1080p"),
        ("big", "one of 480p"),
        ("1921x1080", "even sides"),
        ("8x8", "even sides"),
        ("99999x10", "even sides"),
        ("1920X", "WxH"),
        ("-2x540", "WxH"),
    ],
)
def test_wrong_sizes_name_what_is_accepted(text, hint):
    with pytest.raises(UsageError, match=hint):
        target_format(VideoFormat(960, 540), None, text)


def test_scale_and_size_exclude_each_other():
    with pytest.raises(UsageError, match="exclude"):
        target_format(VideoFormat(960, 540), 2, "1080p")


@pytest.mark.parametrize(
    ("height", "passes"),
    [(480, 0), (240, 0), (482, 1), (720, 1), (960, 1), (1080, 1), (1440, 2), (1920, 2), (2160, 2)],
)
def test_network_passes_for_480p(height, passes):
    source = VideoFormat(640, 480)
    assert network_passes(source, VideoFormat(height * 4 // 3, height), 2) == passes
