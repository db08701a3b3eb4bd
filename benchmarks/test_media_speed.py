"""Decoding, and planes across FFmpeg's edge. Run by `make bench`."""

from fractions import Fraction

import av
import pytest

from vidgen.bench.film import write_scene
from vidgen.bench.scenes import Scene
from vidgen.frame import VideoFormat
from vidgen.media import Decoder
from vidgen.media.color import PictureReader, picture

FRAMES = 12
SIZES = {"540p": (960, 540), "1080p": (1920, 1080)}
PIX_FMTS = {8: "yuv420p", 10: "yuv420p10le"}


@pytest.fixture(scope="module", params=SIZES)
def size(request):
    return SIZES[request.param]


@pytest.fixture(scope="module")
def film(size, tmp_path_factory):
    target = tmp_path_factory.mktemp("film") / "scene.mp4"
    return write_scene(target, Scene(*size), fps=Fraction(24), seconds=Fraction(FRAMES, 24))


@pytest.fixture(scope="module", params=PIX_FMTS)
def depth(request):
    return request.param


@pytest.fixture(scope="module")
def decoded(size, depth):
    """A picture as a decoder gives it."""
    planes = Scene(*size, bit_depth=depth).planes(Fraction(1))
    return picture(planes, PIX_FMTS[depth])


def test_decode(benchmark, film):
    def decode():
        with Decoder(film) as decoder:
            return sum(1 for _ in decoder)

    benchmark.extra_info["frames"] = FRAMES
    assert benchmark(decode) == FRAMES


def test_decode_by_ffmpeg_alone(benchmark, film):
    """The part of `test_decode` that is FFmpeg's."""

    def decode():
        with av.open(film) as container:
            container.streams.video[0].thread_type = "AUTO"
            return sum(1 for _ in container.decode(video=0))

    benchmark.extra_info["frames"] = FRAMES
    assert benchmark(decode) == FRAMES


def test_planes_in(benchmark, decoded, size, depth):
    read = PictureReader(VideoFormat(*size, bit_depth=depth))
    y, uv = benchmark(read, decoded)
    assert y.shape == size[::-1]
    assert uv.shape == (size[1] // 2, size[0] // 2, 2)


def test_planes_out(benchmark, size, depth):
    planes = Scene(*size, bit_depth=depth).planes(Fraction(1))
    pix_fmt = "nv12" if depth == 8 else PIX_FMTS[depth]
    assert benchmark(picture, planes, pix_fmt).width == size[0]
