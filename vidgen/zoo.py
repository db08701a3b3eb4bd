"""The models: one `<name>.toml` card beside its `.onnx` and `.safetensors` files.

Those that are shipped lie in `models/`, those that a user added in a folder of his own.

Nothing here runs a network, and nothing is ever unpickled: a model is an ONNX graph whose inputs
and outputs are the planes themselves (see `vidgen.engines`).
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import tomllib
from dataclasses import dataclass, fields, replace
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Any

from vidgen.errors import ModelError

__all__ = ["Model", "card_text", "load", "models_folder", "names", "user_folder", "write_card"]


@dataclass(frozen=True, kw_only=True)
class Model:
    """One card. Unknown or missing keys are a `ModelError`."""

    name: str
    task: str
    """`upscale`, or `generate`: makes frames between or after real ones."""
    tier: str
    """`realtime`, `balanced` or `quality`."""
    scale: int
    """Output pixels per input pixel along each side."""
    history: bool
    """Whether it takes its own previous output; see `vidgen.engines`."""
    multiple_of: int
    """Width and height of the input must be divisible by this."""
    precision: str
    """`any`, or `f32`: not to be run with fewer bits than float32 has."""
    strength: float
    """How much of its GAN flavour to mix in, in [0, 1]; 0 where there is none."""
    sha256: dict[str, str]
    """File name to its SHA-256, hexadecimal."""
    license: str
    """SPDX expression for the weights."""
    training: dict[str, Any]
    """Data folders, recipe, steps, commit."""
    quality: dict[str, Any]
    """Measured on held-out clips: figures with machine, command and commit."""
    limits: str
    """What the model does badly, in a sentence or two."""
    parameters: int
    macs_per_pixel: int
    """Multiply-accumulates per input luma pixel."""
    folder: Path

    @property
    def has_gan(self) -> bool:
        """Whether there is a second flavour, trained against a critic."""
        return f"{self.name}.gan.safetensors" in self.sha256

    def with_strength(self, strength: float) -> Model:
        """The same model, so much of it GAN. Raises ModelError where there is no such flavour."""
        if strength and not self.has_gan:
            raise ModelError(f"--strength {strength:g}: {self.name} has no GAN flavour; give 0")
        return replace(self, strength=strength)

    def onnx(self, bit_depth: int, flavour: str = "") -> Path:
        """The graph for planes of that depth, checked against the card. Raises ModelError.

        `flavour` is empty for the faithful one, or `gan`.
        """
        middle = f".{flavour}" if flavour else ""
        return self._checked(f"{self.name}{middle}.{bit_depth}bit.onnx")

    def files(self) -> list[Path]:
        """All that the card names, checked against it. Raises ModelError."""
        return [self._checked(file) for file in self.sha256]

    def _checked(self, file: str) -> Path:
        path = self.folder / file
        if file not in self.sha256:
            known = ", ".join(sorted(self.sha256))
            raise ModelError(f"model {self.name} has no {file}; its card lists {known}")
        if not path.is_file():
            raise ModelError(f"{path} is missing; reinstall vidgen")
        if _sha256(path) != self.sha256[file]:
            raise ModelError(f"{path} does not match its card; reinstall vidgen")
        return path


def models_folder() -> Path:
    """`models/` of the checkout, or inside the installed package."""
    package = Path(__file__).parent
    inside = package / "models"
    return inside if inside.is_dir() else package.parent / "models"


def user_folder() -> Path:
    """Where models that a user added are kept: `$XDG_DATA_HOME/vidgen/models`. It may not exist."""
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "vidgen" / "models"


def names(folder: str | PathLike[str] | None = None, task: str | None = None) -> list[str]:
    """Names of all models with a card, sorted: of `folder`, or the shipped and the added ones.

    Of those for one `task` where it is given. Raises ModelError for a card that cannot be read.
    """
    folders = [Path(folder)] if folder else [models_folder(), user_folder()]
    found = sorted({path.stem for each in folders for path in each.glob("*.toml")})
    return [name for name in found if task is None or load(name, folder).task == task]


def load(name: str, folder: str | PathLike[str] | None = None) -> Model:
    """The model of that name, a shipped one first. Raises ModelError with the nearest name."""
    text = card_text(name, folder)
    folder = Path(folder or _home(name))
    path = folder / f"{name}.toml"
    try:
        card = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ModelError(f"{path} is not a valid card: {error}") from None
    expected = {field.name for field in fields(Model)} - {"name", "folder"}
    if wrong := expected ^ card.keys():
        raise ModelError(f"{path}: unknown or missing keys: {', '.join(sorted(wrong))}")
    return Model(name=name, folder=folder, **card)


def card_text(name: str, folder: str | PathLike[str] | None = None) -> str:
    """The card of that model as it stands in its file. Raises ModelError with the nearest name."""
    path = Path(folder or _home(name)) / f"{name}.toml"
    if not path.is_file():
        known = names(folder)
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known) or 'none'}"
        raise ModelError(f"no model {name!r}; {hint}")
    return path.read_text("utf-8")


def write_card(path: Path, card: dict[str, Any]) -> None:
    """`card` as TOML: plain values first, then its tables (one level of nested inline tables)."""
    plain = [f"{key} = {_value(each)}" for key, each in card.items() if not isinstance(each, dict)]
    for name, table in card.items():
        if isinstance(table, dict):
            plain += ["", f"[{name}]"]
            plain += [f"{_key(key)} = {_value(each)}" for key, each in table.items()]
    path.write_text("\n".join(plain) + "\n", "utf-8")


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)  # strings, numbers and lists read the same in TOML


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() else json.dumps(key)


def _home(name: str) -> Path:
    """The folder in which that model lies; that of the shipped ones where there is none."""
    shipped, added = models_folder(), user_folder()
    there = (added / f"{name}.toml").is_file() and not (shipped / f"{name}.toml").is_file()
    return added if there else shipped


@cache
def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
