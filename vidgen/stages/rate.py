"""Which stage shows a film at another rate, and with which network."""

from __future__ import annotations

from fractions import Fraction

from vidgen.engines import choose_backend
from vidgen.errors import UsageError
from vidgen.frame import VideoFormat
from vidgen.job import Settings
from vidgen.stages.generate import Generate
from vidgen.stages.predict import Predict
from vidgen.stages.synthesis import INTERPOLATOR, by_motion, by_network
from vidgen.zoo import load

__all__ = ["at_rate"]


def at_rate(
    settings: Settings, source: VideoFormat, fps: Fraction, origin: Fraction | None
) -> tuple[Generate | Predict, str]:
    """The stage for `source`, and the name of its network, if any.

    `realtime` is by motion alone: the network gave 0.07 dB more for three times the work, and
    pays with the finer flow of the other tiers alone.

    Raises UsageError for a word that is not known, ModelError and BackendError for the network.
    """
    if settings.generate == "off":
        return Predict(fps, source_fps=source.fps, origin=origin, makes=False), ""
    if settings.generate == "predict":  # a network that was tried was no better, see recipes
        return Predict(fps, source_fps=source.fps, origin=origin), ""
    if settings.generate != "interpolate":
        raise UsageError(f"--generate {settings.generate}: give interpolate, predict or off")
    if settings.tier == "realtime":
        return Generate(fps, by_motion, source.fps, origin), ""
    model = load(INTERPOLATOR)
    backend = choose_backend(settings.backend, settings.device or 0)
    synthesis = by_network(backend, model, source)
    return Generate(fps, synthesis, source.fps, origin), model.name
