"""Where results are kept, with what every benchmark says of itself."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from vidgen.bench.machine import machine
from vidgen.bench.machine import machine_name as name_of

__all__ = ["RESULTS", "machine", "machine_name", "write_result"]

RESULTS = Path(__file__).parent / "results"


def machine_name() -> str:
    """Short name of this machine, for files."""
    return name_of(machine())


def write_result(name: str, data: dict[str, Any]) -> Path:
    """Keep `data` with the machine's facts as `results/<name>-<machine>.json`."""
    path = RESULTS / f"{name}-{machine_name()}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"machine": machine(), **data}, indent=1) + "\n")
    print(f"\nwritten: {os.path.relpath(path)}")
    return path
