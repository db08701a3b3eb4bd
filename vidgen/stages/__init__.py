"""The steps of a pipeline: generators over frames."""

from vidgen.stages.depth import Depth
from vidgen.stages.fit import Fit
from vidgen.stages.generate import Generate
from vidgen.stages.motion import EstimateMotion
from vidgen.stages.predict import Predict
from vidgen.stages.rate import at_rate
from vidgen.stages.restore import Restore
from vidgen.stages.synthesis import by_network
from vidgen.stages.tonemap import ToneMap
from vidgen.stages.upscale import Upscale

__all__ = [
    "Depth",
    "EstimateMotion",
    "Fit",
    "Generate",
    "Predict",
    "Restore",
    "ToneMap",
    "Upscale",
    "at_rate",
    "by_network",
]
