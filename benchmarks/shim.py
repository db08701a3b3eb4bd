"""Kernels on the CPU: the same `.cu` text, compiled as C++ with `kernels/host.h`, and called."""

from __future__ import annotations

import ctypes
import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from vidgen.kernels import kernels_folder

__all__ = ["Kernels", "compiler"]

_OPTIONS = (
    *("-std=c++17", "-O2", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-x", "c++"),
    "-Wno-unknown-pragmas",  # unroll
    *(
        "-ffp-contract=off",
        "-fno-strict-aliasing",
        "-U_FORTIFY_SOURCE",
    ),  # as kernels.OPTIONS; fibres jump between stacks
)


def compiler() -> str | None:
    """Where the C++ compiler is, if there is one."""
    return shutil.which("g++")


class Kernels:
    """All kernels of one text. Raises RuntimeError with what the compiler says."""

    def __init__(self, text: str) -> None:
        self._library = ctypes.CDLL(str(_built(text)))

    def launch(
        self,
        kernel: str,
        grid: Sequence[int],
        block: Sequence[int],
        arguments: Sequence[Any],
        shared: int = 0,
    ) -> None:
        """Run it to its end: arrays go by address, scalars of NumPy as they are, int as C's."""
        holders = [_held(each) for each in arguments]
        pointers = (ctypes.c_void_p * len(holders))(*map(ctypes.addressof, holders))
        run = getattr(self._library, f"launch_{kernel}")
        run(_dim3(grid), _dim3(block), pointers, ctypes.c_size_t(shared))


def _held(value: Any) -> Any:
    """What `arguments` of a kernel point to."""
    if isinstance(value, np.ndarray):
        return ctypes.c_void_p(value.ctypes.data)
    if isinstance(value, np.generic):
        return np.ctypeslib.as_ctypes_type(value.dtype)(value.item())
    return ctypes.c_int(value)


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="vidgen-kernels-")


@cache
def _built(text: str) -> Path:
    """A library with a launcher for each kernel of the text, kept as long as this process."""
    found = re.findall(r"__global__ void (?:__launch_bounds__\(\w+\)\s*)?(\w+)\(", text)
    whole = "\n".join([text, *(f"HOST_LAUNCHER({each})" for each in found)])
    library = Path(_folder().name) / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.so"
    path = compiler()
    if path is None:
        raise RuntimeError("no g++ on the path to compile kernels for the CPU; install one")
    command = [path, *_OPTIONS, "-include", str(kernels_folder() / "host.h")]
    command += ["-o", str(library), "-"]
    done = subprocess.run(
        command, input=whole, timeout=100, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error:" in line]
        raise RuntimeError("\n".join(lines) or done.stderr)
    return library


def _dim3(size: Sequence[int]) -> Any:
    return (ctypes.c_uint * 3)(*size, *[1] * (3 - len(size)))
