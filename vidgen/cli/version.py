"""Which vidgen this is."""

from __future__ import annotations

__all__ = ["vidgen_version"]


def vidgen_version() -> str:
    """Version of the installed package, or `unknown` in a folder that was never installed."""
    from importlib.metadata import PackageNotFoundError, version  # deferred: slow to import

    try:
        return version("vidgen")
    except PackageNotFoundError:
        return "unknown"
