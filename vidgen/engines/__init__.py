"""Engines: one network compiled for one picture size on one device. Planes in, planes out.

The graph of an upscaler takes `y (H, W)` and `uv (H/2, W/2, 2)`, uint8 or uint16 by bit depth, and
gives the same two at the model's scale s. A model with history also takes `history (s * s, H, W)`,
the luma that it gave for the frame before, brought here by the motion, and `confidence (H, W)`
uint8, how far to trust it: all zeros for a first frame. A `Memory` sees to both. Scaling, chroma
up-sampling, clamping and rounding are in the graph.

The graph of a model that makes frames takes `vidgen.motion.Candidates.arrays`, `y_first
(H/2, W/2, 4)`, `uv_first (H/2, W/2, 2)`, the same of `last`, and `guide (H/2, W/2, 4)` uint8, and
gives `y (H, W)` and `uv (H/2, W/2, 2)`.
"""

from vidgen.engines.choose import backend_names, choose_backend, gpu_count
from vidgen.engines.protocol import Backend, Engine, Memory

__all__ = ["Backend", "Engine", "Memory", "backend_names", "choose_backend", "gpu_count"]
