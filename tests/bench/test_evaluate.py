"""What models are measured on, and the figures that come out, against those of the papers."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

from vidgen import zoo
from vidgen.bench.clips import film_clips, matlab_planes, still_sets, vid4_clips
from vidgen.bench.evaluate import Row, evaluate, mean_row, paper_sets
from vidgen.bench.film import write_scene
from vidgen.bench.methods import network
from vidgen.bench.metrics import psnr
from vidgen.bench.picture import to_bgr
from vidgen.bench.scenes import Scene
from vidgen.bench.tables import figures, markdown, table, with_means
from vidgen.engines import choose_backend
from vidgen.errors import UsageError
from vidgen.frame import Color


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """A folder with a drawn film, and something else."""
    folder = tmp_path_factory.mktemp("films")
    scene = Scene(206, 120, cut=None)
    write_scene(folder / "scene.mkv", scene, fps=Fraction(24), seconds=Fraction(1), crf=1)
    (folder / "words.txt").write_text("no film")
    return folder


@pytest.mark.parametrize(("scale", "size"), [(2, (200, 120)), (4, (192, 112))])
def test_films_are_made_small_and_coded(films, scale, size):
    (clip,) = film_clips(films, scale, 10)
    width, height = size
    assert len(clip.low) == len(clip.truth) == 10
    assert clip.truth[0][0].shape == (height, width)
    assert (clip.format.width, clip.format.height) == (width // scale, height // scale)
    area = cv2.resize(
        clip.truth[3][0], None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA
    )
    assert 28 < psnr(area, clip.low[3].y) < 45  # coded, and the same frame
    assert [frame.cut for frame in clip.low] == [True, *[False] * 9]
    assert clip.low[5].motion is not None


def test_films_that_do_not_fit_are_named(clip, tmp_path):
    deep = clip("deep.mkv", pix_fmt="yuv420p10le")
    assert list(film_clips(deep.parent, 2, 4)) == ["deep.mkv is left out: it has more than 8 bits"]
    with pytest.raises(UsageError, match=r"deep\.mkv is left out"):
        evaluate({}, 2, tmp_path)
    with pytest.raises(UsageError, match="no such folder"):
        evaluate({}, 2, tmp_path / "none")


def test_all_methods_see_the_same_film(films):
    model = zoo.load("x2-realtime")
    seen = []
    found = evaluate(
        {"net": network(model, choose_backend())}, 2, films, frames=9, progress=seen.append
    )
    (row,) = found.rows
    assert seen == ["scene.mkv"]
    assert (row.size, row.frames) == ("200x120", 9)
    assert list(row.scores) == ["bicubic", "lanczos", "net"]
    for measures in row.scores.values():
        assert {"psnr_y", "ssim_y", "psnr_uv", "tof", "warp_error"} <= measures.keys()
        assert 20 < measures["psnr_y"] < 50
    gain = row.scores["net"]["psnr_y"] - row.scores["lanczos"]["psnr_y"]
    assert f"{gain:+.2f}" in table(found).splitlines()[-1]
    assert f"| {gain:+.2f}<br>" in markdown(found)
    assert figures(found)["rows"][0]["scores"]["net"]["psnr_y"] == round(
        row.scores["net"]["psnr_y"], 4
    )


def test_means_are_of_films_alone():
    def row(name, size, value):
        return Row(name, size, 2, {"net": {"psnr_y": value}, "lanczos": {"psnr_y": value - 1}})

    rows = [row("a", "1280x720", 30.0), row("b", "1920x1080", 40.0), row("c", "64x48", 20.0)]
    both = mean_row("mean", rows[:2])
    assert both.scores["net"] == {"psnr_y": 35}
    evaluation = type("E", (), {"rows": [*rows, row("Set5", "", 90.0)], "notes": [], "scale": 2})
    added = {each.name: each.scores["net"]["psnr_y"] for each in with_means(evaluation)[4:]}
    assert added == {"mean of films": 30, "mean of those of 720 lines and more": 35}


def test_a_figure_that_is_missing_somewhere_has_no_mean():
    rows = [
        Row("a", "8x8", 1, {"x": {"psnr_y": 1.0, "flicker": 1.0}}),
        Row("b", "8x8", 1, {"x": {"psnr_y": 3.0}}),
    ]
    assert mean_row("mean", rows).scores == {"x": {"psnr_y": 2}}


@pytest.mark.parametrize(
    ("rgb", "ycbcr"),
    [  # by MATLAB: rgb2ycbcr(uint8(...))
        ((0, 0, 0), (16, 128, 128)),
        ((255, 255, 255), (235, 128, 128)),
        ((255, 0, 0), (81, 90, 240)),
        ((0, 255, 0), (145, 54, 34)),
        ((0, 0, 255), (41, 240, 110)),
    ],
)
def test_luma_is_that_of_matlab(rgb, ycbcr):
    y, uv = matlab_planes(np.full((3, 5, 3), rgb[::-1], np.uint8))
    assert y.shape == (4, 6)
    assert uv.shape == (2, 3, 2)
    assert (y == ycbcr[0]).all()
    assert (uv == ycbcr[1:]).all()


@pytest.mark.needs_data
@pytest.mark.parametrize(
    ("name", "scale", "published"), [("Set5", 2, 33.66), ("Set5", 4, 28.42), ("Set14", 4, 26.00)]
)
def test_bicubic_reaches_what_the_papers_print(eval_data, name, scale, published):
    """The whole way of a test set, apart from a network: reading, luma, shave, alignment."""
    sets = dict(still_sets(eval_data / "research-only", scale))
    clips = sets[f"{name} x{scale}"]
    from vidgen.bench.evaluate import BASELINES, _baseline, _still_row

    ways = {name: _baseline(kernel, scale) for name, kernel in BASELINES.items()}
    row = _still_row(name, clips, ways)
    assert row.scores["bicubic"]["psnr_y"] == pytest.approx(published, abs=0.1)


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    """A folder as those of the papers, drawn: Set5 of one picture, Vid4 of one clip of three."""
    folder, scene = tmp_path_factory.mktemp("papers"), Scene(160, 112, cut=None)
    drawn = [to_bgr(scene.planes(Fraction(n, 24)), Color(range=1, matrix=1)) for n in range(3)]
    for name in ("set5-x4", "vid4/scene/hr"):
        (folder / name).mkdir(parents=True)
    small = cv2.resize(drawn[0], None, fx=1 / 4, fy=1 / 4, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(folder / "set5-x4" / "one_HR.png"), drawn[0])
    cv2.imwrite(str(folder / "set5-x4" / "one_LR.png"), small)
    for number, picture in enumerate(drawn):
        cv2.imwrite(str(folder / f"vid4/scene/hr/{number}.png"), picture)
    return folder


def test_a_network_of_two_run_twice_stands_beside_the_papers(papers):
    model, asked = zoo.load("x2-realtime"), []
    ways = {"twice": network(model, choose_backend(), passes=2)}
    stills, clip = paper_sets(ways, 4, papers, progress=asked.append)
    assert asked == [stills.name, clip.name] == ["Set5 x4", "Vid4 scene"]
    for row in (stills, clip):
        assert row.scores["twice"]["psnr_y"] > row.scores["bicubic"]["psnr_y"]
    assert stills.scores["twice"].keys() == {"psnr_y", "ssim_y"}
    assert clip.scores["twice"]["tof"] > 0
    only = paper_sets(ways, 4, papers, wanted=lambda name: "Vid4" in name)
    assert [row.name for row in only] == ["Vid4 scene"]


@pytest.mark.needs_data
def test_vid4_is_small_without_a_shift(eval_data):
    clips = list(vid4_clips(eval_data / "research-only" / "vid4"))
    assert [clip.name for clip in clips] == [
        f"Vid4 {n}" for n in ("calendar", "city", "foliage", "walk")
    ]
    assert all(len(clip.low) == len(clip.truth) == 7 for clip in clips)
    y, truth = clips[1].low[0].y, clips[1].truth[0][0]
    smooth = cv2.GaussianBlur(truth, (0, 0), 3)
    large = cv2.resize(y, smooth.shape[::-1], interpolation=cv2.INTER_CUBIC)
    moved = [psnr(smooth, np.ascontiguousarray(np.roll(large, by, (0, 1)))) for by in (-1, 0, 1)]
    assert moved[1] == max(moved)
