"""Numbered pictures, as resumable as a film: what is finished is written down, and not made again.

A picture is finished when it is there as it was written, and was drawn from what is there now. One
that was replaced is drawn anew, with those behind it that have seen it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from vidgen.errors import InputError, OutputError, UsageError
from vidgen.job import Job, Settings
from vidgen.segments import Identity, Journal, Work, sync_folder, work_folder
from vidgen.stage import prefetch
from vidgen.stills.draw import Drawing, Drawn, pieces
from vidgen.stills.names import Names
from vidgen.stills.picture import left_out, write_picture

__all__ = ["are_there", "make_sequence"]

_GOES_ON = "the same command goes on with what is finished"


def are_there(settings: Settings) -> bool:
    """Whether all pictures are there, and none of them is still to be made anew."""
    names = Names(settings.source, settings.target)
    return not work_folder(settings.target).exists() and len(list(names.taken())) == len(names)


def make_sequence(
    job: Job, identity: Identity, drawing: Drawing, tell: Callable[[bool], None]
) -> list[str]:
    """Make all pictures of the sequence that are not there yet; notes. Raises VidgenError.

    `tell` hears of each picture whether an earlier run had made it.
    """
    settings, names = job.settings, drawing.names
    if settings.segment <= 0:
        raise UsageError(f"--segment {float(settings.segment):g}: give more than 0 seconds")
    if settings.resume is False and not settings.overwrite:
        _require_free(names, lambda target: False)
    with Work(job, identity) as work:
        journal = Journal(work.pieces.folder)
        if not settings.overwrite:
            _require_free(names, journal.knows, work.notes)
        making = _Making(drawing, journal, tell)
        try:
            for piece in pieces(len(names), settings.segment):
                making(piece)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(making.stopped()) from None
        except InputError as error:
            raise InputError(f"{error}; put another there, and {_GOES_ON}") from error
        except OutputError as error:
            raise OutputError(f"{error}; {_GOES_ON}") from error
        sync_folder(settings.target.parent)
        work.remove()
    return [*work.notes, *making.notes]


def _require_free(names: Names, is_ours: Callable[[Path], bool], notes: Sequence[str] = ()) -> None:
    """Raise OutputError where a picture is there already and this work has not made it."""
    for _, target in names.taken():
        if not is_ours(target):
            why = "".join(f" ({note})" for note in notes)
            raise OutputError(f"{target} exists{why}; give another output or --overwrite")


class _Making:
    """Makes pieces of a sequence, and counts what was made."""

    def __init__(self, drawing: Drawing, journal: Journal, tell: Callable[[bool], None]) -> None:
        self._drawing, self._journal, self._tell = drawing, journal, tell
        self._finished = 0
        self.notes: list[str] = []

    def __call__(self, piece: range) -> None:
        """Make those pictures of the piece that are not finished; all before them are drawn."""
        todo = self._unfinished(piece)
        for _ in range(len(piece) - len(todo)):
            self._count(found=True)
        if not todo:
            return
        drawn = self._drawing(range(piece.start, max(todo) + 1))
        with closing(prefetch(drawn, depth=1, name="compute")) as pictures:
            for each in pictures:
                if each.index in todo:
                    self._write(each)

    def _unfinished(self, piece: range) -> set[int]:
        names, origins = self._drawing.names, self._drawing.origins(piece)
        return {
            index
            for index, origin in zip(piece, origins, strict=True)
            if not self._journal.holds(names[index][1], origin)
        }

    def _write(self, drawn: Drawn) -> None:
        target = self._drawing.names[drawn.index][1]
        write_picture(
            target, drawn.y, drawn.parts, partial(self._journal.enter, target, drawn.origin)
        )
        if (note := left_out(target, drawn.parts)) and note not in self.notes:
            self.notes.append(note)
        self._count(found=False)

    def _count(self, *, found: bool) -> None:
        self._finished += 1
        self._tell(found)

    def stopped(self) -> str:
        """For a person who has stopped the run: how far it is, and how it goes on."""
        if not self._finished:
            return "stopped"
        of = f"{self._finished} of {len(self._drawing.names)} pictures"
        return f"stopped with {of} finished; the same command goes on from there"
