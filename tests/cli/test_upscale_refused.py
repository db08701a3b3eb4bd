"""`vidgen upscale` given what it cannot take: one line that helps, and nothing under the name."""

import os
import shutil
from itertools import pairwise

import av
import pytest


def bad_source(kind, clip):
    """A file of that kind that is not a film, or not a whole one; its path."""
    path = clip("film.mp4", frames=0, audio="aac") if kind == "audio only" else clip("film.mp4")
    if kind == "no such file":
        path.unlink()
    elif kind == "a directory":
        path.unlink()
        path.mkdir()
    elif kind == "zero bytes":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("I am not a film.\n" * 50, "utf-8")
    elif kind == "noise":
        path.write_bytes(bytes(range(256)) * 64)
    elif kind == "a pipe":
        path.unlink()
        os.mkfifo(path)
    elif kind == "no index":
        path.write_bytes(path.read_bytes()[:-900])
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("no such file", "no such file"),
        ("a directory", "no film in this folder"),
        ("zero bytes", "empty"),
        ("text", "cannot be read as video"),
        ("noise", "cannot be read as video"),
        ("no index", "moov"),
        ("a pipe", "is a pipe"),
        ("audio only", "no video, only audio (aac)"),
    ],
)
def test_sources_that_are_no_films(vidgen, error_of, clip, tmp_path, kind, message):
    source = bad_source(kind, clip)
    text = error_of(vidgen("upscale", source, "out.mkv", "--scale", 1), 1)
    assert str(source) in text
    assert message in text
    assert not list(tmp_path.glob("out*"))


def test_a_url_is_no_film(vidgen, error_of):
    text = error_of(vidgen("upscale", "http://127.0.0.1/in.mp4", "out.mkv"), 1)
    assert "`vidgen stream`" in text


