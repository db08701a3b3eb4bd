"""The output's name is free until the file is whole."""

import os

import pytest

from vidgen.errors import OutputError
from vidgen.target import partial_path, publish, require_beside, require_writable


def test_the_unfinished_name_keeps_the_suffix(tmp_path):
    assert partial_path(tmp_path / "a.b.mkv").name == "a.b.partial.mkv"


def test_publishing_renames(tmp_path):
    partial = tmp_path / "out.partial.mkv"
    partial.write_bytes(b"film")
    publish(partial, tmp_path / "out.mkv")
    assert (tmp_path / "out.mkv").read_bytes() == b"film"
    assert not partial.exists()


def test_a_free_name_is_accepted_and_nothing_is_made(tmp_path):
    require_writable(tmp_path / "out.mkv", tmp_path / "in.mkv", overwrite=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("overwrite", [False, True])
def test_the_input_is_never_the_output(tmp_path, overwrite):
    film = tmp_path / "film.mkv"
    film.write_bytes(b"film")
    link = tmp_path / "link.mkv"
    link.symlink_to(film)
    hard = tmp_path / "hard.mkv"
    os.link(film, hard)
    for target in (film, link, hard):
        with pytest.raises(OutputError, match="input itself"):
            require_writable(target, film, overwrite)


def test_an_existing_output_needs_overwrite(tmp_path):
    target = tmp_path / "out.mkv"
    target.write_bytes(b"")
    with pytest.raises(OutputError, match="--overwrite"):
        require_writable(target, tmp_path / "in.mkv", overwrite=False)
    require_writable(target, tmp_path / "in.mkv", overwrite=True)


def test_folders_are_named_in_the_error(tmp_path):
    with pytest.raises(OutputError, match="is a folder"):
        require_writable(tmp_path, tmp_path / "in.mkv", overwrite=True)
    with pytest.raises(OutputError, match="there is no folder"):
        require_writable(tmp_path / "no" / "out.mkv", tmp_path / "in.mkv", overwrite=False)


def test_a_name_that_is_too_long_for_what_is_unfinished(tmp_path):
    with pytest.raises(OutputError, match="name too long"):
        require_writable(tmp_path / f"{'x' * 245}.mkv", tmp_path / "in.mkv", overwrite=False)


def test_what_tells_of_films_is_none_of_them(tmp_path):
    film, made = tmp_path / "film.mkv", tmp_path / "out.mkv"
    film.write_bytes(b"film")
    link, hard = tmp_path / "report.json", tmp_path / "hard.json"
    link.symlink_to(film)
    os.link(film, hard)
    for path in (film, made, link, hard):
        with pytest.raises(OutputError, match="itself"):
            require_beside(path, film, made)
    with pytest.raises(OutputError, match="there is no folder"):
        require_beside(tmp_path / "no" / "report.json", film, made)
    older = tmp_path / "older.json"
    older.write_text("{}")
    require_beside(older, film, made)
