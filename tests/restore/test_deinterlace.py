"""Fields made pictures, beside FFmpeg's bwdif, against the pictures that they were taken from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from benchmarks.weave import filtered
from tests.restore.conftest import NTSC, film_of, in_frames
from vidgen.frame import Planes, VideoFormat
from vidgen.job import Settings
from vidgen.pipeline import build_stages
from vidgen.restore import Field, deinterlaced, rows_of
from vidgen.scan import Run, Scan
from vidgen.stages import Restore

EDGE = 3  # pictures at either end that have fewer neighbours


def fields_of(frames: Sequence[Planes]) -> Iterable[Field]:
    for number, frame in enumerate(frames):
        for parity in (0, 1):
            yield Field(rows_of(frame, parity), parity, fresh=number == 0 and parity == 0)


def bwdif(frames: Sequence[Planes]) -> list[np.ndarray]:
    return [planes[0] for planes in filtered(frames, "bwdif", "mode=send_field:parity=tff")]


def halved(lumas: Iterable[np.ndarray]) -> list[np.ndarray]:
    return [
        cv2.resize(y, (y.shape[1] // 2, y.shape[0] // 2), interpolation=cv2.INTER_AREA)
        for y in lumas
    ]


def psnr(made: Sequence[np.ndarray], true: Sequence[np.ndarray]) -> float:
    pairs = list(zip(made, true, strict=True))[EDGE:-EDGE]
    return float(-10 * np.log10(np.mean([np.mean((a / 255 - b / 255) ** 2) for a, b in pairs])))


def test_a_decibel_above_bwdif(pictures):
    true, frames = [y for y, _ in pictures[:20]], in_frames(pictures[:20])
    made = [y for y, _ in deinterlaced(fields_of(frames))]
    assert psnr(made, true) > psnr(bwdif(frames), true) + 1
    assert all(np.array_equal(y[n % 2 :: 2], true[n][n % 2 :: 2]) for n, y in enumerate(made))


def test_shown_small_it_is_as_good_as_bwdif_and_stands_still(pictures):
    frames = in_frames(pictures[:20])
    made, theirs, true = (
        halved(lumas)
        for lumas in (
            [y for y, _ in deinterlaced(fields_of(frames), shrinks=True)],
            bwdif(frames),
            [y for y, _ in pictures[:20]],
        )
    )
    assert psnr(made, true) > psnr(theirs, true)
    still = deinterlaced(fields_of([pictures[0]] * 10), shrinks=True)
    steps = [np.abs(a - b.astype(int)).mean() for a, b in pairwise(halved(y for y, _ in still))]
    alone = [cv2.resize(pictures[0][0][p::2], (96, 72)).astype(int) for p in (0, 1)]
    assert max(steps[EDGE:-EDGE]) < np.abs(alone[0] - alone[1]).mean() / 4


@pytest.mark.parametrize("shrinks", [False, True])
def test_lines_that_are_no_multiple_of_four_are_as_good(pictures, shrinks):
    """As the 486 of NTSC: one field has a row of chroma more than the other."""
    whole = film_of(in_frames(pictures[:20]))
    cut = [replace(frame, y=frame.y[:142], uv=frame.uv[:71]) for frame in whole]
    scan = Scan((Run(0, 10, "interlaced"),), time_base=1 / NTSC, rate=NTSC)
    stage = Restore(scan, shrinks=shrinks)
    theirs, ours = ([frame.planes for frame in stage(frames)] for frames in (whole, cut))
    assert len(ours) == len(theirs) == 20
    for number, (y, uv) in enumerate(ours):
        own, (true_y, true_uv) = np.s_[number % 2 :: 2], pictures[number]
        np.testing.assert_array_equal(y[own], true_y[:142][own])
        np.testing.assert_array_equal(uv[own], true_uv[:71][own])
    true = [y for y, _ in pictures[:20]]
    far = psnr([y[:136] for y, _ in ours], [y[:136] for y in true])
    assert abs(far - psnr([y[:136] for y, _ in theirs], [y[:136] for y in true])) < 0.1
    assert psnr([y for y, _ in ours], [y[:142] for y in true]) > far - 0.5


@pytest.mark.parametrize(("size", "shrinks"), [("96x72", True), ("96x74", False), ("4k", False)])
def test_less_care_is_taken_where_half_the_rows_are_shown(tmp_path, size, shrinks):
    settings = Settings(source=tmp_path / "in.mkv", target=tmp_path / "out.mkv", size=size)
    scan = Scan((Run(0, 10, "interlaced"),))
    steps, _ = build_stages(settings, VideoFormat(192, 144), scan=scan)
    assert steps["restore"].shrinks is shrinks
