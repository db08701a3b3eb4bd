"""A tiny training folder and its recipe."""

import cv2
import numpy as np
import pytest

from vidgen.train.recipe import read

RECIPE = """
name = "tiny"
tier = "realtime"
[net]
grid = 1
width = 8
depth = 1
expand = 8
[data]
folder = "{folder}"
validation = ["held"]
length = 3
keep = 3
windows = 2
drawings = 1
side = 32
[train]
steps = 6
batch = 2
crop = 16
warmup = 2
"""


def still(seed):
    """A picture (200, 300, 3) with smooth parts and edges."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    blocks = np.kron(coarse, np.ones((10, 10, 1), np.uint8))
    return cv2.GaussianBlur(blocks, (0, 0), 1)


@pytest.fixture(scope="session")
def recipe_path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stills")
    for seed, name in enumerate(("one", "held")):
        cv2.imwrite(str(folder / f"{name}.png"), still(seed))
    path = folder / "tiny.toml"
    path.write_text(RECIPE.format(folder=folder))
    return path


@pytest.fixture(scope="session")
def recipe(recipe_path):
    return read(recipe_path)
