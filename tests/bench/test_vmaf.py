"""VMAF by the program, against the program alone."""

import json
import subprocess
from fractions import Fraction

import cv2
import numpy as np
import pytest

from vidgen.bench.metrics import similarities
from vidgen.bench.scenes import Scene
from vidgen.bench.vmaf import Vmaf, find_ffmpeg
from vidgen.errors import BackendError
from vidgen.media import Decoder

NAMES = ("vmaf", "vmaf_neg")


@pytest.fixture(scope="module")
def ffmpeg():
    program = find_ffmpeg()
    if program is None:
        pytest.skip("no ffmpeg with libvmaf: neither in the path nor in imageio-ffmpeg")
    return program


def luma(film):
    with Decoder(film) as decoder:
        return [frame.y for frame in decoder]


@pytest.mark.parametrize(("depth", "pix_fmt"), [(8, "yuv420p"), (10, "yuv420p10le")])
def test_scores_are_those_of_the_program_on_the_files(ffmpeg, clip, tmp_path, depth, pix_fmt):
    words = {"frames": 4, "size": (192, 128), "pix_fmt": pix_fmt}
    good = clip("good.mkv", codec="ffv1", **words)
    bad = clip("bad.mkv", options={"crf": "40"}, **words)
    models = "|".join(
        f"version=vmaf_v0.6.1{kind}\\\\:name=vmaf{'_' * bool(kind)}{kind}" for kind in ("", "neg")
    )
    graph = f"libvmaf=model={models}:log_fmt=json:log_path=log.json"
    inputs = ["-i", str(bad), "-i", str(good)]
    command = [str(ffmpeg), "-v", "error", *inputs, "-lavfi", graph, "-f", "null", "-"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    log = json.loads((tmp_path / "log.json").read_text())
    with Vmaf(ffmpeg, depth) as vmaf:
        for pair in zip(luma(good), luma(bad), strict=True):
            vmaf.add(*pair)
        scores = vmaf.scores()
    expected = [{name: frame["metrics"][name] for name in NAMES} for frame in log["frames"]]
    assert scores == [pytest.approx(each, abs=1e-4) for each in expected]
    assert len(scores) == 4
    assert 0 < scores[2]["vmaf_neg"] < scores[2]["vmaf"] < 97


def test_ms_ssim_is_near_that_of_libvmaf(ffmpeg, tmp_path):
    """Another program's: its low-pass filter between the scales differs, its weights do not."""
    planes = [Scene(320, 240).planes(Fraction(n))[0] for n in (1, 3)]
    blurred = [cv2.GaussianBlur(plane, (0, 0), 1.2) for plane in planes]
    for name, each in (("good", planes), ("bad", blurred)):
        chroma = bytes([128]) * (each[0].size // 2)
        (tmp_path / name).write_bytes(b"".join(plane.tobytes() + chroma for plane in each))
    raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "320x240", "-i"]
    graph = "libvmaf=feature=name=float_ms_ssim:log_fmt=json:log_path=log.json"
    command = [str(ffmpeg), "-v", "error", *raw, "bad", *raw, "good", "-lavfi", graph]
    subprocess.run([*command, "-f", "null", "-"], cwd=tmp_path, check=True, timeout=60)
    frames = json.loads((tmp_path / "log.json").read_text())["frames"]
    for frame, good, bad in zip(frames, planes, blurred, strict=True):
        expected = frame["metrics"]["float_ms_ssim"]
        assert 0.9 < expected < 0.99
        assert similarities(good, bad)[1] == pytest.approx(expected, abs=2e-3)


def test_no_pictures_no_scores(ffmpeg):
    with Vmaf(ffmpeg, 8) as vmaf:
        assert vmaf.scores() == []


def test_leaving_early_ends_the_program(ffmpeg):
    plane = np.zeros((64, 64), np.uint8)
    with pytest.raises(KeyError), Vmaf(ffmpeg, 8) as vmaf:  # noqa: PT012 - the block must be left
        vmaf.add(plane, plane)
        process = vmaf._process
        raise KeyError
    assert process.returncode is not None


def test_a_program_that_fails_is_quoted(tmp_path):
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\necho no such model >&2\nexit 1\n")
    program.chmod(0o755)
    plane = np.zeros((512, 512), np.uint8)
    with Vmaf(program, 8) as vmaf, pytest.raises(BackendError, match="no such model"):  # noqa: PT012
        vmaf.add(plane, plane)  # may meet a closed pipe already
        vmaf.scores()
