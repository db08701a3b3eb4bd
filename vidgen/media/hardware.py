"""Encoders of graphics cards, by name: what each is told, and a plain word where it is absent."""

from __future__ import annotations

from fractions import Fraction

import av

from vidgen.errors import OutputError
from vidgen.media.codec import Codec

__all__ = ["HARDWARE", "hardware_names", "require_present"]

_CONTAINERS = {
    "h264": (".mkv", ".mp4", ".m4v", ".mov", ".ts"),
    "hevc": (".mkv", ".mp4", ".m4v", ".mov", ".ts"),
    "av1": (".mkv", ".mp4", ".m4v", ".webm"),
}
_INSTEAD = {"h264": "x264", "hevc": "x265", "av1": "svtav1"}
_TRIAL = (256, 256)  # pixels; all of them take that


def _nvenc(kind: str) -> Codec:
    """Options: FFmpeg's nvenc.h. Constant quality is a variable rate without a rate."""
    return Codec(
        word=f"nvenc-{kind}",
        encoder=f"{kind}_nvenc",
        pix_fmts=_pix_fmts(kind),
        presets=tuple(f"p{speed}" for speed in range(1, 8)),
        preset="p5",
        crf=30 if kind == "av1" else 23,
        crf_options=("cq",),
        crf_max=63 if kind == "av1" else 51,
        options=(("rc", "vbr"), ("b", "0")),
        tells_pixel_aspect=kind != "av1",
        needs="an NVIDIA GPU with an encoder, and its driver",
        instead=_INSTEAD[kind],
        on_nvidia=True,
        containers=_CONTAINERS[kind],
    )


def _qsv(kind: str) -> Codec:
    """Options: FFmpeg's qsvenc.c. A global quality without a rate is its constant quality."""
    return Codec(
        word=f"qsv-{kind}",
        encoder=f"{kind}_qsv",
        pix_fmts=_pix_fmts(kind),
        presets=("veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"),
        preset="medium",
        crf=23,
        crf_options=("global_quality",),
        tells_pixel_aspect=kind != "av1",
        needs="an Intel GPU with Quick Sync, and its driver",
        instead=_INSTEAD[kind],
        containers=_CONTAINERS[kind],
    )


def _amf(kind: str) -> Codec:
    """Options: FFmpeg's amfenc_*.c. Constant quantiser, which every generation knows."""
    return Codec(
        word=f"amf-{kind}",
        encoder=f"{kind}_amf",
        pix_fmts=_pix_fmts(kind),
        presets=("speed", "balanced", "quality"),
        preset="balanced",
        preset_option="quality",
        crf=110 if kind == "av1" else 23,
        crf_options=("qp_i", "qp_p"),
        crf_max=255 if kind == "av1" else 51,
        options=(("rc", "cqp"),),
        tells_pixel_aspect=kind != "av1",
        needs="an AMD GPU with an encoder, and its driver",
        instead=_INSTEAD[kind],
        containers=_CONTAINERS[kind],
    )


def _pix_fmts(kind: str) -> dict[int, str]:
    return {8: "nv12"} if kind == "h264" else {8: "nv12", 10: "p010le"}


HARDWARE = {
    codec.word: codec for maker in (_nvenc, _qsv, _amf) for codec in map(maker, _CONTAINERS)
}
"""By word. None of them has been run on its hardware yet; see the limits in the README."""


def hardware_names() -> tuple[str, ...]:
    """The words that `--codec` accepts where the hardware is there."""
    return tuple(HARDWARE)


def require_present(codec: Codec, depth: int = 8) -> None:
    """Raise OutputError where `codec` needs hardware that this machine lacks: it is opened once."""
    if not codec.needs:
        return
    try:
        trial = av.CodecContext.create(codec.encoder, "w")
        assert isinstance(trial, av.VideoCodecContext)
        trial.width, trial.height = _TRIAL
        trial.pix_fmt = codec.pix_fmts[depth]
        trial.time_base = Fraction(1, 25)
        trial.options = codec.encoder_options(None, None)
        trial.open()
    except (av.FFmpegError, ValueError) as error:
        raise OutputError(
            f"--codec {codec.word}: this machine cannot run it; it takes {codec.needs}. "
            f"Give --codec {codec.instead}"
        ) from error
