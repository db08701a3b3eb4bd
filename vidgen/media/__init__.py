"""Films in and out: PyAV and nothing else, and nothing else imports PyAV."""

from vidgen.media.codecs import codec_names, holding_suffixes, require_encodable
from vidgen.media.decode import Decoder
from vidgen.media.encode import Encoder
from vidgen.media.join import Joiner, Piece
from vidgen.media.probe import Chapter, MediaInfo, StreamInfo, probe

__all__ = [
    "Chapter",
    "Decoder",
    "Encoder",
    "Joiner",
    "MediaInfo",
    "Piece",
    "StreamInfo",
    "codec_names",
    "holding_suffixes",
    "probe",
    "require_encodable",
]
