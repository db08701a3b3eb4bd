"""The CUDA kernels of `kernels/`: found as plain `.cu` files, compiled for a GPU when first used.

    module = load("warp")
    grid, block = over_pixels(height, width)
    module.get_function("warp_u8")(grid, block, (plane, flow, out, height, width, channels))

Each file says in its first lines what it computes, in which shapes and units, and how it is
launched. CuPy is imported here, late, and compiles with NVRTC; its own cache on disk keeps the
result for the next process. What a kernel includes is put into its text, since that cache knows
the text alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from vidgen.errors import BackendError

__all__ = ["BLOCK", "OPTIONS", "gpu", "kernels_folder", "load", "names", "over_pixels", "source"]

OPTIONS = ("--std=c++17", "--fmad=false")
"""For NVRTC. Without fused multiply-add a kernel gives the codes of its NumPy reference.

CuPy adds `-ftz=true`, whatever is given: float32 below 2^-126 counts as zero.
"""

BLOCK = (32, 8)
"""Threads a block, x and y, of kernels with one thread a pixel."""


_INCLUDE = re.compile(r'^#include "(\w+\.h)"$', re.M)


def kernels_folder() -> Path:
    """`kernels/` of the checkout, or `kernels_cu` inside the installed package."""
    package = Path(__file__).parent
    inside = package / "kernels_cu"
    return inside if inside.is_dir() else package.parent / "kernels"


def names() -> list[str]:
    """Names of all kernel files, sorted."""
    return sorted(path.stem for path in kernels_folder().glob("*.cu"))


def over_pixels(height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """(grid, block) that covers each pixel of a plane with one thread."""
    columns, rows = BLOCK
    return (-(-width // columns), -(-height // rows)), BLOCK


def source(name: str, constants: Mapping[str, int] | None = None) -> str:
    """The text of `kernels/<name>.cu`, complete: `constants` as macros, then what it includes.

    Raises BackendError where there is no such kernel.
    """
    path = kernels_folder() / f"{name}.cu"
    if not path.is_file():
        known = ", ".join(names()) or "none"
        raise BackendError(f"no kernel {name!r} in {path.parent}; there are: {known}")
    macros = [f"#define {each} {value}\n" for each, value in (constants or {}).items()]
    return "".join(macros) + _whole(path, set())


def _whole(path: Path, there: set[str]) -> str:
    """The text of a file, each header at the place where it is included first."""

    def text(found: re.Match[str]) -> str:
        if found[1] in there:
            return ""
        there.add(found[1])
        return _whole(path.parent / found[1], there)

    return _INCLUDE.sub(text, path.read_text("utf-8").replace("#pragma once\n", ""))


def load(name: str, device: int = 0, constants: Mapping[str, int] | None = None) -> Any:
    """`kernels/<name>.cu` as a `cupy.RawModule`, compiled for CUDA device number `device`.

    Compiled once a device, process and set of constants. Raises BackendError where the file, CuPy,
    its compiler or the GPU is missing.
    """
    return _compiled(name, source(name, constants), device)


@cache
def _compiled(name: str, text: str, device: int) -> Any:
    cupy = gpu(device)
    module = cupy.RawModule(code=text, options=OPTIONS)
    try:
        with cupy.cuda.Device(device):
            module.compile()
    except (cupy.cuda.compiler.CompileException, RuntimeError) as error:
        raise BackendError(
            f"{name}.cu cannot be compiled for CUDA device {device}: {_first_line(error)}; "
            "it takes a GPU of compute capability 7.5 or above and NVRTC of CUDA 13 "
            "(pip install 'cupy-cuda13x[ctk]')"
        ) from error
    return module


def gpu(device: int) -> ModuleType:
    """CuPy, once it is certain that it can use that device. Raises BackendError."""
    try:
        import cupy
    except ImportError as error:
        raise BackendError(
            f"CUDA kernels need CuPy, which cannot be imported ({_first_line(error)}); "
            "on a machine with an NVIDIA GPU: pip install 'vidgen[cuda]'"
        ) from None
    try:
        count, reason = cupy.cuda.runtime.getDeviceCount(), "the driver lists none"
    except cupy.cuda.runtime.CUDARuntimeError as error:
        count, reason = 0, _first_line(error)
    if count == 0:
        toolkit = cupy.cuda.runtime.runtimeGetVersion() // 1000
        raise BackendError(
            f"CuPy {cupy.__version__} looked for an NVIDIA GPU and found none ({reason}); "
            f"nvidia-smi must list one, and CUDA {toolkit} or above: install NVIDIA's driver, or "
            "the CuPy for the CUDA that it lists, such as 'cupy-cuda12x[ctk]'"
        )
    if not 0 <= device < count:
        raise BackendError(f"CUDA device {device}: give 0 to {count - 1}, as nvidia-smi lists them")
    return cupy  # type: ignore[no-any-return]


def _first_line(error: Exception) -> str:
    """What an error says first; CuPy frames some of its own with lines of signs."""
    lines = (line.strip() for line in str(error).splitlines())
    return next((line for line in lines if any(map(str.isalnum, line))), "")
