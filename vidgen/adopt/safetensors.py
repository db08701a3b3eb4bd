"""Reading safetensors: a length, a table in JSON, numbers. Nothing in the file can be run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgen.errors import ModelError

__all__ = ["read_safetensors"]

_DTYPES = {"F32": "<f4", "F16": "<f2", "F64": "<f8"}
_LARGEST_TABLE = 100_000_000  # bytes, as the format says
_PREFIXES = ("params_ema.", "params.", "model.", "module.")


def read_safetensors(file: Path) -> dict[str, NDArray[Any]]:
    """All arrays as float32 by name, a prefix that all share taken off. Raises ModelError."""
    data = file.read_bytes()
    length = int.from_bytes(data[:8], "little")
    try:
        if not 2 <= length <= min(_LARGEST_TABLE, len(data) - 8):
            raise ValueError("no table")
        table = json.loads(data[8 : 8 + length])
        arrays = {
            name: _array(entry, data[8 + length :])
            for name, entry in table.items()
            if name != "__metadata__"
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{file}: cannot be read as safetensors ({error})") from None
    for prefix in _PREFIXES:
        if arrays and all(name.startswith(prefix) for name in arrays):
            arrays = {name.removeprefix(prefix): array for name, array in arrays.items()}
    return arrays


def _array(entry: dict[str, Any], data: bytes) -> NDArray[Any]:
    begin, end = entry["data_offsets"]
    if entry["dtype"] not in _DTYPES:
        raise ValueError(f"{entry['dtype']} is none of {', '.join(_DTYPES)}")
    if not 0 <= begin <= end <= len(data):
        raise ValueError("an array lies outside the file")
    flat = np.frombuffer(data[begin:end], _DTYPES[entry["dtype"]])
    return flat.reshape(entry["shape"]).astype(np.float32)
