"""Motion on the CPU: flow and its confidence, warps, pictures between and ahead, cuts, repeats."""

from vidgen.motion.ahead import Ahead
from vidgen.motion.between import Between
from vidgen.motion.changes import Change, ChangeDetector
from vidgen.motion.draw import Candidates
from vidgen.motion.flow import FlowEstimator, half_luma, joined
from vidgen.motion.warp import warp

__all__ = [
    "Ahead",
    "Between",
    "Candidates",
    "Change",
    "ChangeDetector",
    "FlowEstimator",
    "half_luma",
    "joined",
    "warp",
]
