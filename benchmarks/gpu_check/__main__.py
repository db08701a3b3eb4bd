"""Runs all checks, prints them, and keeps them as JSON and text. Exit code 1 where one failed."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.gpu_check import right, speed
from benchmarks.gpu_check.counts import CARDS, counted
from benchmarks.gpu_check.right import Check
from vidgen import zoo
from vidgen.bench.machine import machine, machine_name
from vidgen.engines import Backend, choose_backend
from vidgen.errors import VidgenError

_MEDIA = {"av": "av", "opencv-python-headless": "cv2"}
"""What films need beside the rest: the package, and the module in it."""

SPEED_SIZES = {"x2-realtime": (1920, 1080), "x2-balanced": (1920, 1080), "x4-realtime": (960, 540)}


def main() -> int:
    """See the package."""
    args = arguments()
    try:
        report = on_the_cpu() if args.cpu_shim else on_the_gpu()
    except VidgenError as error:
        print(f"gpu_check: {error}", file=sys.stderr)
        return 1
    facts = machine()
    name = f"{machine_name(facts)}-shim" if args.cpu_shim else machine_name(facts)
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / f"gpu-check-{name}.json"
    path.write_text(json.dumps({"machine": facts, **report}, indent=1) + "\n", "utf-8")
    path.with_suffix(".txt").write_text("\n".join(lines(report)) + "\n", "utf-8")
    print(f"\nwritten: {path} and .txt")
    return int(any(not each["passed"] for each in report["checks"]))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu_check",
        description="Everything that needs an NVIDIA GPU, meant for eight minutes: kernels "
        "against references, networks against float32, memory, films that stay on the GPU, speed. "
        "Needs CuPy, torch, NumPy and ONNX; for films PyAV and OpenCV, too.",
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out/gpu-check"), help="folder (default: %(default)s)"
    )
    parser.add_argument(
        "--cpu-shim",
        action="store_true",
        help="without a GPU: the same checks on the CPU at tiny sizes, and speed as counted",
    )
    return parser.parse_args()


def on_the_gpu() -> dict[str, Any]:
    """All of it on the first GPU."""
    backend = choose_backend("cuda")
    speed.torch_here()
    import cupy

    shared_bytes = int(cupy.cuda.Device(0).attributes["MaxSharedMemoryPerBlockOptin"])
    began = time.monotonic()
    checks = [*told(right.kernels(cupy)), *told(right.networks(backend, 200, 120))]
    checks += told(right.motion(backend, cupy))
    checks += told(right.recalled(backend, 200, 120))
    checks += told(right.by_torch(200, 120, [*SPEED_SIZES]))
    checks += told(iter([right.growth(backend, cupy, 10_000, 640, 360)]))
    checks += told(films(640, 360, 50))
    facts = speed.card(cupy)
    kernels, more = speed.kernel_speed(cupy, facts, 3840, 2160)
    checks += told(iter(more))
    networks = []
    for name, size in SPEED_SIZES.items():
        result, more = speed.network_speed(backend, facts, name, *size, shared_bytes)
        networks.append(result)
        checks += told(iter(more))
    rates, more = film_rates()
    checks += told(iter(more))
    measured = {"card": facts, "kernels": kernels, "networks": networks, "films": rates}
    return {
        **summary(backend, checks, began),
        "measured": measured,
        "expected": expected(),
    }


def on_the_cpu() -> dict[str, Any]:
    """The same checks with the kernels compiled for this CPU; speed is counted, not measured."""
    from benchmarks.standin import standin

    sys.modules["cupy"] = cupy = standin()
    backend = choose_backend("cuda")
    began = time.monotonic()
    checks = told(right.kernels(cupy, [(9, 33)]))
    checks += told(right.networks(backend, 48, 32))
    checks += told(right.motion(backend, cupy, [(130, 201)]))
    checks += told(right.recalled(backend, 48, 32))
    checks += told(right.by_torch(48, 32, [*SPEED_SIZES]))
    checks += told(iter([right.growth(backend, cupy, 20, 48, 32)]))
    with stand_in_for_media():
        checks += told(films(64, 36, 4))
    return {**summary(backend, checks, began), "measured": {}, "expected": expected()}


def stand_in_for_media() -> AbstractContextManager[None]:
    """FFmpeg's own decoders and x264 in place of NVDEC and NVENC, where PyAV is here."""
    if _no_media():
        return nullcontext()
    from benchmarks.standin_media import media_standin

    return media_standin()


