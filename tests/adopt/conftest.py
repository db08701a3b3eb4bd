"""RGB networks made by code, as others would have trained them."""

from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from vidgen.engines import choose_backend


@pytest.fixture(scope="session")
def backend():
    return choose_backend()


@pytest.fixture
def compact_weights(rng):
    """`compact_weights(scale)`: SRVGGNetCompact whose last layer adds little or nothing."""

    def make(scale: int, width: int = 6, depth: int = 2, last: float = 0.0) -> dict:
        weights, inputs = {}, 3
        for layer in range(depth):
            weights[f"body.{2 * layer}.weight"] = rng.normal(0, 0.1, (width, inputs, 3, 3))
            weights[f"body.{2 * layer}.bias"] = rng.normal(0, 0.1, width)
            weights[f"body.{2 * layer + 1}.weight"] = rng.uniform(0, 0.5, width)
            inputs = width
        weights[f"body.{2 * depth}.weight"] = last * rng.normal(0, 1, (3 * scale**2, width, 3, 3))
        weights[f"body.{2 * depth}.bias"] = np.zeros(3 * scale**2)
        return {name: value.astype(np.float32) for name, value in weights.items()}

    return make


@pytest.fixture
def safetensors(tmp_path):
    """`safetensors(name, arrays)`: the file, written by hand from the format's own words."""

    def write(name: str, arrays: dict, dtype: str = "F32", prefix: str = "") -> str:
        kind = {"F32": "<f4", "F16": "<f2"}[dtype]
        table, data = {"__metadata__": {"format": "pt"}}, b""
        for key, value in arrays.items():
            raw = value.astype(kind).tobytes()
            entry = {
                "dtype": dtype,
                "shape": value.shape,
                "data_offsets": [len(data), len(data) + len(raw)],
            }
            table[prefix + key] = entry
            data += raw
        head = json.dumps(table).encode()
        path = tmp_path / name
        path.write_bytes(len(head).to_bytes(8, "little") + head + data)
        return path

    return write


@pytest.fixture
def onnx_file(tmp_path):
    """`onnx_file(...)`: a network that repeats every pixel, after what its arguments say."""

    def write(
        name: str = "net.onnx", *, scale: int = 2, gain: float = 1.0, half: bool = False,
        opset: int = 17, fixed: bool = False, needs: int = 1, channels: int = 3,
    ):  # fmt: skip
        kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
        number = np.float16 if half else np.float32
        sides = [48, 64] if fixed else ["h", "w"]
        eye = (gain * np.eye(channels)).reshape(channels, channels, 1, 1).astype(number)
        constants = [
            numpy_helper.from_array(eye, "kernel"),
            numpy_helper.from_array(np.zeros(0, np.float32), "roi"),
            numpy_helper.from_array(np.array([1, 1, scale, scale], np.float32), "scales"),
        ]
        nodes = [helper.make_node("Conv", ["in", "kernel"], ["made"])]
        current = "made"
        if needs > 1:  # packs blocks, so that other sizes cannot go through
            packed = helper.make_node("SpaceToDepth", [current], ["packed"], blocksize=needs)
            back = helper.make_node("DepthToSpace", ["packed"], ["unpacked"], blocksize=needs)
            nodes, current = [*nodes, packed, back], "unpacked"
        words = {
            "mode": "nearest",
            "coordinate_transformation_mode": "asymmetric",
            "nearest_mode": "floor",
        }
        nodes.append(
            helper.make_node(
                "Resize", [current, "roi" if opset < 13 else "", "scales"], ["out"], **words
            )
        )
        info = helper.make_tensor_value_info
        graph = helper.make_graph(
            nodes,
            "net",
            [info("in", kind, [1, channels, *sides])],
            [
                info(
                    "out",
                    kind,
                    [1, channels, *(["oh", "ow"] if not fixed else [48 * scale, 64 * scale])],
                )
            ],
            constants,
        )
        path = tmp_path / name
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8
        )
        onnx.save(model, str(path))
        return path

    return write
