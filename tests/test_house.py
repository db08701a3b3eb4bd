"""The house stands as it is drawn: who imports whom, what is public, what is told, what ships."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from vidgen.cli import build_parser
from vidgen.cli.parser import read_arguments
from vidgen.media import codec_names
from vidgen.sizes import SIZES

ROOT = Path(__file__).parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "vidgen").rglob("*.py"))
}

FLOORS = [
    {"errors"},
    {"timing", "frame", "scan", "light", "reference"},
    {"given"},
    {"stage", "stopwatch", "zoo", "kernels", "job", "memory", "sizes", "surface", "target"},
    {"media", "engines"},
    {"motion", "adopt"},
    {"restore"},
    {"stages", "reading"},
    {"way"},
    {"pipeline"},
    {"segments", "live", "filter"},
    {"stills"},
    {"cluster", "upscale"},
    {"bench"},
    {"cli", "plugins"},
    {"__main__"},
]
"""From the ground up; a module imports from floors below its own, and within its own package."""

BESIDE = {
    "nets": set(),
    "train": {"nets", "bench", "motion", "media", "engines", "zoo", "timing", "frame", "errors"},
}
"""Outside the house, and what they may use of it; only their command and tests use them."""

HOMES = {
    "av": ("vidgen.media",),
    "cupy": ("vidgen.kernels", "vidgen.engines"),
    "gi": ("vidgen.plugins",),
    "openvino": ("vidgen.engines",),
    "ray": ("vidgen.cluster",),
    "tensorrt": ("vidgen.engines.tensorrt",),
    "vapoursynth": ("vidgen.plugins",),
    "torch": ("vidgen.nets", "vidgen.train"),
    "onnx": ("vidgen.train", "vidgen.adopt", "vidgen.engines"),
    "safetensors": ("vidgen.train",),
}
"""Third-party modules that only these import."""


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text("utf-8"))


def imports(module: str) -> Iterator[tuple[str, str]]:
    """(module, name) of each import anywhere in `module`; the name is empty for `import x`."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner, "") if inner in MODULES else (str(node.module), alias.name)


def inner_imports(module: str) -> set[str]:
    return {target for target, _ in imports(module) if target.split(".")[0] == "vidgen"}


def part(module: str) -> str:
    """`vidgen.media.decode` is of the part `media`."""
    return module.split(".")[1] if "." in module else ""


def public(module: str) -> list[str] | None:
    """The names in `__all__`; None where there is none."""
    for node in tree(module).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return list(ast.literal_eval(node.value))
    return None


def test_every_module_has_its_floor():
    drawn = set().union(*FLOORS) | BESIDE.keys()
    assert {part(module) for module in MODULES} - {""} <= drawn


@pytest.mark.parametrize("module", [each for each in MODULES if part(each)])
def test_imports_go_down(module):
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    own = part(module)
    for target in inner_imports(module) - {"vidgen"}:
        other = part(target)
        if other == own:
            continue
        if own in BESIDE:
            assert other in BESIDE[own], f"{module} may not use {target}"
        elif other in BESIDE:
            assert module == "vidgen.cli.train", f"{module} may not use {target}"
        else:
            assert floor[other] < floor[own], f"{module} imports {target}, not below it"


def test_no_import_runs_in_a_circle():
    TopologicalSorter({module: inner_imports(module) - {"vidgen"} for module in MODULES}).prepare()


@pytest.mark.parametrize("library", HOMES)
def test_libraries_stay_at_home(library):
    users = {
        module
        for module in MODULES
        for target, _ in imports(module)
        if target.split(".")[0].removesuffix("_rtx") == library
    }
    strangers = {
        user
        for user in users
        if not any(user == home or user.startswith(f"{home}.") for home in HOMES[library])
    }
    assert not strangers


def test_threads_are_made_in_one_file():
    makers = {
        module
        for module in MODULES
        for node in ast.walk(tree(module))
        if getattr(node, "attr", getattr(node, "id", "")) in ("Thread", "ThreadPoolExecutor")
    }
    assert makers == {"vidgen.stage"}


def loaded_after(code: str, cwd: Path) -> set[str]:
    """Top-level modules in a fresh interpreter after `code`."""
    code += "\nimport sys\nprint(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())


HEAVY = {"av", "cv2", "numpy", "openvino", "onnx", "safetensors", "torch", "cupy", "tensorrt"}


@pytest.mark.parametrize(
    "code",
    [
        "import vidgen",
        "from vidgen.cli import build_parser; build_parser().format_help()",
    ],
)
def test_import_and_help_load_no_library(code, tmp_path):
    assert not loaded_after(code, tmp_path) & HEAVY


