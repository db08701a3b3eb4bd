"""Streams in and out while they happen: one connection each, made anew by who uses them."""

from vidgen.media.live.address import is_file, muxer_of, require_other_file
from vidgen.media.live.input import LiveInput, Passing
from vidgen.media.live.output import LiveOutput, OutputOptions

__all__ = [
    "LiveInput",
    "LiveOutput",
    "OutputOptions",
    "Passing",
    "is_file",
    "muxer_of",
    "require_other_file",
]
