"""`add_model`: a file from elsewhere, or a model of one's own, comes into the user's own folder."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import shutil
import tempfile
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from vidgen import zoo
from vidgen.engines import Backend
from vidgen.errors import BackendError, ModelError, OutputError
from vidgen.frame import Planes, dtype_of
from vidgen.zoo import Model

if TYPE_CHECKING:
    from vidgen.adopt.wrap import Network

__all__ = ["add_model", "ncnn_model"]

_PICKLES = {".pth", ".pt", ".ckpt", ".pkl", ".pickle", ".bin"}
_UNITS = (2, 4, 8, 16, 32, 64)
_LEAST_DECIBELS = 18.0  # between what a network draws of a smooth picture and the picture enlarged
_DEPTHS = 8, 10


def add_model(
    file: str | PathLike[str],
    backend: Backend,
    *,
    name: str | None = None,
    license: str | None = None,
    folder: str | PathLike[str] | None = None,
) -> Model:
    """Wrap the network of `file` (.onnx or .safetensors) into `folder`, by default the user's own.

    It is tried on the spot at both depths. `license` is an SPDX expression; without it the card
    says that it is not known. A card (.toml) is copied as it is, with the files that it names.
    Raises ModelError that says why a file cannot be added, or OutputError.
    """  # fmt: skip
    file, folder = Path(file), Path(folder or zoo.user_folder())
    if not file.is_file():
        raise ModelError(f"{file}: no such file")
    if file.suffix.lower() == ".toml":
        return _copied(file, folder, name, license)
    _require_onnx()
    _refuse_pickle(file)
    name = name or _plain_name(file)
    _require_free(file, name, folder, "--name")
    source = {"source": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    return _made(_read(file), name, folder, backend, license, source)


def ncnn_model(param: Path, name: str, folder: Path, backend: Backend, license: str) -> Model:
    """SRVGGNetCompact from ncnn's `.param` and the `.bin` beside it, as a model in `folder`."""
    from vidgen.adopt.compact import compact_graph
    from vidgen.adopt.ncnn import read_ncnn

    weights, shrink = read_ncnn(param)
    graph = compact_graph(weights, name, shrink)
    return _made(graph, name, folder, backend, license, {"source": param.name})


def _copied(card: Path, folder: Path, name: str | None, license: str | None) -> Model:
    """What `vidgen train` has made, and its files, checked."""
    if name or license:
        raise ModelError(f"{card}: a card says name and licence itself; leave the options out")
    model = zoo.load(card.stem, card.parent)
    _require_free(card, model.name, folder, "name in the recipe")
    _put([*model.files(), card], folder)
    return zoo.load(model.name, folder)


def _require_free(file: Path, name: str, folder: Path, word: str) -> None:
    if name in zoo.names() or name in zoo.names(folder):
        raise ModelError(f"{file}: there is a model {name!r} already; give another {word}")