def test_a_source_that_may_not_be_read(vidgen_under, error_of, clip):
    source = clip()
    source.chmod(0)
    result = vidgen_under(ordinary_user(), "upscale", source, "out.mkv", "--scale", 1)
    assert "no permission to read" in error_of(result, 1)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_film_that_breaks_off_is_kept_as_far_as_it_goes(
    vidgen, error_of, clip, index_first, pictures_of, tmp_path, suffix
):
    source = clip(f"film.{suffix}", frames=100, options={"g": "10"})
    source = index_first(source) if suffix == "mp4" else source
    size = source.stat().st_size
    with source.open("rb+") as file:
        file.truncate(size * 2 // 3)
    result = vidgen("upscale", source, f"out.{suffix}", "--scale", 1)
    text = error_of(result, 3, f"out.{suffix}")
    assert "broke off" in text
    assert "kept" in text
    times = pictures_of(tmp_path / f"out.partial.{suffix}")[2]
    assert 30 < len(times) < 100
    assert all(late - early < 0.05 for early, late in pairwise(times))


def test_a_film_that_breaks_off_reports_it_when_quiet(vidgen, error_of, clip):
    source = clip("film.mkv", frames=100)
    with source.open("rb+") as file:
        file.truncate(source.stat().st_size // 2)
    result = vidgen("upscale", source, "out.mkv", "--scale", 1, "--quiet")
    assert "broke off" in error_of(result, 3)


def test_the_output_is_the_input(vidgen, error_of, clip, tmp_path):
    source = clip("film.mkv")
    before = source.read_bytes()
    link = tmp_path / "link.mkv"
    link.symlink_to(source)
    for target in (source, link):
        result = vidgen("upscale", source, target, "--scale", 1, "--overwrite")
        assert "the input itself" in error_of(result, 1)
    assert source.read_bytes() == before


def test_an_output_that_exists_is_left_alone(vidgen, error_of, clip, tmp_path):
    (tmp_path / "there.mkv").write_text("precious")
    text = error_of(vidgen("upscale", clip(), "there.mkv", "--scale", 1), 1)
    assert "there.mkv exists" in text
    assert "--overwrite" in text
    assert (tmp_path / "there.mkv").read_text() == "precious"


def test_a_failed_overwrite_leaves_the_old_output(vidgen, error_of, clip, tmp_path):
    (tmp_path / "there.mkv").write_text("precious")
    source = clip("film.mkv", frames=60)
    with source.open("rb+") as file:
        file.truncate(source.stat().st_size // 2)
    error_of(vidgen("upscale", source, "there.mkv", "--scale", 1, "--overwrite"), 3)
    assert (tmp_path / "there.mkv").read_text() == "precious"


@pytest.mark.parametrize(
    ("words", "mentioned"),
    [
        (["--codec", "h264"], ["h264", "did you mean x264?", "svtav1"]),
        (["--codec", "divx"], ["divx", "x264, x265, svtav1, ffv1, prores"]),
        (["--size", "4kk"], ["4kk", "did you mean 4k?", "1080p", "WxH"]),
        (["--size", "1921x1080"], ["1921x1080", "even"]),
        (["--size", "0x0"], ["0x0", "16"]),
        (["--size", "1080p", "--scale", "2"], ["--scale", "--size"]),
        (["--scale", "3"], ["3", "1, 2, 4"]),
        (["--scale", "1.5"], ["--scale 1.5", "give 1, 2, 4"]),
        (["--jobs", "two"], ["--jobs two", "whole number"]),
        (["--fps", "fast"], ["fast", "60000/1001", "x2"]),
        (["--fps", "0"], ["0", "above 0"]),
        (["--fps", "60/0"], ["60/0", "60000/1001"]),
        (["--preset", "quick"], ["quick", "veryfast"]),
        (["--crf", "99"], ["99", "51"]),
        (["--crf", "nan"], ["nan", "51"]),
        (["--crf", "good"], ["--crf good", "number"]),
        (["--start", "soon"], ["--start soon", "90.5"]),
        (["--start", "2", "--end", "1"], ["--start", "--end"]),
        (["--backend", "vulkan"], ["vulkan", "openvino"]),
        (["--device", "99"], ["--device 99", "no such GPU"]),
        (["--tier", "realtme"], ["did you mean realtime?", "balanced"]),
    ],
)
def test_words_that_are_not_accepted(vidgen, error_of, clip, tmp_path, words, mentioned):
    text = error_of(vidgen("upscale", clip(), "out.mkv", *words), 2)
    for each in mentioned:
        assert each in text
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize(
    ("target", "words", "mentioned"),
    [
        ("out.avi", [], [".avi", ".mkv", ".mp4"]),
        ("out", [], ["no suffix", ".mkv"]),
        ("out.mp4", ["--codec", "prores"], ["prores", ".mov"]),
    ],
)
def test_containers_that_cannot_hold_it(vidgen, error_of, clip, tmp_path, target, words, mentioned):
    text = error_of(vidgen("upscale", clip(), target, "--scale", 1, *words), 2, target)
    for each in mentioned:
        assert each in text
    assert ".partial" not in text
    assert not list(tmp_path.glob("out*"))


def test_a_range_without_pictures(vidgen, error_of, clip, tmp_path):
    text = error_of(vidgen("upscale", clip(), "out.mkv", "--scale", 1, "--start", "1:00:00"), 1)
    assert "no picture" in text
    assert not list(tmp_path.glob("out*"))


def test_folders_that_do_not_take_files(vidgen, vidgen_under, error_of, clip, tmp_path):
    source = clip()
    text = error_of(vidgen("upscale", source, "none/out.mkv", "--scale", 1), 1)
    assert "no folder none" in text
    assert "is a folder" in error_of(vidgen("upscale", source, tmp_path, "--scale", 1), 1)
    (tmp_path / "locked").mkdir(mode=0o555)
    result = vidgen_under(ordinary_user(), "upscale", source, "locked/out.mkv", "--scale", 1)
    assert "no permission to write in locked" in error_of(result, 1)
    assert not list((tmp_path / "locked").iterdir())


def test_a_full_disk(vidgen, vidgen_under, error_of, clip, pictures_of, tmp_path):
    source = clip("film.mkv", frames=75)
    words = ["upscale", source, "out.mkv", "--scale", 1, "--codec", "ffv1", "--segment", 1]
    size = 32  # KiB, of a file: enough for a piece, not for the film
    wrapper = ["bash", "-c", f'ulimit -f {size}; exec "$@"', "bash"]
    text = error_of(vidgen_under(wrapper, *words), 1)
    assert "cannot be written" in text
    assert "File too large" in text
    assert "the same command goes on" in text
    assert [path.name for path in tmp_path.glob("out*")] == ["out.mkv.vidgen"]
    result = vidgen(*words)
    assert result.returncode == 0, result.stderr
    assert "75 of them found" in result.stderr
    assert len(pictures_of(tmp_path / "out.mkv")[2]) == 75


def test_no_disk_at_all(vidgen_under, error_of, clip, tmp_path):
    wrapper = ["bash", "-c", 'ulimit -f 0; exec "$@"', "bash"]
    text = error_of(vidgen_under(wrapper, "upscale", clip(), "out.mkv", "--scale", 1), 1)
    assert "cannot be written" in text
    assert not list(tmp_path.glob("out*"))


def test_debug_tells_where_an_error_comes_from(vidgen):
    result = vidgen("upscale", "none.mp4", "out.mkv", "--debug")
    assert result.returncode == 1
    assert "Traceback" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("vidgen: error: none.mp4: no such file")


def test_damage_in_mid_film_is_reported_and_the_rest_kept(vidgen, clip, pictures_of, tmp_path):
    source = clip("film.mkv", frames=100, options={"g": "10"})
    with av.open(source) as container:
        places = [packet.pos for packet in container.demux() if packet.size]
    with source.open("rb+") as file:
        file.seek(places[50] + 24)
        file.write(b"\xff" * 40)
    result = vidgen("upscale", source, "out.mkv", "--scale", 1)
    assert result.returncode == 0
    assert len(pictures_of(tmp_path / "out.mkv")[2]) > 85
    assert "Traceback" not in result.stderr


def ordinary_user() -> list[str]:
    """Words that start a program with the rights of a user whom permissions bind."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("run as root, whom no permission binds, and there is no setpriv")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


@pytest.mark.parametrize(
    "words",
    [
        "upscale film.mkv out.mkv --report film.mkv",
        "upscale film.mkv out.mkv --report out.mkv",
        "filter film.mkv film.mkv",
        "filter film.mkv ./link.mkv",
        "stream film.mkv film.mkv",
        "stream film.mkv out.mkv --status-file film.mkv",
        "stream film.mkv out.mkv --status-file out.mkv",
        "compare film.mkv film.mkv --html film.mkv",
        "compare film.mkv film.mkv --png link.mkv",
        "compare film.mkv film.mkv --json film.mkv",
    ],
)
def test_nothing_is_written_over_a_film(vidgen, error_of, clip, tmp_path, words):
    film = clip("film.mkv")
    (tmp_path / "link.mkv").symlink_to(film)
    before = film.read_bytes()
    assert "itself" in error_of(vidgen(*words.split()), 1)
    assert film.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--generate", "predict"], "--generate predict: frames are made for a rate; give --fps"),
        (["--audio", "opus", "--video-only"], "--audio opus: --video-only leaves sound out"),
    ],
)
def test_words_that_would_do_nothing(vidgen, error_of, clip, words, message):
    assert message in error_of(vidgen("upscale", clip(audio="flac"), "out.mkv", *words), 2)
