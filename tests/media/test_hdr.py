"""HDR10's mastering display and light levels go along, in each encoder's own words."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from vidgen.frame import Color, Frame, VideoFormat
from vidgen.media import Encoder, probe
from vidgen.media.hdr import LightLevels, light_levels, with_light_levels

DISPLAY = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)"
LEVELS = LightLevels(
    (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329), (0.005, 1000.0), (1000, 400)
)
HDR = {"color_range": 1, "colorspace": 9, "color_primaries": 9, "color_trc": 16}
FORMAT = VideoFormat(64, 64, Fraction(25), 10, color=Color(1, 9, 9, 16, 1))


@pytest.fixture
def source(film):
    return film(
        codec="libx265",
        pix_fmt="yuv420p10le",
        size=(64, 64),
        frames=3,
        tags=HDR,
        options={"x265-params": f"log-level=error:master-display={DISPLAY}:max-cll=1000,400"},
    )


def encode(target, source, video=FORMAT, **kwargs):
    y, uv = np.full((64, 64), 400, np.uint16), np.full((32, 32, 2), 512, np.uint16)
    with Encoder(target, video, time_base=Fraction(1, 25), copy_from=source, **kwargs) as encoder:
        for number in range(3):
            encoder.write(Frame(y, uv, number, 1, Fraction(1, 25)))
    return encoder.notes


def test_levels_are_read(source):
    assert light_levels(source) == LEVELS


def test_a_film_without_them_says_nothing(film):
    assert light_levels(film()) is None


@pytest.mark.parametrize(
    ("codec", "preset"), [("x264", "fast"), ("x265", "fast"), ("svtav1", "12")]
)
def test_levels_come_back(source, tmp_path, codec, preset):
    assert encode(tmp_path / "a.mp4", source, codec=codec, preset=preset) == []
    found = light_levels(tmp_path / "a.mp4")
    assert found is not None
    assert found.brightest == LEVELS.brightest
    assert found.luminance == pytest.approx(LEVELS.luminance, rel=1e-2)
    assert found.primaries == pytest.approx(LEVELS.primaries, abs=1e-4)


def test_levels_of_hlg_come_back_too(source, tmp_path):
    video = replace(FORMAT, color=replace(FORMAT.color, transfer=18))
    assert encode(tmp_path / "a.mp4", source, video, codec="x265", preset="ultrafast") == []
    assert light_levels(tmp_path / "a.mp4") is not None
    assert probe(tmp_path / "a.mp4").video.color.transfer == 18


def test_an_encoder_without_a_word_for_them_is_noted(source, tmp_path):
    notes = encode(tmp_path / "a.mkv", source, codec="ffv1")
    assert notes == ["ffv1 cannot say HDR10's mastering display and light"]


def test_without_pq_nothing_is_looked_for(source, tmp_path):
    video = replace(FORMAT, color=replace(FORMAT.color, transfer=1))
    encode(tmp_path / "a.mp4", source, video, preset="fast")
    assert light_levels(tmp_path / "a.mp4") is None


def test_light_alone():
    options = with_light_levels({"x265-params": "a=1"}, "x265", replace(LEVELS, primaries=()))
    assert options == {"x265-params": "a=1:max-cll=1000,400"}
