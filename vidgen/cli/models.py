"""`vidgen models list|show NAME`: the networks that came with this installation."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vidgen.zoo import Model

__all__ = ["add_parser"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "models",
        help="list the networks, or show the card of one",
        description="List the networks of this installation, or show the card of one: what it was "
        "trained on, how good it was measured to be, and its licence.",
    )
    parser.add_argument("action", choices=("list", "show"), help="what to do")
    parser.add_argument("name", nargs="?", metavar="NAME", help="of the model to show")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print to stdout."""
    from vidgen import zoo  # deferred: `--help` needs none of it
    from vidgen.errors import UsageError

    if args.action == "list":
        for name in zoo.names():
            print(_line(zoo.load(name)))
    elif args.name is None:
        raise UsageError(f"vidgen models show: which one? Give {' or '.join(zoo.names())}")
    else:
        print(zoo.card_text(args.name))
    return 0


def _line(model: Model) -> str:
    """`x2-realtime  upscale x2, realtime tier, 6,688 parameters, MIT`."""
    what = f"{model.task} x{model.scale}, {model.tier} tier"
    return f"{model.name:<14} {what}, {model.parameters:,} parameters, {model.license}"
