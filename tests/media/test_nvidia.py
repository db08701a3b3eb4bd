"""NVDEC and NVENC as far as FFmpeg shows them without a card: layouts, refusals, frames."""

import sys
from contextlib import nullcontext
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.standin_media import media_standin
from tests.engines.conftest import on_the_cpu
from vidgen.errors import InputError, OutputError
from vidgen.frame import VideoFormat
from vidgen.media import Decoder, Encoder
from vidgen.media.color import picture
from vidgen.media.nvidia import Feeder, Landing, surface_of, why_not

SIZE = 64, 36
FORMAT = VideoFormat(*SIZE)


@pytest.fixture(scope="module")
def cuda():
    yield from on_the_cpu()


@pytest.fixture
def gpu(cuda):
    return cuda.pictures()


def decoded(width=1920, height=1080, chroma=2048 * 1088, sw_format="nv12", pitches=(2048, 2048)):
    """What PyAV tells of a picture of NVDEC; `chroma` bytes lie from its luma to its chroma."""
    places = zip((4096, 4096 + chroma), pitches, strict=True)
    planes = [SimpleNamespace(buffer_ptr=place, line_size=pitch) for place, pitch in places]
    return SimpleNamespace(
        format=SimpleNamespace(name="cuda"), sw_format=SimpleNamespace(name=sw_format),
        planes=planes, width=width, height=height,
    )  # fmt: skip


def test_where_a_picture_lies():
    surface = surface_of(picture := decoded())
    assert surface == (4096, 2048, 1088, 1080, 1920, 1, picture)
    assert surface_of(decoded(sw_format="p010le")).itemsize == 2


@pytest.mark.parametrize(
    "picture",
    [
        decoded(sw_format="yuv444p"),
        decoded(chroma=2048 * 1088 + 512),
        decoded(pitches=(2048, 1024)),
        SimpleNamespace(format=SimpleNamespace(name="yuv420p"), sw_format=None),
    ],
)
def test_another_layout_is_not_taken(picture):
    assert surface_of(picture) is None
    assert why_not(picture, FORMAT).startswith("NVDEC does not take its ")


def test_another_size_or_depth_is_not_taken():
    """A picture cropped at the left comes whole from NVDEC, and one of odd size is padded here."""
    video = VideoFormat(1920, 1080)
    assert why_not(decoded(), video) == ""
    assert why_not(decoded(1928), video) == "NVDEC gives it as 1928x1080 in 8 bits"
    assert why_not(decoded(1919), video) == "NVDEC gives it as 1919x1080 in 8 bits"
    assert why_not(decoded(sw_format="p010le"), video) == "NVDEC gives it as 1920x1080 in 10 bits"


def test_a_machine_without_nvdec_decodes_as_ever(clip):
    source = clip(size=SIZE)
    gpu = SimpleNamespace(device=0, current=nullcontext)
    with Decoder(source) as plain, Decoder(source, video=plain.format, gpu=gpu) as decoder:
        assert decoder.decoded_on_host.startswith("no NVDEC: ")
        for ours, theirs in zip(decoder, plain, strict=True):
            np.testing.assert_array_equal(ours.y, theirs.y)
            assert ours.time == theirs.time
        assert decoder.notes == plain.notes


def test_a_file_that_is_none_says_so_whether_there_is_a_gpu_or_not(tmp_path, gpu):
    source = tmp_path / "film.mkv"
    source.write_bytes(b"no film at all" * 100)
    for words in ({}, {"video": FORMAT, "gpu": gpu}):
        with pytest.raises(InputError, match=r"film.mkv: cannot be read as video"):
            Decoder(source, **words)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv420p10le"])
def test_planes_land_on_the_gpu_and_only_there(clip, gpu, pix_fmt):
    cupy, source = sys.modules["cupy"], clip(size=SIZE, pix_fmt=pix_fmt, options={"bf": "2"})
    with Decoder(source) as plain:
        wanted, video = list(plain), plain.format
    crossed = cupy.bytes_up, cupy.bytes_down
    with media_standin(), Decoder(source, video=video, gpu=gpu) as decoder:
        landed = list(decoder)
    assert not decoder.decoded_on_host
    assert (cupy.bytes_up, cupy.bytes_down) == crossed
    for ours, theirs in zip(landed, wanted, strict=True):
        assert (ours.pts, ours.duration) == (theirs.pts, theirs.duration)
        np.testing.assert_array_equal(ours.y.get(), theirs.y)
        np.testing.assert_array_equal(ours.uv.get(), theirs.uv)
    assert decoder.notes == plain.notes


def test_a_picture_that_nvdec_does_not_take_in_mid_film_comes_to_the_host(gpu, rng):
    planes = tuple(rng.integers(0, 256, size, np.uint8) for size in ((36, 64), (18, 32, 2)))
    other = tuple(rng.integers(0, 256, size, np.uint8) for size in ((18, 32), (9, 16, 2)))
    land = Landing(FORMAT, gpu)
    with media_standin():
        there = land(picture(planes, "yuv420p"))
        here = land(picture(other, "yuv420p"))
    np.testing.assert_array_equal(there[0].get(), planes[0])
    assert here[0].shape == (36, 64)
    assert isinstance(here[0], np.ndarray)
    assert land.notes == [
        "pictures of 32x18 in mid-stream are scaled to the first's size",
        "pictures in mid-film that NVDEC does not take, which came by the host: 1",
    ]


@pytest.mark.parametrize(("pix_fmt", "dtype", "top"), [("nv12", "u1", 255), ("p010le", "u2", 1023)])
def test_nvenc_is_given_the_frames_that_the_host_would_give(gpu, rng, pix_fmt, dtype, top):
    """And chroma in the row after luma, which is where it looks."""
    cupy = sys.modules["cupy"]
    planes = tuple(rng.integers(0, top + 1, size).astype(dtype) for size in ((36, 66), (18, 33, 2)))
    theirs = picture(planes, pix_fmt)
    there = tuple(cupy.asarray(plane) for plane in planes)
    held, feed = cupy.held, Feeder(gpu)
    ours = feed(there, pix_fmt)
    assert (ours.format.name, ours.width, ours.height) == (pix_fmt, 66, 36)
    luma, chroma = ours.planes
    assert luma.line_size == chroma.line_size
    assert luma.line_size % 256 == 0
    assert chroma.buffer_ptr == luma.buffer_ptr + 36 * luma.line_size
    for plane, wanted in zip(ours.planes, theirs.planes, strict=True):
        given, expected = (
            np.frombuffer(each, dtype).reshape(each.height, -1)[:, :66] for each in (plane, wanted)
        )
        np.testing.assert_array_equal(given, expected)
    del ours, luma, chroma, plane
    assert cupy.held == held


def test_an_encoder_on_a_gpu_that_is_not_there_is_one_line_and_no_file(tmp_path):
    target, gpu = tmp_path / "out.mkv", SimpleNamespace(device=0, current=nullcontext)
    with pytest.raises(OutputError, match=r"out.mkv: cannot be written \(.+\)$"):
        Encoder(target, FORMAT, codec="nvenc-hevc", time_base=Fraction(1, 25), gpu=gpu)
    assert not target.exists()
