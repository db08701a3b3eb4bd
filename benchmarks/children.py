"""Measured programs: each in a process of its own, so that memory and processor time are its own.

The measuring process imports nothing large: Linux counts the memory of a program's parent at the
moment it was started into the program's own peak.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from statistics import median
from typing import Any

__all__ = ["Child", "Summary", "module", "run_child", "summary"]


@dataclass(frozen=True, slots=True)
class Child:
    """What a finished program cost, and what it said."""

    began: float
    """`time.monotonic()` before it was started; the clock is the same in all processes."""
    wall_seconds: float
    core_seconds: float
    """User and system time of all its threads."""
    peak_mib: float
    """Largest resident set."""
    said: dict[str, Any]
    """The JSON object on the last line of its stdout; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Median and extremes of repeated runs."""

    median: float
    low: float
    high: float


def summary(values: list[float]) -> Summary:
    return Summary(median(values), min(values), max(values))


def module(name: str, *words: object) -> list[str]:
    """The command that runs a module of Python with those words."""
    return [sys.executable, "-m", name, *map(str, words)]


def run_child(command: list[str]) -> Child:
    """Run to the end. Raises RuntimeError with its stderr when it fails."""
    began = time.monotonic()
    # bytecode is kept from the first run on, as `pip install` leaves it
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    assert process.stdout is not None
    assert process.stderr is not None
    said = process.stdout.read()  # programs say little: neither pipe can fill
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: {errors.decode().strip()}")
    lines = said.decode().strip().splitlines()
    return Child(
        began=began,
        wall_seconds=wall,
        core_seconds=usage.ru_utime + usage.ru_stime,
        peak_mib=usage.ru_maxrss / 1024,
        said=json.loads(lines[-1]) if lines and lines[-1].startswith("{") else {},
    )
