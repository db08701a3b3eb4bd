"""Any damage to any kind of film ends well: whole, or with the reason. See `benchmarks.damage`."""

import json
import subprocess
import sys

import pytest


def sweep(root, seconds: int, *words: str) -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.damage", *words],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


@pytest.mark.timeout(600)
def test_forty_damaged_films(root):
    found = sweep(root, 600, "--count", "40")
    assert found["runs"] == 40
    assert set(found["exit_codes"]) == {"0", "1", "3"}  # all three ways to end are met
    assert found["faults"] == []


@pytest.mark.soak
@pytest.mark.timeout(6 * 3600)
def test_two_thousand_damaged_films(root):
    found = sweep(root, 6 * 3600, "--count", "2000")
    assert sum(found["exit_codes"].values()) == 2000
    assert found["faults"] == []
