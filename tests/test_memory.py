"""Freed pictures are used again without the kernel, and a longer film takes no more memory."""

import subprocess
import sys

import pytest

glibc_alone = pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator is Linux's")

FAULTS = """
import resource, sys
import numpy as np
from vidgen.memory import keep_freed_memory
if "keep" in sys.argv:
    assert keep_freed_memory()
for number in range(60):
    if number == 10:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    pictures = [np.ones(3_000_000 * (1 + k), np.uint8) for k in range(3)]
    del pictures
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""

GROWTH = """
import sys
from pathlib import Path
from vidgen import Settings, run
from vidgen.memory import keep_freed_memory
assert keep_freed_memory()
source, leak = Path(sys.argv[1]), int(sys.argv[2])
kibibytes, kept = [], []
def note(progress):
    kept.append(bytearray(leak))
    lines = Path("/proc/self/status").read_text().splitlines()
    kibibytes.extend(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))
words = {"scale": 1, "fps": "x2", "preset": "ultrafast", "segment": 10**6}
run(Settings(source=source, target=source.with_name("out.mkv"), overwrite=True, **words), note)
first, last = len(kibibytes) // 3, -len(kibibytes) // 20  # before the encoder ends
print(1024 * (kibibytes[last] - kibibytes[first]) / (len(kibibytes) + last - first))
"""


def printed(program, *words, seconds=100):
    command = [sys.executable, "-c", program, *map(str, words)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds)
    return float(done.stdout)


@glibc_alone
def test_page_faults_fall_away():
    faults = [printed(FAULTS), printed(FAULTS, "keep")]
    assert faults[1] < 1000
    assert faults[0] > 10 * max(faults[1], 100)


def growth(source, leak=0, seconds=100):
    """Bytes that the process grows by with each frame, after the first third of the film."""
    return printed(GROWTH, source, leak, seconds=seconds)


@glibc_alone
def test_memory_does_not_grow_with_the_film(clip):
    source = clip(frames=600)
    assert growth(source) < 700  # with the pads of `vidgen.memory`: 1180
    assert growth(source, leak=6000) > 4000


@glibc_alone
@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_memory_does_not_grow_with_a_long_film(clip):
    assert (
        growth(clip(frames=10_000), seconds=1800) < 300
    )  # the notes that the test takes are 100 of it
