"""The shipped upscalers in torch, as fast as it goes without writing a kernel: to compare with.

Half precision, channels last, cuDNN's own search, one CUDA graph; planes of 8 bits in and out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from numpy.typing import NDArray

from vidgen.engines.chains import Parts
from vidgen.engines.graphs import read_graph
from vidgen.zoo import Model

__all__ = ["TorchUpscaler"]


class TorchUpscaler:
    """One network for planes of one size, on the first GPU or on the CPU (there in float32)."""

    def __init__(self, model: Model, planes: list[NDArray[Any]]) -> None:
        self._cuda = torch.cuda.is_available()
        torch.backends.cudnn.benchmark = True
        self._device = torch.device("cuda" if self._cuda else "cpu")
        self._dtype = torch.float16 if self._cuda else torch.float32
        self.precision = str(self._dtype).removeprefix("torch.")
        _, weights = read_graph(model, 8, "cuda")
        self._scale = model.scale
        self._luma, self._chroma = (_Net(Parts(weights, f"{name}."), self._tensor)
                                    for name in ("luma", "chroma"))  # fmt: skip
        self._given = [torch.from_numpy(plane).to(self._device) for plane in planes]
        self.run: Callable[[], None] = self._captured() if self._cuda else self._work

    def result(self) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The planes of the last run."""
        return self._y.cpu().numpy(), self._uv.cpu().numpy()

    def wait(self) -> None:
        """Until all that was begun is done."""
        if self._cuda:
            torch.cuda.synchronize()

    def _tensor(self, values: NDArray[Any]) -> torch.Tensor:
        made = torch.from_numpy(np.array(values)).to(self._device, self._dtype)
        return made.contiguous(memory_format=torch.channels_last) if made.ndim == 4 else made

    def _captured(self) -> Callable[[], None]:
        stream = torch.cuda.Stream()
        with torch.cuda.stream(stream):
            for _ in range(3):
                self._work()
        stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._work()
        return graph.replay

    @torch.inference_mode()
    def _work(self) -> None:
        y, uv, *memory = self._given
        s, past = self._scale, None
        codes = y[None, None].to(self._dtype)
        if memory:
            history, confidence = (each.to(self._dtype) for each in memory)
            past = (history[None] - codes) * (confidence / 255)
        residual = self._luma(codes, past)
        self._y = F.pixel_shuffle(_codes(codes.float() + residual.float()), s)[0, 0]
        planar = uv.permute(2, 0, 1)[None].to(self._dtype)
        residual = self._chroma(planar, None).float()
        whole = _codes(planar.float().repeat(1, s * s, 1, 1) + residual)
        high, wide = uv.shape[:2]
        blocks = whole.reshape(s, s, 2, high, wide).permute(3, 0, 4, 1, 2)
        self._uv = blocks.reshape(s * high, s * wide, 2)


class _Net:
    """A chain of the graph."""

    def __init__(self, parts: Parts, tensor: Callable[[NDArray[Any]], torch.Tensor]) -> None:
        self._kernels = {name: tensor(each) for name, each in parts.kernels.items()}
        self._biases = {name: tensor(each) for name, each in parts.biases.items()}
        self._parts = parts

    def __call__(self, codes: torch.Tensor, past: torch.Tensor | None) -> torch.Tensor:
        kernels, biases = self._kernels, self._biases
        seen = F.pad(codes, (1, 1, 1, 1), mode="replicate")
        first = F.conv2d(seen, kernels["head"], biases["head"])
        if past is not None:
            past = past.contiguous(memory_format=torch.channels_last)
            first = first + F.conv2d(past, kernels["past"], padding=1)
        features = first = F.relu(first)
        for name in self._parts.layers[1:-1]:
            features = F.relu(F.conv2d(features, kernels[name], biases[name], padding=1))
        if self._parts.skip:
            features = features + first
        residual = F.conv2d(features, kernels["tail"], padding=1)
        if past is not None:
            residual = residual + F.conv2d(past, kernels["recall"], padding=1)
        return residual


def _codes(planes: torch.Tensor) -> torch.Tensor:
    return planes.clamp(0, 255).round().to(torch.uint8)
