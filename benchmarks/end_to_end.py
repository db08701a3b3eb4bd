"""End-to-end speed of `vidgen upscale` beside FFmpeg's own filters, in one run.

    python -m benchmarks.end_to_end                      960x540, 240 frames, 3 rounds: 5 minutes
    python -m benchmarks.end_to_end --film FILM          from another film; `-` draws one
    python -m benchmarks.end_to_end --soak 10            memory over a ten-minute film

Every job is a program of its own that decodes H.264 and encodes x264 veryfast; jobs take turns in
each round, and so does each stage alone, right after the job that is made of it: the share of the
machine that the job uses is told from neighbours in time, since the machine itself is now faster,
now slower. See README.md here for what each figure means.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.children import Child, Summary, module, run_child, summary
from benchmarks.common import machine, write_result
from benchmarks.soak import soak

FILM = Path("../shared/data/eval/video/hd_sam2_02_cups.mp4")
SIZE = "960x540"
Alone = dict[str, float]
"""Core-seconds a frame by stage, of one round."""
IMPORT = "import time; t = time.perf_counter(); import vidgen; print('{\"seconds\":', \
time.perf_counter() - t, '}', sep='')"
VERYFAST = ["--preset", "veryfast", "--overwrite"]


@dataclass(frozen=True)
class Job:
    """One row of the table."""

    name: str
    words: tuple[str, ...]
    parts: dict[str, float]
    """Stages and how often each runs for one frame that comes out."""
    against: str = ""
    """The job whose rate this one's is divided by."""

    def command(self, source: Path, folder: Path) -> list[str]:
        target = folder / f"{self.name.replace(' ', '-')}.mkv"
        if self.words[0] == "upscale":
            return module("benchmarks.watched", source, target, *self.words[1:], *VERYFAST)
        return module("benchmarks.ffmpeg", self.words[0], source, target, *self.words[1:])


def jobs(width: int, height: int, slow_frames: int) -> list[Job]:
    half = {"decode": 0.5, "generate": 1.0}
    return [
        Job(
            "vidgen x2",
            ("upscale", "--scale", "2"),
            {"decode": 1.0, "motion": 1.0, "engine": 1.0, "encode large": 1.0},
            "ffmpeg lanczos x2",
        ),
        Job("ffmpeg lanczos x2", ("lanczos", str(2 * width), str(2 * height)), {}),
        Job(
            "vidgen fps x2",
            ("upscale", "--scale", "1", "--fps", "x2"),
            {**half, "encode small": 1.0},
            "ffmpeg minterpolate",
        ),
        Job("ffmpeg minterpolate", ("minterpolate", str(slow_frames)), {}),
        Job(
            "vidgen x2 fps x2",
            ("upscale", "--scale", "2", "--fps", "x2"),
            {**half, "engine": 1.0, "encode large": 1.0},
        ),
    ]


def main() -> None:
    args = arguments()
    with TemporaryDirectory(prefix="vidgen-bench-") as name:
        if args.soak:
            soak(Path(name), args.film, args.soak, args.soak_size)
        else:
            measure(Path(name), args)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--film", default=str(FILM) if FILM.exists() else "-", help="- draws one")
    parser.add_argument("--size", metavar="WxH", default=SIZE, help="of the source")
    parser.add_argument("--frames", type=int, default=240)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--slow-frames", type=int, default=30, help="pictures for minterpolate")
    parser.add_argument("--soak", type=int, metavar="MINUTES", help="watch the memory instead")
    parser.add_argument("--soak-size", metavar="WxH", default=SIZE)
    return parser.parse_args()


def measure(folder: Path, args: argparse.Namespace) -> None:
    source = folder / "source.mp4"
    width, height = map(int, args.size.split("x"))
    made = run_child(program("source", source, width, height, args.frames, args.film))
    plan = jobs(width, height, args.slow_frames)
    runs: dict[str, list[Child]] = {job.name: [] for job in plan}
    alone: dict[str, list[Alone]] = {job.name: [] for job in plan if job.parts}
    run_child([*plan[0].command(source, folder), "--end", "0.5"])  # fills caches of the disk
    for number in range(args.rounds):
        for job in plan:
            runs[job.name].append(run_child(job.command(source, folder)))
            if job.parts:
                alone[job.name].append(stages_alone(source, folder, job.parts))
        print(f"round {number + 1} of {args.rounds}", flush=True)
    imports = [
        run_child([*module("x")[:1], "-c", IMPORT]).said["seconds"] for _ in range(args.rounds)
    ]
    cores = machine()["cores"]
    rows = {job.name: row(job, runs, alone.get(job.name, []), cores) for job in plan}
    stages = together(alone)
    report(rows, stages, summary(imports), args, made.said["from"])
    result = {
        "film": made.said["from"],
        "size": args.size,
        "frames": args.frames,
        "rounds": args.rounds,
        "engine": runs["vidgen x2"][0].said["engine"],
        "jobs": rows,
        "core_seconds_per_frame_alone": {name: asdict(each) for name, each in stages.items()},
        "import_seconds": asdict(summary(imports)),
    }
    write_result("end-to-end", result)


