"""`kill -9` at random moments: nothing finished is lost, and the film comes out the same."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

KILLS = int(os.environ.get("VIDGEN_KILLS", "100"))
WORDS = ["--scale", "1", "--fps", "50", "--preset", "ultrafast", "--audio", "opus", "--segment"]


class Films:
    """Runs of the command line on one film."""

    def __init__(self, source, folder, seconds, pieces, contents, begin):
        self.pieces = pieces
        self.source, self.folder, self.contents, self._begin = source, folder, contents, begin
        self.words = [*WORDS, str(seconds)]
        begun = time.monotonic()
        self.finish("whole.mkv", [])
        self.duration = time.monotonic() - begun
        self.whole = contents(folder / "whole.mkv")

    def begin(self, target, words):
        command = [sys.executable, "-m", "vidgen", "upscale", self.source, target, *self.words]
        command += ["--quiet", *words]
        return self._begin(command, cwd=self.folder, start_new_session=True)

    def finish(self, target, words):
        """Let a run end; how many frames it found finished."""
        process = self.begin(target, [*words, "--report", "report.json"])
        errors = process.communicate(timeout=100)[1]
        assert process.returncode == 0, errors
        (made,) = json.loads((self.folder / "report.json").read_text())["films"]
        return made["frames_found"]

    def records(self, target):
        """When each finished segment was recorded, in ns."""
        found = (self.folder / f"{target}.vidgen").glob("*/0*.json")
        return {path.name: path.stat().st_mtime_ns for path in found}

    def texts(self, target):
        """The records of finished segments."""
        return [path.read_text() for path in self.folder.glob(f"{target}.vidgen/*/0*.json")]

    def killed(self, target, words):
        """A run killed some time after a random piece is finished, with all its workers.

        So the moments are spread over the film whatever else the machine does. Its finished pieces.
        """
        process = self.begin(target, words)
        first, late = random.randrange(self.pieces), random.uniform(0, self.duration / 4)
        with suppress(FileNotFoundError):  # the folder goes when the film is whole
            while process.poll() is None and len(self.records(target)) < first:
                time.sleep(0.01)
        try:
            process.communicate(timeout=late)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=100)
        return self.records(target)

    def survives(self, number, words, kills=1):
        """Kill a run `kills` times, let it finish, compare."""
        target = f"{number}.mkv"
        before = {}
        for _ in range(kills):
            left = self.killed(target, words)
            if not (self.folder / target).exists():
                assert before.items() <= left.items()
            before = left
        if not (self.folder / target).exists():
            kept = sum(len(json.loads(text)["coded"]) for text in self.texts(target))
            assert self.finish(target, words) == kept  # no more is made again than was not finished
        assert self.contents(self.folder / target) == self.whole
        assert not (self.folder / f"{target}.vidgen").exists()
        (self.folder / target).unlink()
        return len(before)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_run_goes_on(film, tmp_path, contents, begin, jobs):
    films = Films(film, tmp_path, 1, 6, contents, begin)
    films.survives(0, ["--jobs", str(jobs)], kills=2)


def test_a_paused_run_goes_on(film, tmp_path, contents, begin):
    """As by Ctrl-Z and `fg`: nothing runs meanwhile, and the film is the same."""
    films = Films(film, tmp_path, 1, 6, contents, begin)
    process = films.begin("out.mkv", ["--jobs", "2"])
    while process.poll() is None and not films.records("out.mkv"):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGSTOP)
    assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])
    before = films.records("out.mkv")
    time.sleep(1)
    assert films.records("out.mkv") == before
    assert not (tmp_path / "out.mkv").exists()
    os.killpg(process.pid, signal.SIGCONT)
    errors = process.communicate(timeout=100)[1]
    assert process.returncode == 0, errors
    assert contents(tmp_path / "out.mkv") == films.whole


@pytest.mark.soak
@pytest.mark.timeout(4 * 3600)
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_hundred_killed_runs_go_on(root, tmp_path, jobs):
    """A film of a minute; see `benchmarks.kills`."""
    words = [str(tmp_path / "log.jsonl"), "--count", str(KILLS), "--jobs", str(jobs)]
    command = [sys.executable, "-m", "benchmarks.kills", *words]
    pipe, limit = subprocess.PIPE, 4 * 3600
    done = subprocess.run(command, cwd=root, stdout=pipe, text=True, timeout=limit, check=False)
    assert done.returncode == 0, done.stdout
    found = json.loads(done.stdout)
    assert found["kills"] == KILLS
    assert len(found["pieces_kept"]) > min(5, KILLS // 4)  # the moments were spread over the film
