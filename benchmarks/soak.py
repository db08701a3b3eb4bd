"""Memory over a long film: `python -m benchmarks.end_to_end --soak MINUTES`."""

from __future__ import annotations

import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean

from benchmarks.children import module, run_child
from benchmarks.common import write_result

__all__ = ["Memory", "memory", "soak"]

SOURCE_FRAMES = 240
SAMPLE_SECONDS = 0.5
SETTLED, SETTLED_SECONDS = 0.1, 5.0  # of the run: until then libraries load and queues fill


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory of a run, in MiB."""

    peak: float
    first_quarter: float
    last_quarter: float
    slope_per_minute: float
    """Least-squares slope after the first tenth of the run, or its first 5 seconds."""


def soak(folder: Path, film: str, minutes: int, size: str) -> Memory:
    """Upscale a film of that length and watch its memory. Raises RuntimeError if it fails."""
    width, height = size.split("x")
    short, long = folder / "short.mp4", folder / "long.mp4"
    programs = "benchmarks.programs"
    run_child(module(programs, "source", short, width, height, SOURCE_FRAMES, film))
    run_child(module(programs, "join", short, long, 60 * minutes))
    words = ["upscale", long, folder / "out.mkv", "--preset", "veryfast", "--quiet"]
    began = time.monotonic()
    samples = watched(module("vidgen", *words))
    took, found = time.monotonic() - began, memory(samples)
    print(f"{minutes} minutes of {size} in {took:.0f} s, {len(samples)} samples")
    print(f"peak {found.peak:.0f} MiB")
    print(f"first quarter {found.first_quarter:.0f} MiB, last {found.last_quarter:.0f} MiB")
    print(f"slope {found.slope_per_minute:+.2f} MiB a minute")
    result = {"minutes": minutes, "size": size, "wall_seconds": took, "mib": asdict(found)}
    write_result("soak", {**result, "samples": samples})
    return found


def watched(command: list[str]) -> list[tuple[float, float]]:
    """(seconds, resident MiB) of `command` while it runs."""
    began, samples = time.monotonic(), []
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            resident = resident_mib(process.pid)
            if resident:
                samples.append((round(time.monotonic() - began, 1), round(resident, 1)))
            time.sleep(SAMPLE_SECONDS)
        if process.returncode:
            assert process.stderr is not None
            raise RuntimeError(process.stderr.read().strip())
    return samples


def resident_mib(pid: int) -> float:
    """Resident set of a process; 0 once it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    sizes = [line.split()[1] for line in lines if line.startswith("VmRSS:")]
    return int(sizes[0]) / 1024 if sizes else 0.0


def memory(samples: list[tuple[float, float]]) -> Memory:
    """What the samples show. Needs a few of them."""
    begin = max(samples[-1][0] * SETTLED, SETTLED_SECONDS)
    settled = [sample for sample in samples if sample[0] >= begin] or samples
    quarter = max(len(settled) // 4, 1)
    values = [resident for _, resident in settled]
    return Memory(
        peak=max(resident for _, resident in samples),
        first_quarter=fmean(values[:quarter]),
        last_quarter=fmean(values[-quarter:]),
        slope_per_minute=60 * slope(settled),
    )


def slope(points: list[tuple[float, float]]) -> float:
    """Least squares, y per x; 0 for fewer than two points."""
    middle_x, middle_y = (fmean(values) for values in zip(*points, strict=True))
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    product = sum((x - middle_x) * (y - middle_y) for x, y in points)
    return product / spread if spread else 0.0
