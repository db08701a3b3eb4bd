"""EstimateMotion: flags at once, flow when called for."""

from fractions import Fraction
from unittest.mock import patch

import numpy as np
import pytest

from vidgen.frame import Frame
from vidgen.motion import FlowEstimator
from vidgen.stages.motion import EstimateMotion


@pytest.fixture
def shots(rng):
    """Two textures, each moving 4 pixels a frame to the right; the third frame repeats."""
    grains = rng.integers(20, 120, (24, 60)), rng.integers(80, 230, (24, 60))
    wide = [np.kron(grain, np.ones((8, 8))) for grain in grains]
    places = [(0, 0), (0, 4), (0, 4), (1, 0), (1, 4), (1, 8)]
    return [
        Frame(
            y=np.ascontiguousarray(wide[shot][:, 100 - x : 356 - x], np.uint8),
            uv=np.zeros((96, 128, 2), np.uint8),
            pts=n,
            duration=1,
            time_base=Fraction(1, 24),
        )
        for n, (shot, x) in enumerate(places)
    ]


def test_cuts_and_duplicates_are_marked(shots):
    marked = list(EstimateMotion()(shots))
    assert [frame.cut for frame in marked] == [True, False, False, True, False, False]
    assert [frame.duplicate for frame in marked] == [False, False, True, False, False, False]
    assert [frame.motion is None for frame in marked] == [True, False, False, True, False, False]
    assert all(a.y is b.y and a.pts == b.pts for a, b in zip(marked, shots, strict=True))


def test_flow_is_estimated_once_and_only_when_called_for(shots):
    with patch.object(FlowEstimator, "__call__", autospec=True) as estimate:
        marked = list(EstimateMotion()(shots))
        assert estimate.call_count == 0
        assert marked[4].motion() is marked[4].motion()
        assert estimate.call_count == 1


def test_flow_is_found_at_once_where_that_is_wanted(shots):
    with patch.object(FlowEstimator, "flow", autospec=True) as estimate:
        marked = list(EstimateMotion(at_once=True)(shots))
        assert estimate.call_count == 2 * 3  # both ways, but for cuts and the repetition
        assert marked[4].motion().reverse is marked[4].motion().reverse
        assert estimate.call_count == 2 * 3


def test_flow_leads_to_the_previous_frame(shots):
    motion = list(EstimateMotion()(shots))[4].motion()
    assert motion.flow.shape == (96, 128, 2)
    inner = motion.flow[16:-16, 16:-16]
    np.testing.assert_allclose(np.median(inner, (0, 1)), (-4, 0), atol=0.1)


def test_each_frame_is_passed_on_at_once(shots):
    source = iter(shots)
    stage = EstimateMotion()(source)
    assert next(stage).pts == 0
    assert next(source).pts == 1
