"""Freed pictures are used again without the kernel."""

import subprocess
import sys

import pytest

PROGRAM = """
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


def faults(*words):
    command = [sys.executable, "-c", PROGRAM, *words]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator is Linux's")
def test_page_faults_fall_away():
    assert faults("keep") < 1000
    assert faults() > 10 * max(faults("keep"), 100)
