"""`vidgen compare REF OUT`: how near one film is to another, in figures and in a picture."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from vidgen.errors import OutputError

if TYPE_CHECKING:
    from vidgen.bench.compare import Comparison

__all__ = ["add_parser"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "compare",
        help="measure one film against another",
        description="PSNR and SSIM of the luma of OUT against REF. Each frame of OUT is compared "
        "with the frame of REF that is on show at its time.",
    )
    parser.add_argument("reference", metavar="REF", type=Path, help="film taken as the truth")
    parser.add_argument("output", metavar="OUT", type=Path, help="film to measure")
    parser.add_argument(
        "--resize", action="store_true", help="resample REF (Lanczos) where the sizes differ"
    )
    parser.add_argument(
        "--png", metavar="PNG", type=Path, help="write the worst and a middle frame side by side"
    )
    parser.add_argument(
        "--json", metavar="JSON", help="write all figures to this file; - is stdout, for the table"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Measure; the table goes to stdout."""
    from vidgen.bench.compare import compare, sheet  # deferred: `--help` needs none of it
    from vidgen.bench.picture import write_png

    result = compare(args.reference, args.output, resize=args.resize)
    if args.png:
        write_png(args.png, sheet(result))
    if args.json == "-":
        json.dump(_figures(args, result), sys.stdout, indent=2)
        print()
        return 0
    if args.json:
        _write_json(Path(args.json), _figures(args, result))
    if not args.quiet:
        print(_table(result))
    return 0


def _write_json(path: Path, figures: dict[str, object]) -> None:
    try:
        path.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None


def _table(result: Comparison) -> str:
    """What a person wants to know, in a few aligned lines."""
    worst_psnr = min(result.scores, key=lambda score: score.psnr_y)
    worst_ssim = min(result.scores, key=lambda score: score.ssim_y)
    rows = [
        (
            f"{len(result.scores)} frames, {result.output.width}x{result.output.height}, "
            f"{result.bit_depth} bit"
        ),
        "          mean      worst  at second",
        (
            f"PSNR-Y  {result.psnr_y:6.2f} dB  {worst_psnr.psnr_y:6.2f} dB  "
            f"{float(worst_psnr.time):.3f}"
        ),
        (
            f"SSIM-Y  {result.ssim_y:6.4f}     {worst_ssim.ssim_y:6.4f}     "
            f"{float(worst_ssim.time):.3f}"
        ),
    ]
    if result.unmatched:
        rows.append(f"note: {result.unmatched} frames of OUT lie after the end of REF")
    return "\n".join(rows)


def _figures(args: argparse.Namespace, result: Comparison) -> dict[str, object]:
    """Everything for a program; times are exact fractions of a second as text."""
    return {
        "reference": str(args.reference),
        "output": str(args.output),
        "width": result.output.width,
        "height": result.output.height,
        "bit_depth": result.bit_depth,
        "resized": (result.reference.width, result.reference.height)
        != (result.output.width, result.output.height),
        "psnr_y": round(result.psnr_y, 4),
        "ssim_y": round(result.ssim_y, 6),
        "unmatched": result.unmatched,
        "frames": [
            {
                "time": str(score.time),
                "psnr_y": round(score.psnr_y, 4),
                "ssim_y": round(score.ssim_y, 6),
            }
            for score in result.scores
        ],
    }
