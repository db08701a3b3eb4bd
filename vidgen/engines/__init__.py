"""Engines: one network compiled for one picture size on one device. Planes in, planes out.

The graph of every model takes `y (H, W)` and `uv (H/2, W/2, 2)`, uint8 or uint16 by bit depth, and
gives the same two at the model's scale. Scaling, chroma up-sampling, clamping and rounding are in
the graph.
"""

from vidgen.engines.choose import backend_names, choose_backend
from vidgen.engines.protocol import Backend, Engine

__all__ = ["Backend", "Engine", "backend_names", "choose_backend"]
