"""Everything that needs a GPU in one command, on a bare machine: CuPy, torch, NumPy, ONNX.

python -m benchmarks.gpu_check [--out FOLDER] [--cpu-shim]
"""