def program(name: str, *words: object) -> list[str]:
    return module("benchmarks.programs", name, *words)


def stages_alone(source: Path, folder: Path, names: Iterable[str]) -> Alone:
    """Core-seconds per frame of each stage with nothing beside it."""
    target = folder / "encoded.mkv"
    commands = {
        "decode": program("decode", source),
        "motion": program("motion", source),
        "generate": program("generate", source),
        "engine": program("engine", source),
        "encode small": program("encode", source, target, 1),
        "encode large": program("encode", source, target, 2),
    }
    return {name: run_child(commands[name]).said["core_seconds"] for name in names}


def together(alone: Mapping[str, Sequence[Alone]]) -> dict[str, Summary]:
    """Each stage over all rounds and jobs."""
    each = [stages for rounds in alone.values() for stages in rounds]
    names = dict.fromkeys(name for stages in each for name in stages)
    return {name: summary([stages[name] for stages in each if name in stages]) for name in names}


def row(
    job: Job, runs: dict[str, list[Child]], alone: Sequence[Alone], cores: int
) -> dict[str, Any]:
    """All figures of one job."""
    mine = runs[job.name]
    facts: dict[str, Any] = {
        "fps": asdict(summary([fps(child) for child in mine])),
        "cores_used": median(child.core_seconds / child.wall_seconds for child in mine),
        "peak_mib": max(child.peak_mib for child in mine),
    }
    if job.against:
        pairs = zip(mine, runs[job.against], strict=True)
        facts["ratio"] = {
            "to": job.against,
            **asdict(summary([fps(one) / fps(other) for one, other in pairs])),
        }
    if "first" not in mine[0].said:
        return facts
    steady = [
        (child.said["frames"] - 1) / (child.said["last"] - child.said["first"]) for child in mine
    ]
    allowed = [
        sum(stages[name] * times for name, times in job.parts.items()) / cores for stages in alone
    ]
    rates = [fps(child) for child in mine]
    facts["steady_fps"] = asdict(summary(steady))
    facts["first_frame_seconds"] = asdict(
        summary([child.said["first"] - child.began for child in mine])
    )
    facts["share_of_machine"] = {
        "steady": asdict(summary(products(allowed, steady))),
        "whole": asdict(summary(products(allowed, rates))),
    }
    return facts


def products(left: Sequence[float], right: Sequence[float]) -> list[float]:
    return [one * other for one, other in zip(left, right, strict=True)]


def fps(child: Child) -> float:
    """Frames written per second from the start of the program to its end."""
    return float(child.said["frames"] / child.wall_seconds)


def report(
    rows: dict[str, dict[str, Any]],
    alone: dict[str, Summary],
    imports: Summary,
    args: argparse.Namespace,
    film: str,
) -> None:
    """The figures as Markdown."""
    print(f"\n{film} as {args.size} H.264, {args.frames} frames, {args.rounds} rounds\n")
    print("| job | frames/s | steady | ratio | first frame s | cores used | share | peak MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, facts in rows.items():
        cells = [
            spread(facts["fps"], ".1f"),
            spread(facts.get("steady_fps"), ".1f"),
            spread(facts.get("ratio"), ".2f"),
            spread(facts.get("first_frame_seconds"), ".2f"),
            f"{facts['cores_used']:.2f}",
            spread(facts.get("share_of_machine", {}).get("steady"), ".2f"),
            f"{facts['peak_mib']:.0f}",
        ]
        print(f"| {name} | {' | '.join(cells)} |")
    print("\n| stage alone | core-milliseconds a frame |\n| --- | --- |")
    for name, each in alone.items():
        print(f"| {name} | {spread(milliseconds(each), '.1f')} |")
    print(f"\n`import vidgen`: {imports.median:.3f} s ({imports.low:.3f}-{imports.high:.3f})")


def milliseconds(seconds: Summary) -> dict[str, float]:
    return {name: 1000 * value for name, value in asdict(seconds).items()}


def spread(values: dict[str, Any] | None, form: str) -> str:
    """`median (low-high)`."""
    if values is None:
        return ""
    middle, low, high = (format(values[name], form) for name in ("median", "low", "high"))
    return f"{middle} ({low}-{high})"


if __name__ == "__main__":
    main()
