"""`vidgen models list|show|add|evaluate`: the networks of this installation, and their worth."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from vidgen.cli.compare import add_extras, read_extras, write_text
from vidgen.target import require_beside

if TYPE_CHECKING:
    from vidgen.bench.methods import Maker
    from vidgen.engines import Backend
    from vidgen.zoo import Model

__all__ = ["add_parser"]

_CLIPS = Path("../shared/data/eval")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "models",
        help="list the networks, show the card of one, add one, or measure it",
        description="List the networks of this installation, show the card of one (what it was "
        "trained on, how good it was measured to be, its licence), add one that others trained, or "
        "measure it on films.",
    )
    parser.set_defaults(run=run)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="one line a network")
    show = actions.add_parser("show", help="the card of one network")
    show.add_argument("names", nargs=1, metavar="NAME", help="of the network")
    _add_add(actions)
    _add_evaluate(actions)


def _add_add(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    add = actions.add_parser(
        "add",
        help="add a network that others trained, or of your own",
        description="Wrap a network of RGB pictures into planes in, planes out, with a card, and "
        "keep it in $XDG_DATA_HOME/vidgen/models. Accepted: ONNX, and safetensors of "
        "SRVGGNetCompact. Pickles (.pth, .pt, .ckpt) are refused, since opening one runs its code. "
        "Of what `vidgen train` made, give the card (.toml).",
    )
    add.add_argument("file", metavar="FILE", type=Path, help="network to add")
    add.add_argument("--name", metavar="NAME", help="what to call it (default: the file's name)")
    add.add_argument(
        "--license", metavar="SPDX", help="licence of its weights, such as BSD-3-Clause"
    )


def _add_evaluate(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    evaluate = actions.add_parser(
        "evaluate",
        help="measure networks beside bicubic and Lanczos",
        description="Make films small, code them anew (H.264, CRF 23), enlarge them again through "
        "the network, and measure what came out against the film.",
    )
    evaluate.add_argument(
        "names",
        nargs="+",
        metavar="NAME",
        help="a network, the card (.toml) of one, or a file to add (.onnx, .safetensors)",
    )
    evaluate.add_argument(
        "--clips",
        metavar="FOLDER",
        type=Path,
        default=_CLIPS,
        help="films to measure on (default: %(default)s)",
    )
    evaluate.add_argument(
        "--frames", metavar="N", type=int, default=24, help="of each film (default: %(default)s)"
    )
    evaluate.add_argument(
        "--no-history",
        action="store_true",
        help="measure each network without its memory of the last frame, too",
    )
    evaluate.add_argument(
        "--strength",
        metavar="S",
        type=float,
        nargs="+",
        help="measure with so much of the GAN flavour, 0 to 1, each (default: as the card says)",
    )
    evaluate.add_argument(
        "--public",
        action=argparse.BooleanOptionalAction,
        help="measure realesr-animevideov3 beside them (default: where its package is installed)",
    )
    add_extras(evaluate)
    evaluate.add_argument(
        "--json", metavar="JSON", help="write all figures to this file; - is stdout, for the table"
    )


def run(args: argparse.Namespace) -> int:
    """Print to stdout."""
    from vidgen import zoo  # deferred: `--help` needs none of it

    if args.action == "list":
        for name in zoo.names():
            print(_line(zoo.load(name)))
    elif args.action == "show":
        print(zoo.card_text(args.names[0]))
    elif args.action == "add":
        _add(args)
    else:
        _evaluate(args)
    return 0


def _line(model: Model) -> str:
    """`x2-realtime  upscale x2, realtime tier, 6,688 parameters, MIT`."""
    grows = f" x{model.scale}" if model.task == "upscale" else ""
    what = f"{model.task}{grows}, {model.tier} tier"
    return f"{model.name:<14} {what}, {model.parameters:,} parameters, {model.license}"


def _add(args: argparse.Namespace) -> None:
    """Add the network, and say how to use it."""
    from vidgen.adopt import add_model
    from vidgen.engines import choose_backend

    model = add_model(args.file, choose_backend(), name=args.name, license=args.license)
    if not args.quiet:
        print(_line(model))
        print(f"kept in {model.folder}; use it with `vidgen upscale IN OUT --model {model.name}`")


def _evaluate(args: argparse.Namespace) -> None:
    """Measure, print the table, write the figures."""
    from vidgen.bench.evaluate import evaluate
    from vidgen.bench.tables import figures, table
    from vidgen.engines import choose_backend
    from vidgen.errors import UsageError

    if args.frames < 1:
        raise UsageError(f"--frames {args.frames}: give 1 or more")
    if args.json and args.json != "-":
        require_beside(Path(args.json), *args.clips.glob("*"))
    backend = choose_backend()
    with tempfile.TemporaryDirectory(prefix="vidgen-evaluate-") as place:
        models = [_model(name, backend, Path(place)) for name in args.names]
        for model in models:
            if model.task != "upscale":
                raise UsageError(f"{model.name} makes frames: python -m benchmarks.generate has it")
        scales = {model.scale for model in models}
        if len(scales) > 1:
            words = ", ".join(f"{model.name} x{model.scale}" for model in models)
            raise UsageError(f"{words}: measure networks of one scale at a time")
        (scale,) = scales
        result = evaluate(
            {
                **_public(args.public, scale, backend, Path(place)),
                **_methods(models, backend, args),
            },
            scale,
            args.clips,
            frames=args.frames,
            extras=read_extras(args),
            progress=lambda name: (
                None if args.quiet else print(f"measuring {name}", file=sys.stderr)
            ),
        )
    text = json.dumps({"engine": backend.describe(), **figures(result)}, indent=2) + "\n"
    if args.json == "-":
        sys.stdout.write(text)
    elif args.json:
        write_text(Path(args.json), text)
    if not args.quiet and args.json != "-":
        print(backend.describe(), table(result), sep="\n")


def _model(name: str, backend: Backend, place: Path) -> Model:
    """The network of that name, of that card, or of a file from elsewhere, wrapped in `place`."""
    from vidgen import zoo

    path = Path(name)
    if path.suffix in (".onnx", ".safetensors"):
        from vidgen.adopt import add_model

        return add_model(path, backend, folder=place)
    return zoo.load(path.stem, path.parent) if path.suffix == ".toml" else zoo.load(name)


def _public(wanted: bool | None, scale: int, backend: Backend, place: Path) -> dict[str, Maker]:
    """The public network, where it is there and not refused. Raises ModelError."""
    from vidgen.bench.methods import PUBLIC, network, public_network
    from vidgen.errors import ModelError

    model = None if wanted is False else public_network(scale, backend, place)
    if wanted and model is None:
        raise ModelError(f"--public: {PUBLIC} is not here; pip install 'vidgen[baselines]'")
    return {} if model is None else {f"{PUBLIC} ({model.license})": network(model, backend)}


def _methods(models: list[Model], backend: Backend, args: argparse.Namespace) -> dict[str, Maker]:
    """Each network as users run it or at the strengths asked for, and without its memory."""
    from vidgen.bench.methods import network
    from vidgen.errors import UsageError

    variants = {model.name: model for model in models}
    if args.strength is not None:
        if wrong := [strength for strength in args.strength if not 0 <= strength <= 1]:
            raise UsageError(f"--strength {wrong[0]:g}: give 0 to 1")
        variants = {
            f"{model.name} at {strength:g}": model.with_strength(strength)
            for model in models
            for strength in args.strength
        }
    ways = {}
    for name, model in variants.items():
        ways[name] = network(model, backend)
        if args.no_history and model.history:
            ways[f"{name}, no history"] = network(model, backend, history=False)
    return ways
