"""Arrays out of a pickle without unpickling it: a reader that can build arrays and nothing else.

A pickle is a program. `pickletools` only splits it into its instructions; of these, the reader
knows the few that NumPy's arrays in plain dictionaries need, looks up no name, imports and calls
nothing. Any other instruction or name is an error.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vidgen.errors import ModelError

__all__ = ["read_arrays"]

_MAKE_ARRAY = {"numpy.core.multiarray _reconstruct", "numpy._core.multiarray _reconstruct"}
_NAMES = _MAKE_ARRAY | {"numpy ndarray", "numpy dtype"}
_NUMBERS = {"f2", "f4", "f8", "i4", "i8", "u1"}
_MARK = object()


class _Made:
    """An array or a dtype that its last instruction completes."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.array: NDArray[Any] | None = None


def read_arrays(data: bytes, name: str) -> dict[str, Any]:
    """The dictionary of arrays, or of such dictionaries, that `data` holds. Raises ModelError."""
    reader = _Reader()
    try:
        for instruction, argument, _ in pickletools.genops(data):
            reader.step(instruction.name, argument)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise ModelError(f"{name}: is no dictionary of plain arrays ({error})") from None
    if not isinstance(reader.result, dict):
        raise ModelError(f"{name}: is no dictionary of plain arrays")
    return reader.result


class _Reader:
    """A stack and a memory, as the format has them."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memory: dict[int, Any] = {}
        self.result: Any = None
        self._plain: dict[str, Callable[[], Any]] = {
            "EMPTY_DICT": dict,
            "EMPTY_TUPLE": tuple,
            "MARK": lambda: _MARK,
            "NONE": lambda: None,
            "NEWTRUE": lambda: True,
            "NEWFALSE": lambda: False,
            "TUPLE": lambda: tuple(self._marked()),
            "TUPLE1": lambda: tuple(self._taken(1)),
            "TUPLE2": lambda: tuple(self._taken(2)),
            "TUPLE3": lambda: tuple(self._taken(3)),
            "REDUCE": self._reduced,
        }

    def step(self, kind: str, argument: Any) -> None:
        """Carry out one instruction."""
        if kind in self._plain:
            self.stack.append(self._plain[kind]())
        elif kind in ("BINPUT", "LONG_BINPUT"):
            self.memory[argument] = self.stack[-1]
        elif kind in ("BINGET", "LONG_BINGET"):
            self.stack.append(self.memory[argument])
        elif kind == "GLOBAL":
            if argument not in _NAMES:
                raise ValueError(f"it names {argument}")
            self.stack.append(argument)
        elif kind in ("SETITEM", "SETITEMS"):
            items = self._taken(2) if kind == "SETITEM" else self._marked()
            self.stack[-1].update(zip(items[::2], map(_done, items[1::2]), strict=True))
        elif kind == "BUILD":
            (state,) = self._taken(1)
            _build(self.stack[-1], state)
        elif kind == "STOP":
            self.result = self.stack.pop()
        elif kind.startswith(("BININT", "BINUNICODE", "SHORT_BINBYTES", "BINBYTES")):
            self.stack.append(argument)
        elif kind != "PROTO":
            raise ValueError(f"it asks for {kind}")

    def _taken(self, count: int) -> list[Any]:
        taken = self.stack[-count:]
        if len(taken) < count:
            raise ValueError("it ends early")
        del self.stack[-count:]
        return taken

    def _marked(self) -> list[Any]:
        """What lies above the last mark; the mark goes, too."""
        at = max(index for index, each in enumerate(self.stack) if each is _MARK)
        taken = self.stack[at + 1 :]
        del self.stack[at:]
        return taken

    def _reduced(self) -> _Made:
        """An array still without content, or a dtype."""
        name, arguments = self._taken(2)
        if name in _MAKE_ARRAY and arguments[0] == "numpy ndarray":
            return _Made("array")
        if name == "numpy dtype" and arguments[0] in _NUMBERS:
            return _Made(arguments[0])
        raise ValueError(f"it calls {name}")


def _build(made: Any, state: Any) -> None:
    """Give a dtype its byte order, or an array its content."""
    if made.kind != "array":
        if state[1] not in ("<", "|"):
            raise ValueError(f"byte order {state[1]}")
        return
    _, shape, dtype, columns_first, content = state
    flat = np.frombuffer(content, np.dtype(dtype.kind).newbyteorder("<"))
    made.array = flat.reshape(shape, order="F" if columns_first else "C")


def _done(value: Any) -> Any:
    if isinstance(value, _Made):
        if value.array is None:
            raise ValueError("an array without content")
        return value.array
    if not isinstance(value, dict):
        raise ValueError(f"it holds {type(value).__name__}")
    return value
