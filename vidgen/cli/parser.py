"""How words on the command line are read: one-line errors with the near miss, shell completion."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from vidgen.cli.version import vidgen_version
from vidgen.errors import UsageError

__all__ = ["Completion", "Parser", "Version", "read_arguments"]

_NUMBERS = {"int": "a whole number", "float": "a number"}
_FILE_METAVARS = {"IN", "OUT", "REF", "FILE", "RECIPE", "PNG", "HTML", "JSON"}


class Parser(argparse.ArgumentParser):
    """argparse with exact option names, `--quiet` and `--debug` anywhere, and UsageError."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **kwargs})
        common = self.add_argument_group("messages")
        for flag, meaning in (
            ("--quiet", "print errors only"),
            ("--debug", "print what happens, and where an error comes from"),
        ):
            # SUPPRESS: the flag before the command is not undone by the command's own default
            common.add_argument(flag, action="store_true", default=argparse.SUPPRESS, help=meaning)

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with argparse's message, the near miss added where there is one."""
        choices = {flag: each.choices for each in self._actions for flag in each.option_strings}
        raise UsageError(f"{_with_hint(message, choices)}; see {self.prog} --help")


class Completion(argparse.Action):
    """`--print-completion SHELL`: write the completion script of that shell and leave."""

    shells = ("bash", "zsh", "tcsh")

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Called by argparse when it meets the option."""
        import shtab  # deferred: only this option needs it

        for action in _all_actions(parser):
            if action.metavar in _FILE_METAVARS:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
        print(shtab.complete(parser, shell=str(values)))
        parser.exit()


class Version(argparse.Action):
    """`--version`: the package's metadata are read only when asked for."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Called by argparse when it meets the option."""
        print(f"vidgen {vidgen_version()}")
        parser.exit()


def read_arguments(parser: Parser, arguments: Sequence[str]) -> argparse.Namespace:
    """Parse; an unknown option is a UsageError that names the nearest one of its command."""
    try:
        args, unknown = parser.parse_known_args(arguments)
    except UsageError:
        for word in arguments:
            if word.startswith("-") and Path(word).is_file():
                raise UsageError(f"{word}: begins with -; for that file give ./{word}") from None
        raise
    args.quiet = getattr(args, "quiet", False)
    args.debug = getattr(args, "debug", False)
    if not unknown:
        return args
    command = " ".join(filter(None, (parser.prog, args.command)))
    word = unknown[0].split("=")[0]
    if not word.startswith("-"):
        raise UsageError(f"{word}: one word too many; see {command} --help")
    flags = _flags(parser, args.command)
    near = difflib.get_close_matches(word, flags, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(flags))}"
    raise UsageError(f"{word}: {command} has no such option; {hint}")


def _flags(parser: Parser, command: str) -> set[str]:
    """The long options that may follow `command`."""
    inner = _commands(parser)[command]
    return {flag for action in inner._actions for flag in action.option_strings if flag != "-h"}


def _commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Parsers of the commands, by name; empty where there are none."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _all_actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Options and arguments of the parser and of all commands below it."""
    inner = [action for each in _commands(parser).values() for action in _all_actions(each)]
    return [*parser._actions, *inner]


def _with_hint(message: str, choices: Mapping[str, Iterable[object] | None]) -> str:
    """`message` in one line; a wrong choice gets the nearest accepted word."""
    message = " ".join(message.split())
    if typed := re.fullmatch(r"argument (\S+): invalid (int|float) value: '(.*)'", message):
        words = ", ".join(map(str, choices.get(typed[1]) or ())) or _NUMBERS[typed[2]]
        return f"{typed[1]} {typed[3]}: give {words}"
    wrong = re.search(r"invalid choice: '?(.*?)'? \(choose from (.*)\)", message)
    if wrong is None:
        return message
    accepted = [word.strip(" '") for word in wrong[2].split(",")]
    near = difflib.get_close_matches(wrong[1], accepted, 1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    start = message[: wrong.start()].removeprefix("argument ").rstrip(": ").lower()
    return f"{start} {wrong[1]}: unknown{hint}; give {', '.join(accepted)}"
