"""`vidgen work list` and `vidgen work clean`: what unfinished runs have left on the disk."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from vidgen.target import is_picture

if TYPE_CHECKING:
    from vidgen.segments import Leftover

__all__ = ["add_parser"]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "work",
        help="list or remove what unfinished runs have left",
        description="Films in the making lie in work folders, OUT.vidgen beside their outputs, "
        "until they are whole. Those of runs that will not be continued can be removed here.",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, meaning in (
        ("list", "show work folders"),
        ("clean", "remove work folders, unless a run is at work in them"),
    ):
        action = actions.add_parser(name, help=meaning, description=f"{meaning.capitalize()}.")
        action.add_argument(
            "places",
            metavar="FOLDER",
            nargs="*",
            type=Path,
            default=[Path()],
            help="work folders, or folders they lie in (default: this one)",
        )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Say what there is, or remove it."""
    from vidgen.segments import clean_leftover, leftovers  # deferred: `--help` needs none of it

    found = leftovers(args.places)
    if not found:
        print("no unfinished work")
    for each in found:
        if args.action == "clean" and not each.busy:
            clean_leftover(each)
            print(f"removed {_line(each)}")
        else:
            print(_line(each))
    return 0


def _line(each: Leftover) -> str:
    """`out.mkv.vidgen: 12 pieces, 340.1 MB, 2026-11-23 15:30, of film.mkv, at work`."""
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(each.changed))
    state = ", at work" if each.busy else ""
    kind = "pictures" if is_picture(Path(each.source)) else "pieces"
    size = f"{each.bytes / 1e6:.1f} MB"
    return f"{each.path}: {each.finished} {kind}, {size}, {when}, of {each.source}{state}"