def test_a_run_loads_no_training_and_no_gpu_library(clip, tmp_path):
    source, target = clip(frames=3), tmp_path / "out.mkv"
    code = (
        "from vidgen.cli import main\n"
        f"assert main(['upscale', {str(source)!r}, {str(target)!r}, '--fps', 'x2', '--quiet']) == 0"
    )
    loaded = loaded_after(code, tmp_path)
    assert {"av", "cv2", "numpy", "openvino"} <= loaded
    assert not loaded & {"torch", "onnx", "safetensors", "cupy", "tensorrt", "tensorrt_rtx"}


def test_no_test_waits_for_ever_for_a_program():
    """A killed process may stay in the kernel for minutes; a test then fails instead of hanging."""
    for path in (ROOT / "tests").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = getattr(call, "func", None)
            if not isinstance(name, ast.Attribute) or name.attr not in (
                "run",
                "communicate",
                "wait",
            ):
                continue
            if name.attr != "run" or getattr(name.value, "id", "") == "subprocess":
                assert "timeout" in {word.arg for word in call.keywords}, (path, call.lineno)


def targets(node: ast.AST) -> list[ast.expr]:
    """What an assignment assigns to."""
    return getattr(node, "targets", [node.target] if isinstance(node, ast.AnnAssign) else [])


def test_public_names_are_sorted_and_exist():
    def rank(name: str) -> tuple[int, str]:
        return (0 if name.isupper() else 1 if name[0].isupper() else 2), name

    for module in MODULES:
        names = public(module)
        if names is None:
            continue
        assert names == sorted(names, key=rank), module
        there = {
            name.asname or name.name
            for node in ast.walk(tree(module))
            if isinstance(node, ast.ImportFrom)
            for name in node.names
        } | {
            getattr(bound, "name", getattr(bound, "id", ""))
            for node in tree(module).body
            for bound in (node, *(inner for each in targets(node) for inner in ast.walk(each)))
        }
        assert set(names) <= there, module


def test_what_is_imported_is_public():
    for module in MODULES:
        for target, name in imports(module):
            if target in MODULES and name and target != "vidgen":
                assert name in (public(target) or ()), f"{module}: {name} of {target}"


@pytest.mark.parametrize("folder", ["vidgen", "benchmarks"])
def test_files_and_functions_are_short(folder):
    for path in sorted((ROOT / folder).rglob("*.py")):
        text = path.read_text("utf-8")
        assert len(text.splitlines()) <= 300, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 60, f"{path}: {node.name}"


def test_nothing_heavy_is_in_git():
    """What is fetched stays outside, libraries above all: history keeps it for ever."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    assert not [file.name for file in files if file.exists() and file.stat().st_size > 2**20]


def readme() -> str:
    return (ROOT / "README.md").read_text("utf-8")


def test_readme_names_every_option_and_word(vidgen):
    told = vidgen("upscale", "--help")
    options = set(re.findall(r"--[a-z]+", told.stdout)) - {"--help"}
    assert {"--scale", "--fps", "--debug"} <= options
    wanted = options | {f"`{size}`" for size in SIZES} | set(codec_names())
    assert not {word for word in wanted if word not in readme()}


def test_what_readme_tells_to_paste_is_accepted():
    blocks = re.findall(r"```sh\n(.*?)```", readme(), re.S)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("vidgen ")]
    assert len(lines) > 8
    for line in lines:
        read_arguments(build_parser(), shlex.split(line, comments=True)[1:])


def test_make_targets_of_readme_exist():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"(?:^|`)make ([a-z-]+)", readme(), re.M):
        assert re.search(rf"^{target}:", makefile, re.M), target


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The wheel, unpacked as an installer does."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=100)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_works_outside_the_checkout(installed, clip, tmp_path):
    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(installed)},
            capture_output=True,
            text=True,
            timeout=100,
            check=True,
        )
        return done.stdout.strip()

    assert Path(run("-c", "import vidgen; print(vidgen.__file__)")).is_relative_to(installed)
    assert re.fullmatch(r"vidgen \d+\.\d+\.\d+", run("-m", "vidgen", "--version"))
    for what, folder, suffix in (("zoo", "models", "toml"), ("kernels", "kernels", "cu")):
        shipped = run("-c", f"from vidgen.{what} import names; print(*names())").split()
        assert shipped == sorted(path.stem for path in (ROOT / folder).glob(f"*.{suffix}"))
        assert shipped
    run("-m", "vidgen", "upscale", str(clip(frames=2)), "out.mkv", "--quiet")
    assert (tmp_path / "out.mkv").stat().st_size > 0


def test_the_wheel_holds_the_package_alone(installed):
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    top = {path.name for path in installed.iterdir()}
    assert top == {"vidgen", f"vidgen-{version}.dist-info"}
