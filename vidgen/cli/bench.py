"""`vidgen bench`: how fast this machine is; `vidgen bench compare A B`: beside another."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidgen.cli.compare import write_text
from vidgen.cli.options import TIERS
from vidgen.errors import UsageError
from vidgen.timing import parse_rate

if TYPE_CHECKING:
    from vidgen.bench.deadlines import Proof
    from vidgen.bench.speed import Row, Work

__all__ = ["add_parser"]

_SIZES = "640x360,960x540"
_QUICK = {"engine_seconds": 0.3, "film_frames": 24}
_SECONDS = Fraction(10)
_JOBS: tuple[dict[str, Any], ...] = (
    {"scale": 2, "tier": "realtime"},
    {"scale": 2, "tier": "balanced"},
    {"scale": 1, "fps": "x2"},
    {"scale": 2, "fps": "x2", "tier": "realtime"},
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "bench",
        help="measure how fast this machine is, or compare two machines",
        description="Every network alone, and films decoded, computed and encoded. `bench compare "
        "A.json B.json` puts two results side by side.",
    )
    parser.add_argument(
        "words", metavar="compare A B", nargs="*", help="two files that --json wrote"
    )
    parser.add_argument(
        "--sizes",
        metavar="LIST",
        default=_SIZES,
        help="picture sizes that go in (default: %(default)s)",
    )
    parser.add_argument(
        "--backend", choices=("auto", "openvino", "tensorrt", "cuda"), default="auto"
    )
    parser.add_argument("--device", metavar="N", type=int, default=0, help="number of the GPU")
    parser.add_argument(
        "--only", choices=("engine", "film"), help="networks alone, or films (default: both)"
    )
    parser.add_argument("--quick", action="store_true", help="a rough figure in a few seconds")
    parser.add_argument(
        "--realtime",
        metavar="FPS",
        help="instead: pictures arrive at that rate for ten seconds and have to be ready in time",
    )
    parser.add_argument(
        "--fps", metavar="RATE", help="with --realtime: make frames for this rate, too"
    )
    parser.add_argument("--tier", choices=TIERS, default="realtime")
    parser.add_argument(
        "--json",
        metavar="FILE",
        type=Path,
        help="write the figures, and all they depend on; a folder gets the machine's name",
    )
    parser.add_argument("--plot", metavar="SVG", type=Path, help="draw the figures as bars")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print a table to stdout; progress goes to stderr."""
    if args.words:
        return _compare(args.words)
    sizes = [_size(word) for word in args.sizes.split(",")]
    if args.realtime:
        return _prove(args, sizes[-1])
    from vidgen.bench.standing import bars, rows_table

    rows = list(_rows(args, sizes))
    print(rows_table(rows))
    if args.json:
        _write(args.json, "bench", {"rows": [row.plain() for row in rows]}, args)
    if args.plot:
        write_text(args.plot, bars(rows, f"vidgen, {_describe(args)}: pictures a second"))
    return 0


def _rows(args: argparse.Namespace, sizes: list[tuple[int, int]]) -> Any:
    from vidgen import zoo
    from vidgen.bench.speed import Work, engine_row
    from vidgen.engines import choose_backend
    from vidgen.memory import keep_freed_memory

    keep_freed_memory()
    work = Work(**_QUICK) if args.quick else Work()  # type: ignore[arg-type]
    backend = choose_backend(args.backend, args.device)
    with tempfile.TemporaryDirectory(prefix="vidgen-bench-") as name:
        for size in sizes:
            if args.only != "film":
                for model in map(zoo.load, zoo.names(zoo.models_folder())):
                    _say(args, f"{model.name}, {size[0]}x{size[1]}")
                    yield engine_row(backend, model, size, work)
            if args.only != "engine":
                yield from _films(args, Path(name), size, work)


def _films(args: argparse.Namespace, folder: Path, size: tuple[int, int], work: Work) -> Any:
    from vidgen.bench.speed import film_rows

    for words in _JOBS:
        told = " ".join(f"--{word} {value}" for word, value in words.items())
        _say(args, f"film of {size[0]}x{size[1]}, {told}")
        rows: list[Row] = list(film_rows(folder, size, {**words, **_device(args)}, work))
        yield from rows


def _device(args: argparse.Namespace) -> dict[str, Any]:
    """What rows need not say where it is the usual."""
    given = {"backend": args.backend, "device": args.device}
    return {name: value for name, value in given.items() if value not in ("auto", 0)}


def _prove(args: argparse.Namespace, size: tuple[int, int]) -> int:
    """Exit code 1 where a deadline was missed."""
    from vidgen.bench.deadlines import prove
    from vidgen.bench.scenes import Scene
    from vidgen.bench.standing import proof_lines
    from vidgen.job import Settings
    from vidgen.pipeline import build_stages

    rate = parse_rate(args.realtime, option="--realtime")
    scene = Scene(*size, cut=None)
    settings = Settings(
        source=Path(), target=Path(), tier=args.tier, fps=args.fps, backend=args.backend,
        device=args.device,
    )  # fmt: skip
    stages, engine = build_stages(settings, scene.format(rate))
    _say(args, f"{engine}, {size[0]}x{size[1]}, {rate} pictures a second")
    pictures = list(scene.frames(rate, Fraction(1)))
    seconds = Fraction(1) if args.quick else _SECONDS
    proof: Proof = prove(stages, pictures, rate, seconds)
    print(proof_lines(proof))
    if args.json:
        _write(
            args.json, "realtime", {"size": f"{size[0]}x{size[1]}", "proof": proof.plain()}, args
        )
    return 0 if proof.held else 1


def _compare(words: list[str]) -> int:
    from vidgen.bench.standing import versus

    if words[0] != "compare" or len(words) != 3:
        raise UsageError(f"bench {' '.join(words)}: give `vidgen bench compare A.json B.json`")
    print(versus(Path(words[1]), Path(words[2])))
    return 0


def _write(path: Path, kind: str, data: dict[str, Any], args: argparse.Namespace) -> None:
    from vidgen.bench.machine import machine, machine_name

    facts = machine()
    if path.is_dir():
        path = path / f"{kind}-{machine_name(facts)}.json"
    text = json.dumps({"machine": facts, "engine": _describe(args), **data}, indent=1) + "\n"
    write_text(path, text)
    _say(args, f"written: {path}")


def _describe(args: argparse.Namespace) -> str:
    from vidgen.engines import choose_backend

    return choose_backend(args.backend, args.device).describe()


def _say(args: argparse.Namespace, text: str) -> None:
    if not args.quiet:
        print(text, file=sys.stderr)


def _size(word: str) -> tuple[int, int]:
    """`960x540`. Raises UsageError."""
    width, _, height = word.partition("x")
    if not (width.isdigit() and height.isdigit()) or min(int(width), int(height)) < 16:
        raise UsageError(f"--sizes {word}: give WxH, such as 960x540, 16 pixels a side or more")
    if int(width) % 2 or int(height) % 2:
        raise UsageError(f"--sizes {word}: give even sides")
    return int(width), int(height)
