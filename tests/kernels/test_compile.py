"""Each kernel file compiles to machine code of every GPU generation that CUDA 13 knows."""

import shutil
import subprocess

import pytest

from vidgen import kernels


@pytest.mark.parametrize("capability", [75, 80, 86, 89, 90, 120])
@pytest.mark.parametrize("name", kernels.names())
def test_compiles_with_nvcc_without_a_warning(name, capability, tmp_path):
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        pytest.skip("no nvcc on the path")
    target = tmp_path / "kernel.cubin"
    source = kernels.kernels_folder() / f"{name}.cu"
    options = [*kernels.OPTIONS, f"--gpu-architecture=sm_{capability}", "--Werror=all-warnings"]
    command = [nvcc, *options, "--cubin", "--output-file", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert target.read_bytes()[:4] == b"\x7fELF"
