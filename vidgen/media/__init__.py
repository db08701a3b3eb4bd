"""Films in and out: PyAV and nothing else, and nothing else imports PyAV."""

from vidgen.media.codecs import (
    codec_names,
    encoded_depth,
    holding_suffixes,
    require_encodable,
    takes_gpu_pictures,
)
from vidgen.media.decode import Decoder, probe
from vidgen.media.encode import Encoder, scenes_left_behind
from vidgen.media.hardware import hardware_names
from vidgen.media.info import Chapter, MediaInfo, StreamInfo, require_showable
from vidgen.media.join import Joiner, Piece
from vidgen.media.jumps import clock_jumps
from vidgen.media.mapping import require_map
from vidgen.media.sound_codecs import require_sound
from vidgen.media.source import read_through

__all__ = [
    "Chapter",
    "Decoder",
    "Encoder",
    "Joiner",
    "MediaInfo",
    "Piece",
    "StreamInfo",
    "clock_jumps",
    "codec_names",
    "encoded_depth",
    "hardware_names",
    "holding_suffixes",
    "probe",
    "read_through",
    "require_encodable",
    "require_map",
    "require_showable",
    "require_sound",
    "scenes_left_behind",
    "takes_gpu_pictures",
]
