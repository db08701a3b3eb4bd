"""Real streams of a second or two: files, pipes, senders and readers over TCP, figures by HTTP."""

import itertools
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from fractions import Fraction

import av
import numpy as np
import pytest

from vidgen.cli.stream import _line
from vidgen.errors import InputError, OutputError, UsageError
from vidgen.frame import Frame, VideoFormat
from vidgen.live import LiveSettings, run
from vidgen.live.chain import Chain
from vidgen.live.clock import MachineClock
from vidgen.live.settings import LiveReport
from vidgen.live.watch import Watch
from vidgen.media.live import OutputOptions


@pytest.fixture
def film_of_squares(rng):
    """Ten frames of 64x48, 25 a second, of a rough ground that moves to the right."""
    ground = rng.integers(30, 220, (12, 40), np.uint8).repeat(4, 0).repeat(4, 1)
    chroma = np.full((24, 32, 2), 128, np.uint8)
    return [Frame(ground[:, n * 2 :][:, :64], chroma, n, 1, Fraction(1, 25)) for n in range(10)]


def pictures(path, **words):
    """Times of the pictures, and of the sound, in seconds."""
    with av.open(path, **words) as film:
        packets = [each for each in film.demux() if each.pts is not None and each.size]
        video = [each.pts * each.time_base for each in packets if each.stream.type == "video"]
        sound = [each.pts * each.time_base for each in packets if each.stream.type == "audio"]
        return sorted(video), sound, film.streams.video[0]


@pytest.mark.parametrize("name", ["out.ts", "out.mp4", "out.mkv", "out.nut", "out.flv", "out.m3u8"])
def test_a_file_becomes_a_stream(film, tmp_path, name):
    """As large as asked for, on an even grid, its sound beside it."""
    settings = LiveSettings(source=str(film), sink=str(tmp_path / name), latency=Fraction(1))
    report = run(settings)
    times, sound, stream = pictures(tmp_path / name)
    assert (stream.width, stream.height) == (128, 96)
    assert report.frames_out == len(times)
    steps = {round((b - a) * 25) for a, b in itertools.pairwise(times)}
    assert steps <= {*range(1, 50)}
    assert report.frames_out + report.skipped >= 20
    assert len(sound) > 10
    assert abs(sound[-1] - times[-1]) < Fraction(1, 10)
    assert report.frames_in == 30
    assert report.fps_in < 30  # 25; of the whole run, however it was halted
    assert not report.notes


def test_sound_of_mpeg_ts_fits_mp4(clip, tmp_path):
    """Which says once what the packets of MPEG-TS say each time."""
    source, sink = clip("in.ts", frames=25, audio="aac"), tmp_path / "out.mp4"
    run(LiveSettings(source=str(source), sink=str(sink), scale=1, tier="off"))
    with av.open(sink) as film:
        assert sum(frame.samples for frame in film.decode(audio=0)) > 40_000


def test_a_halt_near_the_end(film, tmp_path):
    """Instants that passed meanwhile are left out; the picture does not outlast the sound."""

    class Halted(MachineClock):
        away = 0

        def now(self):
            return super().now() + self.away

    def halt(report):
        clock.away = 3 * (report.frames_in == 30)

    sink, clock = str(tmp_path / "out.mp4"), Halted()
    settings = LiveSettings(source=str(film), sink=sink, scale=1, tier="off", latency=Fraction(1))
    run(settings, halt, clock)
    times, sound, _ = pictures(sink)
    assert abs(sound[-1] - times[-1]) < Fraction(1, 25)


def test_new_frames_and_no_network(film, tmp_path):
    sink = str(tmp_path / "out.ts")
    report = run(LiveSettings(source=str(film), sink=sink, scale=1, fps="50", tier="off"))
    times, _, stream = pictures(sink)
    assert (stream.width, stream.height) == (64, 48)
    assert stream.average_rate == 50
    assert report.tier == "off"
    assert report.engine == ""
    assert len(times) + report.skipped > 40
    assert report.generated > 0


@pytest.mark.parametrize(
    ("given", "latency", "taken"),
    [
        ("auto", Fraction(4, 25), "interpolate"),
        ("auto", Fraction(4, 26), "predict"),
        ("off", Fraction(1), "off"),
    ],
)
def test_frames_are_made_as_the_budget_allows(given, latency, taken):
    settings = LiveSettings(source="-", sink="-", scale=1, generate=given, latency=latency)
    video = VideoFormat(width=64, height=48, fps=Fraction(25))
    assert Chain(settings, video, lambda: 0, lambda: Fraction(0), MachineClock()).generate == taken


