"""Motion on the CPU: flow and its confidence, warps, pictures in between, cuts and duplicates."""

from vidgen.motion.between import motion_between, picture_between
from vidgen.motion.changes import Change, ChangeDetector
from vidgen.motion.flow import FlowEstimator, half_luma, joined
from vidgen.motion.warp import warp, warp_reference

__all__ = [
    "Change",
    "ChangeDetector",
    "FlowEstimator",
    "half_luma",
    "joined",
    "motion_between",
    "picture_between",
    "warp",
    "warp_reference",
]
