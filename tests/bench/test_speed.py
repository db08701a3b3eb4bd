"""What is measured is what was done, and in time is in time: on clocks that tests turn."""

import json
from contextlib import contextmanager, nullcontext
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from vidgen import zoo
from vidgen.bench.deadlines import prove
from vidgen.bench.machine import machine, machine_name
from vidgen.bench.scenes import Scene
from vidgen.bench.speed import Row, Work, engine_row, film_rows, spread
from vidgen.bench.standing import bars, read_rows, rows_table, versus
from vidgen.engines.device import Card, DeviceEngine
from vidgen.errors import InputError
from vidgen.stages import EstimateMotion, Generate

FPS = Fraction(25)
PICTURES = list(Scene(32, 16, cut=None).frames(FPS, Fraction(1)))


class Turned:
    """A clock that only those who work or sleep move."""

    def __init__(self):
        self.time = 5.0

    def now(self):
        return self.time

    def pass_by(self, seconds):
        self.time += seconds


@pytest.fixture
def clock():
    return Turned()


def working(clock, seconds):
    """A stage that takes so long for each picture; a function gets the picture's number."""

    def stage(frames):
        for n, frame in enumerate(frames):
            clock.pass_by(seconds(n) if callable(seconds) else seconds)
            yield frame

    return stage


def proof_of(clock, stages, seconds=4):
    words = {"warm_up": Fraction(1), "now": clock.now, "sleep": clock.pass_by}
    return prove(stages, PICTURES, FPS, Fraction(seconds), **words)


def test_work_that_fits_is_in_time(clock):
    proof = proof_of(clock, {"one": working(clock, 0.01), "two": working(clock, 0.02)})
    assert proof.held
    assert proof.frames == 100
    assert proof.stages["one"] == {"p50": 10, "p95": 10, "p99": 10, "max": 10}
    assert proof.stages["sum"]["p99"] == proof.lag["max"] == 30


def test_work_that_does_not_fit_is_told(clock):
    proof = proof_of(clock, {"one": working(clock, 0.05)})
    assert proof.misses == proof.frames == 100
    assert proof.lag["max"] > proof.lag["p50"] > 500  # arrivals do not wait, so it grows


def test_one_slow_picture_makes_only_its_followers_late(clock):
    proof = proof_of(clock, {"one": working(clock, lambda n: 0.1 if n == 50 else 0.01)})
    assert 1 <= proof.misses <= 3
    assert proof.stages["one"]["max"] == 100
    assert proof.stages["one"]["p95"] == 10


def test_what_is_late_in_the_warm_up_does_not_count(clock):
    assert proof_of(clock, {"one": working(clock, lambda n: 0.5 if n == 0 else 0.01)}).held


def test_frames_that_wait_for_the_next_one_count_from_its_arrival(clock):
    stages = {"motion": EstimateMotion(), "generate": Generate(2 * FPS, origin=Fraction(0))}
    proof = proof_of(clock, {**stages, "work": working(clock, 0.005)})
    assert proof.held
    assert proof.frames == pytest.approx(200, abs=4)


def test_spread():
    assert spread([0.001 * n for n in range(1, 101)]) == {"median": 50.5, "p10": 11, "p90": 90}


def test_an_engine_is_timed_without_its_warm_up(clock):
    runs = []

    class Engine:
        def __call__(self, *planes):
            runs.append([plane.shape for plane in planes])
            clock.pass_by(9.0 if len(runs) <= 3 else 0.02)

    @contextmanager
    def compiled(*words):
        yield Engine()

    model = zoo.load("x2-realtime")
    backend = SimpleNamespace(compile=compiled, memory=lambda factor, finds_motion: None)
    row = engine_row(backend, model, (64, 48), Work(engine_seconds=1.0), clock.now)
    assert row.ms == {"median": 20, "p10": 20, "p90": 20}
    assert row.fps == 50
    assert len(runs) == 3 + 50
    assert runs[0][0] == (48, 64)


def test_where_the_past_is_made_on_the_device_that_is_timed_too(clock):
    given = []

    class Memory:
        def draw(self, engine, planes, flow, *, keep):
            given.append([each.shape for each in (*planes, flow())])
            clock.pass_by(0.03)

    @contextmanager
    def compiled(*words):
        yield None

    backend = SimpleNamespace(compile=compiled, memory=lambda factor, finds_motion: Memory())
    row = engine_row(backend, zoo.load("x2-realtime"), (64, 48), Work(), clock.now)
    assert row.ms["median"] == 30
    assert given[0] == [(48, 64), (24, 32, 2), (24, 32, 2)]


