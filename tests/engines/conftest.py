"""Every backend that can run here; `cuda` on a stand-in for CuPy, where there is no GPU."""

import sys

import pytest

from benchmarks.standin import CARD, standin
from vidgen import kernels, zoo
from vidgen.engines import backend_names, choose_backend
from vidgen.errors import BackendError

MOST_MACS = 50_000  # a pixel, of models that are run on the stand-in


NEED_A_GPU = {"tensorrt": pytest.mark.needs_cuda}  # the stand-in is for our own kernels


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=NEED_A_GPU.get(name, ())) for name in backend_names()],
)
def backend(request):
    """Each in turn; the first one, the reference, must be here."""
    try:
        yield choose_backend(request.param)
        return
    except BackendError as error:
        if request.param == backend_names()[0]:
            raise
        if request.param != "cuda":
            pytest.skip(str(error))
    yield from on_the_cpu()


def spare(backend, model, depth):
    """Skip what would take minutes on the stand-in: each small model is run at one depth there.

    `python -m benchmarks.gpu_check --cpu-shim` runs all of them at both.
    """
    if CARD not in backend.describe():
        return
    if model.macs_per_pixel > MOST_MACS or depth != (8, 10)[zoo.names().index(model.name) % 2]:
        pytest.skip("where the GPU is a CPU, small models are run, and at one depth each")


def on_the_cpu(**words):
    """The `cuda` backend on a stand-in, as long as a fixture stands."""
    with pytest.MonkeyPatch.context() as patch:
        try:
            patch.setitem(sys.modules, "cupy", standin(**words))
        except BackendError as error:
            pytest.skip(str(error))
        kernels._compiled.cache_clear()
        yield choose_backend("cuda")
        kernels._compiled.cache_clear()
