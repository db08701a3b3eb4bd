"""One word for an encoder: what it takes, and what its words for quality and speed mean."""

from __future__ import annotations

from dataclasses import dataclass

from vidgen.errors import UsageError

__all__ = ["Codec"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """One word for an encoder."""

    word: str
    encoder: str
    """FFmpeg's name."""
    pix_fmts: dict[int, str]
    """Bit depth of the planes -> what the encoder is given."""
    presets: tuple[str, ...] = ()
    preset: str = ""
    """The default; empty where there is none to choose."""
    preset_option: str = "preset"
    crf: float | None = None
    """The default; None where the encoder has no such quality."""
    crf_max: float = 51
    crf_options: tuple[str, ...] = ("crf",)
    """FFmpeg's options that are given the quality."""
    options: tuple[tuple[str, str], ...] = ()
    """Fixed FFmpeg options."""
    tells_pixel_aspect: bool = False
    """True where the stream itself holds the sample aspect ratio."""
    least_side: int = 2
    """Pixels of width and of height that it needs."""
    limited_range: bool = False
    """True where every decoder takes the levels for limited range, whatever is said."""
    needs: str = ""
    """The hardware that it runs on; empty where any machine will do."""
    instead: str = ""
    """The codec to be given where that is absent."""
    on_nvidia: bool = False
    """True where it takes pictures that lie on an NVIDIA GPU."""
    containers: tuple[str, ...]
    """Suffixes of the containers that hold it, the best first."""

    def threads(self, count: int) -> int:
        """How many threads make the encoder's pictures, of `count` that the machine has for it.

        Named instead of left to the encoder, for the pictures depend on it: in x264 by its threads,
        in x265 by how many frames are coded at once, which costs quality and brings little.
        """
        return (count + 7) // 8 if self.word == "x265" else count

    def encoder_options(self, crf: float | None, preset: str | None) -> dict[str, str]:
        """FFmpeg's options for that quality and speed. Raises UsageError for unknown ones."""
        options = dict(self.options)
        chosen = self.preset if preset is None else preset
        if preset is not None and preset not in self.presets:
            accepted = f"give one of {', '.join(self.presets)}" if self.presets else "leave it out"
            raise UsageError(f"--preset {preset}: not a preset of {self.word}; {accepted}")
        if chosen:
            options[self.preset_option] = chosen
        quality = self.crf if crf is None else crf
        if quality is not None:
            if self.crf is None:
                raise UsageError(f"--crf {crf:g}: {self.word} has no such setting; leave it out")
            if not 0 <= quality <= self.crf_max:
                raise UsageError(
                    f"--crf {quality:g}: {self.word} takes 0 (best) to {self.crf_max:g}"
                )
            options.update(dict.fromkeys(self.crf_options, f"{quality:g}"))
        return options

    def require_size(self, width: int, height: int) -> None:
        """Raise UsageError for a picture that is too small for it."""
        if min(width, height) < self.least_side:
            raise UsageError(
                f"--codec {self.word}: {width}x{height} is too small, it takes {self.least_side} "
                f"pixels a side or more; give another --size, or --codec x264"
            )

    def bit_depth(self, source: int, asked: int | None) -> int:
        """8 or 10: what a picture of `source` bits is encoded in. Raises UsageError."""
        if asked is not None and asked not in self.pix_fmts:
            takes = " or ".join(map(str, self.pix_fmts))
            raise UsageError(f"--depth {asked}: {self.word} takes {takes} bits; leave it out")
        wanted = source if asked is None else asked
        return wanted if wanted in self.pix_fmts else max(self.pix_fmts)
