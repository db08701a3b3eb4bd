"""What a live run is asked, and what it did."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from vidgen.errors import UsageError
from vidgen.given import AnyPath, AnyTime, Given, name_of, path_or_none, time_of
from vidgen.media.live import OutputOptions, is_file, muxer_of, require_other_file
from vidgen.target import require_beside

__all__ = ["TIERS", "LiveReport", "LiveSettings"]

TIERS = ("quality", "balanced", "realtime", "off")
"""From the dearest to the cheapest; `off` resamples without a network."""
_LAST_PORT = 65535


@dataclass(frozen=True, kw_only=True)
class LiveSettings:
    """What `vidgen stream` is asked to do."""

    source: Given[AnyPath, str] = Given(name_of)
    """URL, file, or `-` for standard input."""
    sink: Given[AnyPath, str] = Given(name_of)
    """URL, file, or `-` for standard output."""
    output: OutputOptions = field(default_factory=OutputOptions)
    scale: int | None = None
    """1, 2 or 4; None means 2 unless `size` is given."""
    size: str | None = None
    fps: str | None = None
    """`60`, `60000/1001` or `x2`; None is the source's own rate. The output's rate is constant."""
    generate: str = "auto"
    """How frames between real ones come about, where `fps` asks for them: `interpolate`; `predict`,
    which waits for nothing, and is what `auto` takes where `latency` leaves no time; `off` repeats.
    """
    tier: str = "auto"
    """One of `TIERS`, held; `auto` takes the best that keeps up."""
    backend: str = "auto"
    device: int = 0
    """Number of the GPU."""
    latency: Given[AnyTime, Fraction] = Given(time_of("latency"), Fraction(1, 2))
    """Seconds from a picture's arrival to when it is due at the sink."""
    slate: Given[AnyPath, str] = Given(name_of, "")
    """`black`, or the name of a picture: shown until there is something to show, also while the
    source is not there. Needs `size` and `fps`, and a sink that is no file."""
    container: str | None = None
    """FFmpeg's name of the source's format; None: found out."""
    listen: bool = False
    """Wait for a sender instead of calling it."""
    options: dict[str, str] = field(default_factory=dict)
    """FFmpeg's options for reading the source."""
    reconnect: bool = True
    """Whether to connect again when a source that is no file ends or is lost."""
    stall_seconds: float = 10.0
    """How long a source may say nothing before it counts as lost."""
    status_file: Given[AnyPath | None, Path | None] = Given(path_or_none, None)
    status_port: int | None = None
    """On loopback, for HTTP: `/` is JSON, `/metrics` Prometheus text."""

    def check(self) -> None:
        """Raise UsageError or OutputError for what would only show once the source is there."""
        muxer_of(self.sink, self.output.container)
        bitrate, port = self.output.bitrate, self.status_port
        if bitrate and not re.fullmatch(r"\d+(\.\d+)?[kMG]?", bitrate):
            raise UsageError(f"--bitrate {bitrate}: give bits a second, such as 6M or 800k")
        if not self.stall_seconds > 0:
            raise UsageError(f"--stall {self.stall_seconds:g}: give seconds, more than 0")
        if port is not None and not 0 <= port <= _LAST_PORT:
            raise UsageError(f"--status-port {port}: give 1 to {_LAST_PORT}")
        self._require_files_apart()

    def _require_files_apart(self) -> None:
        require_other_file(self.sink, self.source)
        if self.status_file is not None:
            urls = self.source, self.sink
            require_beside(self.status_file, *(Path(url) for url in urls if is_file(url)))


@dataclass(slots=True)
class LiveReport:
    """What has been done so far; times are in milliseconds."""

    engine: str = ""
    generate: str = ""
    tier: str = ""
    fps_in: float | None = None
    """Pictures a second: of about the last second, in the end of the whole run; None while there
    was no time to tell."""
    fps_out: float | None = None
    frames_in: int = 0
    frames_out: int = 0
    generated: int = 0
    repeats: int = 0
    """Instants at which the picture before was shown again, since none was ready."""
    late: int = 0
    """Of these, those while the source was there."""
    skipped: int = 0
    """Instants that the sink was not given, since it or the encoder was behind."""
    dropped: int = 0
    """Frames of the source that were thrown away, the oldest first, since computing was behind."""
    damaged: int = 0
    """Packets of the source's pictures and sound that came broken, or could not be decoded."""
    reconnects: int = 0
    sink_reconnects: int = 0
    jumps: int = 0
    """How often the source's clock jumped."""
    shifts: int = 0
    """How often the governor changed the tier."""
    latency_p50: float = 0.0
    latency_p95: float = 0.0
    latency_p99: float = 0.0
    stages_p99: float = 0.0
    """Of what one frame of the source takes, all that is made of it included."""
    processor_p99: float = 0.0
    """The part of that in which the thread of the stages had a core: all of it, but for waiting
    where others want the cores, too, and for a network's own threads."""
    load: float = 0.0
    """Of the busiest thread, 1 is all of its time."""
    queue: int = 0
    """Frames that wait for the network."""
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {name: getattr(self, name) for name in self.__slots__}

    def prometheus(self) -> str:
        """As Prometheus reads it (text format 0.0.4)."""
        lines = []
        for name, value in self.plain().items():
            if isinstance(value, int | float):
                kind = "counter" if isinstance(value, int) and name != "queue" else "gauge"
                lines += [f"# TYPE vidgen_{name} {kind}", f"vidgen_{name} {value:g}"]
        lines += ["# TYPE vidgen_tier gauge", f'vidgen_tier{{name="{self.tier}"}} 1']
        return "\n".join(lines) + "\n"
