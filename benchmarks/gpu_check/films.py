"""Films whose pictures stay on the GPU from NVDEC to NVENC: as through the host, and how fast.

What the card or FFmpeg lacks is said and left out: data-centre cards have no NVENC.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, nullcontext
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.gpu_check.right import Check
from vidgen.bench.film import write_scene
from vidgen.bench.metrics import psnr
from vidgen.bench.scenes import Scene
from vidgen.engines.cuda import Cuda
from vidgen.errors import VidgenError
from vidgen.frame import Planes
from vidgen.job import Report, Settings
from vidgen.media import Decoder, require_encodable
from vidgen.pipeline import build_stages, through
from vidgen.segments import run
from vidgen.stage import prefetch
from vidgen.stopwatch import Stopwatches
from vidgen.way import way_of

__all__ = ["film_speed", "same_films"]

_FPS = Fraction(25)
_FILMS = {8: "x264", 10: "x265"}
_NVENC = "nvenc-hevc"
_WARM_UP = 20  # pictures, in which kernels are compiled and captured
_NEAR = 50.0  # dB between two films of NVENC, which is given the same
_WANTED = 250  # pictures a second from 1920x1080 to 3840x2160, by NVDEC and not encoded
_BY_NVDEC = "decoded by NVDEC"


def same_films(folder: Path, width: int, height: int, frames: int) -> Iterator[Check]:
    """Pictures of NVDEC, and films of NVENC, are those that go through the host; at both depths."""
    for depth in _FILMS:
        film = _film(folder, width, height, frames, depth)
        yield _decoded(film, depth)
        yield _encoded(film, depth)


def film_speed(
    folder: Path, width: int, height: int, frames: int
) -> tuple[list[dict[str, Any]], list[Check]]:
    """Pictures a second to nothing and to a file, with pictures on the GPU and through the host."""
    film = _film(folder, width, height, frames, 8)
    told = [_to_null(film, by_host) for by_host in (False, True)]
    words = f"{told[0]['fps']:.0f} a second, wanted are {_WANTED}; {told[0]['way']}"
    what = f"film to nothing, {width}x{height} enlarged by 2"
    fast = told[0]["fps"] >= _WANTED or told[0]["way"] != _BY_NVDEC
    checks = [Check(what, fast, words)]
    if not _no_nvenc():
        told += [_to_file(film, by_host) for by_host in (False, True)]
    return told, checks


def _film(folder: Path, width: int, height: int, frames: int, depth: int) -> Path:
    """Drawn and encoded once."""
    path = folder / f"{width}x{height}-{frames}-{depth}.mkv"
    if not path.exists():
        scene, codec = Scene(width, height, bit_depth=depth), _FILMS[depth]
        write_scene(path, scene, fps=_FPS, seconds=frames / _FPS, codec=codec, preset="veryfast")
    return path


def _decoded(film: Path, depth: int) -> Check:
    what, gpu = f"NVDEC, {depth} bit", Cuda().pictures()
    with Decoder(film) as plain, Decoder(film, video=plain.format, gpu=gpu) as decoder:
        if decoder.decoded_on_host:
            return Check(what, True, f"left out: {decoder.decoded_on_host}")
        pairs = [
            (ours.time == theirs.time and _same(ours.planes, theirs.planes))
            for ours, theirs in zip(decoder, plain, strict=True)
        ]
    told = f"{pairs.count(False)} of {len(pairs)} pictures differ from FFmpeg's own"
    return Check(what, all(pairs), told)


def _same(there: Planes, here: Planes) -> bool:
    pairs = zip(there, here, strict=True)
    return all(np.array_equal(one.get(), other) for one, other in pairs)


def _encoded(film: Path, depth: int) -> Check:
    what = f"from NVDEC to NVENC, {depth} bit"
    if missing := _no_nvenc():
        return Check(what, True, f"left out: {missing}")
    ours, theirs = (_pictures(_run(film, by_host)[1]) for by_host in (False, True))
    least = min(
        psnr(one.reshape(len(one), -1), other.reshape(len(other), -1), depth)
        for pair in zip(ours, theirs, strict=False)
        for one, other in zip(*pair, strict=True)
    )
    told = f"{len(ours)} pictures, at least {least:.1f} dB from those through the host"
    return Check(what, len(ours) == len(theirs) and least >= _NEAR, told)


def _no_nvenc() -> str:
    try:
        require_encodable(Path("out.mkv"), _NVENC)
    except VidgenError as error:
        return str(error)
    return ""


def _settings(film: Path) -> Settings:
    target = film.with_suffix(".out.mkv")
    return Settings(source=film, target=target, backend="cuda", codec=_NVENC, overwrite=True)


def _through_host(by_host: bool) -> Any:
    """Pictures go through the host even where they need not."""
    return patch.object(Cuda, "pictures", lambda cuda: None) if by_host else nullcontext()


def _run(film: Path, by_host: bool) -> tuple[Report, Path]:
    settings = _settings(film)
    with _through_host(by_host):
        return run(settings), settings.target


def _pictures(film: Path) -> list[Planes]:
    with Decoder(film) as decoder:
        return [frame.planes for frame in decoder]


def _to_file(film: Path, by_host: bool) -> dict[str, Any]:
    report, _ = _run(film, by_host)
    fps = report.frames_out / report.seconds
    return {"film": "NVENC", "by_host": by_host, "fps": fps, "way": report.engine}


def _to_null(film: Path, by_host: bool) -> dict[str, Any]:
    with Decoder(film) as plain, _through_host(by_host):
        video, settings = plain.format, _settings(film)
        way = way_of(settings, build_stages(settings, video)[0])
    with Decoder(film, video=video, gpu=way.lands) as decoder, ExitStack() as stack:
        here = way.lands is not None and not decoder.decoded_on_host
        frames: Any = decoder if here else stack.enter_context(closing(prefetch(decoder)))
        made = through(way.steps, frames, Stopwatches(), stack)
        for _ in islice(made, _WARM_UP):
            pass
        began = time.perf_counter()
        count = sum(1 for _ in made)
        fps = count / (time.perf_counter() - began)
        told = _BY_NVDEC if here else decoder.decoded_on_host or "through the host"
        return {"film": "nothing", "by_host": by_host, "fps": fps, "way": told}
