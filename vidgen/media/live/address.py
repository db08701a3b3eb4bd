"""What a URL means to FFmpeg: its own spelling, the container, the options that make it live.

Seen with FFmpeg 8.1: listeners are asked for in another way by each protocol, an output's options
do not reach its protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import av

from vidgen.errors import OutputError, UsageError
from vidgen.media.live.known import unknown_options
from vidgen.media.live.relay import local_udp, srt_url
from vidgen.media.source import require_file
from vidgen.target import require_apart

__all__ = ["Address", "is_file", "is_paced", "muxer_of", "require_other_file", "sink", "source"]

_CAN_LISTEN = ("tcp", "rtmp", "http", "rtsp")
_WIRED_SOURCES = ("tcp", "udp", "http", "https")
_LISTS = (".m3u8", ".mpd")  # of other URLs
_WIRED_SINKS = ("tcp", "rtmp", "rtmps", "http", "https")
_PROBE = {
    "analyzeduration": "1500000",  # us; less than usual, as is the next
    "probesize": "1000000",
    "merge_pmt_versions": "1",  # MPEG-TS: go on with a stream that has moved to another PID
}
_CONTAINERS = {
    ".ts": "mpegts", ".m2ts": "mpegts", ".mkv": "matroska", ".webm": "webm", ".mp4": "mp4",
    ".mov": "mov", ".nut": "nut", ".flv": "flv", ".m3u8": "hls", ".y4m": "yuv4mpegpipe",
}  # fmt: skip
_BY_SCHEME = {"rtmp": "flv", "rtmps": "flv", "rtsp": "rtsp", "udp": "mpegts", "rtp": "rtp_mpegts",
              "tcp": "mpegts", "srt": "mpegts", "http": "mpegts", "https": "mpegts"}  # fmt: skip
_MUXING = {
    "hls": {"hls_time": "2", "hls_list_size": "6", "hls_flags": "delete_segments"},
    "mp4": {"movflags": "frag_keyframe+delay_moov+default_base_moof"},
    "mov": {"movflags": "frag_keyframe+delay_moov+default_base_moof"},
    "flv": {"flvflags": "no_duration_filesize"},
    "mpegts": {"mpegts_flags": "resend_headers"},
}


@dataclass(frozen=True, slots=True)
class Address:
    """A source or sink as FFmpeg is to be told of it."""

    url: str
    """FFmpeg's spelling; where `socket` is given, only a name."""
    container: str | None = None
    """Demuxer or muxer; None: found out by looking."""
    options: dict[str, str] = field(default_factory=dict)
    socket: tuple[str, int] | None = None
    """Host and port at which this program itself waits for one peer."""
    wired: bool = False
    """Whether bytes alone go there and back, by a `Wire`."""
    may_be_list: bool = False
    """Whether that holds only for a stream: what lists other URLs, FFmpeg is to read by itself."""
    relay: tuple[str, str] | None = None
    """From where to where a `Relay` is to carry packets."""


def is_paced(url: str) -> bool:
    """Whether what is read there waits for its reader: files and pipes, which know no clock."""
    return "://" not in url or url.startswith(("pipe:", "file:"))


def is_file(url: str) -> bool:
    """Whether that is the name of a file."""
    return url != "-" and not _scheme(url)


def require_other_file(sink: str, source: str) -> None:
    """Raise OutputError where both are one file, which writing would destroy."""
    if is_file(sink) and is_file(source):
        require_apart(Path(sink), Path(source))


def source(
    url: str,
    container: str | None = None,
    listen: bool = False,
    options: Mapping[str, str] | None = None,
) -> Address:
    """How to read `url`. Raises UsageError, or InputError for a file that is not there."""
    scheme = _scheme(url)
    given = _known(options or {}, writing=False)
    if container is not None and container not in av.formats_available:
        raise UsageError(f"--from {container}: FFmpeg knows no such format; leave it out")
    if url == "-":
        return Address("pipe:0", container, given)
    if not scheme:
        require_file(Path(url))
        return Address(f"file:{url}", container, given)
    if scheme == "srt":
        local = local_udp()
        relay = srt_url(url, listen), local
        probed = {**_PROBE, **given}
        return Address(local, container or "mpegts", probed, wired=True, relay=relay)
    if listen:
        return _listening(url, scheme, container, given)
    live = {**_PROBE, **({"rtsp_transport": "tcp"} if scheme == "rtsp" else {}), **given}
    wired = scheme in _WIRED_SOURCES and not urlsplit(url).path.endswith(_LISTS)
    return Address(url, container, live, wired=wired, may_be_list=scheme.startswith("http"))


