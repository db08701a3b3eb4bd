"""Flat colours come through exactly, and the tags say what the numbers mean."""

import av
import numpy as np
import pytest

from vidgen.frame import Color
from vidgen.media import Decoder, Encoder, probe
from vidgen.media.color import picture

GREY = {"color_range": 1, "colorspace": 1, "color_primaries": 1, "color_trc": 1}


def first(path):
    """The first frame, the format, and all notes but the one on untagged colour."""
    with Decoder(path) as decoder:
        frame, *_ = decoder
        return frame, decoder.format, [n for n in decoder.notes if "its colour" not in n]


def flat(pix_fmt, values, size=(64, 48)):
    """A picture whose component n is `values[n]` everywhere."""

    def draw(_):
        frame = av.VideoFrame(*size, pix_fmt)
        parts = frame.format.components
        for index, plane in enumerate(frame.planes):
            mine = [value for part, value in zip(parts, values, strict=True) if part.plane == index]
            deep = np.uint16 if parts[0].bits > 8 else np.uint8
            plane.update(np.resize(np.array(mine, deep), plane.buffer_size // deep().itemsize))
        return frame

    return draw


DIRECT = {
    "yuv420p": ((100, 90, 150), (100, 90, 150)),
    "yuv422p": ((100, 90, 150), (100, 90, 150)),
    "yuv444p": ((100, 90, 150), (100, 90, 150)),
    "yuv411p": ((100, 90, 150), (100, 90, 150)),
    "yuva420p": ((100, 90, 150, 7), (100, 90, 150)),
    "yuva444p": ((100, 90, 150, 7), (100, 90, 150)),
    "yuv420p9le": ((200, 180, 300), (400, 360, 600)),
    "yuv420p10le": ((401, 363, 602), (401, 363, 602)),
    "yuv422p10le": ((401, 363, 602), (401, 363, 602)),
    "yuv444p10le": ((401, 363, 602), (401, 363, 602)),
    "yuv420p12le": ((1604, 1452, 2408), (401, 363, 602)),
    "yuv444p12le": ((1604, 1452, 2408), (401, 363, 602)),
    "yuv422p16le": ((401 << 6, 363 << 6, 602 << 6), (401, 363, 602)),
}


@pytest.mark.parametrize("pix_fmt", DIRECT)
def test_flat_colour_is_exact(film, pix_fmt):
    source, expected = DIRECT[pix_fmt]
    path = film(codec="ffv1", pix_fmt=pix_fmt, picture=flat(pix_fmt, source), frames=2, tags=GREY)
    frame, video, notes = first(path)
    assert video.bit_depth == (8 if frame.y.dtype == np.uint8 else 10)
    assert (frame.y == expected[0]).all()
    assert (frame.uv[..., 0] == expected[1]).all()
    assert (frame.uv[..., 1] == expected[2]).all()
    assert video.color == Color(1, 1, 1, 1, 0) or video.color.chroma_location
    assert bool(notes) == (pix_fmt not in ("yuv420p", "yuv420p10le", "yuv420p9le"))


@pytest.mark.parametrize("color_range", [1, 2])
def test_range_is_never_converted(film, color_range):
    """Black and white of either range at 4:4:4 keep their numbers."""
    for value in (0, 16, 235, 255):
        path = film(
            codec="ffv1",
            pix_fmt="yuv444p",
            picture=flat("yuv444p", (value, 128, 128)),
            frames=1,
            tags={**GREY, "color_range": color_range},
        )
        frame, video, _ = first(path)
        assert video.color.range == color_range
        assert (frame.y == value).all()


def test_note_names_what_is_lost(film):
    path = film(codec="ffv1", pix_fmt="yuva444p10le", picture=flat("yuva444p10le", (9, 9, 9, 9)))
    assert first(path)[2] == [
        "the alpha plane of yuva444p10le is dropped",
        "4:4:4 (yuva444p10le) becomes 4:2:0",
    ]


def test_yuvj_is_tagged_full_range(film):
    path = film("a.mov", codec="mjpeg", pix_fmt="yuvj420p", frames=2)
    frame, video, notes = first(path)
    assert video.color.range == 2
    assert notes == []
    assert abs(int(frame.y[0, 0]) - 30) <= 2


def test_yuvj444_keeps_its_numbers(film):
    path = film(
        "a.mov",
        codec="mjpeg",
        pix_fmt="yuvj444p",
        frames=1,
        picture=flat("yuvj444p", (5, 128, 128)),
    )
    frame, video, _ = first(path)
    assert video.color.range == 2
    assert abs(int(frame.y[0, 0]) - 5) <= 1


def test_grey_gets_neutral_chroma(film):
    path = film(codec="ffv1", pix_fmt="gray", picture=flat("gray", (201,)), frames=1)
    frame, video, notes = first(path)
    assert (frame.y == 201).all()
    assert (frame.uv == 128).all()
    assert video.color.range == 2
    assert notes == ["gray becomes 4:2:0 with neutral chroma"]


@pytest.mark.parametrize("pix_fmt", ["gray10le", "gray16le", "gray12le"])
def test_deep_grey(film, pix_fmt):
    bits = av.VideoFormat(pix_fmt).components[0].bits
    path = film(codec="ffv1", pix_fmt=pix_fmt, picture=flat(pix_fmt, (401 << bits - 10,)), frames=1)
    frame, _, _ = first(path)
    assert abs(frame.y.astype(int) - 401).max() <= (0 if bits == 10 else 1)  # full range, dithered
    assert (frame.uv == 512).all()


RGB = {  # R'G'B' -> limited-range Y'CbCr by the standards' own formulas
    "grey": ((128, 128, 128), (126, 128, 128), (126, 128, 128)),
    "white": ((255, 255, 255), (235, 128, 128), (235, 128, 128)),
    "black": ((0, 0, 0), (16, 128, 128), (16, 128, 128)),
    "red": ((255, 0, 0), (81, 90, 240), (63, 102, 240)),
    "blue": ((0, 0, 255), (41, 240, 110), (32, 240, 118)),
}


@pytest.mark.parametrize("name", RGB)
@pytest.mark.parametrize("height", [48, 720])
def test_rgb_gets_the_matrix_of_its_size(film, name, height):
    rgb, bt601, bt709 = RGB[name]
    path = film(
        "a.mov",
        codec="png",
        pix_fmt="rgb24",
        size=(64, height),
        picture=flat("rgb24", rgb, (64, height)),
        frames=1,
    )
    frame, video, notes = first(path)
    expected = bt709 if height == 720 else bt601
    found = int(frame.y[9, 9]), int(frame.uv[9, 9, 0]), int(frame.uv[9, 9, 1])
    assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) <= 1, (found, expected)
    assert video.color.range == 1
    assert video.color.matrix == (1 if height == 720 else 6)
    assert any("RGB (rgb24) becomes 4:2:0" in note for note in notes)


def test_bgr_planes_of_ffv1(film):
    path = film(codec="ffv1", pix_fmt="bgr0", picture=flat("bgr0", (255, 0, 0)), frames=1)
    frame, video, _ = first(path)
    assert frame.y.shape == (48, 64)
    assert video.color.matrix == 6


SAID = {  # size, what is tagged -> matrix, primaries and transfer that players take
    "vga": ((64, 480), {}, (6, 6, 6)),
    "pal": ((64, 576), {}, (6, 5, 6)),
    "web": ((64, 360), {}, (6, 1, 6)),
    "high": ((64, 720), {}, (1, 1, 1)),
    "wide": ((1280, 16), {}, (1, 1, 1)),
    "sd in 709": ((64, 480), {"colorspace": 1}, (1, 1, 6)),
    "hd in 601": ((64, 720), {"colorspace": 5}, (5, 1, 1)),
    "pq": ((64, 48), {"color_trc": 16}, (9, 9, 16)),
    "bt2020": ((64, 720), {"color_primaries": 9}, (9, 9, 1)),
    "all said": ((64, 720), {"colorspace": 6, "color_primaries": 6, "color_trc": 6}, (6, 6, 6)),
}


@pytest.mark.parametrize("name", SAID)
def test_what_is_not_tagged_is_what_players_take_it_for(film, name):
    size, tags, expected = SAID[name]
    path = film(codec="ffv1", frames=1, size=size, tags={"color_range": 1, **tags})
    with Decoder(path) as decoder:
        color, notes = decoder.format.color, decoder.notes
    assert (color.matrix, color.primaries, color.transfer) == expected
    assert len(notes) == (name != "all said")
    assert all("does not say its colour" in note for note in notes)
    assert probe(path).video.color.matrix == tags.get("colorspace", 2)


def test_an_untagged_film_keeps_its_colours_when_it_grows(film, tmp_path):
    """Enlarged to a size at which players take it for BT.709, it says that it is BT.601."""
    path = film(frames=2, size=(64, 480))
    with Decoder(path) as decoder:
        frames = list(decoder)
        grown = decoder.format.resized(128, 960)
    out = tmp_path / "out.mp4"
    with Encoder(out, grown, time_base=frames[0].time_base) as encoder:
        for frame in frames:
            encoder.write(
                frame.with_planes((np.tile(frame.y, (2, 2)), np.tile(frame.uv, (2, 2, 1))))
            )
    color = probe(out).video.color
    assert (color.matrix, color.primaries, color.transfer) == (6, 6, 6)


@pytest.mark.parametrize(("pix_fmt", "location"), [("yuv444p", 2), ("bgr0", 2), ("yuv422p", 0)])
def test_chroma_that_is_made_lies_where_swscale_puts_it(film, pix_fmt, location):
    """A ramp of one step a pixel: 4:2:0 from 4:4:4 averages pairs, from 4:2:2 takes every one."""
    ramp = np.tile(np.arange(64, dtype=np.uint8) + 90, (48, 1))

    def draw(_):
        frame = av.VideoFrame(64, 48, pix_fmt)
        if pix_fmt == "bgr0":
            frame.planes[0].update(np.full(frame.planes[0].buffer_size, 99, np.uint8))
            return frame
        for plane in frame.planes:
            rows = np.zeros((plane.height, plane.line_size), np.uint8)
            rows[:, : plane.width] = ramp[:, :: 64 // plane.width]
            plane.update(rows)
        return frame

    frame, video, _ = first(film(codec="ffv1", pix_fmt=pix_fmt, picture=draw, frames=1))
    assert video.color.chroma_location == location
    if pix_fmt != "bgr0":
        at = np.arange(32) * 2 + 90 + (0.5 if location == 2 else 0)
        assert np.abs(frame.uv[12, :, 0] - at)[4:-4].max() <= 0.5


@pytest.mark.parametrize("pix_fmt", ["nv12", "yuv420p"])
@pytest.mark.parametrize("size", [(64, 48), (854, 480), (18, 10)])
def test_planes_become_a_frame_bit_for_bit(rng, pix_fmt, size):
    width, height = size
    y = rng.integers(0, 256, (height, width), np.uint8)
    uv = rng.integers(0, 256, (height // 2, width // 2, 2), np.uint8)
    for writeable in (True, False):
        y.flags.writeable = uv.flags.writeable = writeable
        frame = picture((y, uv), pix_fmt).reformat(format="yuv420p")
        rows = [
            np.frombuffer(p, np.uint8).reshape(p.height, -1)[:, : p.width] for p in frame.planes
        ]
        np.testing.assert_array_equal(rows[0], y)
        np.testing.assert_array_equal(rows[1], uv[..., 0])
        np.testing.assert_array_equal(rows[2], uv[..., 1])


def test_ten_bit_planes_become_a_frame(rng):
    y = rng.integers(0, 1024, (480, 854), np.uint16)
    uv = rng.integers(0, 1024, (240, 427, 2), np.uint16)
    frame = picture((y, uv), "yuv420p10le")
    rows = [np.frombuffer(p, np.uint16).reshape(p.height, -1)[:, : p.width] for p in frame.planes]
    np.testing.assert_array_equal(rows[0], y)
    np.testing.assert_array_equal(rows[1], uv[..., 0])
    np.testing.assert_array_equal(rows[2], uv[..., 1])


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p10le"])
def test_rare_matrices_are_tags_like_any_other(film, pix_fmt):
    """swscale refuses YCgCo, BT.2020 cl and ICtCp, but nothing here converts by them."""
    source, expected = DIRECT[pix_fmt]
    for matrix in (8, 10, 14):
        path = film(
            codec="ffv1",
            pix_fmt=pix_fmt,
            picture=flat(pix_fmt, source),
            frames=1,
            tags={**GREY, "colorspace": matrix},
        )
        frame, video, _ = first(path)
        assert video.color.matrix == matrix
        assert (frame.y == expected[0]).all()
        assert (frame.uv == expected[1:]).all()


def test_reserved_tags_are_unspecified(film):
    """Some encoders refuse them; matrix 0 is RGB, which 4:2:0 is not. Then the size decides."""
    tags = {"color_range": 1, "colorspace": 0, "color_primaries": 3, "color_trc": 0}
    path = film("a.mp4", options={"x264-params": "colorprim=undef"}, frames=1, tags=tags)
    color = probe(path).video.color
    assert (color.matrix, color.primaries, color.transfer) == (2, 2, 2)
    color = first(path)[1].color
    assert (color.matrix, color.primaries, color.transfer) == (6, 1, 6)
