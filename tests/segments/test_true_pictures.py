"""Never black, never green: every picture of the new film, real or made, looks like the old one."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from vidgen.job import Settings
from vidgen.segments import run

SIZE, FRAMES = (128, 96), 6
COLOURS = ("000000", "ffffff", "808080", "c00000", "00c000", "0000c0", "e0ac90", "204030")
BT709 = 1
PATCH = 32  # pixels: four in a row, two rows


def bars(number: int) -> np.ndarray:
    """RGB: patches of known colours over a texture that moves right, so that frames are made."""
    noise = np.random.default_rng(1).integers(40, 216, (SIZE[1], 2 * SIZE[0], 3), np.uint8)
    picture = np.roll(cv2.GaussianBlur(noise, (0, 0), 3), 3 * number, axis=1)[:, : SIZE[0]].copy()
    for place, colour in enumerate(COLOURS):
        picture[patch(place, 1)] = list(bytes.fromhex(colour))
    return picture


def patch(place: int, scale: Fraction, rim: int = 0) -> tuple[slice, slice]:
    """Where a colour is shown; `rim` pixels less on each side, which the others bleed into."""
    corners = [PATCH * (place // 4), PATCH * (place % 4)]
    return tuple(slice(int(at * scale) + rim, int((at + PATCH) * scale) - rim) for at in corners)  # type: ignore[return-value]


def write(path, picture, pix_fmt, codec="ffv1", options=None):
    """A film of `picture(n)`, which is RGB; YUV is BT.709, and tagged so."""
    with av.open(path, "w") as container:
        video = container.add_stream(codec, rate=24, options=options or {})
        video.width, video.height, video.pix_fmt = *SIZE, pix_fmt
        if pix_fmt != "rgb24":
            video.codec_context.colorspace = BT709
        for number in range(FRAMES):
            whole = av.VideoFrame.from_ndarray(picture(number), "rgb24")
            frame = whole.reformat(format=pix_fmt, dst_colorspace=BT709)
            frame.pts, frame.time_base = number, Fraction(1, 24)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def shown(path) -> list[np.ndarray]:
    """RGB as a player shows it, by the film's own tags."""
    with av.open(path) as container:
        frames = [
            frame.reformat(format="rgb24", src_colorspace=frame.colorspace)
            for frame in container.decode(video=0)
        ]
    return [frame.to_ndarray().astype(int) for frame in frames]


def means(picture: np.ndarray, scale: Fraction) -> np.ndarray:
    places = range(len(COLOURS))
    return np.array([picture[patch(n, scale, rim=8)].mean((0, 1)) for n in places])


@pytest.mark.parametrize(
    ("pix_fmt", "words"),
    [
        ("yuv420p", {}),
        ("yuv420p10le", {"generate": "predict"}),
        ("yuv444p", {"size": "192x144"}),
        ("yuva420p", {"tier": "balanced"}),
        ("rgb24", {"tier": "quality"}),
        ("yuv420p", {"model": "x4-realtime"}),
    ],
)
def test_every_picture_has_the_colours_of_the_film(tmp_path, pix_fmt, words):
    """Through the layouts that others take for another one, and through each network."""
    codec = ("libx264rgb", {"qp": "0"}) if pix_fmt == "rgb24" else ("ffv1",)
    source, target = write(tmp_path / "in.mkv", bars, pix_fmt, *codec), tmp_path / "out.mkv"
    report = run(Settings(source=source, target=target, fps="x2", preset="ultrafast", **words))
    assert report.frames_generated >= FRAMES - 2
    pictures, true = shown(target), means(shown(source)[0], Fraction(1))
    assert len(pictures) == 2 * FRAMES
    scale = Fraction(pictures[0].shape[1], SIZE[0])
    assert scale > 1
    for number, picture in enumerate(pictures):
        assert np.abs(means(picture, scale) - true).max() <= 4, number
    assert np.abs(true - means(bars(0), Fraction(1))).max() <= 4


def test_subtitles_in_the_picture_stay_whole(tmp_path):
    """Letters that a film was given for ever, coded with it, over a picture that moves."""
    edge, fill = (np.zeros(SIZE[::-1], np.uint8) for _ in range(2))
    for canvas, width in ((edge, 5), (fill, 2)):
        cv2.putText(canvas, "Line", (20, 80), cv2.FONT_HERSHEY_SIMPLEX, 1, 255, width)

    def burnt(number):
        letters = np.where(fill > 0, 235, 16)[..., None].astype(np.uint8)
        return np.where(edge[..., None] > 0, letters, bars(number))

    source, target = tmp_path / "in.mp4", tmp_path / "out.mkv"
    write(source, burnt, "yuv420p", "libx264", {"crf": "18"})
    report = run(Settings(source=source, target=target, fps="x2", scale=2, preset="ultrafast"))
    assert report.frames_generated >= FRAMES - 2
    real = shown(source)
    large = cv2.resize(edge, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST) > 0
    for number, picture in enumerate(shown(target)):
        before = cv2.resize(real[number // 2].astype(np.uint8), None, fx=2, fy=2).astype(int)
        off = np.abs(picture - before).mean(2)
        assert (off[large] > 40).mean() < 0.1, number