def _listening(url: str, scheme: str, container: str | None, given: dict[str, str]) -> Address:
    if scheme not in _CAN_LISTEN:
        raise UsageError(
            f"--listen {url}: {scheme} cannot wait for a sender; give tcp, srt, rtmp, rtsp or http "
            f"(udp needs no --listen)"
        )
    if scheme == "tcp":
        return Address(url, container, {**_PROBE, **given}, _host_and_port(url))
    waits = {"rtsp_flags": "listen", "listen_timeout": "10"}
    return Address(
        url, container, {**_PROBE, **(waits if scheme == "rtsp" else {"listen": "1"}), **given}
    )


def sink(
    url: str,
    container: str | None = None,
    listen: bool = False,
    options: Mapping[str, str] | None = None,
) -> Address:
    """How to write `url`. Raises UsageError or OutputError."""
    scheme = _scheme(url)
    container = muxer_of(url, container)
    muxing = {**_MUXING.get(container, {}), **_known(options or {}, writing=True)}
    if scheme == "srt":
        local = local_udp()
        sized = f"{local}?pkt_size=1316"  # what the helper takes at once
        return Address(sized, container, muxing, relay=(local, srt_url(url, listen)))
    if listen and scheme != "tcp":
        raise UsageError(
            f"--serve {url}: only tcp and srt can wait for a reader; publish to a server instead"
        )
    if url == "-":
        return Address("pipe:1", container, muxing)
    if not scheme:
        if not (folder := Path(url).parent).is_dir():
            raise OutputError(f"{url}: the folder {folder} does not exist; make it first")
        return Address(f"file:{url}", container, muxing)
    if listen:
        return Address(url, container, muxing, _host_and_port(url))
    return Address(url, container, muxing, wired=scheme in _WIRED_SINKS and container != "hls")


def _known(options: Mapping[str, str], *, writing: bool) -> dict[str, str]:
    """The same. Raises UsageError for what FFmpeg would pass over."""
    if unknown := unknown_options(options, writing=writing):
        raise UsageError(
            f"--option {', '.join(unknown)}: no format and no protocol of FFmpeg has that; "
            f"`ffmpeg -h full` lists what there is"
        )
    return dict(options)


def muxer_of(url: str, container: str | None = None) -> str:
    """FFmpeg's name of the format that is written: the one given, else by the URL.

    Raises UsageError; InputError for SRT.
    """
    if container is None:
        return _muxer(url, _scheme(url))
    if container not in av.formats_available:
        raise UsageError(f"--to {container}: FFmpeg knows no such format; give mpegts, nut or flv")
    return container


def _muxer(url: str, scheme: str) -> str:
    if url == "-":
        return "nut"
    if scheme:
        if scheme not in _BY_SCHEME:
            raise UsageError(f"{url}: no container goes by {scheme}; name one with --to")
        return _BY_SCHEME[scheme]
    suffix = Path(url).suffix.lower()
    if suffix not in _CONTAINERS:
        raise UsageError(
            f"{url}: no container is known by {suffix or 'no suffix'}; end it in one of "
            f"{', '.join(_CONTAINERS)}, or name one with --to"
        )
    return _CONTAINERS[suffix]


def _scheme(url: str) -> str:
    """`tcp` of `tcp://...`; empty for a path and for `-`."""
    return url.split("://")[0].lower() if "://" in url else ""


def _host_and_port(url: str) -> tuple[str, int]:
    """Of `tcp://host:port`. Raises UsageError."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    if not parts.hostname or port is None:
        raise UsageError(f"{url}: give host and port, such as tcp://127.0.0.1:9000")
    return parts.hostname, port
