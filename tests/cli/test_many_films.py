"""Several films in one command, a preview, the report in JSON, and what unfinished runs leave."""

import json
import os

import av
import cv2
import numpy as np
import pytest

from vidgen.segments.folder import hold

FAST = ["--scale", 1, "--preset", "ultrafast"]


@pytest.fixture
def folder(clip, tmp_path):
    """Two films, one of which breaks off, in a container that is not written, and a text."""
    (tmp_path / "films").mkdir()
    whole = clip("films/whole.avi", frames=5, codec="mpeg4")
    broken = clip("films/broken.mkv", frames=60)
    broken.write_bytes(broken.read_bytes()[: broken.stat().st_size // 2])
    (tmp_path / "films" / "about.txt").write_text("no film")
    return whole.parent


def test_a_folder_of_films(vidgen, folder, tmp_path):
    result = vidgen("upscale", folder, "out", *FAST, "--report", "report.json")
    assert result.returncode == 3
    assert "1 of 2: " in result.stderr
    assert "broke off" in result.stderr
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["broken.partial.mkv", "whole.mkv"]
    films = json.loads((tmp_path / "report.json").read_text())["films"]
    assert "broke off" in films[0]["error"]
    assert films[1]["frames_out"] == 5
    assert films[1]["video_out"]["width"] == 64
    assert films[1]["settings"]["preset"] == "ultrafast"
    again = vidgen("upscale", folder / "whole.avi", folder / "whole.avi", "out", *FAST)
    assert again.returncode == 1  # the same name twice
    assert "would both become" in again.stderr


def test_what_is_done_is_not_done_again(vidgen, clip, tmp_path):
    films = [clip(f"{name}.mkv", frames=3) for name in "ab"]
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.mkv").write_text("precious")
    result = vidgen("upscale", *films, "out", *FAST)
    assert result.returncode == 0, result.stderr
    assert "out/a.mkv exists: left as it is" in result.stderr
    assert (tmp_path / "out" / "a.mkv").read_text() == "precious"
    assert (tmp_path / "out" / "b.mkv").stat().st_size > 1000


def test_pictures_keep_their_suffix(vidgen, clip, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((16, 16, 3), 99, np.uint8))
    film = clip("b.mkv", frames=3)
    result = vidgen("upscale", "a.png", film, "out", "--scale", 1)
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.mkv"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a.mkv", "b.mkv", "out.mkv"], "give a folder as OUT"),
        (["a.mkv", "b.mkv", "a.mkv"], "is a file"),
        (["empty", "out"], "no film in this folder"),
        (["pictures", "out"], "by name: pictures/a.png"),
        (["a.mkv", "out.mkv", "--preview", "0"], "--preview"),
    ],
)
def test_what_cannot_be_meant(vidgen, clip, tmp_path, words, said):
    clip("a.mkv", frames=3), clip("b.mkv", frames=3)
    (tmp_path / "empty").mkdir()
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").touch()
    result = vidgen("upscale", *words, "--scale", 1)
    assert result.returncode in (1, 2)
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_preview_is_of_the_middle(vidgen, clip, tmp_path):
    source = clip("in.mkv", frames=100)
    words = ["--preview", 1, "--preset", "ultrafast", "--report", "report.json"]
    result = vidgen("upscale", source, "try.mkv", *words)
    assert result.returncode == 0, result.stderr
    assert "before and after: try-before-after.png" in result.stderr
    with av.open(tmp_path / "try.mkv") as container:
        assert len(list(container.decode(video=0))) == 25
    (film,) = json.loads((tmp_path / "report.json").read_text())["films"]
    assert (film["settings"]["start"], film["settings"]["end"]) == ("3/2", "5/2")
    picture = cv2.imread(str(tmp_path / "try-before-after.png"))
    assert picture.shape[1] >= 2 * 128
    assert picture.std() > 10


def test_a_preview_of_all_of_a_short_film(vidgen, clip, tmp_path):
    source = clip("in.mkv", frames=10)
    result = vidgen("upscale", source, "try.mkv", "--preview", 60, "--preset", "ultrafast")
    assert result.returncode == 0, result.stderr
    with av.open(tmp_path / "try.mkv") as container:
        assert len(list(container.decode(video=0))) == 10
    assert cv2.imread(str(tmp_path / "try-before-after.png")).std() > 10


def test_leftovers_are_listed_and_cleaned(vidgen, vidgen_under, clip, tmp_path):
    assert vidgen("work", "list").stdout == "no unfinished work\n"
    source = clip("film.mkv", frames=75)
    words = ["upscale", source, "out.mkv", "--scale", 1, "--codec", "ffv1", "--segment", 1]
    vidgen_under(["bash", "-c", 'ulimit -f 32; exec "$@"', "bash"], *words)
    listed = vidgen("work", "list").stdout
    assert listed.startswith("out.mkv.vidgen: 3 pieces, 0.1 MB, ")
    assert str(source) in listed
    handle = hold(tmp_path / "out.mkv.vidgen")
    assert "at work" in vidgen("work", "clean", "out.mkv.vidgen").stdout
    os.close(handle)
    assert vidgen("work", "clean").stdout.startswith("removed out.mkv.vidgen: 3 pieces")
    assert not (tmp_path / "out.mkv.vidgen").exists()
    assert "no such folder" in vidgen("work", "list", "nowhere").stderr
