"""Through all connections: times go on, what was stored is left out, losses are made good."""

from fractions import Fraction
from itertools import islice, pairwise

import pytest

from vidgen.errors import InputError
from vidgen.live.settings import LiveReport, LiveSettings
from vidgen.live.source import Source
from vidgen.media.live import Passing

STEP = Fraction(1, 30)
FPS = Fraction(30)


def packet(seconds):
    return Passing(0, None, Fraction(seconds))


@pytest.fixture
def opened(clock, connections):
    """`opened(connection, ..., **settings)`: a source that has been connected, and its report."""

    def make(*given, **words):
        settings = LiveSettings(source="tcp://there:1", sink="-", **words)
        report = LiveReport()
        source = Source(settings, clock, report, connections(*given))
        source.connect()
        return source, report

    return make


def test_a_file_is_read_at_its_own_pace(opened, clock, live):
    items = [(Fraction(0), live.frame(n, zero=Fraction(50))) for n in range(60)]
    source, _ = opened(live.Connection(clock, items, paced=True))
    began, seen = clock.now(), []
    for each in source.frames(FPS):
        seen.append((each.time, clock.now() - began))
    assert [time for time, _ in seen] == [n * STEP for n in range(60)]
    assert max(abs(time - passed) for time, passed in seen) < Fraction(1, 1000)


def test_what_a_server_had_stored_is_left_out(opened, clock, live):
    """A burst, then one picture at a time: the output is behind by nothing of the burst."""
    burst = [(Fraction(1, 1000), live.frame(n)) for n in range(40)]
    then = [(STEP, live.frame(n)) for n in range(40, 100)]
    source, report = opened(live.Connection(clock, burst + then), reconnect=False)
    began = clock.now()
    apart = [clock.now() - began - each.time for each in source.frames(FPS)]
    assert 55 < report.frames_in <= 60
    assert max(map(abs, apart)) < Fraction(1, 20)


@pytest.mark.parametrize("stored", [10, 25, 100])
def test_what_was_stored_does_not_put_the_stream_ahead(opened, clock, live, stored):
    """A hiccup within the burst looks like its end: the rest of it comes at once, all the same."""
    burst = [(Fraction(1, 1000), live.frame(n)) for n in range(stored)]
    hiccup = [(STEP, live.frame(stored))]
    rest = [(Fraction(1, 1000), live.frame(n)) for n in range(stored + 1, 2 * stored)]
    then = [(STEP, live.frame(n)) for n in range(2 * stored, 2 * stored + 60)]
    source, report = opened(live.Connection(clock, burst + hiccup + rest + then), reconnect=False)
    began = clock.now()
    ahead = [each.time - (clock.now() - began) for each in source.frames(FPS)]
    assert max(map(abs, ahead)) <= Fraction(1, 10) + STEP
    assert len(ahead) >= 55
    assert report.jumps == 0


def test_pieces_of_seconds_are_shown_at_an_even_pace(opened, clock, live):
    """HLS: three pieces are there at first, then another every two seconds."""

    class Pieces(live.Connection):
        in_pieces = True

        def __iter__(self):
            began = clock.now()
            for n in range(600):
                clock.sleep(max(began + n // 60 * 2 - 4 - clock.now(), 0))
                yield live.frame(n, zero=Fraction(70))

    source, report = opened(Pieces(clock, []), reconnect=False)
    began = clock.now()
    placed = [(each.time, clock.now() - began) for each in source.frames(FPS)]
    assert [time for time, _ in placed] == [n * STEP for n in range(600)]
    assert max(abs(time - now) for time, now in placed) < Fraction(1, 100)
    assert report.jumps == 0


def test_sound_gets_the_shift_of_the_picture(opened, clock, live):
    items = []
    for n in range(10):
        items += [(STEP, live.frame(n, zero=Fraction(9))), (Fraction(0), packet(9 + n * STEP))]
    connection = live.Connection(clock, items, kinds=["audio aac"])
    source, _ = opened(connection, reconnect=False)
    times = [each.time for each in source.frames(FPS)]
    assert [due for due, _, _ in source.passing] == times


def test_twenty_losses(opened, clock, live):
    """Pictures go on within a back-off of a source that is there again; refusals are tried over."""
    several = []
    for number in range(21):
        items = [(STEP, live.frame(n, zero=Fraction(1000 * number))) for n in range(30)]
        several += [None] * (number % 3) if number else []
        several.append(live.Connection(clock, items, lost=number % 2 == 0))
    source, report = opened(*several)
    frames = source.frames(FPS)
    times = [(each.time, clock.now() - source.epoch) for each in islice(frames, 21 * 28)]
    assert report.reconnects == 20
    assert all(b > a for (a, _), (b, _) in pairwise(times))
    assert max(b - a for (_, a), (_, b) in pairwise(times)) < 2
    assert max(abs(time - now) for time, now in times) < Fraction(1, 10)


def test_sound_of_another_kind_is_left_out(opened, clock, live):
    first = live.Connection(clock, [(STEP, live.frame(n)) for n in range(3)], kinds=["audio aac"])
    items = [(STEP, live.frame(n)) for n in range(5)] + [(Fraction(0), packet(0))]
    second = live.Connection(clock, items, kinds=["audio mp2"])
    source, _ = opened(first, second)
    list(islice(source.frames(FPS), 5))
    assert not source.passing


@pytest.mark.parametrize("lost", [True, False])
def test_without_reconnecting_it_ends_with_its_source(opened, clock, live, lost):
    items = [(STEP, live.frame(n)) for n in range(5)]
    source, _ = opened(live.Connection(clock, items, lost=lost), reconnect=False)
    frames = source.frames(FPS)
    assert len(list(islice(frames, 4))) == 4
    if lost:
        with pytest.raises(InputError, match="lost"):
            next(frames)
    else:
        assert next(frames, None) is None


def test_sound_of_before_a_jump_does_not_hold_up_what_comes_after_it(opened, clock, live):
    old = Fraction(90000)
    before = [(STEP, live.frame(n, zero=old)) for n in range(2)]
    after = [
        (STEP, live.frame(2)),
        (0, packet(old)),
        (STEP, live.frame(3)),
        (0, packet(STEP * 3)),
    ]
    connection = live.Connection(clock, before + after, kinds=["audio aac"])
    source, report = opened(connection, reconnect=False)
    times = [each.time for each in source.frames(FPS)]
    assert report.jumps == 1
    assert [due for due, _, _ in source.passing] == times[-1:]