def _put(files: list[Path], folder: Path) -> None:
    """Copy; the card is to be the last: without it there is no model."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copyfile(file, folder / file.name)
    except OSError as error:
        raise OutputError(f"cannot write into {folder}: {error.strerror}") from None


def _require_onnx() -> None:
    if importlib.util.find_spec("onnx") is None:
        raise ModelError("adding a model needs the package onnx; pip install 'vidgen[models]'")


def _refuse_pickle(file: Path) -> None:
    with file.open("rb") as opened:
        begin = opened.read(4)
    zipped = begin == b"PK\x03\x04"  # what torch.save writes
    if zipped or begin[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        kind = "is a pickle"
    elif file.suffix.lower() in _PICKLES:
        kind = "has the name of a pickle"
    else:
        return
    raise ModelError(
        f"{file} {kind}: opening one runs whatever code its maker put in, so it is not opened; "
        "where you trust it, export it to .onnx or .safetensors elsewhere and add that"
    )


def _plain_name(file: Path) -> str:
    """The name of the file, as a model may be called."""
    return re.sub(r"[^a-z0-9.]+", "-", file.stem.lower()).strip("-.") or "model"


def _read(file: Path) -> Any:
    """The ONNX model of the file. Raises ModelError."""
    import onnx

    if file.suffix.lower() == ".onnx":
        try:
            return onnx.load(str(file))
        except (OSError, ValueError, onnx.checker.ValidationError, _decode_error()) as error:
            raise ModelError(f"{file}: cannot be read as ONNX ({error})") from None
    if file.suffix.lower() == ".safetensors":
        from vidgen.adopt.compact import compact_graph
        from vidgen.adopt.safetensors import read_safetensors

        return compact_graph(read_safetensors(file), file.name)
    raise ModelError(
        f"{file}: neither .onnx nor .safetensors nor a card (.toml), which can be added"
    )


def _decode_error() -> type[Exception]:
    """What protobuf, which onnx stands on, raises for a file of another kind."""
    from google.protobuf import message

    return message.DecodeError  # type: ignore[no-any-return]


def _made(
    model: Any,
    name: str,
    folder: Path,
    backend: Backend,
    license: str | None,
    source: dict[str, Any],
) -> Model:
    """Write graphs and card, try them, and put them into `folder` only when all is well."""
    from vidgen.adopt.wrap import open_network

    network = open_network(model, name)
    with tempfile.TemporaryDirectory(prefix="vidgen-add-") as place:
        made = _written(network, name, Path(place), license, source)
        made = _tried(made, backend)
        _put(sorted(Path(place).iterdir(), key=lambda each: each.suffix == ".toml"), folder)
    return zoo.load(name, folder)


def _written(
    network: Network, name: str, folder: Path, license: str | None, source: dict[str, Any]
) -> Model:
    """The graphs of both depths, and the card."""
    import onnx

    from vidgen.adopt.wrap import wrapped

    sums = {}
    for depth in _DEPTHS:
        data = wrapped(network, depth).SerializeToString()
        (folder / f"{name}.{depth}bit.onnx").write_bytes(data)
        sums[f"{name}.{depth}bit.onnx"] = hashlib.sha256(data).hexdigest()
    card = {
        "task": "upscale",
        "tier": "added",
        "scale": network.scale,
        "history": False,
        "multiple_of": _UNITS[0],
        "precision": "f32",
        "strength": 0.0,
        "parameters": network.parameters,
        "macs_per_pixel": network.macs_per_pixel,
        "license": license or "LicenseRef-unknown",
        "limits": "Trained elsewhere for single RGB pictures and wrapped: no memory of the last "
        "frame, and colours pass through RGB inside the graph, so it runs in float32: no less is "
        "exact.",
        "sha256": sums,
        "training": {**source, "onnx": onnx.__version__},
        "quality": {},
    }
    zoo.write_card(folder / f"{name}.toml", card)
    return zoo.load(name, folder)


def _tried(model: Model, backend: Backend) -> Model:
    """`model` with the least unit of size that it takes, its output checked. Raises ModelError."""
    reason = ""
    for unit in _UNITS:
        path = model.folder / f"{model.name}.toml"
        text = path.read_text("utf-8")
        path.write_text(re.sub(r"(?m)^multiple_of = \d+$", f"multiple_of = {unit}", text), "utf-8")
        model = zoo.load(model.name, model.folder)
        try:
            for depth in _DEPTHS:
                _require_alike(model, backend, depth)
            return model
        except (BackendError, RuntimeError, ValueError) as error:
            reason = str(error).strip().splitlines()[-1].strip()
    raise ModelError(
        f"{model.name}: {backend.name} cannot run it at any of the sizes tried ({reason}); was it "
        "exported for one size? Export it with open height and width"
    )


def _require_alike(model: Model, backend: Backend, depth: int) -> None:
    """Raise ModelError unless a smooth picture comes out as itself, enlarged."""
    unit = model.multiple_of
    width, height = (unit * (63 // unit + odd) for odd in (2, 1))
    y, uv = _smooth(height, width, depth)
    with backend.compile(model, width, height, depth) as engine:
        made = engine(y, uv)[0]
    large = cv2.resize(y, made.shape[::-1], interpolation=cv2.INTER_CUBIC)
    error = np.square((large.astype(float) - made) / 2 ** (depth - 8)).mean()
    if error > 255**2 / 10 ** (_LEAST_DECIBELS / 10):
        raise ModelError(
            f"{model.name}: what comes out is not the picture that went in; networks that take and "
            "give RGB in [0, 1], (1, 3, H, W), can be added"
        )


def _smooth(height: int, width: int, depth: int) -> Planes:
    """Waves in all planes, at limited range."""
    rows, columns = np.mgrid[0:height, 0:width] / 9.0
    unit, dtype = 2 ** (depth - 8), dtype_of(depth)
    y = (126 + 70 * np.sin(rows) * np.cos(columns)) * unit
    u = (128 + 30 * np.sin(columns[::2, ::2])) * unit
    v = (128 + 30 * np.cos(rows[::2, ::2])) * unit
    return y.astype(dtype), np.stack([u, v], -1).astype(dtype)
