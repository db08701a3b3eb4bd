"""What a first pass found, in words."""

from __future__ import annotations

from vidgen.scan import Scan

__all__ = ["scan_notes"]

_PULLDOWN = {
    (3, 2): "3:2 pulldown",
    (2, 3, 3, 2): "2:3:3:2 pulldown",
    (2,): "fields shifted by one",
}


def scan_notes(scan: Scan) -> list[str]:
    """A line for each kind of frames that is undone; none where nothing is."""
    counts: dict[str, int] = {}
    for run in scan.runs:
        if run.kind == "interlaced":
            order = "top" if run.top_first else "bottom"
            what = f"interlaced, {order} field first: each field becomes a picture"
        elif run.kind == "paced":
            what = "times of two and three fields in turn: made even"
        elif run.kind == "film":
            what = f"{_PULLDOWN.get(run.cycle, 'repeated frames')}: undone"
        else:
            what = "progressive: kept"
        counts[what] = counts.get(what, 0) + run.frames
    if scan.progressive:
        return []
    return [f"{count} of {scan.frames} frames {what}" for what, count in counts.items()]
