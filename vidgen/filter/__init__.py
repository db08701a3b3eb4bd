"""The engine as a filter that loses nothing: frames pushed in, pulled out, or through a pipe."""

from vidgen.filter.pipe import PipeReport, pipe
from vidgen.filter.pull import Reader, open, stream
from vidgen.filter.push import Filter

__all__ = ["Filter", "PipeReport", "Reader", "open", "pipe", "stream"]
