"""Recordings joined end to end have more than one clock: they are made in one piece."""

import av
import pytest

from vidgen.media import clock_jumps, probe
from vidgen.segments import run


@pytest.mark.parametrize("second", [30_000, 100])
def test_a_film_whose_clock_begins_anew(clip, settings, tmp_path, second):
    parts = [
        clip(f"{first}.ts", pts=list(range(first, first + 60)), frames=60)
        for first in (1_000, second)
    ]
    source = tmp_path / "joined.ts"
    source.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert clock_jumps(probe(source))
    assert not clock_jumps(probe(parts[0]))
    report = run(settings(source, fps=None))
    assert (report.frames_in, report.frames_out) == (120, 120)
    with av.open(tmp_path / "out.mkv") as container:
        times = [frame.pts for frame in container.decode(video=0)]
    assert len(times) == 120
    assert times == sorted(times)
    assert times[-1] - times[0] < 5000  # ms: joined without a gap
