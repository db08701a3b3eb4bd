"""What a run is asked, in which parts it is done, how far it is, and what it did."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidgen.frame import VideoFormat
from vidgen.given import AnyPath, AnyTime, Given, time_of, time_or_none
from vidgen.scan import PROGRESSIVE, Scan

__all__ = ["NO_PICTURE_DEPENDS_ON", "Job", "Made", "Progress", "Report", "Segment", "Settings"]

NO_PICTURE_DEPENDS_ON = (
    "source", "target", "overwrite", "resume", "jobs", "maps", "video_only",
    "audio", "device",
)  # fmt: skip
"""What may change between a run and its continuation; of the source, its content counts."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What `vidgen upscale` is asked to do; all words are checked before the target is made."""

    source: Given[AnyPath, Path] = Given(Path)
    target: Given[AnyPath, Path] = Given(Path)
    scale: int | None = None
    """1, 2 or 4; None means 2 unless `size` is given."""
    size: str | None = None
    """`1920x1080` (exact) or a name such as `1080p` or `4k` (fits inside); instead of `scale`."""
    fps: str | None = None
    """`60`, `60000/1001` or `x2`; None keeps every frame at its own time."""
    generate: str = "interpolate"
    """How instants between real frames get a picture: `interpolate`, from both; `predict`, from the
    past alone; `off`, each frame is shown until the next one comes. Only with `fps`."""
    tier: str | None = None
    """Which network: `realtime`, `balanced`, `quality` or `still`. All but the first have finer
    motion for made frames, too. None: `realtime`; of a single picture `quality`."""
    model: str | None = None
    """A network by its name, instead of the one that `tier` and the growth choose."""
    strength: float | None = None
    """How much of the network's GAN flavour to mix in, in [0, 1]; None is what its card says."""
    backend: str = "auto"
    device: int | None = None
    """Number of the GPU; None: the first, or with `jobs` each in turn."""
    codec: str = "x264"
    crf: float | None = None
    """Constant rate factor of the codec; None is the codec's usual one."""
    preset: str | None = None
    depth: int | None = None
    """Bits a sample, 8 or 10; None is the source's, or what the codec takes of it."""
    hdr: str = "keep"
    """`keep`, or `sdr`: PQ and HLG are shown as on an SDR screen, in 8 bits unless `depth` says."""
    deinterlace: str = "auto"
    """`auto`: undo interlace and pulldown where they are found. `on`: every frame is two fields.
    `off`: frames stay as they are."""
    start: Given[AnyTime | None, Fraction | None] = Given(time_or_none("--start"), None)
    """Seconds from the beginning of the film."""
    end: Given[AnyTime | None, Fraction | None] = Given(time_or_none("--end"), None)
    """Seconds from the beginning of the film; the frame on show at this time is not included."""
    maps: tuple[str, ...] = ()
    """FFmpeg's words for the streams that come along, such as `0:a:1` or `-0:s`; none: all."""
    video_only: bool = False
    """Whether every other stream stays behind."""
    audio: str = "copy"
    """What sound becomes: `copy`, `aac` or `opus`."""
    overwrite: bool = False
    segment: Given[AnyTime, Fraction] = Given(time_of("--segment"), Fraction(20))
    """Seconds of film, about, made at a time: what is lost at most when a run breaks off. Of
    numbered pictures, 24 are a second."""
    resume: bool | None = None
    """Whether to go on with what an earlier run has left. None: if film, settings and program are
    the same. True: if film and settings are; else that is an error. False: start anew."""
    jobs: int = 1
    """Processes that work on one segment each."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What all segments of a film share: with a Segment, all that its pictures depend on."""

    settings: Settings
    video: VideoFormat
    """The planes that the decoder gives."""
    zero: Fraction
    """Seconds on the source's clock at which the film begins."""
    offset: Fraction
    """Seconds on the source's clock that are 0 in the output."""
    origin: Fraction
    """Seconds on the source's clock at which the first frame asked for is shown."""
    total: Fraction | None
    """Seconds to make; None where the source does not state its duration."""
    one_piece: bool
    """True where the film cannot be begun at any time, since its clock begins anew on the way."""
    threads: int
    """Threads of an encoder; the same for all segments, since its pictures depend on them."""
    scan: Scan = PROGRESSIVE
    """How the film was recorded, as a first pass over all of it found."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of frames that is made on its own. Times are seconds on the source's clock."""

    index: int
    begin: Fraction
    """Time of its first frame."""
    end: Fraction | None
    """Time of the first frame after it; None: to the end of what was asked for."""
    fresh: bool
    """True where it begins with a new shot, so that nothing before it matters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was made of a segment, beside the file."""

    coded: tuple[int, ...]
    """Presentation times of its packets in coding order, in `time_base` from the run's start."""
    time_base: Fraction
    end: Fraction
    """Seconds on the source's clock until which its last picture is shown."""
    frames_in: int
    frames_generated: int
    frames_held: dict[str, int]
    """Real pictures shown at instants for which none could be made, by `Frame.held`."""
    frames_damaged: int
    seconds: float
    """Wall seconds that it took."""
    step_seconds: dict[str, float]
    way: str
    """Which way its pictures went, where a network ran on a GPU; else empty."""
    notes: tuple[str, ...]
    broken: str
    """Why the source broke off in it; empty where it did not."""


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
    found: Fraction = Fraction(0)
    """Seconds of film, within `done`, that an earlier run had made."""
    frames_found: int = 0
    """Frames, within `frames`, that an earlier run had made."""
    counts: bool = False
    """True where pictures are made: `done`, `total` and `found` count them."""


@dataclass(slots=True)
class Report:
    """What a run did."""

    source: VideoFormat
    target: VideoFormat
    engine: str
    """The backend's description of itself and the network, and on a GPU which way pictures went;
    empty where no network ran."""
    frames_in: int = 0
    frames_out: int = 0
    frames_found: int = 0
    """Of `frames_out`, those that an earlier run had made."""
    frames_generated: int = 0
    frames_held: dict[str, int] = field(default_factory=dict)
    """Real pictures shown again where none could be made: before a `cut`, over a `gap`, where a
    picture is a `repeat`, where its neighbours leave `doubt`; all of them with `generate` `off`."""
    frames_damaged: int = 0
    """Pictures that the decoder could not read."""
    seconds: float = 0.0
    first_frame_seconds: float = 0.0
    """From the beginning of the run to the first frame handed to the encoder."""
    step_seconds: dict[str, float] = field(default_factory=dict)
    """Wall seconds inside each step. `THREAD wait`: that thread (`motion`, `compute`, `encode`)
    waits for a picture; `THREAD full` (`decode`, `motion`, `compute`): it waits for room in a
    queue."""
    notes: list[str] = field(default_factory=list)
    """What was given up, padded or assumed on the way."""

    def plain(self, settings: Settings) -> dict[str, Any]:
        """All of it, and what was asked, as JSON can hold it; fractions as text."""
        names = {"source": str(settings.source), "target": str(settings.target)}
        facts = asdict(self)
        video = {"video_in": facts.pop("source"), "video_out": facts.pop("target")}
        plain: dict[str, Any] = json.loads(
            json.dumps({**names, "settings": asdict(settings), **video, **facts}, default=str)
        )
        return plain
