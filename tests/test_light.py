"""The curves of HDR against the values that their standards print."""

import numpy as np
import pytest

from vidgen.light import (
    eetf,
    gain,
    hlg_scene,
    luma_weights,
    pq_code,
    pq_light,
    rgb_matrix,
)

# BT.2408-7, table 1 and 5.1, and ST 2084: cd/m2 of PQ in per cent.
PQ_LEVELS = ((0, 0), (38, 26), (58, 203), (75.18, 1000), (50.81, 100), (100, 10_000))


@pytest.mark.parametrize(("percent", "light"), PQ_LEVELS)
def test_pq_is_what_st_2084_says(percent, light):
    assert pq_light(percent / 100) == pytest.approx(light, rel=0.01)
    assert pq_code(light) == pytest.approx(percent / 100, abs=0.0015)


def test_pq_goes_there_and_back():
    codes = np.linspace(0, 1, 1001)
    np.testing.assert_allclose(pq_code(pq_light(codes)), codes, atol=1e-6)


def test_hlg_is_what_bt_2100_says():
    """1/12 of the scene's light is half of the signal; reference white, 75 %, shows 203 cd/m2."""
    np.testing.assert_allclose(hlg_scene([0, 0.5, 1]), [0, 1 / 12, 1], atol=1e-7)
    assert 1000 * hlg_scene(0.75) ** 1.2 == pytest.approx(203, abs=0.5)


def test_luma_weights_are_those_of_the_standards():
    assert luma_weights(1).tolist() == [0.2126, 0.7152, 0.0722]
    assert luma_weights(9).tolist() == [0.2627, 0.6780, 0.0593]


def test_bt_2020_becomes_bt_709_as_bt_2407_says():
    printed = [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
    np.testing.assert_allclose(rgb_matrix(9, 1), printed, atol=5e-5)


@pytest.mark.parametrize("peak", [600, 1000, 4000, 10_000])
def test_the_eetf_has_a_knee_and_ends_at_the_peak(peak):
    codes = np.linspace(0, float(pq_code(peak)), 2001)
    shown = eetf(codes, peak, 100)
    white, most = pq_code(peak), pq_code(100)
    knee = 1.5 * most - 0.5 * white
    below = codes <= knee
    np.testing.assert_allclose(shown[below], codes[below], rtol=1e-12)
    assert shown[-1] == pytest.approx(most)
    slopes = np.diff(shown) / np.diff(codes)
    assert slopes.min() >= 0
    assert slopes.max() <= 1 + 1e-6  # never steeper, and no step at the knee
    assert np.abs(np.diff(slopes)).max() < 0.01


def test_a_master_for_such_a_screen_stays_as_it_is():
    light = np.array([0.1, 1, 50, 100])
    np.testing.assert_allclose(gain(light, 100) * light, light / 100, rtol=1e-9)


def test_nothing_is_brighter_than_white():
    light = np.geomspace(0.01, 10_000, 200)
    shown = gain(light, 1000) * light
    assert shown.max() == pytest.approx(1)
    assert np.diff(shown).min() > -1e-9
