"""What every command owes: help, version, near misses, completion, and nothing heavy for them."""

import subprocess
import sys
from importlib.metadata import version
from itertools import pairwise

import pytest

from vidgen.cli import _COMMANDS, build_parser
from vidgen.cli.parser import _commands

COMMANDS = sorted(_commands(build_parser()))


def test_help_lists_the_commands(vidgen):
    result = vidgen("--help")
    assert (result.returncode, result.stderr) == (0, "")
    for command in COMMANDS:
        assert f"\n    {command} " in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(vidgen, command):
    result = vidgen(command, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"usage: vidgen {command}")


def test_no_words_at_all(vidgen):
    result = vidgen()
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("usage: vidgen")


def test_version(vidgen):
    result = vidgen("--version")
    assert (result.returncode, result.stdout) == (0, f"vidgen {version('vidgen')}\n")


def test_a_file_whose_name_looks_like_an_option(vidgen, error_of, tmp_path):
    (tmp_path / "-film.mkv").touch()
    assert "give ./-film.mkv" in error_of(vidgen("upscale", "-film.mkv", "out.mkv"), 2)


@pytest.mark.parametrize(
    ("words", "mentioned"),
    [
        (["upscal", "in.mkv"], ["upscal", "did you mean upscale?"]),
        (["explode"], ["explode", "give upscale, filter, stream"]),
        (["upscale", "in.mkv", "out.mkv", "--overwrit"], ["did you mean --overwrite?"]),
        (["upscale", "in.mkv", "out.mkv", "--sclae=2"], ["--sclae", "did you mean --scale?"]),
        (["upscale", "in.mkv", "out.mkv", "--zzz"], ["--zzz", "--codec"]),
        (["upscale", "in.mkv", "out.mkv", "more.mkv"], ["more.mkv", "give a folder as OUT"]),
        (["upscale", "in.mkv"], ["OUT"]),
        (["upscale", "in.mkv", "out.mkv", "--crf"], ["--crf", "expected one argument"]),
        (["compare", "in.mkv"], ["OUT"]),
        (["info", "in.mkv", "--jsn"], ["did you mean --json?"]),
    ],
)
def test_words_that_nobody_knows(vidgen, error_of, words, mentioned):
    text = error_of(vidgen(*words), 2)
    for each in mentioned:
        assert each in text


def test_help_imports_nothing_heavy():
    """So that help, errors of words and completion are there at once."""
    code = (
        "import sys, contextlib, io, vidgen.cli\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    vidgen.cli.main(['upscale', '--help'])\n"
        "heavy = {'av', 'numpy', 'cv2', 'openvino', 'torch', 'shtab'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr


def test_every_command_has_run_and_a_description():
    parsers = _commands(build_parser())
    assert len(parsers) == len(_COMMANDS)
    for parser in parsers.values():
        assert parser.description
        assert callable(parser.get_default("run"))


@pytest.fixture(scope="module")
def complete(tmp_path_factory):
    """`complete("upscale", "--co")`: what a real bash offers for the last word."""
    folder = tmp_path_factory.mktemp("completion")
    command = [sys.executable, "-m", "vidgen", "--print-completion", "bash"]
    script = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    (folder / "vidgen.bash").write_text(script)
    (folder / "film.mkv").touch()

    def offers(*words: str) -> list[str]:
        ask = (
            "source ./vidgen.bash; line=$(complete -p vidgen)\n"
            "name=${line#*-F }; name=${name%% *}\n"
            'COMP_WORDS=(vidgen "$@"); COMP_CWORD=$#; COMP_LINE="${COMP_WORDS[*]}"\n'
            'COMP_POINT=${#COMP_LINE}; $name vidgen "${COMP_WORDS[COMP_CWORD]}" '
            '"${COMP_WORDS[COMP_CWORD-1]}" 2>/dev/null; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        result = subprocess.run(
            ["bash", "--norc", "-c", ask, "bash", *words],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=20,
        )
        assert result.returncode == 0, result.stderr
        return result.stdout.split()

    return offers


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ([""], COMMANDS),
        (["up"], ["upscale"]),
        (["--ver"], ["--version"]),
        (["upscale", "--co"], ["--codec"]),
        (["upscale", "--codec", "x2"], ["x264", "x265"]),
        (["upscale", "--tier", ""], ["realtime", "balanced", "quality", "still"]),
        (["upscale", "fi"], ["film.mkv"]),
        (["compare", "film.mkv", "fi"], ["film.mkv"]),
        (["info", "--js"], ["--json"]),
    ],
)
def test_completion_in_bash(complete, words, offered):
    assert set(offered) <= set(complete(*words))
    if len(offered) < len(COMMANDS):
        assert len(complete(*words)) == len(offered)


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_completion_for_other_shells(vidgen, shell):
    result = vidgen("--print-completion", shell)
    assert result.returncode == 0
    assert "vidgen" in result.stdout
    assert "upscale" in result.stdout


def test_completion_for_an_unknown_shell(vidgen, error_of):
    assert "did you mean bash?" in error_of(vidgen("--print-completion", "bas"), 2)


def test_options_are_told_in_the_order_in_which_they_are_used(vidgen):
    text = vidgen("upscale", "--help").stdout
    places = [text.index(f"\n  {flag} ") for flag in ("--scale", "--size", "--fps", "--codec")]
    assert all(early < late for early, late in pairwise(places))


@pytest.mark.parametrize("words", [["info"], ["upscale", "out.mkv"], ["compare", "b.mkv"]])
def test_a_name_that_is_too_long(vidgen, words):
    command, *others = words
    result = vidgen(command, "x" * 300 + ".mkv", *others)
    assert result.returncode == 1
    assert result.stderr == f"vidgen: error: {'x' * 300}.mkv: too long a name; give a shorter one\n"
