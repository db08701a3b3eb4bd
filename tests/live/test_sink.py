"""A sink that is lost is called again, and nobody waits for it."""

from fractions import Fraction

import pytest

from vidgen.errors import OutputError
from vidgen.live.settings import LiveReport, LiveSettings
from vidgen.live.sink import Sink
from vidgen.media.live import OutputOptions


class Output:
    """What `LiveOutput` is to `Sink`; its first writes fail."""

    def __init__(self, failures=0):
        self.failures, self.times, self.notes, self.ended = failures, [], [], False
        self.flushes = True

    def write(self, frame):
        if self.failures:
            self.failures -= 1
            raise OutputError("gone")
        self.times.append(frame.time)

    def close(self):
        if not self.flushes:
            raise OutputError("gone")
        self.ended = True

    def abandon(self):
        self.ended = True


@pytest.fixture
def opened(clock, live):
    """`opened(outputs, ...)`: a sink that is given one after the other; None cannot be reached."""

    def make(outputs, url="tcp://there:1", **words):
        left, started, report = list(outputs), [], LiveReport()

        def connect(*given, stop):
            if (output := left.pop(0)) is None:
                raise OutputError("refused")
            return output

        def start(work, name):
            started.append(work)

        settings = LiveSettings(source="-", sink=url, **words)
        sink = Sink(settings, live.VIDEO, [], clock, report, connect, start)
        return sink, report, started

    return make


def test_nobody_waits_for_a_sink_that_is_called_again(opened, clock, live):
    lost, again = Output(failures=1), Output()
    sink, report, started = opened([lost, None, again])
    for n in range(300):
        sink.write(live.frame(n), Fraction(n, 30))
        clock.sleep(Fraction(1, 30))
        if n in (100, 200):
            assert len(started) == 1
            started.pop()()
    assert lost.ended
    assert not lost.times
    assert again.times == [Fraction(n, 30) for n in range(201, 300)]
    assert report.sink_reconnects == 1


SERVED = {"output": OutputOptions(serve=True)}


def test_a_reader_is_waited_for_beside_the_stream(opened, live):
    """What was shown before it came is not its."""
    output = Output()
    sink, report, started = opened([output], **SERVED)
    for n in range(5):
        sink.write(live.frame(n), Fraction(n, 30))
    assert len(started) == 1
    started.pop()()
    sink.write(live.frame(5), Fraction(5, 30))
    assert output.times == [Fraction(5, 30)]
    assert report.sink_reconnects == 0


def test_what_cannot_be_served_ends_the_stream(opened, live):
    sink, _, started = opened([None], **SERVED)
    sink.write(live.frame(0), Fraction(0))
    started.pop()()
    with pytest.raises(OutputError, match="refused"):
        sink.write(live.frame(1), Fraction(1, 30))


@pytest.mark.parametrize("words", [{"url": "out.ts"}, {"reconnect": False}])
def test_a_file_is_not_begun_anew(opened, live, words):
    sink, _, _ = opened([Output(failures=1)], **words)
    with pytest.raises(OutputError, match="gone"):
        sink.write(live.frame(0), Fraction(0))


def test_a_reader_that_has_left_is_no_error_at_the_end(opened, live, caplog):
    output = Output()
    sink, _, _ = opened([output])
    sink.write(live.frame(0), Fraction(0))
    output.flushes = False
    sink.close()
    assert output.ended
    assert "gone" in caplog.text


def test_a_file_that_cannot_be_ended_is_one(opened, live):
    output = Output()
    output.flushes = False
    sink, _, _ = opened([output], url="out.ts")
    with pytest.raises(OutputError, match="gone"):
        sink.close()
