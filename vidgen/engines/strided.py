"""The last layer of a chain, written for processors whose units are 16 channels wide.

A last 3x3 convolution from many channels to the four pixels of a doubled one leaves three quarters
of such a unit idle. The same sums come out of a 4x4 convolution with stride 2, whose sixteen
outputs are the four pixels of each of 2x2 places: its kernel holds the 3x3 one four times, moved.
That is 16 taps a pixel instead of 36. Measured on AVX512-BF16: 12 to 15 % of the whole of
`x2-realtime`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["stride_tail", "strided"]

_PIXELS = 4  # that a pixel becomes


def stride_tail(graph: Any, bit_depth: int) -> None:
    """Rewrite the luma tail of a graph of our own (see `vidgen.train.graph`), its shapes known.

    Graphs without such a tail stay as they are.
    """
    import openvino.opset13 as ops

    nodes = {node.get_friendly_name(): node for node in graph.get_ordered_ops()}
    tail = nodes.get("luma.tail")
    if tail is None or list(tail.output(0).shape)[1] != _PIXELS:
        return
    total = _residual(ops, tail)
    if recall := nodes.get("luma.recall"):
        total = ops.add(total, _residual(ops, recall))
    total = ops.add(total, _repeated(ops, nodes["y"]))
    end = next(node for node in graph.get_results() if "y_out" in node.input(0).get_tensor().names)
    total = ops.round(ops.clamp(total, 0.0, 2.0**bit_depth - 1), "half_to_even")
    codes = ops.convert(total, end.output(0).get_element_type())
    last = ops.reshape(ops.transpose(codes, [0, 2, 3, 1]), _blocks(codes), False)
    drawn = ops.reshape(ops.transpose(last, [0, 2, 1, 3]), list(end.output(0).shape), False)
    drawn.output(0).get_tensor().set_names({"y_out"})
    end.input(0).replace_source_output(drawn.output(0))


def strided(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """(4, inputs, 3, 3), rows of the doubled pixel first, as (16, inputs, 4, 4).

    Output `8 r + 4 a + 2 c + b` is the pixel in row a and column b of what the place in row r and
    column c of its 2x2 becomes: rows and columns of the result come out one after the other.
    """
    inputs = kernel.shape[1]
    whole = np.zeros((2, 2, 2, 2, inputs, 4, 4), np.float32)
    for row, column in np.ndindex(2, 2):
        moved = whole[row, :, column, :, :, row : row + 3, column : column + 3]
        moved[:] = kernel.reshape(2, 2, inputs, 3, 3)
    return whole.reshape(16, inputs, 4, 4)


def _residual(ops: Any, convolution: Any) -> Any:
    """What that convolution gives, as (1, 16, H/2, W/2)."""
    features = convolution.input(0).get_source_output()
    kernel = ops.constant(strided(convolution.input(1).get_source_output().get_node().data))
    return ops.convolution(features, kernel, [2, 2], [1, 1], [1, 1], [1, 1])


def _repeated(ops: Any, y: Any) -> Any:
    """Every pixel of `y` (H, W) four times, ordered as `strided` does: (1, 16, H/2, W/2) float."""
    places = ops.space_to_depth(ops.unsqueeze(y, [0, 1]), "blocks_first", 2)
    order = [2 * row + column for row, _, column, _ in np.ndindex(2, 2, 2, 2)]
    return ops.convert(ops.gather(places, order, 1), "f32")


def _blocks(codes: Any) -> list[int]:
    """(H/2, W/2, 4, 4) for (1, 16, H/2, W/2)."""
    _, _, height, width = codes.output(0).shape
    return [height, width, 4, 4]
