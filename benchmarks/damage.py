"""Damaged films through the whole program: `python -m benchmarks.damage --count 2000`.

Each seed damages a small film and upscales it in a process of its own. Wanted of every one: it
ends in time, in bounded memory, without a traceback, with exit code 0, 1 or 3; with 1 or 3 it says
why in one line; with 0 every picture and all sound is there, or the report says what is not.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import av

import vidgen.segments  # noqa: F401 - here once, not in every child
from benchmarks.damage_films import FILMS, FRAMES, RATE, damaged, write
from vidgen.cli import main as run_vidgen

__all__ = ["main"]

SECONDS, CPU_SECONDS, MEBIBYTES = 600, 30, 1024
"""What a run may take of wall clock (others may hold the machine), processor and resident memory;
the address space is held to 8 GiB."""
HARMLESS = ("its colour", "becomes", "is padded", "interlaced")  # notes that tell of no loss
SOUND_SLACK = 0.25  # seconds at an end: as much as healthy films differ between sound and picture


@dataclass(frozen=True)
class Case:
    """One damaged film and the run over it."""

    seed: int
    film: str
    damage: str
    folder: Path
    words: tuple[str, ...]

    @property
    def frames(self) -> int:
        """How many pictures the output has if nothing was lost."""
        return 2 * FRAMES if "--fps" in self.words else FRAMES

    @property
    def source(self) -> Path:
        return self.folder / f"{self.seed}{FILMS[self.film].suffix}"

    @property
    def target(self) -> Path:
        return self.folder / f"{self.seed}.out.mkv"

    @property
    def said(self) -> Path:
        return self.folder / f"{self.seed}.txt"


def make_films(folder: Path) -> dict[str, bytes]:
    """The undamaged films, written by a process that ends, so that this one has no threads."""
    pid = os.fork()
    if not pid:
        for name, film in FILMS.items():
            write(film, folder / f"{name}{film.suffix}")
        os._exit(0)
    if os.waitpid(pid, 0)[1]:
        raise RuntimeError("the films could not be written")
    return {name: (folder / f"{name}{film.suffix}").read_bytes() for name, film in FILMS.items()}


def make_case(films: dict[str, bytes], seed: int, folder: Path) -> Case:
    """Damage a film. Most runs keep size and rate: it is the reading that is tried."""
    name, how, data = damaged(films, seed)
    more = {7: ("--scale", "1", "--fps", "x2"), 8: ("--start", "0.2"), 9: ("--scale", "2")}
    words = more.get(seed % 10, ("--scale", "1"))
    if "--start" in words:
        words = ("--scale", "1", *words)
    case = Case(seed, name, how, folder, words)
    case.source.write_bytes(data)
    return case


def start(case: Case) -> int:
    """Begin the run in a child; its id."""
    pid = os.fork()
    if not pid:
        _child(case)
    return pid


def _child(case: Case) -> NoReturn:
    code = 70
    try:
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        file = os.open(case.said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 1)
        os.dup2(file, 2)
        sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115 - for the process's life
        words = ("upscale", str(case.source), str(case.target), "--preset", "ultrafast")
        code = run_vidgen([*words, *case.words])
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 70
    finally:
        sys.stderr.flush()
        os._exit(code)


def judged(case: Case, code: int, mebibytes: float) -> str:
    """What is wrong with how the run ended; empty when nothing is."""
    said = case.said.read_text("utf-8", "replace") if case.said.exists() else ""
    if "Traceback" in said or "bug in vidgen" in said:
        return f"traceback: {said.strip().splitlines()[-1]}"
    if code not in (0, 1, 3):
        return f"exit code {code}"
    if mebibytes > MEBIBYTES:
        return f"{mebibytes:.0f} MiB"
    if code:
        errors = sum(line.startswith("vidgen: error: ") for line in said.splitlines())
        return "" if errors == 1 else f"{errors} lines of error"
    if not case.target.exists():
        return "exit code 0 and no file"
    notes = [line for line in said.splitlines() if line.startswith(("note:", "damaged:"))]
    if any(not any(word in note for word in HARMLESS) for note in notes) or "--start" in case.words:
        return ""
    frames, sound = contents(case.target)
    if frames < case.frames:
        return f"{frames} of {case.frames} pictures and not a word"
    if FILMS[case.film].audio and sound < FRAMES / RATE - SOUND_SLACK and lists_sound(case.source):
        return f"{sound:.2f} s of sound and not a word"
    return ""


def lists_sound(path: Path) -> bool:
    """Whether FFmpeg still finds a stream of sound; asked in a child, for the file is damaged."""
    pid = os.fork()
    if not pid:
        found = 0
        try:
            with av.open(str(path)) as container:
                found = len(container.streams.audio)
        finally:
            os._exit(bool(found))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1


def contents(path: Path) -> tuple[int, float]:
    """Pictures, and seconds of sound."""
    frames, seconds = 0, 0.0
    with av.open(str(path)) as container:
        for packet in container.demux():
            if packet.size and packet.stream.type == "audio":
                seconds += float((packet.duration or 0) * packet.time_base)
            frames += bool(packet.size) and packet.stream.type == "video"
    return frames, seconds


def sweep(
    films: dict[str, bytes], seeds: range, folder: Path, jobs: int, keep: Path | None
) -> dict:
    """Run all seeds, `jobs` at a time; counts of exit codes and every fault found."""
    codes: Counter[int] = Counter()
    faults: list[dict[str, object]] = []
    running: dict[int, tuple[Case, float]] = {}
    waiting, peak, longest = iter(seeds), 0.0, 0.0
    while True:
        while len(running) < jobs and (seed := next(waiting, None)) is not None:
            case = make_case(films, seed, folder)
            running[start(case)] = case, time.monotonic()
        if not running:
            break
        time.sleep(0.005)
        for pid, (case, began) in list(running.items()):
            took = time.monotonic() - began
            if late := took > SECONDS:
                os.kill(pid, signal.SIGKILL)
            ended, status, used = os.wait4(pid, 0 if late else os.WNOHANG)
            if not ended:
                continue
            del running[pid]
            code, mebibytes = os.waitstatus_to_exitcode(status), used.ru_maxrss / 1024
            codes[code] += 1
            peak, longest = max(peak, mebibytes), max(longest, used.ru_utime + used.ru_stime)
            wrong = f"still running after {SECONDS} s" if late else judged(case, code, mebibytes)
            if wrong:
                faults.append({"seed": case.seed, "film": case.film, "damage": case.damage,
                               "words": case.words, "wrong": wrong})  # fmt: skip
                if keep:
                    (keep / case.source.name).write_bytes(case.source.read_bytes())
            for path in folder.glob(f"{case.seed}.*"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    return {
        "runs": len(seeds), "exit_codes": dict(sorted(codes.items())), "faults": faults,
        "peak_mebibytes": round(peak), "most_cpu_seconds": round(longest, 1),
    }  # fmt: skip


def main() -> int:
    """Print what was found as JSON; 1 when something was."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--keep", type=Path, help="folder for the films at fault")
    args = parser.parse_args()
    if args.keep:
        args.keep.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seeds = range(args.first, args.first + args.count)
        found = sweep(make_films(folder), seeds, folder, args.jobs, args.keep)
    print(json.dumps(found, indent=1))
    return 1 if found["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
