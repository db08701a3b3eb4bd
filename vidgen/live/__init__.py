"""A stream on a clock: frames as they come, pictures when they are due, whatever happens."""

from vidgen.live.run import run
from vidgen.live.settings import LiveReport, LiveSettings

__all__ = ["LiveReport", "LiveSettings", "run"]
