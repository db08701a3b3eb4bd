"""Which way pictures go between decoder, network and encoder: through the host, or on the GPU.

NVDEC's pictures go straight to a network on the same GPU where nothing has to touch them on the
host before, the network's straight to NVENC where nothing has to after. Each end is chosen by
itself, and said in the report.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from vidgen.job import Settings
from vidgen.media import takes_gpu_pictures
from vidgen.stage import Stage
from vidgen.stages import EstimateMotion, Fit, Upscale
from vidgen.surface import GpuPictures

__all__ = ["Way", "way_of"]

_TOUCH_BEFORE = {
    "restore": "fields are made pictures",
    "tone": "HDR becomes SDR",
    "generate": "the frame rate changes",
    "deepen": "8 bits become 10",
}


@dataclass(frozen=True)
class Way:
    """What is decided before a film is opened."""

    steps: dict[str, Stage]
    """The stages, set up for it."""
    gpu: GpuPictures | None
    """None where no network runs on a GPU."""
    decode_on_host: str
    """Why pictures must come from the host; empty where they can come from NVDEC."""
    encode_on_host: str
    """Why pictures must come down to the host; empty where they stay for NVENC."""

    @property
    def lands(self) -> GpuPictures | None:
        """For the decoder, if it can."""
        return None if self.decode_on_host else self.gpu

    @property
    def stays(self) -> GpuPictures | None:
        """For the encoder."""
        return None if self.encode_on_host else self.gpu

    def told(self, refused: str) -> str:
        """For the report; `refused` is why NVDEC does not take the film, if it does not."""
        if self.gpu is None:
            return ""
        why = self.decode_on_host or refused
        if not why and not self.encode_on_host:
            return "pictures stay on the GPU from NVDEC to NVENC"
        before = f"decoded on the host ({why})" if why else "decoded by NVDEC on the GPU"
        why = self.encode_on_host
        after = f"encoded from the host ({why})" if why else "encoded by NVENC on the GPU"
        return f"pictures {before}, {after}"


def way_of(settings: Settings, steps: dict[str, Stage]) -> Way:
    """The shortest way through these stages."""
    upscale, motion, fit = (steps.get(name) for name in ("upscale", "motion", "fit"))
    gpu = upscale.backend.pictures() if isinstance(upscale, Upscale) else None
    if gpu is None or not isinstance(upscale, Upscale):
        return Way(steps, None, "no GPU", "no GPU")
    before = [why for name, why in _TOUCH_BEFORE.items() if name in steps]
    after = [] if takes_gpu_pictures(settings.codec) else [f"{settings.codec} takes them there"]
    if isinstance(fit, Fit) and fit.resamples(upscale.output(upscale.source)):
        after.append("pictures are resized after the network")
    if "dither" in steps:
        after.append("10 bits become 8")
    pads = ["they are padded for the network"] if upscale.pads else []
    why_before, why_after = (next(iter(why + pads), "") for why in (before, after))
    steps = {**steps, "upscale": replace(upscale, stays=not why_after)}
    if isinstance(motion, EstimateMotion):
        steps["motion"] = replace(motion, pictures=gpu)
    if isinstance(fit, Fit):
        steps["fit"] = replace(fit, pictures=gpu)
    return Way(steps, gpu, why_before, why_after)
