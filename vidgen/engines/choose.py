"""Which backend runs the networks: the best one present, or the one that was asked for."""

from __future__ import annotations

from collections.abc import Callable

from vidgen.engines.openvino import OpenVINO
from vidgen.engines.protocol import Backend
from vidgen.errors import UsageError

__all__ = ["backend_names", "choose_backend"]

_BACKENDS: dict[str, Callable[[], Backend]] = {"openvino": OpenVINO}
"""Best first. Making a backend raises BackendError where its library or device is missing."""


def backend_names() -> tuple[str, ...]:
    """Accepted words for `--backend`, beside `auto`."""
    return tuple(_BACKENDS)


def choose_backend(name: str = "auto") -> Backend:
    """The backend of that name. Raises UsageError, or BackendError where it cannot run here."""
    if name == "auto":
        name = next(iter(_BACKENDS))
    if name not in _BACKENDS:
        raise UsageError(f"--backend {name}: unknown; give auto, {', '.join(_BACKENDS)}")
    return _BACKENDS[name]()
