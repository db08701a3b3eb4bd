"""The networks: folded computes what was trained; flat colours are exact in any precision."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs vidgen[train]")

from vidgen.engines.flavours import STEPS, on_grid  # noqa: E402
from vidgen.nets.chain import UNIT, Upscaler  # noqa: E402
from vidgen.train.fold import folded, is_exact  # noqa: E402

SHAPES = [(1, 16, 2), (1, 16, 3), (2, 16, 3), (4, 16, 1)]


def trained(grid, width, depth, expand=24):
    """A network as after training: every parameter away from its first value."""
    net = Upscaler(grid, width, depth, expand)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    net.project()
    return net.eval().requires_grad_(False)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_folded_kernels_compute_the_3x3_and_the_1x1_in_a_row(shape):
    net = trained(*shape)
    layer = net.luma.body[0]
    x = torch.randn(1, 16, 9, 9)
    convolve = torch.nn.functional.conv2d
    apart = convolve(x, layer.weight) + convolve(
        convolve(x, layer.wide), layer.mix[..., None, None]
    )
    torch.testing.assert_close(convolve(x, layer.kernel()), apart, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_folding_changes_the_picture_by_the_grid_alone(shape):
    net = trained(*shape)
    plain = folded(net)
    y, uv = torch.rand(1, 1, 24, 32), torch.rand(1, 2, 12, 16)
    for given, wanted in zip(plain(y, uv), net(y, uv), strict=True):
        assert (given - wanted).abs().mean() < 0.01 * wanted.std()
    for layer in plain.luma.convolutions():
        assert layer.wide is None
        assert layer.weight.dtype == torch.float32


@pytest.mark.parametrize("shape", SHAPES)
def test_first_kernels_sum_to_zero_and_are_exact_in_half_precision(shape):
    net = folded(trained(*shape))
    for chain in (net.luma, net.chroma):
        assert is_exact(chain)
        kernel = chain.head.weight
        for half in (torch.bfloat16, torch.float16):
            assert torch.equal((kernel / UNIT).to(half).float() * UNIT, kernel)


def test_the_grid_keeps_whole_steps_below_the_limit():
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(8, 2, 3, 3)).astype(np.float32) * 10.0 ** rng.uniform(
        -4, 2, (8, 1, 1, 1)
    )
    kernel -= kernel.mean((2, 3), keepdims=True)
    placed = on_grid(kernel.astype(np.float32), 2)
    for before, after in zip(kernel, placed, strict=True):
        step = 2.0 ** np.ceil(np.log2(np.abs(before).max() / (STEPS - 8)))
        whole = after / step
        assert np.array_equal(whole, np.rint(whole))
        assert np.abs(whole).max() <= STEPS
        assert np.array_equal(after.reshape(2, -1).sum(1), [0, 0])
        assert np.abs(after - before).max() <= 2 * step


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_the_residual_of_every_flat_colour_is_zero(dtype, depth):
    """All levels of each plane, border included, as an engine of that precision sees them."""
    net = folded(trained(1, 16, 2))
    levels = torch.arange(2**depth)
    whole, rest = levels // 2 ** (depth - 8), levels % 2 ** (depth - 8)
    for chain in (net.luma, net.chroma):
        chain = chain.to(dtype)
        part = torch.stack([whole, whole.flip(0)][: chain.planes], 1)
        fine = torch.stack([rest, rest.flip(0)][: chain.planes], 1)
        for codes, share in ((part, 1), (fine, 0.25)):
            flat = (codes * share / UNIT).to(dtype)[:, :, None, None].expand(-1, -1, 5, 6)
            assert not chain(flat).any()


def test_a_bias_never_rises_above_zero():
    net = Upscaler(1, 16, 2)
    with torch.no_grad():
        net.luma.head.bias += 1
    net.project()
    assert not (net.luma.head.bias > 0).any()
    net.luma.head.bias.data[0] = 0.1
    assert not is_exact(folded(net).luma)
