"""Between two FFmpegs, as the README tells it: every picture, its time and its tags."""

import re
import shlex
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import pytest

import vidgen
from vidgen.cli import main
from vidgen.errors import InputError
from vidgen.filter import pipe
from vidgen.media.live import OutputOptions

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
LINES = re.findall(r"^ffmpeg .*\| vidgen filter .*", README, re.M)
STAMPS = [0, 40, 100, 140, 220, 230, 270, 310]
WHITE = """[Script Info]
PlayResX: 64
PlayResY: 48

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour
Style: Default,Arial,16,&H00ffffff

[Events]
Format: Start, End, Style, Text
Dialogue: 0:00:00.00,0:00:09.00,Default,{\\an7\\pos(0,0)\\bord0\\shad0\\p1}m 0 0 l 64 0 64 24 0 24
"""
"""Subtitles that need no font: the upper half of the picture."""
LOSSLESS = OutputOptions(codec="lossless")
HDR = {"color_range": 2, "colorspace": 9, "color_primaries": 9, "color_trc": 16}


@pytest.fixture(scope="session")
def ffmpeg():
    try:
        from imageio_ffmpeg import get_ffmpeg_exe
    except ImportError:
        found = shutil.which("ffmpeg")
        if found is None:
            pytest.skip("no ffmpeg: neither imageio-ffmpeg (extra vmaf) nor the system's")
        return found
    return get_ffmpeg_exe()


@pytest.fixture
def film(clip):
    """Of variable rate, with sound."""
    return clip("in.mkv", frames=8, pts=STAMPS, time_base=Fraction(1, 1000), audio="aac")


def pictures(path):
    """Times in milliseconds from the first one, and the stream, with the sound's packets."""
    with av.open(path) as container:
        video = container.streams.video[0]
        packets = list(container.demux())
        times = sorted(
            packet.pts * packet.time_base
            for packet in packets
            if packet.stream is video and packet.pts is not None
        )
        sound = [packet for packet in packets if packet.stream.type == "audio" and packet.size]
        return [round(1000 * (time - times[0])) for time in times], video.codec_context, sound


@pytest.mark.parametrize("line", LINES, ids=range(len(LINES)))
def test_the_line_of_the_readme(line, film, ffmpeg, begin, tmp_path):
    programs = {
        "ffmpeg": [ffmpeg, "-v", "error", "-nostdin"],
        "vidgen": [sys.executable, "-m", "vidgen"],
    }
    (tmp_path / "in.ass").write_text(WHITE)
    commands = [shlex.split(part) for part in line.split("|")]
    last, running = subprocess.DEVNULL, []
    for program, *words in commands:
        out = subprocess.DEVNULL if words[-1] == "out.mkv" else subprocess.PIPE
        running.append(begin([*programs[program], *words], stdin=last, stdout=out, text=False))
        if last is not subprocess.DEVNULL:
            last.close()  # the program before it hears when this one leaves
        last = running[-1].stdout
    for process in running:
        assert process.wait(timeout=100) == 0, process.stderr.read()
    times, context, sound = pictures(tmp_path / "out.mkv")
    with av.open(tmp_path / "out.mkv") as made:
        first = next(made.decode(video=0)).reformat(format="gray").to_ndarray()
    assert (first[:48].min() > 200) == ("subtitles" in line)
    if "yuv4mpegpipe" in line:
        assert (context.width, context.height) == (128, 96)
        assert not sound
    elif "--fps" in line:
        assert len(times) > len(STAMPS)
    else:
        assert times == STAMPS
        assert (context.width, context.height) == (128, 96)
        assert len(sound) > 10


def test_there_are_lines():
    assert len(LINES) == 4


def test_tags_and_samples_are_kept(tmp_path):
    source, target = tmp_path / "in.mkv", tmp_path / "out.nut"
    options = {"qp": "0", "chroma_sample_location": "topleft"}
    with av.open(source, "w") as container:
        video = container.add_stream("libx264", rate=25, options=options)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p10le"
        for name, value in HDR.items():
            setattr(video.codec_context, name, value)
        for n in range(3):
            picture = av.VideoFrame(64, 48, "yuv420p10le")
            for plane in picture.planes:
                plane.update(bytes([n, 1]) * (plane.buffer_size // 2))
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
    report = pipe(str(source), str(target), LOSSLESS, scale=1)
    assert (report.frames_in, report.frames_out, report.engine) == (3, 3, "")
    with av.open(source) as before, av.open(target) as after:
        pairs = list(zip(before.decode(video=0), after.decode(video=0), strict=True))
        for one, other in pairs:
            assert all(bytes(a) == bytes(b) for a, b in zip(one.planes, other.planes, strict=True))
            assert {name: int(getattr(other, name)) for name in HDR} == HDR
    assert len(pairs) == 3
    with vidgen.open(source) as before, vidgen.open(target) as after:
        assert after.format.color == before.format.color
        assert after.format.color.chroma_location == 3


def test_a_film_that_has_no_picture(clip, tmp_path):
    with pytest.raises(InputError, match="holds no video"):
        pipe(str(clip("in.mkv", frames=0, audio="flac")), str(tmp_path / "out.nut"), LOSSLESS)


def test_words_that_are_not_accepted(film, tmp_path, capsys):
    assert main(["filter", str(film), str(tmp_path / "out.xyz")]) == 2
    assert main(["filter", str(film), str(tmp_path / "out.nut"), "--fps", "many"]) == 2
    assert main(["filter", str(film), str(tmp_path / "out.y4m"), "--codec", "x264"]) == 2
    assert "Traceback" not in capsys.readouterr().err
