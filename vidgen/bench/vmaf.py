"""VMAF and VMAF-NEG, by an FFmpeg program that has libvmaf inside.

Pictures go to it through one pipe, reference above output in one tall picture that its filters cut
apart: so the pairing stays ours, and one pipe cannot block another.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from vidgen.errors import BackendError

__all__ = ["Vmaf", "find_ffmpeg"]

_MODELS = {"vmaf": "vmaf_v0.6.1", "vmaf_neg": "vmaf_v0.6.1neg"}
_THREADS = 2


@cache
def find_ffmpeg() -> Path | None:
    """An `ffmpeg` with libvmaf: that of the path, else the one in the package imageio-ffmpeg."""
    found = shutil.which("ffmpeg")
    candidates = [Path(found)] if found else []
    if importlib.util.find_spec("imageio_ffmpeg") is not None:
        import imageio_ffmpeg  # the extra `vmaf`

        with suppress(RuntimeError):  # "no ffmpeg exe could be found"
            candidates.append(Path(imageio_ffmpeg.get_ffmpeg_exe()))
    return next((program for program in candidates if _has_libvmaf(program)), None)


def _has_libvmaf(program: Path) -> bool:
    command = [str(program), "-hide_banner", "-v", "error", "-h", "filter=libvmaf"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return False
    return "libvmaf AVOptions" in done.stdout


class Vmaf:
    """A run of the program; a context manager. Give it every pair in order, then ask `scores`."""

    def __init__(self, program: Path, bit_depth: int) -> None:
        self._program, self._bit_depth = program, bit_depth
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="vidgen-vmaf-")
        self._said: IO[bytes] = (Path(self._folder.name) / "said").open("w+b")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._closed(self._process)
            self._process.wait()
        self._said.close()
        self._folder.cleanup()

    def add(self, reference: NDArray[Any], output: NDArray[Any]) -> None:
        """One pair of luma planes (H, W), all of one size and of the bit depth. Keeps neither."""
        process = self._process or self._started(*reference.shape)
        assert process.stdin is not None
        try:
            for luma in (reference, output):
                process.stdin.write(np.ascontiguousarray(luma).data)
            process.stdin.write(self._gray)
        except BrokenPipeError:
            raise BackendError(self._why()) from None

    def scores(self) -> list[dict[str, float]]:
        """`vmaf` and `vmaf_neg` of every pair, 0 to 100. Ends the run. Raises BackendError."""
        if self._process is None:
            return []
        self._closed(self._process)
        if self._process.wait():
            raise BackendError(self._why())
        log = json.loads((Path(self._folder.name) / "log.json").read_text("utf-8"))
        return [{name: frame["metrics"][name] for name in _MODELS} for frame in log["frames"]]

    def _closed(self, process: subprocess.Popen[bytes]) -> None:
        """No more pictures: what is left in the pipe's buffer may meet a program that has ended."""
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.close()

    def _started(self, height: int, width: int) -> subprocess.Popen[bytes]:
        deep = self._bit_depth > 8
        # VMAF looks at luma alone: chroma is flat, and there because the filter wants it
        gray = np.full(height * width, 2 ** (self._bit_depth - 1), np.uint16 if deep else np.uint8)
        self._gray = gray.tobytes()
        self._process = subprocess.Popen(
            self._command(height, width, f"yuv420p{'10le' if deep else ''}"),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            cwd=self._folder.name,  # so that no path needs escaping in the filter's words
        )
        return self._process

    def _command(self, height: int, width: int, pix_fmt: str) -> list[str]:
        models = "|".join(f"version={model}\\\\:name={name}" for name, model in _MODELS.items())
        graph = (
            "split[a][b];[a]crop=iw:ih/2:0:0[ref];[b]crop=iw:ih/2:0:ih/2[out];"
            f"[out][ref]libvmaf=model={models}:n_threads={_THREADS}:log_fmt=json:log_path=log.json"
        )
        raw = ["-f", "rawvideo", "-pix_fmt", pix_fmt, "-s", f"{width}x{2 * height}", "-i", "-"]
        quiet = ["-hide_banner", "-nostats", "-v", "error"]
        return [str(self._program), *quiet, *raw, "-lavfi", graph, "-f", "null", "-"]

    def _why(self) -> str:
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return f"{self._program} cannot measure VMAF: {lines[0] if lines else 'it said nothing'}"
