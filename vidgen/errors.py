"""Every error that vidgen raises on purpose.

    VidgenError
    ├── UsageError         a setting or a word on the command line is not accepted
    ├── InputError         the source cannot be read as video
    │   └── TruncatedError the source ended early; what could be read was kept
    ├── OutputError        the target cannot be written
    ├── ModelError         a model is missing, damaged or does not fit the job
    └── BackendError       no engine can be built or run on this machine

Each message says what was given, what is accepted and what to do next, in one line. Only the
command line turns these into text and an exit code; everything below lets them pass.
"""

__all__ = [
    "BackendError",
    "InputError",
    "ModelError",
    "OutputError",
    "TruncatedError",
    "UsageError",
    "VidgenError",
]


class VidgenError(Exception):
    """Base of all errors that a user can act on. `exit_code` is what the command line returns."""

    exit_code = 1


class UsageError(VidgenError, ValueError):
    """A setting is not accepted; raised before any file is touched."""

    exit_code = 2


class InputError(VidgenError):
    """The source is missing, is not a video, or cannot be decoded."""


class TruncatedError(InputError):
    """The source broke off: the output holds what could be read, and is not whole."""

    exit_code = 3


class OutputError(VidgenError):
    """The target cannot be written: folder, permission, disk, container or codec."""


class ModelError(VidgenError):
    """A model is missing, damaged, or does not do what was asked."""


class BackendError(VidgenError):
    """No backend can build or run an engine for the model on this machine."""
