"""Each kernel file compiles to machine code of every GPU generation that CUDA 13 knows."""

import shutil
import subprocess

import pytest

from vidgen import kernels, zoo
from vidgen.engines.cuda import constants_of
from vidgen.engines.networks import read_chains
from vidgen.engines.tiles import plan

SHARED = {75: 64, 80: 163, 86: 99, 89: 99, 90: 227, 120: 99}
"""Compute capability to kilobytes of shared memory that a block can ask for."""

BY_CUPY = ("-ftz=true", "--device-as-default-execution-space")
"""That it adds to what it is given."""

OF_NETWORKS = {"fusion", "upscale"}
"""These need the constants of a network; tests/engines holds them to its graph."""

MODELS = {75: "x4-realtime", 80: "x2-balanced", 86: "x2-realtime", 89: "mid-realtime"}
MODELS |= {90: "x2-balanced", 120: "x4-realtime"}


PLAIN = [each for each in kernels.names() if each not in OF_NETWORKS]


@pytest.mark.parametrize("name", PLAIN)
def test_compiles_with_nvcc_without_a_warning(name, tmp_path):
    """For all at once: nothing in these texts asks for which generation they are compiled."""
    text = kernels.source(name)
    assert "__CUDA_ARCH__" not in text
    compiled(text, SHARED, tmp_path)


@pytest.mark.parametrize("name", PLAIN)
def test_compiles_as_cupy_does_without_a_warning(name):
    for capability in SHARED:
        by_nvrtc(kernels.source(name), capability)


@pytest.mark.soak
@pytest.mark.parametrize("capability", SHARED)
@pytest.mark.parametrize("name", zoo.names(zoo.models_folder()))
def test_every_network_as_cupy_compiles_it(name, capability):
    for depth in (8, 10):
        for chain in read_chains(zoo.load(name), depth):
            for launch in plan(chain.layout, SHARED[capability] * 1024):
                by_nvrtc(kernels.source(chain.kernel, constants_of(chain, launch)), capability)


@pytest.mark.parametrize("capability", SHARED)
def test_networks_compile_without_spilling_registers(capability, tmp_path):
    largest = read_chains(zoo.load(MODELS[capability]), 8)[0]
    all_launches(largest, capability, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("capability", SHARED)
@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("name", zoo.names(zoo.models_folder()))
def test_every_network_on_every_generation(name, depth, capability, tmp_path):
    for chain in read_chains(zoo.load(name), depth):
        all_launches(chain, capability, tmp_path)


def all_launches(chain, capability, folder):
    for launch in plan(chain.layout, SHARED[capability] * 1024):
        text = kernels.source(chain.kernel, constants_of(chain, launch))
        said = compiled(text, [capability], folder, "-Xptxas", "-v")
        assert " 0 bytes spill stores, 0 bytes spill loads" in said, said


def compiled(text, capabilities, folder, *options) -> str:
    """What the compiler says; it must have no reason to warn."""
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        pytest.skip("no nvcc on the path")
    source, target = folder / "kernel.cu", folder / "kernel.fatbin"
    source.write_text(text)
    codes = ",".join(f"sm_{each}" for each in capabilities)
    generations = f"--generate-code=arch=compute_{min(capabilities)},code=[{codes}]"
    words = [*kernels.OPTIONS, generations, "--Werror=all-warnings", "--no-compress", "--fatbin"]
    command = [nvcc, *words, *options, "--output-file", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert target.read_bytes().count(b"\x7fELF") == len(capabilities)
    return done.stderr


def by_nvrtc(text, capability):
    """Machine code, and nothing said."""
    nvrtc = pytest.importorskip(
        "cuda.bindings.nvrtc", reason="pip install cuda-bindings nvidia-cuda-nvrtc"
    )

    def done(answer):
        assert answer[0] == nvrtc.nvrtcResult.NVRTC_SUCCESS, answer
        return answer[-1]

    program = done(nvrtc.nvrtcCreateProgram(text.encode(), b"kernel.cu", 0, [], []))
    words = [*kernels.OPTIONS, *BY_CUPY, f"--gpu-architecture=sm_{capability}"]
    result = nvrtc.nvrtcCompileProgram(program, len(words), [word.encode() for word in words])
    said = bytearray(done(nvrtc.nvrtcGetProgramLogSize(program)))
    done(nvrtc.nvrtcGetProgramLog(program, said))
    assert not said.strip(b"\0\n "), said.decode()
    done(result)
    code = bytearray(done(nvrtc.nvrtcGetCUBINSize(program)))
    done(nvrtc.nvrtcGetCUBIN(program, code))
    assert code.startswith(b"\x7fELF")
    done(nvrtc.nvrtcDestroyProgram(program))