def test_a_gpu_tells_its_own_time(clock):
    """Its events see the pictures between them, 2 ms each, and neither copies nor calls."""

    class OnDevice(DeviceEngine):
        pictures = 0

        def _execute(self):
            self.pictures += 1

        def __call__(self, *planes):
            clock.pass_by(0.02)

    class Event:
        def record(self, stream):
            self.at = engine.pictures

        def synchronize(self):
            pass

    cuda = SimpleNamespace(
        Device=lambda number: nullcontext(),
        Event=Event,
        Stream=lambda non_blocking: SimpleNamespace(
            synchronize=lambda: None,
            begin_capture=lambda: None,
            end_capture=lambda: SimpleNamespace(launch=lambda stream: engine._execute()),
        ),
        get_elapsed_time=lambda begin, end: 2.0 * (end.at - begin.at),
        runtime=SimpleNamespace(CUDARuntimeError=OSError),
        driver=SimpleNamespace(CUDADriverError=OSError),
    )
    engine = OnDevice(Card(SimpleNamespace(cuda=cuda, empty=np.empty)), {}, {})
    engine.enqueue()
    backend = SimpleNamespace(
        compile=lambda *words: engine, memory=lambda factor, finds_motion: None
    )
    row = engine_row(backend, zoo.load("x2-realtime"), (64, 48), Work(), clock.now)
    assert row.ms == {"median": 20, "p10": 20, "p90": 20, "device": 2}
    assert "20.0 (20.0 to 20.0), device 2.000" in rows_table([row])


def test_films_are_made(tmp_path):
    work = Work(film_frames=6)
    rows = list(film_rows(tmp_path, (64, 48), {"scale": 1, "fps": "x2"}, work))
    assert [row.kind for row in rows] == ["null", "file"]
    assert {row.what for row in rows} == {"--scale 1 --fps x2"}
    assert all(row.fps > 0 for row in rows)
    assert {"decode", "motion", "generate"} <= rows[0].ms.keys()
    assert "encode" in rows[1].ms
    null, film = rows
    assert null.waits.keys() == {"decode", "motion", "compute"}
    assert film.waits.keys() == {"decode", "motion", "compute", "encode"}
    for row in rows:
        assert row.waits[row.bottleneck] == min(row.waits.values())
        assert not [name for name in row.ms if name.endswith((" wait", " full"))]


def row(fps, what="x2"):
    return Row(kind="engine", what=what, size="64x48", fps=fps, ms=spread([1 / fps]))


@pytest.fixture
def written(tmp_path):
    """`written(name, rows)`: a result file."""

    def write(name, *rows):
        facts = {"gpus": [], "cores": 2, "cpu": name}
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({"machine": facts, "rows": [each.plain() for each in rows]}))
        return path

    return write


def test_two_machines_side_by_side(written):
    text = versus(written("a", row(10), row(5, "x4")), written("b", row(25)))
    assert "A: 2 x a" in text
    assert "| engine | x2 | 64x48 | 10.0 | 25.0 | 2.50 |" in text
    assert text.endswith("1 rows are in one of them only")


def test_machines_without_a_common_row(written):
    with pytest.raises(InputError, match="no row in common"):
        versus(written("a", row(10)), written("b", row(5, "x4")))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rows": [{"kind": 1}], "machine": {}}'])
def test_other_files_are_refused(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match="not a file of"):
        read_rows(tmp_path / "a.json")


def test_a_table_and_a_picture():
    rows = [row(10), row(20, "<b>")]
    assert "| engine | x2 | 64x48 | 10.0 | 100.0 (100.0 to 100.0) |  |  |" in rows_table(rows)
    picture = bars(rows, "a & b")
    assert 'width="420.0"' in picture
    assert 'width="210.0"' in picture
    assert "&lt;b&gt;" in picture
    assert "a &amp; b" in picture


def test_a_result_says_where_it_is_from():
    facts = machine()
    assert facts["cores"] >= 1
    assert {"av", "numpy", "openvino"} <= facts["versions"].keys()
    assert machine_name({"gpus": ["NVIDIA H200, 570.1"] * 8}) == "nvidia-h200"
    name = machine_name({"gpus": [], "cores": 2, "cpu": "A (R) B", "instructions": ["avx2"]})
    assert name == "2-core-a-r-b-avx2"


def test_pictures_of_the_proof_are_what_was_given(clock):
    seen = []

    def look(frames):
        for frame in frames:
            seen.append(frame)
            yield frame

    proof_of(clock, {"look": look}, seconds=1)
    assert [float(frame.time) for frame in seen[:3]] == [0, 0.04, 0.08]
    np.testing.assert_array_equal(seen[26].y, PICTURES[1].y)
