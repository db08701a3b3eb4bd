"""What a figure is worth nothing without: the machine, the versions, the commit, the command."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["machine", "machine_name"]

_LIBRARIES = (
    "av", "cupy-cuda12x", "cupy-cuda13x", "numpy", "opencv-python-headless", "openvino", "tensorrt",
    "tensorrt_rtx", "torch", "vidgen",
)  # fmt: skip
_MATTERING = ("avx2", "avx512_bf16", "amx_bf16", "amx_tile")
_QUERY = "--query-gpu=name,driver_version,memory.total,compute_cap"


def machine() -> dict[str, Any]:
    """Processor, cores, memory, load, GPUs, system, versions, commit and command of this run.

    `load` is the mean of the last minute, of this run too: far above `cores`, others were at work.
    """
    text = Path("/proc/cpuinfo").read_text() if sys.platform == "linux" else ""
    model = re.search(r"model name\s*:\s*(.+)", text)
    flags = set(re.findall(r"[a-z0-9_]+", text))
    return {
        "cpu": model[1].strip() if model else platform.processor(),
        "cores": _cores(),
        "memory_gib": _memory_gib(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "instructions": [name for name in _MATTERING if name in flags],
        "gpus": _output(["nvidia-smi", _QUERY, "--format=csv,noheader"]).splitlines(),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": {name: each for name in _LIBRARIES if (each := _version(name))},
        "commit": _commit(),
        "command": " ".join([Path(sys.argv[0]).stem, *sys.argv[1:]]),
    }


def machine_name(facts: dict[str, Any]) -> str:
    """Short name for files: cores, processor or GPU, the widest instruction set that matters."""
    gpus = list(dict.fromkeys(line.split(",")[0] for line in facts["gpus"]))
    words = gpus or [f"{facts['cores']}-core", facts["cpu"], *facts["instructions"][-1:]]
    return re.sub(r"[^a-z0-9]+", "-", " ".join(map(str, words)).lower()).strip("-")


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _memory_gib() -> float | None:
    if not hasattr(os, "sysconf"):
        return None
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> str:
    """The commit that runs, with `+` where files differ from it; empty outside a checkout."""
    git = ["git", "-C", str(Path(__file__).parent)]
    head = _output([*git, "rev-parse", "--short", "HEAD"]).strip()
    return head + "+" * bool(head and _output([*git, "status", "--porcelain"]).strip())


def _output(command: list[str]) -> str:
    """What a program says; nothing where it is not here or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
