"""How much two jobs bring: `python -m benchmarks.jobs`, on an idle machine of two cores or more.

    python -m benchmarks.jobs                 a drawn film of 60 s, 640x360 to twice the size
    python -m benchmarks.jobs --rounds 3      how often each is run, in turn
    python -m benchmarks.jobs --film FILM     from another film

One job is held to one core, two jobs to two: each has a core of its own, as much as the other. The
whole command is timed, with start, first pass and joining.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.children import Child, module, run_child, summary
from benchmarks.common import machine, write_result

FRAMES, FPS = 480, 24  # of the piece that is joined end to end
HELD = """\
import os, sys
os.sched_setaffinity(0, {int(core) for core in sys.argv[1].split(",")})
from vidgen.cli import main
sys.exit(main(sys.argv[2:]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("--film", default="-", help="- draws one (default)")
    parser.add_argument("--size", default="640x360", help="of the source (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=60, help="of film (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    args = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        sys.exit("this needs two cores")
    others = busy_cores()
    if others > 0.2:
        print(f"others hold {others:.1f} cores: what follows does not count")
    with TemporaryDirectory(prefix="vidgen-bench-") as name:
        film = source(Path(name), args.film, args.size, args.seconds)
        rounds = [pair(film, cores) for _ in range(args.rounds)]
    report(rounds, others, vars(args))


def busy_cores() -> float:
    """How many cores others keep busy now: the mean of two seconds, by Linux's count."""
    before, began = _worked(), time.monotonic()
    time.sleep(2)
    return (_worked() - before) / (time.monotonic() - began)


def _worked() -> float:
    """Seconds that all cores together have worked since the machine started."""
    first_line = Path("/proc/stat").read_text().partition("\n")[0]
    user, nice, system, _idle, _waiting, *interrupts = map(int, first_line.split()[1:8])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def source(folder: Path, film: str, size: str, seconds: int) -> Path:
    short, long = folder / "short.mp4", folder / "long.mp4"
    frames = min(FRAMES, FPS * seconds)
    run_child(module("benchmarks.programs", "source", short, *size.split("x"), frames, film))
    run_child(module("benchmarks.programs", "join", short, long, seconds))
    return long


def pair(film: Path, cores: list[int]) -> tuple[Child, Child]:
    """One job on one core, then two jobs on two."""
    return timed(film, 1, cores[:1]), timed(film, 2, cores)


def timed(film: Path, jobs: int, cores: list[int]) -> Child:
    words = [
        "upscale",
        str(film),
        str(film.with_name("out.mkv")),
        "--jobs",
        str(jobs),
        "--segment",
        "5",
    ]
    words += ["--preset", "veryfast", "--overwrite", "--quiet"]
    return run_child([sys.executable, "-c", HELD, ",".join(map(str, cores)), *words])


def report(rounds: list[tuple[Child, Child]], others: float, asked: dict[str, object]) -> None:
    ratios = summary([one.wall_seconds / two.wall_seconds for one, two in rounds])
    work = summary([two.core_seconds / one.core_seconds for one, two in rounds])
    for one, two in rounds:
        print(f"one job on one core {one.wall_seconds:.1f} s, two on two {two.wall_seconds:.1f} s")
    print(f"two jobs are {ratios.median:.2f} times as fast ({ratios.low:.2f} to {ratios.high:.2f})")
    print(f"and take {work.median:.2f} times the processor time; {machine()['cpu']}")
    wall = [[one.wall_seconds, two.wall_seconds] for one, two in rounds]
    core = [[one.core_seconds, two.core_seconds] for one, two in rounds]
    found = {"others": others, "wall_seconds": wall, "core_seconds": core}
    write_result("jobs", {**asked, **found, "faster": ratios.median})


if __name__ == "__main__":
    main()
