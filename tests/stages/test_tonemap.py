"""HDR shown as SDR: known light becomes known codes, tags are those of BT.709, in 8 bits."""

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from vidgen.errors import UsageError
from vidgen.frame import Color, Frame, VideoFormat
from vidgen.job import Settings
from vidgen.light import luma_weights, pq_code, rgb_matrix
from vidgen.media import probe
from vidgen.media.hdr import light_levels
from vidgen.segments import run
from vidgen.stages import ToneMap

PQ, HLG = 16, 18
FORMAT = VideoFormat(48, 34, Fraction(25), 10, color=Color(1, 9, 9, PQ, 1), peak=1000)


def codes(rgb, matrix=9, *, full=False):
    """10-bit Y, U, V of R'G'B' in [0, 1], by the formulas of BT.2020 and BT.709."""
    red, green, blue = luma_weights(matrix)
    y = red * rgb[0] + green * rgb[1] + blue * rgb[2]
    u, v = (rgb[2] - y) / (2 * (1 - blue)), (rgb[0] - y) / (2 * (1 - red))
    scale = (1023, 1023, 0) if full else (876, 896, 64)
    return scale[0] * y + scale[2], scale[1] * u + 512, scale[1] * v + 512


def flat(y, u, v, video=FORMAT):
    luma = np.full((video.height, video.width), round(y), np.uint16)
    chroma = np.empty((video.height // 2, video.width // 2, 2), np.uint16)
    chroma[:] = round(u), round(v)
    return luma, chroma


def shown(rgb, video=FORMAT):
    """Y, U, V that a flat picture of R'G'B' comes out with."""
    full = video.color.range == 2
    y, uv = ToneMap(video).mapped(flat(*codes(rgb, full=full), video))
    assert np.ptp(y) == 0
    assert np.ptp(uv.reshape(-1, 2), axis=0).max() == 0
    return int(y[0, 0]), int(uv[0, 0, 0]), int(uv[0, 0, 1])


@pytest.mark.parametrize("light", [0.0, 1.0, 10.0, 25.0])
def test_light_that_both_screens_have_stays(light):
    """Below the knee a grey of so many cd/m2 is that on a screen of 100 with a gamma of 2.4."""
    wanted = 64 + 876 * (light / 100) ** (1 / 2.4)
    y, u, v = shown([pq_code(light)] * 3)
    assert y == pytest.approx(wanted, abs=2)  # a step of PQ is up to two of theirs in the dark
    assert (u, v) == (512, 512)


@pytest.mark.parametrize(("peak", "light"), [(1000, 1000), (4000, 4000), (600, 600), (600, 5000)])
def test_the_master_s_brightest_is_white(peak, light):
    assert shown([pq_code(light)] * 3, replace(FORMAT, peak=peak)) == (940, 512, 512)


def test_without_a_word_the_peak_is_1000():
    grey = [pq_code(300)] * 3
    assert shown(grey, replace(FORMAT, peak=0)) == shown(grey)
    assert shown(grey, replace(FORMAT, peak=4000))[0] < shown(grey)[0]


@pytest.mark.parametrize(
    ("signal", "light"), [(0.0, 0.0), (0.25, 1000 * (1 / 48) ** 1.2), (1.0, 1000.0)]
)
def test_hlg_is_shown_as_on_a_screen_of_1000(signal, light):
    hlg = replace(FORMAT, color=replace(FORMAT.color, transfer=HLG))
    assert shown([signal] * 3, hlg) == pytest.approx(shown([pq_code(light)] * 3), abs=1)


def test_colours_inside_bt_709_keep_their_chromaticity():
    """20 cd/m2 of a colour, given in BT.2020, is the same colour in BT.709."""
    wanted = np.array([0.15, 0.08, 0.05])  # linear BT.709, of 100 cd/m2
    wide = rgb_matrix(1, 9) @ wanted
    y, u, v = shown([float(pq_code(100 * each)) for each in wide])
    assert (y, u, v) == pytest.approx(codes(wanted ** (1 / 2.4), matrix=1), abs=2)


def test_colours_outside_keep_their_luminance():
    """BT.2020's pure green is none that BT.709 has; it does not turn dark or leave the range."""
    light = 20.0
    y, u, v = shown([0, float(pq_code(light)), 0])
    red, green, blue = (
        (y - 64) / 876 + k for k in (1.5748 * (v - 512) / 896, 0, 1.8556 * (u - 512) / 896)
    )
    green = ((y - 64) / 876 - 0.2126 * red - 0.0722 * blue) / 0.7152
    linear = np.clip([red, green, blue], 0, 1) ** 2.4
    assert luma_weights(1) @ linear == pytest.approx(0.678 * light / 100, rel=0.03)
    assert min(red, green, blue) > -0.02


def test_full_range_is_understood():
    full = replace(FORMAT, color=replace(FORMAT.color, range=2))
    assert shown([pq_code(20)] * 3, full) == pytest.approx(shown([pq_code(20)] * 3), abs=2)


SITES = {0: (0, 0.5), 1: (0, 0.5), 2: (0.5, 0.5), 3: (0, 0), 4: (0.5, 0), 5: (0, 1), 6: (0.5, 1)}
"""AVChromaLocation -> right of and below the first of its four pixels."""


@pytest.mark.parametrize("location", SITES)
def test_chroma_is_made_of_the_luma_around_it(location):
    """One colour difference on a ramp of luma: what comes out tells where chroma was taken for."""
    video = replace(FORMAT, color=replace(FORMAT.color, chroma_location=location))
    tone, (across, down) = ToneMap(video), SITES[location]
    y, uv = flat(200, 440, 540)
    rows, columns = np.indices(y.shape)
    made = tone.mapped(((200 + 4 * columns + 6 * rows).astype(np.uint16), uv))[1]
    for row, column in ((3, 5), (8, 12), (13, 20)):
        luma = 200 + 4 * (2 * column + across) + 6 * (2 * row + down)
        there = tone.mapped(flat(luma, 440, 540))[1][0, 0]
        np.testing.assert_allclose(made[row, column].astype(int), there.astype(int), atol=1)


def test_a_held_picture_is_mapped_once():
    planes = flat(*codes([pq_code(15)] * 3))
    frames = [Frame(*planes, n, 1, Fraction(1, 25)) for n in range(2)]
    first, second = ToneMap(FORMAT)(frames)
    assert first.y is second.y


def test_unknown_matrices_are_refused():
    with pytest.raises(UsageError, match="matrix 14 and primaries 9"):
        ToneMap(replace(FORMAT, color=replace(FORMAT.color, matrix=14)))


def write_hdr(path, transfer=PQ):
    """Three pictures of a ramp in x265, mastered on 600 cd/m2."""
    display = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(6000000,50)"
    params = f"log-level=error:master-display={display}:max-cll=500,100"
    with av.open(path, "w") as container:
        video = container.add_stream(
            "libx265", rate=25, options={"x265-params": params, "crf": "4"}
        )
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p10le"
        video.codec_context.color_range, video.codec_context.colorspace = 1, 9
        video.codec_context.color_primaries, video.codec_context.color_trc = 9, transfer
        for number in range(3):
            luma = np.tile(np.linspace(100, 500, 64), (64, 1))
            planes = np.concatenate([luma, np.full((32, 64), 512)]).astype(np.uint16)
            picture = av.VideoFrame.from_ndarray(planes, format="yuv420p10le")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
    return path


@pytest.mark.parametrize(("depth", "bits"), [(None, 8), (10, 10)])
def test_the_output_says_that_it_is_sdr(tmp_path, depth, bits):
    source, target = write_hdr(tmp_path / "in.mkv"), tmp_path / "out.mkv"
    assert probe(source).video.peak == 500
    words = {"scale": 2, "codec": "x265", "preset": "ultrafast", "crf": 4, "depth": depth}
    run(Settings(source=source, target=target, hdr="sdr", **words))
    video = probe(target).video
    assert (video.color, video.bit_depth, video.peak) == (Color(1, 1, 1, 1, 1), bits, 0)
    assert light_levels(target) is None


def test_kept_hdr_stays_hdr(tmp_path):
    source, target = write_hdr(tmp_path / "in.mkv", HLG), tmp_path / "out.mkv"
    run(Settings(source=source, target=target, scale=1, preset="ultrafast"))
    assert probe(target).video.color.transfer == HLG


def test_other_words_are_refused(tmp_path):
    with pytest.raises(UsageError, match="--hdr hlg: unknown; give keep or sdr"):
        run(Settings(source=tmp_path / "in.mkv", target=tmp_path / "out.mkv", hdr="hlg"))


def test_nothing_to_do_for_sdr_is_said(clip, tmp_path):
    settings = Settings(source=clip(frames=2), target=tmp_path / "out.mkv", scale=1, hdr="sdr")
    assert "--hdr sdr: nothing to do, the film is not HDR" in run(settings).notes
