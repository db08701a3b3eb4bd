"""Pictures through a codec in memory: as many as went in, in order, near what they were."""

import numpy as np
import pytest

from vidgen.bench.metrics import psnr
from vidgen.errors import UsageError
from vidgen.media.recode import recode


@pytest.fixture
def frames():
    """A ramp that moves by two pixels a frame, 72x50: rows not divisible by 4."""
    x = np.arange(72)
    return [
        (
            np.tile(40 + (x + 2 * number) % 72 * 2, (50, 1)).astype(np.uint8),
            np.full((25, 36, 2), 100 + number, np.uint8),
        )
        for number in range(9)
    ]


@pytest.mark.parametrize(("codec", "quality"), [("libx264", 12), ("mpeg2video", 2)])
def test_every_picture_comes_back_in_its_place(frames, codec, quality):
    back = recode(frames, codec, quality)
    assert len(back) == len(frames)
    for (y, uv), (y_back, uv_back) in zip(frames, back, strict=True):
        assert psnr(y, y_back) > 33
        assert abs(uv_back.astype(int) - uv).max() <= 3


def test_a_codec_that_it_does_not_know_is_named(frames):
    with pytest.raises(UsageError, match="give libx264, libx265, mpeg2video"):
        recode(frames, "h263", 5)
