"""Recipes: the shipped ones are read, and a slip is named."""

import pytest

from vidgen.errors import UsageError
from vidgen.train.recipe import read


def test_the_shipped_recipes_are_named_as_their_files(root):
    paths = sorted((root / "models" / "recipes").glob("*.toml"))
    assert paths
    for path in paths:
        assert read(path).name == path.stem.removesuffix("-gan")
        assert read(path).data.folder == "../shared/data/train"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("width = 8", "widht = 8", "widht"),
        ("grid = 1\n", "", "grid"),
        ('tier = "realtime"', "", "tier"),
        ("[net]", "[network]", "network"),
        ("steps = 6", "steps = ", "cannot be read"),
        ("steps = 6", "steps = 6.5", "steps = 6.5 is no int"),
    ],
)
def test_a_slip_in_a_recipe_is_named(recipe_path, tmp_path, before, after, words):
    path = tmp_path / "slip.toml"
    path.write_text(recipe_path.read_text().replace(before, after))
    with pytest.raises(UsageError, match=words):
        read(path)


def test_a_missing_recipe_is_an_error_in_one_line(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        read(tmp_path / "none.toml")