@pytest.mark.parametrize(
    ("scale", "fps", "tier", "tiers"),
    [
        (2, "50", "auto", ("quality", "balanced", "realtime", "off")),
        (1, "50", "auto", ("balanced", "off")),
        (1, "50", "realtime", ("realtime",)),
        (1, "25", "auto", ("off",)),
        (2, "25", "realtime", ("realtime",)),
    ],
)
def test_tiers_are_those_that_differ(scale, fps, tier, tiers):
    settings = LiveSettings(source="-", sink="-", scale=scale, fps=fps, tier=tier)
    video = VideoFormat(width=64, height=48, fps=Fraction(25))
    assert Chain(settings, video, lambda: 0, lambda: Fraction(0), MachineClock()).tiers == tiers


def test_a_network_makes_pictures_in_the_dearest_tier(film_of_squares):
    """Level 0 draws with it, the level below without; both show real frames untouched."""
    settings = LiveSettings(source="-", sink="-", scale=1, fps="50")
    video = VideoFormat(width=64, height=48, fps=Fraction(25))
    shown = [
        list(
            Chain(settings, video, lambda level=level: level, lambda: Fraction(-1), MachineClock())(
                film_of_squares
            )
        )
        for level in (0, 1)
    ]
    made = [[frame for frame in each if frame.generated] for each in shown]
    assert len(made[0]) == len(made[1]) > 5
    assert any((a.y != b.y).any() for a, b in zip(*made, strict=True))
    real = [[frame.y for frame in each if not frame.generated] for each in shown]
    assert all((a == b).all() for a, b in zip(*real, strict=True))


def test_y4m_is_raw_and_has_no_sound(film, tmp_path):
    sink = str(tmp_path / "out.y4m")
    report = run(LiveSettings(source=str(film), sink=sink, scale=1, tier="off"))
    times, _, stream = pictures(sink)
    assert stream.codec_context.name == "rawvideo"
    assert len(times) == report.frames_out
    assert report.notes == ["aac audio stays behind: yuv4mpegpipe cannot hold it"]


def test_pipes(film, tmp_path):
    """Standard input to standard output, as between two other programs."""
    command = [sys.executable, "-m", "vidgen", "stream", "-", "-", "--scale", "1"]
    with film.open("rb") as given, (tmp_path / "out.nut").open("wb") as taken:
        # an MP4 in a pipe has its index behind: a stream cannot wait for it
        result = subprocess.run(command, stdin=given, stdout=taken, stderr=-1, timeout=100)
    assert result.returncode == 0, result.stderr
    times, sound, _ = pictures(tmp_path / "out.nut")
    assert len(times) > 10
    assert sound
    assert b"fps" in result.stderr


def test_a_sender_is_waited_for(film, tmp_path, port, sender):
    sending = sender(film, f"tcp://127.0.0.1:{port}", 2, 2)
    settings = LiveSettings(
        source=f"tcp://127.0.0.1:{port}",
        sink=str(tmp_path / "out.ts"),
        listen=True,
        reconnect=False,
        tier="off",
        stall_seconds=60,
    )
    report = run(settings)
    assert sending.wait(timeout=60) == 0
    times, sound, _ = pictures(tmp_path / "out.ts")
    assert report.frames_out == len(times) > 5
    assert sound


def test_a_reader_is_waited_for(film, tmp_path, port, child):
    words = [film, f"tcp://127.0.0.1:{port}", "--serve", "--scale", "1"]
    errors = (tmp_path / "errors.txt").open("w+")
    server = child(sys.executable, "-m", "vidgen", "stream", *words, stderr=errors)
    for _ in range(600):
        try:
            times, _, _ = pictures(f"tcp://127.0.0.1:{port}", timeout=60)
            break
        except OSError:
            assert server.poll() is None, (tmp_path / "errors.txt").read_text()
            with pytest.raises(subprocess.TimeoutExpired):
                server.wait(timeout=0.1)
    assert len(times) > 5
    server.wait(timeout=60)
    errors.close()
    assert server.returncode == 0, (tmp_path / "errors.txt").read_text()


def test_figures_by_file_and_http(tmp_path):
    report = LiveReport(tier="realtime", late=3)
    settings = LiveSettings(
        source="-", sink="-", status_file=tmp_path / "status.json", status_port=0
    )
    with Watch(settings, report) as watch:
        for n in range(100):
            watch.latency(n / 1000)
        watch.load(Fraction(1), 0.0, 0.0)
        report.frames_out = 60
        assert watch.load(Fraction(2), 0.25, 0.5) == 0.5
        watch.publish([n / 500 for n in range(100)])
        place = f"http://127.0.0.1:{watch.port}"
        with urllib.request.urlopen(f"{place}/", timeout=30) as answer:
            said = json.load(answer)
        with urllib.request.urlopen(f"{place}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{place}/else", timeout=30)
    assert said == json.loads((tmp_path / "status.json").read_text("utf-8"))
    assert (said["fps_out"], said["latency_p50"], said["latency_p99"]) == (60, 50, 99)
    assert said["stages_p99"] == 198
    assert {"vidgen_late 3", 'vidgen_tier{name="realtime"} 1'} <= {*lines}


