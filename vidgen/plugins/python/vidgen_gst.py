"""`vidgen`, an element of GStreamer: raw video in, larger and smoother raw video out.

GStreamer's Python loader finds this file when GST_PLUGIN_PATH names the folder above it. Every
buffer passes at its own time; with `fps` the rate of what comes out is constant.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gi

from vidgen.errors import InputError, VidgenError

gi.require_version("Gst", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import GLib, GObject, Gst, GstVideo  # noqa: E402 - versions are told before

_FORMATS = ("NV12", "I420", "P010_10LE", "I420_10LE")
_SIZES = "width=(int)[2, 16384], height=(int)[2, 16384], framerate=(fraction)[0/1, 1000/1]"
_PADS = {"sink": Gst.PadDirection.SINK, "src": Gst.PadDirection.SRC}


def _caps(formats: Iterable[str]) -> Any:
    """Video of these formats, of any size and rate."""
    listed = ", ".join(formats)
    if not listed:
        return Gst.Caps.new_empty()
    return Gst.Caps.from_string(f"video/x-raw, format=(string){{{listed}}}, {_SIZES}")


class Vidgen(Gst.Element):  # type: ignore[misc]
    """The element; its properties are words of `vidgen filter`."""

    __gstmetadata__ = ("vidgen", "Filter/Effect/Video", "Super-resolution, new frames", "vidgen")
    __gsttemplates__ = tuple(
        Gst.PadTemplate.new(name, way, Gst.PadPresence.ALWAYS, _caps(_FORMATS))
        for name, way in _PADS.items()
    )

    scale = GObject.Property(type=int, default=2, blurb="Enlarge by this factor: 1, 2 or 4")
    size = GObject.Property(type=str, default="", blurb="1920x1080 or 1080p; instead of scale")
    fps = GObject.Property(type=str, default="", blurb="60, 60000/1001 or x2; empty: as it comes")
    generate = GObject.Property(type=str, default="interpolate", blurb="interpolate, predict, off")
    tier = GObject.Property(type=str, default="realtime", blurb="realtime, balanced or quality")

    def __init__(self) -> None:
        super().__init__()
        self._in, self._out = (
            Gst.Pad.new_from_template(template, name)
            for template, name in zip(self.__gsttemplates__, _PADS, strict=True)
        )
        self._in.set_chain_function_full(self._chain)
        self._in.set_event_function_full(self._event)
        self._in.set_query_function_full(self._asked)
        self._out.set_query_function_full(self._query)
        self.add_pad(self._in)
        self.add_pad(self._out)
        self._buffers: Any = None

    def _begin(self, caps: Any) -> bool:
        """Take pictures of `caps` from now on, and tell the next element what will come."""
        # Only now: GStreamer loads this file to look at it, in a process full of other plug-ins.
        from vidgen.plugins.buffers import Buffers

        words = {"generate": self.generate, "tier": self.tier, "fps": self.fps or None}
        words |= {"size": self.size} if self.size else {"scale": self.scale}
        site = caps.get_structure(0).get_string("chroma-site") or "mpeg2"
        self._buffers = Buffers(GstVideo.VideoInfo.new_from_caps(caps), site, words)
        video, made = self._buffers.target, caps.copy()
        made.set_value("width", video.width)
        made.set_value("height", video.height)
        ratio = video.sample_aspect_ratio
        made.set_value("pixel-aspect-ratio", Gst.Fraction(ratio.numerator, ratio.denominator))
        if video.fps:
            made.set_value("framerate", Gst.Fraction(video.fps.numerator, video.fps.denominator))
        self._buffers.lay(GstVideo.VideoInfo.new_from_caps(made))
        return bool(self._out.push_event(Gst.Event.new_caps(made)))

    def _chain(self, pad: Any, parent: Any, buffer: Any) -> Any:
        if self._buffers is None:
            return Gst.FlowReturn.NOT_NEGOTIATED
        found, mapped = buffer.map(Gst.MapFlags.READ)
        try:
            if not found or buffer.pts == Gst.CLOCK_TIME_NONE:
                raise InputError("a buffer without memory or without a time; put videorate before")
            length = None if buffer.duration == Gst.CLOCK_TIME_NONE else buffer.duration
            meta = GstVideo.buffer_get_video_meta(buffer)
            made = self._buffers.send(mapped.data, meta, buffer.pts, length)
        except VidgenError as error:
            return self._failed(error)
        finally:
            if found:
                buffer.unmap(mapped)
        return self._push(made)

    def _push(self, made: list[tuple[bytes, int, int]]) -> Any:
        for data, pts, duration in made:
            buffer = Gst.Buffer.new_wrapped(data)
            buffer.pts, buffer.duration = pts, duration
            result = self._out.push(buffer)
            if result != Gst.FlowReturn.OK:
                return result
        return Gst.FlowReturn.OK

    def _event(self, pad: Any, parent: Any, event: Any) -> bool:
        try:
            if event.type in (Gst.EventType.CAPS, Gst.EventType.EOS):
                self._drain()
            if event.type == Gst.EventType.CAPS:
                return self._begin(event.parse_caps())
            if event.type == Gst.EventType.FLUSH_STOP and self._buffers is not None:
                self._buffers.close()  # nobody asks any more for what was before a seek
                self._buffers.reset()
        except VidgenError as error:
            self._failed(error)
            return False
        return bool(self._out.push_event(event))

    def _drain(self) -> None:
        if self._buffers is not None:
            self._push(self._buffers.flush())
            self._buffers.reset()

    def _asked(self, pad: Any, parent: Any, query: Any) -> bool:
        """Caps: what comes in goes out in the same format, which the next element must take."""
        if query.type != Gst.QueryType.CAPS:
            return bool(Gst.Pad.query_default(pad, parent, query))
        wanted = self._out.peer_query_caps(None)
        taken = _caps(
            name
            for name in _FORMATS
            if wanted.can_intersect(Gst.Caps.from_string(f"video/x-raw, format={name}"))
        )
        limits = query.parse_caps()
        query.set_caps_result(taken if limits is None else limits.intersect(taken))
        return True

    def _query(self, pad: Any, parent: Any, query: Any) -> bool:
        """Latency: what is made between two pictures waits for the second one."""
        if query.type != Gst.QueryType.LATENCY or self._buffers is None:
            return bool(Gst.Pad.query_default(pad, parent, query))
        if not self._in.peer_query(query):
            return False
        live, least, most = query.parse_latency()
        ahead = self._buffers.ahead
        query.set_latency(
            live, least + ahead, most if most == Gst.CLOCK_TIME_NONE else most + ahead
        )
        return True

    def do_change_state(self, transition: Any) -> Any:
        """Free the engines where the stream stops."""
        result = Gst.Element.do_change_state(self, transition)
        if transition == Gst.StateChange.PAUSED_TO_READY and self._buffers is not None:
            self._buffers.close()
            self._buffers = None
        return result

    def _failed(self, error: VidgenError) -> Any:
        said = GLib.GError.new_literal(Gst.StreamError.quark(), str(error), Gst.StreamError.FAILED)
        self.post_message(Gst.Message.new_error(self, said, ""))
        return Gst.FlowReturn.ERROR


GObject.type_register(Vidgen)
__gstelementfactory__ = ("vidgen", Gst.Rank.NONE, Vidgen)
