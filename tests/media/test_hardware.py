"""Encoders of graphics cards: words that FFmpeg knows, a plain refusal where there is no card."""

from fractions import Fraction

import av
import pytest

from vidgen.errors import OutputError, UsageError
from vidgen.frame import VideoFormat
from vidgen.media import Encoder, encoded_depth, hardware_names, require_encodable
from vidgen.media.codecs import find_codec

FORMAT = VideoFormat(256, 256)


def test_words():
    assert hardware_names() == tuple(
        f"{maker}-{kind}" for maker in ("nvenc", "qsv", "amf") for kind in ("h264", "hevc", "av1")
    )


@pytest.mark.parametrize("word", hardware_names())
def test_options_are_those_of_the_encoder(word):
    """Every option that is set is one that FFmpeg's encoder has, and its words are known to it."""
    codec = find_codec(word)
    known = av.CodecContext.create(codec.encoder, "w").supported_options
    options = {option.name: option for option in (*known.generic, *known.private)}
    for preset in codec.presets:
        for name, value in codec.encoder_options(None, preset).items():
            choices = {choice.name for choice in options[name].choices}
            if not choices:
                assert options[name].min <= float(value) <= options[name].max
            elif not value.isdigit():
                assert value in choices, (name, value)
    formats = {fmt.name for fmt in av.Codec(codec.encoder, "w").video_formats}
    assert set(codec.pix_fmts.values()) <= formats


@pytest.mark.parametrize("word", hardware_names())
def test_a_machine_without_the_card_says_so_before_it_begins(word, tmp_path):
    target = tmp_path / "out.mkv"
    codec = find_codec(word)
    said = f"--codec {word}: this machine cannot run it; it takes {codec.needs}. "
    try:
        Encoder(target, FORMAT, codec=word, time_base=Fraction(1, 25)).__exit__(None, None, None)
    except OutputError:
        with pytest.raises(OutputError) as refused:
            require_encodable(target, word)
        assert str(refused.value) == said + f"Give --codec {codec.instead}"
        assert not target.exists()
    else:
        pytest.skip(f"this machine has {codec.needs}")


def test_depth_is_what_the_codec_takes():
    assert encoded_depth("x264", 10, None) == 10
    assert encoded_depth("x264", 8, 10) == 10
    assert encoded_depth("nvenc-h264", 10, None) == 8
    with pytest.raises(UsageError, match="--depth 10: nvenc-h264 takes 8 bits; leave it out"):
        encoded_depth("nvenc-h264", 8, 10)