def films(width: int, height: int, frames: int) -> Iterator[Check]:
    """Of pictures that stay on the GPU between decoder and encoder, where PyAV is here."""
    if missing := _no_media():
        yield Check("films", True, f"left out: {missing}")
        return
    from benchmarks.gpu_check.films import same_films

    with TemporaryDirectory() as folder:
        yield from same_films(Path(folder), width, height, frames)


def film_rates() -> tuple[list[dict[str, Any]], list[Check]]:
    """How fast films are from end to end; nothing without PyAV."""
    if _no_media():
        return [], []
    from benchmarks.gpu_check.films import film_speed

    with TemporaryDirectory() as folder:
        return film_speed(Path(folder), 1920, 1080, 320)


def _no_media() -> str:
    absent = [name for name, module in _MEDIA.items() if not find_spec(module)]
    return f"pip install {' '.join(absent)}" if absent else ""


def summary(backend: Backend, checks: list[Check], began: float) -> dict[str, Any]:
    return {
        "backend": backend.describe(),
        "seconds": round(time.monotonic() - began, 1),
        "checks": [asdict(each) for each in checks],
    }


def told(checks: Iterator[Check]) -> list[Check]:
    """All of them, each printed as soon as it is known."""
    done = []
    for each in checks:
        done.append(each)
        print(line(asdict(each)), flush=True)
    return done


def expected() -> list[dict[str, Any]]:
    """Of each network on each card of the table: seconds a picture, counted and not measured."""
    rows = []
    for name, (width, height) in SPEED_SIZES.items():
        for card, (rate, bandwidth, kilobytes) in CARDS.items():
            counts = counted(zoo.load(name), width, height, 8, kilobytes * 1024)
            rows.append(
                {
                    "counted_not_measured": True,
                    "network": name,
                    "size": f"{width}x{height}",
                    "card": card,
                    "roofline_seconds": counts.least_seconds(rate, bandwidth),
                    "own_seconds_at_full_rate": counts.own_seconds(rate, bandwidth),
                    **asdict(counts),
                }
            )
    return rows


def line(check: dict[str, Any]) -> str:
    return f"{'ok  ' if check['passed'] else 'FAIL'} {check['what']}: {check['told']}"


def lines(report: dict[str, Any]) -> Iterator[str]:
    """The report for people."""
    yield f"{report['backend']}; {report['seconds']} s"
    yield from map(line, report["checks"])
    for each in report["measured"].get("kernels", ()):
        micro = each["seconds"]["median"] * 1e6
        yield f"{each['kernel']}: {micro:.1f} us, {each['of_copy']:.0%} of a copy's bandwidth"
    for each in report["measured"].get("networks", ()):
        micro = each["own_seconds"]["median"] * 1e6
        yield (
            f"{each['network']} {each['size']}: {micro:.0f} us, {each['of_roofline']:.0%} of the "
            f"roofline, {each['times_torch']:.2f} times as fast as torch"
        )
    for each in report["measured"].get("films", ()):
        by = "through the host" if each["by_host"] else "on the GPU"
        yield f"film to {each['film']}, pictures {by}: {each['fps']:.1f} a second; {each['way']}"
    yield "Counted, not measured; us a picture: roofline, and our kernels at the card's full rate"
    for each in report["expected"]:
        least, own = each["roofline_seconds"] * 1e6, each["own_seconds_at_full_rate"] * 1e6
        yield f"{each['network']} {each['size']}, {each['card']}: {least:.0f}, {own:.0f}"


if __name__ == "__main__":
    sys.exit(main())
