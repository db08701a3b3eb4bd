"""How far TensorRT is with a plan: a line in the log now and then, and Ctrl-C while it builds."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

__all__ = ["Progress", "monitor"]

log = logging.getLogger(__name__)

EVERY_SECONDS = 5


class Progress:
    """Phases within phases, each of so many steps; `what` is being built.

    TensorRT may call from any of its threads. A signal that arrives during a build is handled in
    one of these calls, out of which TensorRT lets no exception: `interrupted` keeps it.
    """

    def __init__(self, what: str, now: Callable[[], float] = time.monotonic) -> None:
        self._what, self._now, self._told = what, now, now()
        self._phases: dict[str, tuple[int, int]] = {}
        """Name -> steps done, and all; the outermost phase first."""
        self.share = 0.0
        """What is done, in [0, 1]; a step counts as done so far as the phase within it is."""
        self.interrupted = False

    def begin(self, phase: str, steps: int) -> bool:
        """`phase` begins, within those that have not ended."""
        return self._guarded(self._set, phase, 0, max(steps, 1))

    def step(self, phase: str, number: int) -> bool:
        """Step `number`, from 0 on, is done. False asks TensorRT to give up."""
        return self._guarded(self._done, phase, number + 1)

    def end(self, phase: str) -> bool:
        """`phase` is over, whether or not all its steps were."""
        return self._guarded(self._phases.pop, phase, None)

    def _set(self, phase: str, done: int, steps: int) -> None:
        self._phases[phase] = done, steps

    def _done(self, phase: str, done: int) -> None:
        if phase in self._phases:
            self._set(phase, done, self._phases[phase][1])
        share = 0.0
        for within, steps in reversed(list(self._phases.values())):
            share = (within + share) / steps
        self.share = min(max(self.share, share), 1.0)  # a phase may come again within one step
        if self._now() - self._told >= EVERY_SECONDS:
            self._told = self._now()
            log.warning("%s: built once for this GPU, %.0f %%", self._what, 100 * self.share)

    def _guarded(self, call: Callable[..., Any], *words: Any) -> bool:
        try:
            call(*words)
        except KeyboardInterrupt:
            self.interrupted = True
        return not self.interrupted


def monitor(trt: ModuleType, progress: Progress) -> Any:
    """`progress` as a builder takes it; it must live as long as the build does."""

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            progress.begin(phase_name, num_steps)

        def step_complete(self, phase_name: str, step: int) -> bool:
            return progress.step(phase_name, step)

        def phase_finish(self, phase_name: str) -> None:
            progress.end(phase_name)

    return Monitor()
