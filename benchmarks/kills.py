"""`kill -9` at random moments of a film of 60 s: `python -m benchmarks.kills LOG --count 100`.

Each run is killed once, alone or with all its workers, and goes on by the same command. Wanted of
every one: the film that a run without accident makes (decoded pictures, packets of all else), no
finished piece made again, no folder left. LOG takes a line of JSON for each; with `--seconds` the
next call goes on where this one ends. Moments are spread over the run's processor time, which other
work on the machine does not stretch.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.children import module
from benchmarks.common import write_result
from benchmarks.kills_film import RATE, contents, write_film

__all__ = ["Kill", "main"]

KINDS = {"made frames": "1", "network and made frames": "2"}  # --scale
EACH_NETWORK = 5  # every fifth run
WORDS = ("--fps", 2 * RATE, "--preset", "ultrafast", "--audio", "opus", "--segment", 5, "--quiet")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Kill:
    """One run that was killed, and the run that went on."""

    kind: str
    with_workers: bool
    finished_before: bool
    """The run was whole before its moment came: no kill."""
    kept: int = 0
    """Pieces that were finished."""
    lost_seconds: float = 0
    """Of wall clock, since the last piece was finished or the run began."""
    lost_cpu: float = 0
    """Processor seconds of both runs beyond those of a run without accident."""
    made_again: dict[str, float] = field(default_factory=dict)
    """When the second run had each piece that was not kept, in seconds since it began."""
    nothing_twice: bool = True
    same: bool = True
    clean: bool = True


def processes(pid: int) -> list[int]:
    """`pid` and all that it and they have begun."""
    try:
        begun = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(each for child in begun for each in processes(int(child)))]


def cpu_of(pids: list[int]) -> float:
    """Processor seconds of those that still are."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS


@dataclass
class Films:
    """Runs on the film in `folder`, by `jobs` processes."""

    folder: Path
    jobs: int

    def begin(self, kind: str, target: str) -> subprocess.Popen[str]:
        words = ("upscale", "film.mkv", target, "--scale", KINDS[kind], *WORDS, "--jobs", self.jobs)
        command = module("vidgen", *words, "--report", "report.json")
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.folder, stderr=pipe, text=True)

    def records(self, target: str) -> dict[str, Path]:
        return {path.name: path for path in self.folder.glob(f"{target}.vidgen/*/0*.json")}

    def finish(self, kind: str, target: str) -> tuple[float, int, dict[str, float]]:
        """Let a run end: its processor seconds, frames found finished, when it had each piece."""
        began, run, cpu, seen = time.monotonic(), self.begin(kind, target), 0.0, dict[str, float]()
        while run.poll() is None:
            cpu = max(cpu, cpu_of(processes(run.pid)))
            for name in self.records(target):
                seen.setdefault(name, round(time.monotonic() - began, 2))
            time.sleep(0.02)
        errors = run.communicate()[1]
        if run.returncode:
            raise RuntimeError(errors.strip())
        (made,) = json.loads((self.folder / "report.json").read_text())["films"]
        return cpu, made["frames_found"], seen

    def killed(self, kind: str, target: str, cpu: float, kill: Kill) -> float:
        """Begin a run and kill it after `cpu` seconds of processor time; what it has used."""
        began, run, pids = time.time(), self.begin(kind, target), list[int]()
        while run.poll() is None and cpu_of(pids := processes(run.pid)) < cpu:
            time.sleep(0.01)
        kill.finished_before, used = run.poll() is not None, cpu_of(pids)
        at = time.time()
        for pid in pids if kill.with_workers else pids[:1]:
            if Path(f"/proc/{pid}").exists():
                os.kill(pid, signal.SIGKILL)
        run.communicate()
        while any(
            Path(f"/proc/{pid}").exists() for pid in pids
        ):  # what is left over ends by itself
            time.sleep(0.01)
        records = self.records(target)
        kill.kept = len(records)
        last = max([began, *(path.stat().st_mtime for path in records.values())])
        kill.lost_seconds = round(at - last, 2)
        return used

    def survived(self, number: int, whole: dict[str, Any], chance: random.Random) -> Kill:
        """Kill a run, let the film be finished, compare."""
        kind = list(KINDS)[number % EACH_NETWORK == EACH_NETWORK - 1]
        kill, target = Kill(kind, chance.random() < 0.5, False), f"{number}.mkv"
        used = self.killed(kind, target, chance.uniform(0, whole[kind]["cpu"]), kill)
        if not (self.folder / target).exists():
            texts = [path.read_text() for path in self.records(target).values()]
            kept = sum(len(json.loads(text)["coded"]) for text in texts)
            more, found, seen = self.finish(kind, target)
            kill.nothing_twice = found == kept
            kill.made_again = dict(list(seen.items())[kill.kept :])
            kill.lost_cpu = round(used + more - whole[kind]["cpu"], 2)
        kill.same = contents(self.folder / target) == whole[kind]["contents"]
        kill.clean = not (self.folder / f"{target}.vidgen").exists()
        (self.folder / target).unlink()
        return kill

    def whole(self) -> dict[str, Any]:
        """What runs without accident make, and their processor seconds; kept in the folder."""
        kept = self.folder / f"whole{self.jobs}.json"
        if not (self.folder / "film.mkv").exists():
            write_film(self.folder / "film.mkv")
        if not kept.exists():
            found = {}
            for kind in KINDS:
                cpu, _, pieces = self.finish(kind, "whole.mkv")
                digest = contents(self.folder / "whole.mkv")
                found[kind] = {"cpu": cpu, "pieces": len(pieces), "contents": digest}
                (self.folder / "whole.mkv").unlink()
            kept.write_text(json.dumps(found, indent=1))
        return dict(json.loads(kept.read_text()))


def kills(log: Path) -> list[dict[str, Any]]:
    """The runs of a log that were killed."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [entry for line in lines if not (entry := json.loads(line))["finished_before"]]


def summary(done: list[dict[str, Any]]) -> dict[str, Any]:
    """How many were as wanted, where the kills fell, and what they cost."""
    lost = sorted(each["lost_cpu"] for each in done)
    return {
        "kills": len(done),
        "with_workers": sum(each["with_workers"] for each in done),
        **{word: sum(each[word] for each in done) for word in ("same", "nothing_twice", "clean")},
        "pieces_kept": dict(sorted(Counter(each["kept"] for each in done).items())),
        "lost_cpu_seconds": {"median": median(lost), "most": lost[-1]} if lost else {},
    }


def main() -> int:
    """Go on until `--count` runs were killed or the time is up; 1 when one was not as wanted."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--keep", action="store_true", help="keep the summary among the results")
    args = parser.parse_args()
    ends = time.monotonic() + args.seconds
    folder = args.log.with_suffix("")
    folder.mkdir(exist_ok=True)
    films = Films(folder, args.jobs)
    whole = films.whole()
    while len(kills(args.log)) < args.count and time.monotonic() < ends:
        number = len(args.log.read_text().splitlines()) if args.log.exists() else 0
        chance = random.Random(f"{args.jobs} {number}")
        entry = json.dumps(asdict(films.survived(number, whole, chance)))
        with args.log.open("a") as file:
            print(entry, file=file)
    found = summary(kills(args.log))
    print(json.dumps(found, indent=1))
    if args.keep:
        cpu = {kind: facts["cpu"] for kind, facts in whole.items()}
        write_result(f"kills-jobs{args.jobs}", {**found, "cpu_seconds_of_a_whole_run": cpu})
    return int(any(found[word] < found["kills"] for word in ("same", "nothing_twice", "clean")))


if __name__ == "__main__":
    sys.exit(main())
