"""What a run is asked, how far it is, and what it did."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from vidgen.frame import VideoFormat

__all__ = ["Progress", "Report", "Settings"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What `vidgen upscale` is asked to do; all words are checked before the target is made."""

    source: Path
    target: Path
    scale: int | None = None
    """1, 2 or 4; None means 2 unless `size` is given."""
    size: str | None = None
    """`1920x1080` (exact) or a name such as `1080p` or `4k` (fits inside); instead of `scale`."""
    fps: str | None = None
    """`60`, `60000/1001` or `x2`; None keeps every frame at its own time."""
    tier: str = "realtime"
    """Which network: `realtime` or `balanced`."""
    backend: str = "auto"
    codec: str = "x264"
    crf: float | None = None
    """Constant rate factor of the codec; None is the codec's usual one."""
    preset: str | None = None
    start: Fraction | None = None
    """Seconds from the beginning of the film."""
    end: Fraction | None = None
    """Seconds from the beginning of the film; the frame on show at this time is not included."""
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; given after each frame that was written."""

    frames: int
    """Frames written."""
    done: Fraction
    """Seconds of film written."""
    total: Fraction | None
    """Seconds of film to write; None where the source does not state its duration."""
    seconds: float
    """Wall seconds since the run began."""


@dataclass(slots=True)
class Report:
    """What a run did."""

    source: VideoFormat
    target: VideoFormat
    engine: str
    """The backend's description of itself and the network; empty where no network ran."""
    frames_in: int = 0
    frames_out: int = 0
    frames_generated: int = 0
    frames_damaged: int = 0
    """Pictures that the decoder could not read."""
    seconds: float = 0.0
    first_frame_seconds: float = 0.0
    """From the beginning of the run to the first frame handed to the encoder."""
    step_seconds: dict[str, float] = field(default_factory=dict)
    """Wall seconds inside each step; `wait` is the compute thread waiting for the decoder."""
    notes: list[str] = field(default_factory=list)
    """What was given up, padded or assumed on the way."""