def test_rates_are_told_when_there_is_time_to_tell_them():
    """Not of a run, and not of a moment, in which a picture more or less is a multiple."""
    report = LiveReport()
    watch = Watch(LiveSettings(source="-", sink="-"), report)
    watch.load(Fraction(1), 0.0, 0.0)
    report.frames_in = report.frames_out = 12
    assert watch.load(1 + Fraction(1, 1000), 0.01, 0.0) == 1
    watch.end()
    assert (report.fps_in, report.fps_out) == (None, None)
    assert "fps" not in report.prometheus()
    assert "fps" not in _line(report)
    watch.load(Fraction(3, 2), 0.1, 0.0)
    watch.end()
    assert (report.fps_in, report.fps_out) == (24, 24)
    assert _line(report).startswith("24.0 -> 24.0 fps  ")


def test_nobody_waits_for_the_status_file(tmp_path):
    """Written into a pipe, which takes it when it is read: after it was published, not before."""
    file, report = tmp_path / "status.json", LiveReport(late=7)
    with Watch(LiveSettings(source="-", sink="-", status_file=file), report) as watch:
        os.mkfifo(tmp_path / "status.json.part")
        watch.publish([])
        said = json.loads((tmp_path / "status.json.part").read_bytes())
    assert said["late"] == 7


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"source": "none.mp4"}, InputError, "none.mp4: no such file"),
        ({"source": "tcp://127.0.0.1:1"}, InputError, "cannot be opened"),
        ({"source": "udp://127.0.0.1:1", "listen": True}, UsageError, "udp cannot wait"),
        ({"source": "tcp://here", "listen": True}, UsageError, "give host and port"),
        ({"container": "nonesuch"}, UsageError, "--from nonesuch"),
        ({"options": {"tcp_nodely": "1", "timeout": "9"}}, UsageError, "--option tcp_nodely: no"),
        ({"output": OutputOptions(muxing={"movflag": "x"})}, UsageError, "--option movflag: no"),
        ({"sink": "out.xyz"}, UsageError, "no container is known by .xyz"),
        ({"sink": "none/out.ts"}, OutputError, "folder none does not exist"),
        ({"output": OutputOptions(container="nonesuch")}, UsageError, "--to nonesuch"),
        ({"output": OutputOptions(codec="x266")}, UsageError, "--codec x266"),
        ({"output": OutputOptions(crf=20, bitrate="6M")}, UsageError, "exclude each other"),
        ({"output": OutputOptions(bitrate="fast")}, UsageError, "--bitrate fast"),
        ({"stall_seconds": -1.0}, UsageError, "--stall -1"),
        ({"status_port": 99999}, UsageError, "--status-port 99999"),
        (
            {"output": OutputOptions(serve=True), "sink": "udp://127.0.0.1:1"},
            UsageError,
            "only tcp",
        ),
        ({"tier": "best"}, UsageError, "--tier best"),
        ({"generate": "guess"}, UsageError, "--generate guess"),
        ({"fps": "often"}, UsageError, "--fps often"),
        ({"size": "17x17"}, UsageError, "--size 17x17"),
    ],
)
def test_refusals(film, tmp_path, monkeypatch, words, error, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        run(LiveSettings(**{"source": str(film), "sink": "out.ts", **words}))


def test_rubbish_is_refused(tmp_path):
    (tmp_path / "in.ts").write_bytes(bytes(range(256)) * 400)
    with pytest.raises(InputError, match=r"in\.ts"):
        run(LiveSettings(source=str(tmp_path / "in.ts"), sink=str(tmp_path / "out.ts")))
    assert not (tmp_path / "out.ts").exists()


def test_a_picture_that_is_too_large_is_refused(clip, tmp_path, monkeypatch):
    """A header can announce what no memory holds."""
    monkeypatch.setattr("vidgen.media.live.pictures._MOST_PIXELS", 64 * 48 - 1)
    clip("in.nut", codec="ffv1")
    with pytest.raises(InputError, match=r"in\.nut"):
        run(LiveSettings(source=str(tmp_path / "in.nut"), sink=str(tmp_path / "out.ts")))


def test_ctrl_c_ends_the_stream_well(film, tmp_path, monkeypatch):
    """What was shown until then is a whole file."""
    told = []

    def said(report):
        told.append(report.frames_out)
        if len(told) == 1:
            raise KeyboardInterrupt

    sink = str(tmp_path / "out.mp4")
    report = run(LiveSettings(source=str(film), sink=sink, scale=1, tier="off"), said)
    times, _, _ = pictures(sink)
    assert len(times) == report.frames_out < 30
