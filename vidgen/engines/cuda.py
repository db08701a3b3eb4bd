"""The `cuda` backend: our own networks on NVIDIA GPUs by our own kernels, without TensorRT.

    pip install 'vidgen[cuda]'

A chain of convolutions runs in one launch or a few, on tiles that stay in shared memory; see
kernels/chain.h. The kernels are compiled for each network when it is first used, and CuPy keeps
them in `~/.cupy/kernel_cache`. What is no such chain is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vidgen.engines.chains import Chain
from vidgen.engines.device import Card, DeviceEngine
from vidgen.engines.networks import read_chains
from vidgen.engines.pictures import DevicePictures
from vidgen.engines.recall import DeviceMemory
from vidgen.engines.shapes import Shapes, inputs_of, outputs_of
from vidgen.engines.tiles import Launch, plan
from vidgen.errors import BackendError, ModelError
from vidgen.kernels import gpu, load
from vidgen.zoo import Model

__all__ = ["Cuda", "CudaEngine", "constants_of"]

_OLDEST = 75  # compute capability times ten: the first with ldmatrix and products of half
_THREADS = 256
_NOWHERE = np.uintp(0)  # a null pointer: CuPy has no word for it


class Cuda:
    """Networks in half precision, sums in float32, on one NVIDIA GPU."""

    name = "cuda"

    def __init__(self, device: int = 0) -> None:
        self._card = Card(gpu(device), device)
        with self._card.current() as current:
            facts = self._card.cupy.cuda.runtime.getDeviceProperties(device)
            self._shared_bytes = int(current.attributes["MaxSharedMemoryPerBlockOptin"])
            capability = int(current.compute_capability)
        self._name = facts["name"].decode()
        if capability < _OLDEST:
            raise BackendError(
                f"--backend cuda takes GPUs of compute capability 7.5 and above, and {self._name} "
                f"has {capability / 10}; give --backend openvino"
            )

    def describe(self) -> str:
        """One line for a person: library, version, device, precision."""
        return f"own CUDA kernels, CuPy {self._card.cupy.__version__}, {self._name}, float16"

    def compile(self, model: Model, width: int, height: int, bit_depth: int) -> CudaEngine:
        """An engine for pictures of exactly that size. Raises BackendError or ModelError."""
        if width % model.multiple_of or height % model.multiple_of:
            raise ModelError(
                f"{model.name} takes sizes divisible by {model.multiple_of}, not {width}x{height}"
            )
        if model.precision == "f32":
            raise BackendError(
                f"--backend cuda runs in half precision, and {model.name} needs float32; "
                "give --backend openvino"
            )
        chains = read_chains(model, bit_depth)
        inputs = inputs_of(model, width, height, bit_depth)
        outputs = outputs_of(model, width, height, bit_depth)
        with self._card.current():
            return CudaEngine(self._card, self._shared_bytes, chains, inputs, outputs)

    def memory(self, factor: int, *, finds_motion: bool, stays: bool = False) -> DeviceMemory:
        """What its engines recall of pictures `factor` times the film's size, on the GPU."""
        return DeviceMemory(self._card, factor, finds_motion=finds_motion, stays=stays)

    def pictures(self) -> DevicePictures:
        """What takes pictures from NVDEC and gives them to NVENC, on the GPU."""
        return DevicePictures(self._card)


class CudaEngine(DeviceEngine):
    """The launches of all chains of one network, one after another on one stream."""

    def __init__(
        self,
        card: Card,
        shared_bytes: int,
        chains: list[Chain],
        inputs: Shapes,
        outputs: Shapes,
    ) -> None:
        super().__init__(card, inputs, outputs)
        self._launches: list[Callable[[], None]] = []
        for chain in chains:
            launches = plan(chain.layout, shared_bytes)
            if launches is None:
                raise BackendError(
                    f"this network does not fit into {shared_bytes} bytes of shared memory a "
                    "block; give --backend tensorrt or openvino"
                )
            self._add(chain, launches)

    def _add(self, chain: Chain, launches: tuple[Launch, ...]) -> None:
        """All launches of one chain; what one leaves, the next one finds."""
        high, wide = (side // chain.grid for side in self.inputs[chain.inputs[0]][0][:2])
        given = [self.given[name] if name else _NOWHERE for name in chain.inputs]
        made = [self.made[name] for name in chain.outputs]
        weights = self.room(chain.weights.shape, np.uint8)
        weights.set(chain.weights, stream=self._stream)  # before all work on that stream
        before: Any = _NOWHERE
        for launch in launches:
            after: Any = _NOWHERE
            if launch.last < chain.layout.layers:
                shape = chain.layout.width // 8, high, wide, 16
                after = self.room(shape, np.uint8)
            sizes = np.int32(high), np.int32(wide)
            arguments = *given, before, after, *made, weights, *sizes
            kernel = _kernel(chain, launch, self.card.number)
            self._launches.append(self._launch(kernel, launch, (high, wide), arguments))
            before = after

    def _launch(
        self, kernel: Any, launch: Launch, size: tuple[int, int], arguments: tuple[Any, ...]
    ) -> Callable[[], None]:
        grid, block = launch.grid(*size), (_THREADS,)
        words = {"shared_mem": launch.shared_bytes, "stream": self._stream}
        return lambda: kernel(grid, block, arguments, **words)

    def _execute(self) -> None:
        for launch in self._launches:
            launch()

    def close(self) -> None:
        """Free the device's memory; calling again does nothing."""
        super().close()
        self._launches = []


def _kernel(chain: Chain, launch: Launch, device: int) -> Any:
    """Compiled for those layers and tiles of the chain."""
    module = load(chain.kernel, device, constants_of(chain, launch))
    kernel = module.get_function(chain.kernel)
    kernel.max_dynamic_shared_size_bytes = launch.shared_bytes
    return kernel


def constants_of(chain: Chain, launch: Launch) -> dict[str, int]:
    """All constants that the kernel of a chain is compiled with for that launch."""
    return {
        **chain.constants,
        "WIDTH": chain.layout.width,
        "LAYERS": chain.layout.layers,
        "SKIP": int(chain.layout.skip),
        "FIRST": launch.first,
        "LAST": launch.last,
        "ROWS": launch.rows,
        "PITCH": launch.pitch,
    }
