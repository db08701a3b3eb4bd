"""Interlace and telecine: how a film was recorded, and how to undo it."""

from vidgen.restore.deinterlace import Field, deinterlaced
from vidgen.restore.detect import Watcher, scan_film
from vidgen.restore.fields import rows_of, woven_planes
from vidgen.restore.notes import scan_notes

__all__ = ["Field", "Watcher", "deinterlaced", "rows_of", "scan_film", "scan_notes", "woven_planes"]
