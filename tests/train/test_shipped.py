"""The graphs that are shipped are those of the weights that are shipped."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from safetensors.torch import load_file

from vidgen import zoo
from vidgen.train import checkpoint
from vidgen.train.export import graph_of
from vidgen.train.fold import folded
from vidgen.train.fusing import Fusing
from vidgen.train.recipe import read
from vidgen.train.upscaling import Upscaling

ROOT = Path(__file__).parents[2]
SHIPPED = [
    (name, flavour)
    for name in zoo.names(zoo.models_folder())
    for flavour in ("", ".gan")
    if (zoo.models_folder() / f"{name}{flavour}.safetensors").is_file()
]


def network(name, flavour):
    """What lies in the safetensors file, in the shape of its recipe without training's extras."""
    recipe = read(ROOT / f"models/recipes/{name}.toml")
    lesson = {"upscale": Upscaling, "generate": Fusing}[recipe.task]
    plain = replace(recipe, net=replace(recipe.net, expand=0))
    built = lesson(plain, None).build()
    path = zoo.models_folder() / f"{name}{flavour}.safetensors"
    assert {*load_file(path)} == {name for name, _ in built.named_parameters()}
    checkpoint.start(built, path)
    return folded(built)


@pytest.mark.parametrize(("name", "flavour"), SHIPPED)
@pytest.mark.parametrize("depth", [8, 10])
def test_the_graph_is_that_of_the_weights(name, flavour, depth):
    shipped = onnx.load(zoo.models_folder() / f"{name}{flavour}.{depth}bit.onnx")
    fresh = graph_of(network(name, flavour), depth)
    for given, wanted in zip(constants(shipped), constants(fresh), strict=True):
        # what takes a mean out of a kernel once more moves it by its last bit
        np.testing.assert_allclose(given, wanted, rtol=0, atol=1e-8)
    assert shipped == fresh


def constants(model):
    """The numbers of its constants, taken out."""
    numbers = [numpy_helper.to_array(each) for each in model.graph.initializer]
    for each in model.graph.initializer:
        each.ClearField("raw_data")
    return numbers
