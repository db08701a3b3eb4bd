"""The command line: `vidgen COMMAND ...`. One small module a command; errors become text here.

Exit codes: 0 the whole output is there; 1 an error that a user can act on; 2 a word on the command
line is not accepted; 3 the source broke off, what could be read was kept; 70 a bug in vidgen; 130
stopped by Ctrl-C. Logs and errors go to stderr.
"""

from __future__ import annotations

import argparse
import errno
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence

from vidgen.cli import bench, compare, filter, info, models, stream, train, upscale, work
from vidgen.cli.parser import Completion, Parser, Version, read_arguments
from vidgen.errors import VidgenError

__all__ = ["main"]

_COMMANDS = (upscale, filter, stream, bench, work, compare, models, train, info)
"""Modules with `add_parser(commands)`, in the order of `vidgen --help`."""

_EXIT_BUG = 70  # EX_SOFTWARE of sysexits.h
_EXIT_INTERRUPTED = 128 + signal.SIGINT
_EXIT_BROKEN_PIPE = 128 + signal.SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `--help` and the like raise SystemExit."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except VidgenError as error:
        return _fail(str(error), error.exit_code, debug)
    except KeyboardInterrupt as error:
        _stop_listening()
        return _fail(str(error) or "stopped", _EXIT_INTERRUPTED, debug)
    except BrokenPipeError:
        # The reader of our output left (`vidgen info | head`); Python must not flush into the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - the last door: a user never meets a traceback unasked
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:  # wherever it is met
            return _fail(f"{error.filename}: too long a name; give a shorter one", 1, debug)
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        advice = "" if debug else "; run again with --debug"
        return _fail(f"{what} (this is a bug in vidgen{advice})", _EXIT_BUG, debug)


def _run(arguments: list[str]) -> int:
    parser = build_parser()
    if not arguments:
        parser.print_help(sys.stderr)
        return 2
    args = read_arguments(parser, arguments)
    _configure_logging(quiet=args.quiet, debug=args.debug)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as cleanly as Ctrl-C
    code: int = args.run(args)
    return code


def _stop_listening() -> None:
    """Let more of Ctrl-C pass unheard: the run is ending, and saying so."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def build_parser() -> Parser:
    """The whole command line, without importing what the commands need to run."""
    parser = Parser(
        prog="vidgen",
        description="Real-time video super-resolution and frame generation.",
        epilog="`vidgen COMMAND --help` tells the options of a command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=Version, nargs=0, help="print the version, and exit")
    parser.add_argument(
        "--print-completion",
        action=Completion,
        choices=Completion.shells,
        metavar="SHELL",
        help=f"print a completion script for {', '.join(Completion.shells)}, and exit",
    )
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=Parser
    )
    for module in _COMMANDS:
        module.add_parser(commands)
    return parser


def _configure_logging(*, quiet: bool, debug: bool) -> None:
    level = logging.DEBUG if debug else logging.ERROR if quiet else logging.WARNING
    logging.basicConfig(
        level=level, stream=sys.stderr, format="vidgen: %(levelname)s: %(message)s", force=True
    )


def _fail(message: str, code: int, debug: bool) -> int:
    """One line on stderr, after the traceback where it was asked for."""
    if debug:
        traceback.print_exc()
    print(f"vidgen: error: {' '.join(message.split())}", file=sys.stderr)
    return code
