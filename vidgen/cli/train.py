"""`vidgen train RECIPE`: train a network and write it into the models folder."""

from __future__ import annotations

import argparse
import importlib.util
import logging
from pathlib import Path

from vidgen.errors import UsageError

__all__ = ["add_parser"]

_NEEDED = ("torch", "onnx", "safetensors")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "train",
        help="train a network from a recipe",
        description="Prepare the data (once, minutes), train, and write ONNX, weights and card. "
        "The state is kept every minute; the recipes of the shipped models are in models/recipes.",
    )
    parser.add_argument("recipe", metavar="RECIPE", type=Path, help="TOML file")
    parser.add_argument("--resume", action="store_true", help="go on from the kept state")
    parser.add_argument(
        "--minutes", metavar="N", type=float, help="stop after N minutes; --resume goes on later"
    )
    parser.add_argument(
        "--out", metavar="FOLDER", type=Path, default=Path("models"), help="default: models"
    )
    parser.add_argument(
        "--threads", metavar="N", type=int, help="CPU threads; default: one a physical core"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train to the end of the recipe, or for the minutes given; progress goes to stderr."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(f"vidgen train needs {', '.join(missing)}: pip install 'vidgen[train]'")
    if args.minutes is not None and not args.minutes > 0:
        raise UsageError(f"--minutes {args.minutes:g}: give a number above 0")
    if args.threads is not None and args.threads < 1:
        raise UsageError(f"--threads {args.threads}: give a number from 1")
    if not args.quiet:
        logging.getLogger("vidgen.train").setLevel(logging.INFO)
    from vidgen.train.run import train_recipe  # deferred: needs torch

    seconds = None if args.minutes is None else args.minutes * 60
    print(train_recipe(args.recipe, args.out, args.resume, seconds, args.threads))
    return 0
