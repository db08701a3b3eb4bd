"""Networks from elsewhere: planes in and out, checked on the spot, refused with a reason."""

import pickle
import zipfile

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from vidgen import zoo
from vidgen.adopt import add_model, ncnn_model
from vidgen.adopt.compact import compact_graph
from vidgen.adopt.ncnn import read_ncnn
from vidgen.adopt.safetensors import read_safetensors
from vidgen.errors import ModelError


@pytest.fixture
def add(backend, tmp_path):
    """`add(file)` into a folder of this test."""
    return lambda file, **words: add_model(file, backend, folder=tmp_path / "added", **words)


def planes(rng, width, height, depth):
    dtype, top = (np.uint8, 256) if depth == 8 else (np.uint16, 1024)
    y = rng.integers(0, top, (height, width)).astype(dtype)
    return y, rng.integers(0, top, (height // 2, width // 2, 2)).astype(dtype)


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("half", [False, True])
def test_what_repeats_pixels_repeats_luma_exactly(add, backend, onnx_file, rng, scale, half):
    """Through matrix and back, for every code: also those outside of limited range."""
    model = add(onnx_file(scale=scale, half=half))
    assert (model.name, model.scale, model.multiple_of, model.history) == ("net", scale, 2, False)
    for depth in (8, 10):
        y, uv = planes(rng, 28, 20, depth)
        with backend.compile(model, 28, 20, depth) as engine:
            large_y, large_uv = engine(y, uv)
        assert large_uv.shape == (10 * scale, 14 * scale, 2)
        error = np.abs(np.kron(y, np.ones((scale, scale), int)) - large_y)
        assert error.max() <= (3 if half and depth == 10 else 1) * half


def test_chroma_keeps_its_place(add, backend, onnx_file):
    """A ramp of colour comes out where it was, and flat luma stays flat."""
    model = add(onnx_file())
    y = np.full((32, 48), 120, np.uint8)
    ramp = np.tile(np.arange(40, 208, 7, dtype=np.uint8), (16, 1))
    with backend.compile(model, 48, 32, 8) as engine:
        large_y, large_uv = engine(y, np.stack([ramp, ramp[:, ::-1]], -1))
    assert (large_y == 120).all()
    places = (np.arange(48) + 0.5) / 2 - 0.5
    assert np.abs(large_uv[8, 4:-4, 0] - (40 + 7 * places[4:-4])).max() <= 1.5


def test_a_network_that_wants_larger_steps_gets_them(add, onnx_file):
    assert add(onnx_file(needs=8)).multiple_of == 8


@pytest.mark.parametrize("words", [{"fixed": True}, {"opset": 11}, {"opset": 20}])
def test_other_exports_of_the_same(add, onnx_file, words):
    assert add(onnx_file(**words)).scale == 2


def test_a_graph_that_pads_by_the_size_it_is_given(add, tmp_path):
    """Its shapes cannot be told without running it: rows are added, and cut off again."""
    words = {
        "mode": "nearest",
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "floor",
    }
    make, info = helper.make_node, helper.make_tensor_value_info
    constants = {"eight": np.int64([8]), "scales": np.float32([1, 1, 2, 2]), "two": np.int64([2])}
    constants |= {
        "row": np.int64([2]),
        "before": np.int64([0, 0, 0, 0, 0, 0]),
        "column": np.int64([0]),
    }
    nodes = [
        make("Shape", ["in"], ["rows"], start=2, end=3),
        make("Mod", ["rows", "eight"], ["over"]),
        make("Sub", ["eight", "over"], ["missing"]),
        make("Concat", ["before", "missing", "column"], ["pads"], axis=0),
        make("Pad", ["in", "pads"], ["padded"], mode="edge"),
        make("Resize", ["padded", "", "scales"], ["large"], **words),
        make("Mul", ["rows", "two"], ["end"]),
        make("Slice", ["large", "column", "end", "row"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [info("in", 1, [1, 3, "h", "w"])],
        [info("out", 1, [1, 3, "oh", "ow"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    path = tmp_path / "pads.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    assert add(path).scale == 2


def test_the_card_says_where_it_is_from(add, onnx_file):
    file = onnx_file("4x_Some Net-v2.onnx")
    model = add(file, license="MIT")
    assert model.name == "4x-some-net-v2"
    assert (model.license, model.tier, model.parameters) == ("MIT", "added", 9 + 4)
    assert model.training["source"] == file.name
    assert add(onnx_file("b.onnx")).license == "LicenseRef-unknown"
    assert zoo.load(model.name, model.folder) == model


def test_compact_networks_from_their_weights(add, safetensors, compact_weights, backend, rng):
    """Against the network written out in NumPy."""
    weights = compact_weights(2, last=0.03)
    model = add(safetensors("compact.safetensors", weights, prefix="params_ema."))
    assert (model.scale, model.parameters) == (2, sum(each.size for each in weights.values()) + 4)
    picture = rng.uniform(0, 1, (1, 3, 9, 11)).astype(np.float32)
    from onnx.reference import ReferenceEvaluator

    (made,) = ReferenceEvaluator(compact_graph(weights, "c")).run(None, {"picture": picture})
    np.testing.assert_allclose(made[0], compact(weights, picture[0]), atol=1e-5)


def compact(weights, picture):
    """SRVGGNetCompact x2, tap by tap: (3, H, W)."""
    features = picture
    for layer in range(5):
        weight = weights[f"body.{layer}.weight"]
        if weight.ndim == 1:
            features = np.where(features >= 0, features, weight[:, None, None] * features)
            continue
        padded = np.pad(features, ((0, 0), (1, 1), (1, 1)))
        height, width = picture.shape[1:]
        taps = [padded[:, a : a + height, b : b + width] for a in range(3) for b in range(3)]
        features = np.einsum(
            "otc,tchw->ohw",
            weight.transpose(0, 2, 3, 1).reshape(len(weight), 9, -1),
            np.stack(taps),
        )
        features += weights[f"body.{layer}.bias"][:, None, None]
    height, width = picture.shape[1:]
    added = (
        features.reshape(3, 2, 2, height, width)
        .transpose(0, 3, 1, 4, 2)
        .reshape(3, 2 * height, 2 * width)
    )
    return added + picture.repeat(2, 1).repeat(2, 2)


def test_half_precision_weights(safetensors, compact_weights):
    weights = compact_weights(4)
    read = read_safetensors(safetensors("half.safetensors", weights, dtype="F16"))
    assert read.keys() == weights.keys()
    assert all(np.abs(read[name] - weights[name]).max() < 1e-3 for name in weights)


def write_ncnn(path, weights, *, half, shrink=1.0, extra=()):
    """ncnn's two files of SRVGGNetCompact."""
    lines, data = ["7767517", "9 9", "Input in 0 1 in"], b""
    for layer in range(len({name.split(".")[1] for name in weights})):
        value = weights[f"body.{layer}.weight"]
        if value.ndim == 1:
            lines.append(f"PReLU p{layer} 1 1 a b 0={value.size}")
            data += value.tobytes()
            continue
        lines.append(f"Convolution c{layer} 1 1 a b 0={len(value)} 1=3 4=1 5=1 6={value.size}")
        raw = value.astype(np.float16).tobytes() if half else value.tobytes()
        data += (b"\x47\x6b\x30\x01" if half else bytes(4)) + raw + bytes(-len(raw) % 4)
        data += weights[f"body.{layer}.bias"].tobytes()
    lines += ["PixelShuffle s 1 1 a b 0=4", "Interp i 1 1 in u 0=1 1=4.0e+00 2=4.0e+00", *extra]
    if shrink != 1:
        lines.append(f"Interp j 1 1 b out 0=3 1={shrink:e} 2={shrink:e}")
    path.write_text("\n".join(lines))
    path.with_suffix(".bin").write_bytes(data)
    return path


@pytest.mark.parametrize("half", [False, True])
def test_weights_of_ncnn(compact_weights, tmp_path, half):
    weights = compact_weights(4, last=0.1, width=5)
    read, shrink = read_ncnn(write_ncnn(tmp_path / "net.param", weights, half=half))
    assert shrink == 1
    assert read.keys() == weights.keys()
    for name, value in weights.items():
        np.testing.assert_allclose(read[name], value, atol=1e-3 * half)


def test_other_layers_of_ncnn_are_refused(compact_weights, tmp_path):
    words = {"half": True, "extra": ["Deconvolution d 1 1 a b 0=3"]}
    param = write_ncnn(tmp_path / "net.param", compact_weights(2), **words)
    with pytest.raises(ModelError, match="a layer Deconvolution"):
        read_ncnn(param)


def test_what_enlarges_by_four_and_shrinks_by_two(compact_weights, tmp_path, backend):
    """As Real-ESRGAN's x2 does: four equal pixels, taken together again, are what they were."""
    param = write_ncnn(tmp_path / "net.param", compact_weights(4), half=True, shrink=0.5)
    model = ncnn_model(param, "base", tmp_path / "made", backend, "BSD-3-Clause")
    assert (model.scale, model.license) == (2, "BSD-3-Clause")
    y = np.tile(np.linspace(30, 200, 32).astype(np.uint8), (24, 1))
    with backend.compile(model, 32, 24, 8) as engine:
        made = engine(y, np.full((12, 16, 2), 128, np.uint8))[0]
    assert (
        np.abs(made[:, 4:-4] - np.repeat(np.repeat(y.astype(float), 2, 0), 2, 1)[:, 4:-4]).max()
        <= 2
    )


class Harm:
    """A pickle of this would make a file when it is opened."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize(
    "name", ["net.pth", "net.pt", "net.ckpt", "net.pkl", "net.onnx", "net.safetensors"]
)
@pytest.mark.parametrize("zipped", [False, True])
def test_pickles_are_refused_unopened(add, tmp_path, name, zipped):
    file, trap = tmp_path / name, tmp_path / "trap"
    data = pickle.dumps(Harm(trap))
    if zipped:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("archive/data.pkl", data)
    else:
        file.write_bytes(data)
    with pytest.raises(ModelError, match=r"is a pickle: .* not opened; .* export it to"):
        add(file)
    assert not trap.exists()


def test_what_does_not_fit_is_named(add, onnx_file, safetensors, tmp_path):
    two = onnx.load(onnx_file("two.onnx"))
    two.graph.input.append(onnx.helper.make_tensor_value_info("more", 1, [1]))
    onnx.save(two, tmp_path / "two.onnx")
    (tmp_path / "none.onnx").write_bytes(b"no graph at all")
    (tmp_path / "words.txt").write_text("no network")
    broken = safetensors("broken.safetensors", {"body.0.weight": np.zeros((4, 3, 3, 3))})
    broken.write_bytes(broken.read_bytes()[:-8])
    cases = {
        onnx_file("gray.onnx", channels=1): "RGB",
        onnx_file("hot.onnx", gain=255.0): "not the picture that went in",
        tmp_path / "two.onnx": "takes 2 inputs",
        tmp_path / "none.onnx": "cannot be read as ONNX",
        tmp_path / "words.txt": "neither .onnx nor .safetensors",
        tmp_path / "gone.onnx": "no such file",
        broken: "lies outside the file",
        safetensors(
            "other.safetensors", {"conv_first.weight": np.zeros((4, 3, 3, 3))}
        ): "conv_first.weight",
    }
    for file, said in cases.items():
        with pytest.raises(ModelError, match=said):
            add(file)
    assert not (tmp_path / "added").exists()


def test_no_name_is_taken_twice(add, onnx_file):
    add(onnx_file())
    with pytest.raises(ModelError, match="there is a model 'net' already; give another --name"):
        add(onnx_file())
    with pytest.raises(ModelError, match="'x2-realtime' already"):
        add(onnx_file("x2-realtime.onnx"))
    assert add(onnx_file(), name="other").name == "other"


def test_a_model_of_ones_own_is_copied_with_its_files(add, tmp_path):
    for file in zoo.models_folder().glob("x2-realtime.*"):
        (tmp_path / file.name.replace("x2-realtime", "mine")).write_bytes(file.read_bytes())
    card = tmp_path / "mine.toml"
    card.write_text(zoo.card_text("x2-realtime").replace("x2-realtime", "mine"))
    with pytest.raises(ModelError, match="a card says name and licence itself"):
        add(card, license="MIT")
    model = add(card)
    assert model.folder == tmp_path / "added"
    assert [path.parent for path in model.files()] == [model.folder] * len(model.sha256)
    with pytest.raises(ModelError, match="'mine' already"):
        add(card)


def test_a_model_that_is_not_whole_is_not_copied(add, tmp_path):
    (tmp_path / "mine.toml").write_text(zoo.card_text("x2-realtime"))
    with pytest.raises(ModelError, match="is missing"):
        add(tmp_path / "mine.toml")
    assert not (tmp_path / "added").exists()
