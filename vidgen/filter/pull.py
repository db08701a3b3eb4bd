"""Frames pulled from whatever vidgen can open: as they are, or through the stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from os import PathLike, fspath
from types import TracebackType
from typing import Any, Self

from vidgen.filter.push import Chosen
from vidgen.frame import Frame, VideoFormat
from vidgen.media import Decoder
from vidgen.media.live import LiveInput, is_file
from vidgen.stage import prefetch

__all__ = ["Reader", "open", "stream"]


class Reader:
    """The frames of a film or a stream, in order; a context manager, to be iterated once.

    A film is read as `vidgen upscale` reads it: exact times, and TruncatedError at the end of one
    that broke off. What comes through a pipe or over a net is taken as it arrives.
    """

    format: VideoFormat
    """What every frame is."""

    def __init__(
        self,
        source: str | PathLike[str],
        container: str | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self._source: Decoder | LiveInput
        if is_file(fspath(source)) and not (container or options):
            self._source = Decoder(source)
            self.format = self._source.format
            return
        self._source = LiveInput(fspath(source), container=container, options=options)
        self.format = self._source.video

    def __iter__(self) -> Iterator[Frame]:
        return (item for item in self._source if isinstance(item, Frame))

    def close(self) -> None:
        """Let go of the source. Frames already handed out stay valid."""
        self._source.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open(
    source: str | PathLike[str],
    container: str | None = None,
    options: Mapping[str, str] | None = None,
) -> Reader:
    """`source` as frames: a file, a URL that FFmpeg reads, or `-` for standard input.

    `container` and `options` are FFmpeg's words for reading it, where it does not find out itself.
    Raises InputError.
    """
    return Reader(source, container, options)


def stream(
    source: str | PathLike[str],
    *,
    container: str | None = None,
    options: Mapping[str, str] | None = None,
    **words: Any,
) -> Iterator[Frame]:
    """The frames of `source`, through the stages that the words ask for; see `open` and `Filter`.

    Every frame comes, as late as it may be; the source waits where nobody takes what is made. The
    source is decoded ahead on a thread of its own; leaving the loop ends it.
    """
    with Reader(source, container, options) as reader:
        chosen = Chosen(reader.format, words)
        with closing(prefetch(reader, name="decode")) as decoded:
            yield from chosen(decoded)
