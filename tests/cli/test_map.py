"""`--map` and `--video-only` on the command line."""

from vidgen.media import probe


def test_video_only(vidgen, clip, tmp_path):
    target = tmp_path / "out.mkv"
    done = vidgen("upscale", clip(audio="flac"), target, "--scale", "1", "--video-only")
    assert done.returncode == 0, done.stderr
    assert [stream.type for stream in probe(target).streams] == ["video"]


def test_streams_are_left_out(vidgen, clip, tmp_path):
    target = tmp_path / "out.mkv"
    done = vidgen("upscale", clip(audio="flac"), target, "--scale", "1", "--map=-0:a")
    assert done.returncode == 0, done.stderr
    assert [stream.type for stream in probe(target).streams] == ["video"]


def test_a_stream_that_is_not_there_is_refused_in_a_line(vidgen, clip, tmp_path):
    for words in (("--map", "0:a:7"), ("--map", "1:a"), ("--map", "0:a", "--video-only")):
        done = vidgen("upscale", clip(audio="flac"), tmp_path / "out.mkv", *words)
        assert done.returncode == 2
        assert done.stderr.startswith("vidgen: error: --map")
        assert len(done.stderr.splitlines()) == 1
    assert {path.suffix for path in tmp_path.iterdir()} == {".mkv"}
    assert not (tmp_path / "out.mkv").exists()
