"""Arrays out of pickles: what NumPy wrote comes back, and nothing is ever run."""

import os
import pickle
import pickletools

import numpy as np
import pytest

from vidgen.bench.arrays import read_arrays
from vidgen.errors import ModelError


def test_what_numpy_wrote_comes_back(rng):
    written = {
        "net": {
            "kernel": rng.normal(0, 1, (3, 4, 5)).astype(np.float32),
            "turned": np.asfortranarray(rng.integers(0, 9, (3, 4))),
            "again": {"half": rng.normal(0, 1, 7).astype(np.float16)},
        },
        "bytes": rng.integers(0, 256, 300).astype(np.uint8),
    }
    read = read_arrays(pickle.dumps(written, protocol=3), "x")
    assert read.keys() == written.keys()
    flat = {**read["net"], **read["net"]["again"], "bytes": read["bytes"]}
    truth = {**written["net"], **written["net"]["again"], "bytes": written["bytes"]}
    for name in ("kernel", "turned", "half", "bytes"):
        assert flat[name].dtype == truth[name].dtype
        np.testing.assert_array_equal(flat[name], truth[name])


class Harm:
    def __init__(self, call, *words):
        self.call, self.words = call, words

    def __reduce__(self):
        return self.call, self.words


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_nothing_is_called(tmp_path, protocol):
    trap = tmp_path / "trap"
    for harm in (Harm(os.mkdir, str(trap)), Harm(eval, f"__import__('os').mkdir({str(trap)!r})")):
        for thing in (harm, {"a": harm}, {"a": np.zeros(2), "b": [harm]}):
            data = pickle.dumps(thing, protocol=protocol)
            with pytest.raises(ModelError, match="no dictionary of plain arrays"):
                read_arrays(data, "x")
    assert not trap.exists()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no pickle",
        pickle.dumps([1, 2]),
        pickle.dumps({"a": "text"}, protocol=3),
        pickle.dumps({"a": np.array([None])}, protocol=3),
        pickle.dumps({"a": np.zeros(3)}, protocol=3)[:-30],
        pickle.dumps({"a": np.zeros(3)}, protocol=3).replace(b"ndarray", b"memmap"),
        b"\x80\x03cnumpy.core.multiarray\n_reconstruct\n(cnumpy\ndtype\ntR.",
        b"\x80\x03}X\x01\x00\x00\x00acnumpy\nndarray\ns.",
        b"\x80\x03}(t}b.",
    ],
)
def test_anything_else_is_an_error(data):
    with pytest.raises(ModelError, match="x: is no dictionary"):
        read_arrays(data, "x")


def test_damage_never_gets_through_as_another_error(rng):
    """Any bytes at all: arrays or a ModelError."""
    whole = pickle.dumps({"a": np.arange(6.0), "b": {"c": np.zeros((2, 2), "f4")}}, protocol=3)
    for _ in range(400):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), rng.integers(1, 4)):
            data[place] = rng.integers(0, 256)
        try:
            read_arrays(bytes(data), "x")
        except ModelError:
            continue
    assert len(list(pickletools.genops(whole))) > 40
