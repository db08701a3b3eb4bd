"""Pictures in, pictures out: colours, depths, odd sides, transparency, sequences, refusals."""

from pathlib import Path

import cv2
import numpy as np
import pytest

import vidgen
from vidgen import stills
from vidgen.bench.metrics import psnr
from vidgen.cli import main
from vidgen.errors import InputError, OutputError, UsageError
from vidgen.job import Settings
from vidgen.target import is_picture
from vidgen.train.degrade import shrink


def scene(height=90, width=120, seed=1, blur=1.2):
    """(height, width, 3) uint8: smooth colours with edges."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 10 + 1, width // 10 + 1, 3)).astype(np.uint8)
    blocks = np.kron(coarse, np.ones((10, 10, 1), np.uint8))[:height, :width]
    return cv2.GaussianBlur(blocks, (0, 0), blur)


def enlarge(source, target, **settings):
    report = stills.run(Settings(source=source, target=target, **settings))
    return cv2.imread(str(target), cv2.IMREAD_UNCHANGED), report


@pytest.mark.parametrize("scale", [2, 4])
def test_a_picture_comes_out_larger_and_nearer_than_bicubic(tmp_path, scale):
    truth = scene(240, 320, blur=0.7)  # with detail that the small picture cannot hold
    small = cv2.resize(truth, (320 // scale, 240 // scale), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(tmp_path / "in.png"), small)
    made, report = enlarge(tmp_path / "in.png", tmp_path / "out.png", scale=scale)
    assert made.shape == truth.shape
    bicubic = cv2.resize(small, (320, 240), interpolation=cv2.INTER_CUBIC)
    grey = [cv2.cvtColor(each, cv2.COLOR_BGR2GRAY) for each in (truth, made, bicubic)]
    assert psnr(grey[0], grey[1]) > psnr(grey[0], grey[2]) + 0.5
    assert (report.frames_in, report.frames_out) == (1, 1)
    assert not list(tmp_path.glob("*.partial*"))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16], ids=str)
def test_flat_greys_stay_exact_and_colours_within_a_step(tmp_path, dtype):
    top = np.iinfo(dtype).max
    for level in (0, top // 3, top):
        grey = np.full((20, 30), level, dtype)
        cv2.imwrite(str(tmp_path / "in.png"), grey)
        made, _ = enlarge(tmp_path / "in.png", tmp_path / "out.png", overwrite=True)
        assert made.dtype == dtype
        assert made.shape == (40, 60)
        step = 0 if dtype == np.uint8 else top // 876  # one of 10 bits, limited range
        assert np.abs(made.astype(int) - level).max() <= step
    color = np.full((20, 30, 3), (top // 2, top // 5, top // 7), dtype)
    cv2.imwrite(str(tmp_path / "in.png"), color)
    made, _ = enlarge(tmp_path / "in.png", tmp_path / "out.png", overwrite=True)
    assert np.abs(made.astype(int) - color[0, 0].astype(int)).max() <= max(top // 876, 1)


def test_odd_sides_stay_odd_times_the_scale(tmp_path):
    cv2.imwrite(str(tmp_path / "in.png"), scene(31, 45))
    made, _ = enlarge(tmp_path / "in.png", tmp_path / "out.png")
    assert made.shape == (62, 90, 3)


def test_colour_detail_that_420_would_lose_is_kept(tmp_path):
    """Columns of red and green of the same luma: halved chroma would be one brown."""
    columns = np.zeros((16, 32, 3), np.uint8)
    columns[:, 0::2] = (0, 60, 210)
    columns[:, 1::2] = (0, 105, 60)
    cv2.imwrite(str(tmp_path / "in.png"), columns)
    made, _ = enlarge(tmp_path / "in.png", tmp_path / "out.png")
    red = made[16, 8:-8, 2].astype(int)
    assert red.max() - red.min() > 100


def test_transparency_comes_along_where_the_format_has_it(tmp_path):
    picture = np.dstack([scene(40, 40), np.full((40, 40), 255, np.uint8)])
    picture[:, :20, 3] = 0
    cv2.imwrite(str(tmp_path / "in.png"), picture)
    made, report = enlarge(tmp_path / "in.png", tmp_path / "out.png")
    assert made.shape == (80, 80, 4)
    assert (made[:, :36, 3].max(), made[:, 44:, 3].min()) == (0, 255)
    assert not report.notes
    made, report = enlarge(tmp_path / "in.png", tmp_path / "out.jpg")
    assert made.shape == (80, 80, 3)
    assert "transparency" in report.notes[0]


def test_a_size_is_met_exactly(tmp_path):
    cv2.imwrite(str(tmp_path / "in.png"), scene(60, 80))
    made, _ = enlarge(tmp_path / "in.png", tmp_path / "out.png", size="200x150")
    assert made.shape == (150, 200, 3)


def test_a_sequence_keeps_its_numbers(tmp_path):
    """Those of more digits than asked for, too, as `printf` writes them; and any even step."""
    wide = scene(40, 90)
    for number in (996, 998, 1000):
        cv2.imwrite(str(tmp_path / f"in{number:03d}.png"), wide[:, number - 996 :][:, :60])
    cv2.imwrite(str(tmp_path / "in0997.png"), wide)  # of another name, and size
    settings = Settings(source=tmp_path / "in%03d.png", target=tmp_path / "100%_%02d.png")
    report = stills.run(settings)
    assert report.frames_out == 3
    names = sorted(path.name for path in tmp_path.glob("1*"))
    assert names == ["100%_1000.png", "100%_996.png", "100%_998.png"]
    assert cv2.imread(str(tmp_path / "100%_1000.png")).shape == (80, 120, 3)


def test_python_runs_pictures_as_the_command_line_does(tmp_path):
    for number in (1, 2):
        cv2.imwrite(str(tmp_path / f"in{number}.png"), scene(40, 60))
    told = []
    for name in ("in1.png", "in%d.png"):
        target = str(tmp_path / name.replace("in", "out"))
        settings = vidgen.Settings(source=tmp_path / name, target=target, overwrite=True)
        vidgen.run(settings, lambda progress: told.append(progress.frames))
    assert told == [1, 1, 2]
    assert cv2.imread(str(tmp_path / "out2.png")).shape == (80, 120, 3)
    with pytest.raises(UsageError, match="a picture in gives one out"):
        vidgen.run(vidgen.Settings(source=tmp_path / "in1.png", target=tmp_path / "out.mkv"))


@pytest.mark.parametrize(
    ("name", "settings", "model"),
    [
        ("in.png", {}, "x2-quality"),
        ("in.jpg", {"scale": 4}, "x2-quality 2 times"),
        ("in.png", {"tier": "still"}, "x2-still"),
        ("in.bmp", {"tier": "still", "scale": 4}, "x2-still 2 times"),
        ("in.bmp", {"tier": "still", "size": "200x150"}, "x2-still 2 times"),
        ("in.png", {"tier": "balanced"}, "x2-balanced"),
        ("in.png", {"model": "x2-realtime"}, "x2-realtime"),
        ("in%d.png", {}, "x2-realtime"),
    ],
)
def test_a_picture_gets_the_network_that_suits_it(tmp_path, name, settings, model):
    """A single one may take its time."""
    for file in ("in.png", "in.bmp", "in.jpg", "in1.png"):
        cv2.imwrite(str(tmp_path / file), scene(48, 64))
    target = tmp_path / name.replace("in", "out").replace(".bmp", ".png")
    _, report = enlarge(tmp_path / name, target, **settings)
    assert report.engine.startswith(f"{model} ")


@pytest.mark.parametrize(
    ("source", "target", "settings", "error", "words"),
    [
        ("none.png", "out.png", {}, InputError, "no such file"),
        ("text.png", "out.png", {}, InputError, "cannot be read as a picture"),
        ("empty.png", "out.png", {}, InputError, "cannot be read as a picture"),
        ("in.png", "out.mkv", {}, UsageError, "end it in .png"),
        ("in.png", "out.png", {"fps": "60"}, UsageError, "--fps"),
        ("in.png", "out.png", {"jobs": 2}, UsageError, "--jobs: .*leave it out"),
        ("mixed%d.png", "out%d.png", {"maps": ("0:v",)}, UsageError, "--map: .*leave it out"),
        ("in.png", "out.png", {"segment": 5}, UsageError, "--segment: .*leave it out"),
        ("in.png", "in.png", {}, OutputError, "input itself"),
        ("in%03d.png", "out%03d.png", {}, InputError, "no picture has such a name"),
        ("in%d.png", "out.png", {}, UsageError, "a place too"),
        ("mixed%d.png", "out%d.png", {}, InputError, r"mixed2.png: .* one size.*put another there"),
        ("gap%d.png", "out%d.png", {}, InputError, "gap3.png is missing between gap2.png and gap4"),
        (
            "gapless%d.png",
            "gapless1%d.png",
            {"overwrite": True},
            OutputError,
            "less11.png is an in",
        ),
        ("twin%d.png", "out%d.png", {}, InputError, "twin01.png and twin1.png have the same"),
    ],
)
def test_refusals_are_clear_and_leave_nothing(tmp_path, source, target, settings, error, words):
    cv2.imwrite(str(tmp_path / "in.png"), scene(20, 20))
    cv2.imwrite(str(tmp_path / "mixed1.png"), scene(20, 20))
    cv2.imwrite(str(tmp_path / "mixed2.png"), scene(20, 30))
    (tmp_path / "text.png").write_text("no picture")
    for name in ("empty", "gap1", "gap2", "gap4", "twin1", "twin01"):
        (tmp_path / f"{name}.png").touch()
    for number in range(1, 12):
        cv2.imwrite(str(tmp_path / f"gapless{number}.png"), scene(20, 20))
    with pytest.raises(error, match=words):
        enlarge(tmp_path / source, tmp_path / target, **settings)
    assert not (tmp_path / "out.png").exists()


def test_a_cluster_makes_no_pictures(tmp_path, capsys):
    assert main(["upscale", "in%d.png", str(tmp_path / "out%d.png"), "--cluster", "auto"]) == 2
    assert "--cluster: pictures are made on this machine; leave it out" in capsys.readouterr().err


def test_what_counts_as_a_picture():
    assert is_picture(Path("a/b.PNG"))
    assert not is_picture(Path("a/b.mkv"))


def test_still_is_nearer_where_a_smooth_kernel_has_shrunk(tmp_path):
    """And nothing else: what it has learnt from."""
    truth = cv2.cvtColor(scene(240, 320, blur=0.7), cv2.COLOR_BGR2GRAY)
    cv2.imwrite(
        str(tmp_path / "in.png"), shrink((truth, np.zeros((120, 160, 2), "u1")), "bicubic")[0]
    )
    scores = {}
    for tier in ("quality", "still"):
        made, _ = enlarge(tmp_path / "in.png", tmp_path / f"{tier}.png", tier=tier)
        scores[tier] = psnr(truth, made)
    assert scores["still"] > scores["quality"] + 0.3
