"""Networks that others trained, made into models like any other: planes in, planes out.

A community network takes a picture as RGB. It is wrapped once, when it is added: matrix, range and
chroma resampling become part of its graph. Nothing is ever unpickled. Needs the package onnx.
"""

from vidgen.adopt.add import add_model, ncnn_model

__all__ = ["add_model", "ncnn_model"]
