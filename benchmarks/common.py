"""What every benchmark says of itself: machine, versions, commit; and where results are kept."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = ["RESULTS", "machine", "machine_name", "write_result"]

RESULTS = Path(__file__).parent / "results"
_LIBRARIES = ("av", "numpy", "opencv-python-headless", "openvino", "vidgen")
_MATTERING = ("avx2", "avx512_bf16", "amx_bf16", "amx_tile")


def machine() -> dict[str, Any]:
    """Processor, cores, instruction sets, system, versions, commit and command of this run."""
    text = Path("/proc/cpuinfo").read_text() if sys.platform == "linux" else ""
    model = re.search(r"model name\s*:\s*(.+)", text)
    flags = set(re.findall(r"[a-z0-9_]+", text))
    return {
        "cpu": model[1].strip() if model else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "instructions": [name for name in _MATTERING if name in flags],
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": {name: version(name) for name in _LIBRARIES},
        "commit": _commit(),
        "command": " ".join(
            ["python", "-m", f"benchmarks.{Path(sys.argv[0]).stem}", *sys.argv[1:]]
        ),
    }


def machine_name() -> str:
    """Short name for files: cores, processor, the widest instruction set that matters."""
    facts = machine()
    words = [f"{facts['cores']}-core", facts["cpu"], *facts["instructions"][-1:]]
    return re.sub(r"[^a-z0-9]+", "-", " ".join(words).lower()).strip("-")


def write_result(name: str, data: dict[str, Any]) -> Path:
    """Keep `data` with the machine's facts as `results/<name>-<machine>.json`."""
    path = RESULTS / f"{name}-{machine_name()}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"machine": machine(), **data}, indent=1) + "\n")
    print(f"\nwritten: {os.path.relpath(path)}")
    return path


def _commit() -> str:
    """The commit that runs, with `+` when files differ from it."""
    here = Path(__file__).parent
    git = ["git", "-C", str(here)]
    head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True)
    return head.stdout.strip() + "+" * bool(changed.stdout.strip())
