"""The words of `--audio`: what each encoder takes, and which container holds it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av

from vidgen.errors import UsageError
from vidgen.media.codecs import CONTAINERS

__all__ = ["COPY", "SOUND_CODECS", "SoundCodec", "require_sound", "sounds_of"]

COPY = "copy"
"""The word that leaves sound as it is."""

_SAME_PLACE = {"SL": "BL", "SR": "BR", "DL": "FL", "DR": "FR"}
"""Beside the listener, where nothing is behind, is behind to an encoder: 5.1(side) is 5.1."""

_MOST_BITS = 3  # a sample


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundCodec:
    """One word for an encoder of sound."""

    word: str
    """Also FFmpeg's name of what comes out."""
    encoder: str
    rates: tuple[int, ...]
    """Samples a second that it takes, the one for all others first."""
    layouts: tuple[str, ...]
    """Loudspeakers that it is given, from few to many."""
    channel_bit_rate: int
    """Bits a second for each of them."""
    containers: tuple[str, ...]

    def rate_for(self, rate: int) -> int:
        """`rate` if it is taken, else the usual one."""
        return rate if rate in self.rates else self.rates[0]

    def bit_rate(self, rate: int, channels: int) -> int:
        """Bits a second for so many channels of so many samples; slow ones need fewer."""
        return channels * min(self.channel_bit_rate, _MOST_BITS * rate)

    def layout_for(self, layout: av.AudioLayout) -> str:
        """The smallest layout in which every channel has its place; the largest where none has.

        Channels of which no place is known go by their number.
        """
        wanted = _places(layout)
        for name in self.layouts:
            known = _places(av.AudioLayout(name))
            if wanted <= known and layout.nb_channels <= len(known):
                return name
        return self.layouts[-1]


def _places(layout: av.AudioLayout) -> set[str]:
    """Names of its loudspeakers; none where they are unknown."""
    names = {channel.name for channel in layout.channels}
    if "NONE" in names:
        return set()
    return names if names & {"BL", "BR"} else {_SAME_PLACE.get(name, name) for name in names}


SOUND_CODECS = {
    codec.word: codec
    for codec in (
        SoundCodec(
            word="aac",
            encoder="aac",
            rates=(48000, 96000, 88200, 64000, 44100, 32000, 24000, 22050, 16000, 12000, 8000),
            layouts=("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1"),
            channel_bit_rate=96_000,
            containers=(".mkv", ".mp4", ".m4v", ".mov", ".ts"),
        ),
        SoundCodec(
            word="opus",
            encoder="libopus",
            rates=(48000, 24000, 16000, 12000, 8000),
            # Without 5.0 and 6.1, whose channels come out in each other's places (FFmpeg 8.1).
            layouts=("mono", "stereo", "3.0", "quad", "5.1", "7.1"),
            channel_bit_rate=64_000,
            containers=(".mkv", ".webm", ".mp4", ".m4v", ".ts"),
        ),
    )
}


def sounds_of(suffix: str) -> list[str]:
    """Words for sound that containers of that suffix hold."""
    return [word for word, codec in SOUND_CODECS.items() if suffix in codec.containers]


def require_sound(target: Path, word: str) -> None:
    """Raise UsageError for a word that is none, or that `target`'s container does not hold."""
    if word == COPY:
        return
    if word not in SOUND_CODECS:
        raise UsageError(f"--audio {word}: unknown; give {COPY}, {', '.join(SOUND_CODECS)}")
    suffix, accepted = target.suffix.lower(), SOUND_CODECS[word].containers
    if suffix in CONTAINERS and suffix not in accepted:
        raise UsageError(
            f"--audio {word}: {suffix} does not hold it; give {' or '.join(sounds_of(suffix))}, or "
            f"end OUT in {' or '.join(accepted)}"
        )
