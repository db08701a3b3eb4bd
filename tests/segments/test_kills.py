"""`kill -9` at random moments: nothing finished is lost, and the film comes out the same."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

WORDS = ["--scale", "1", "--fps", "50", "--preset", "ultrafast", "--audio", "opus", "--segment"]


class Films:
    """Runs of the command line on one film."""

    def __init__(self, source, folder, seconds, contents):
        self.source, self.folder, self.contents = source, folder, contents
        self.words = [*WORDS, str(seconds)]
        begun = time.monotonic()
        self.finish("whole.mkv", [])
        self.duration = time.monotonic() - begun
        self.whole = contents(folder / "whole.mkv")

    def begin(self, target, words):
        command = [sys.executable, "-m", "vidgen", "upscale", self.source, target, *self.words]
        command += ["--quiet", *words]
        return subprocess.Popen(
            command, cwd=self.folder, stderr=subprocess.PIPE, start_new_session=True
        )

    def finish(self, target, words):
        process = self.begin(target, words)
        errors = process.communicate()[1]
        assert process.returncode == 0, errors

    def records(self, target):
        """When each finished segment was recorded, in ns."""
        found = (self.folder / f"{target}.vidgen").glob("*/0*.json")
        return {path.name: path.stat().st_mtime_ns for path in found}

    def killed(self, target, words, moment):
        """A run killed after `moment` seconds, with all its workers; its finished segments."""
        process = self.begin(target, words)
        try:
            process.communicate(timeout=moment)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
        return self.records(target)

    def survives(self, number, words, kills=1):
        """Kill a run `kills` times, let it finish, compare."""
        target = f"{number}.mkv"
        before = {}
        for _ in range(kills):
            left = self.killed(target, words, random.uniform(0, self.duration))
            if not (self.folder / target).exists():
                assert before.items() <= left.items()
            before = left
        if not (self.folder / target).exists():
            self.finish(target, words)
        assert self.contents(self.folder / target) == self.whole
        assert not (self.folder / f"{target}.vidgen").exists()
        (self.folder / target).unlink()
        return len(before)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_run_goes_on(film, tmp_path, contents, jobs):
    films = Films(film, tmp_path, 1, contents)
    films.survives(0, ["--jobs", str(jobs)], kills=2)


@pytest.mark.soak
@pytest.mark.timeout(4 * 3600)
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_hundred_killed_runs_go_on(long_film, tmp_path, contents, jobs):
    films = Films(long_film, tmp_path, 5, contents)
    found = [films.survives(number, ["--jobs", str(jobs)]) for number in range(100)]
    assert len(set(found)) > 5  # the moments were spread over the film
