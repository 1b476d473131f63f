"""HLS playlists (RFC 8216): what to fetch next. Pure: text in, decisions out; nothing here touches a network."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin

import m3u8

PLAYLIST_LIMIT_BYTES = 1 << 20
SEGMENTS_LIMIT = 5000
RENDITIONS_LIMIT = 500
OTHERS_LIMIT = 2
DURATION_LIMIT_S = 3600.0
MIN_TARGET_S = 0.5
CLOCK_JUMP_S = 1.0

_TARGET = re.compile(r"#EXT-X-TARGETDURATION:\s*(\d{1,9}(?:\.\d{0,9})?)")
# What m3u8 raises on lines that it does not understand; it parses attributes without checking them.
_PARSE_ERRORS = (ValueError, KeyError, IndexError, AttributeError, TypeError, OverflowError)


class PlaylistError(ValueError):
    """This is no playlist that can be followed. `encrypted` tells that its sound needs a key."""

    def __init__(self, text: str, *, encrypted: bool = False) -> None:
        super().__init__(text)
        self.encrypted = encrypted


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A part of a resource: `length` bytes from `start`."""

    start: int
    length: int

    @property
    def header(self) -> str:
        """The value of the `Range` request header."""
        return f"bytes={self.start}-{self.start + self.length - 1}"


@dataclass(frozen=True, slots=True)
class Piece:
    """Something to fetch: an address and perhaps a range of it."""

    url: str
    byte_range: ByteRange | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """One media segment.

    Attributes:
        sequence: its media sequence number.
        piece: where its bytes are.
        duration_s: as the playlist claims.
        init: what must precede it in the decoder (fMP4), None for self-contained segments.
        discontinuity: whether the playlist says that it does not continue the segment before.
        aired_at: epoch seconds of its first sample (EXT-X-PROGRAM-DATE-TIME), None where not told.
        gap: whether the station says that there is nothing to fetch (EXT-X-GAP).
    """

    sequence: int
    piece: Piece
    duration_s: float
    init: Piece | None = None
    discontinuity: bool = False
    aired_at: float | None = None
    gap: bool = False


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """A list of segments, which a live station keeps renewing."""

    segments: tuple[Segment, ...]
    target_duration_s: float
    ended: bool


@dataclass(frozen=True, slots=True)
class Rendition:
    """One way to hear the station. Picture fields are those of the variant, 0 or empty where not told.

    `others` are tried in this order where this one gives nothing.
    """

    url: str
    bandwidth_bps: int
    audio_only: bool
    codecs: str = ""
    width_px: int = 0
    height_px: int = 0
    others: tuple["Rendition", ...] = ()


def parse(text: str, url: str) -> MediaPlaylist | Rendition:
    """Read a playlist.

    Args:
        text: of at most 1 MiB.
        url: its address, for relative ones.

    Returns:
        The media playlist; for a master playlist the rendition to go on with.

    Raises:
        PlaylistError: too large, not a playlist, empty, or encrypted.
    """
    if len(text) > PLAYLIST_LIMIT_BYTES:
        raise PlaylistError(f"The playlist is longer than {PLAYLIST_LIMIT_BYTES} characters.")
    if text.count("#EXTINF") > SEGMENTS_LIMIT or text.count("#EXT-X-STREAM-INF") > RENDITIONS_LIMIT:
        raise PlaylistError(f"The playlist has more than {SEGMENTS_LIMIT} segments or {RENDITIONS_LIMIT} renditions.")
    if not text.lstrip("\ufeff \r\n").startswith("#EXTM3U"):
        raise PlaylistError("The playlist does not begin with #EXTM3U.")
    target = _TARGET.search(text)
    try:
        # Some packagers write fractions where the standard wants an integer; m3u8 would refuse the whole playlist.
        playlist = m3u8.loads(_TARGET.sub("#EXT-X-TARGETDURATION:1", text))
        return _choose(playlist, url) if playlist.is_variant else _media(playlist, url, target and float(target[1]))
    except PlaylistError:
        raise
    except _PARSE_ERRORS as error:
        raise PlaylistError(f"The playlist cannot be read: {error}") from error


def _choose(playlist: Any, url: str) -> Rendition:
    """Take what costs least and has sound: a sound-only variant, a separate sound rendition, the smallest variant."""
    variants = [_variant(each, url) for each in playlist.playlists if each.uri]
    ways = sorted(variants, key=lambda variant: (not variant.audio_only, variant.bandwidth_bps))
    separate = [media for media in playlist.media if media.type == "AUDIO" and media.uri]
    if separate and not (ways and ways[0].audio_only):
        picture = ways[0] if ways else Rendition("", 0, audio_only=True)
        media = max(separate, key=lambda each: (each.default == "YES", each.autoselect == "YES"))
        ways.insert(0, replace(picture, url=urljoin(url, media.uri), bandwidth_bps=0, audio_only=True))
    if not ways:
        raise PlaylistError("The master playlist names no rendition.")
    return replace(ways[0], others=tuple(ways[1 : 1 + OTHERS_LIMIT]))


def _variant(each: Any, url: str) -> Rendition:
    info = each.stream_info
    width, height = info.resolution or (0, 0)
    codecs = info.codecs or ""
    kinds = [codec.strip().partition(".")[0].lower() for codec in codecs.split(",") if codec.strip()]
    audio_only = not width and bool(kinds) and all(kind in _SOUND_CODECS for kind in kinds)
    return Rendition(
        url=urljoin(url, each.uri),
        bandwidth_bps=int(info.bandwidth or 0),
        audio_only=audio_only,
        codecs=codecs,
        width_px=int(width),
        height_px=int(height),
    )


_SOUND_CODECS = frozenset({"mp4a", "ac-3", "ec-3", "opus", "flac", "alac", "mp3"})


def _media(playlist: Any, url: str, target_s: float | None) -> MediaPlaylist:
    first = int(playlist.media_sequence or 0)
    ranges = _RangeReader()
    segments = [_segment(each, first + index, url, ranges) for index, each in enumerate(playlist.segments)]
    if not segments and target_s is None:
        raise PlaylistError("The playlist has neither segments nor renditions.")
    longest_s = max((segment.duration_s for segment in segments), default=MIN_TARGET_S)
    return MediaPlaylist(
        segments=tuple(segments),
        target_duration_s=min(max(target_s or longest_s, MIN_TARGET_S), DURATION_LIMIT_S),
        ended=bool(playlist.is_endlist),
    )


def _segment(each: Any, sequence: int, url: str, ranges: "_RangeReader") -> Segment:
    if each.key is not None and each.key.method not in {None, "NONE"}:
        raise PlaylistError(f"The sound is encrypted ({each.key.method}).", encrypted=True)
    if not each.uri:
        raise PlaylistError("A segment has no address.")
    init = each.init_section
    address = urljoin(url, each.uri)
    return Segment(
        sequence=sequence,
        piece=Piece(address, ranges.read(address, each.byterange)),
        duration_s=min(max(float(each.duration or 0.0), 0.0), DURATION_LIMIT_S),
        init=Piece(urljoin(url, init.uri), ranges.read(None, init.byterange)) if init and init.uri else None,
        discontinuity=bool(each.discontinuity),
        aired_at=_epoch(each.current_program_date_time or each.program_date_time),
        gap=bool(each.gap_tag),
    )


class _RangeReader:
    """Reads `length[@start]`; without a start a range follows the one before of the same resource."""

    def __init__(self) -> None:
        self._ends: dict[str | None, int] = {}

    def read(self, url: str | None, text: str | None) -> ByteRange | None:
        if not text:
            return None
        length_text, _, start_text = text.strip('"').partition("@")
        length = int(length_text)
        start = int(start_text) if start_text else self._ends.get(url, 0)
        if length <= 0 or start < 0:
            raise PlaylistError(f"{text!r} is no byte range.")
        self._ends[url] = start + length
        return ByteRange(start, length)


def _epoch(moment: datetime | None) -> float | None:
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


@dataclass(frozen=True, slots=True)
class NextSegment:
    """A segment to fetch. `break_reason` tells why it does not continue the one before, empty where it does."""

    segment: Segment
    break_reason: str = ""


class Follower:
    """Remembers what was heard of a live playlist; tells what is new in its next edition."""

    def __init__(self, behind_segments: int = 3) -> None:
        """Begin `behind_segments` before the live edge (RFC 8216, 6.3.3: three target durations)."""
        self._behind = behind_segments
        self._last: Segment | None = None

    def update(self, playlist: MediaPlaylist) -> list[NextSegment]:
        """Give the segments that were not given yet, in order."""
        segments = playlist.segments
        if self._last is None:
            fresh = segments if playlist.ended else segments[-self._behind :]
            return self._take(fresh, "")
        last = self._last.sequence
        fresh = tuple(segment for segment in segments if segment.sequence > last)
        if fresh:
            missed = fresh[0].sequence - last - 1
            return self._take(fresh, f"{missed} segments were missed" if missed else "")
        if segments and segments[-1].sequence < last:
            # The numbers went backwards: the station's packager started anew.
            return self._take(segments[-self._behind :], "the station's segment numbers started anew")
        return []

    def _take(self, segments: tuple[Segment, ...], first_reason: str) -> list[NextSegment]:
        found: list[NextSegment] = []
        for segment in segments:
            reason = (first_reason if not found else "") or _break_between(self._last, segment)
            self._last = segment
            found.append(NextSegment(segment, reason))
        return found


def _break_between(last: Segment | None, following: Segment) -> str:
    if last is None:
        return ""
    reasons = {
        "the station switched (EXT-X-DISCONTINUITY)": following.discontinuity,
        "the station changed its encoding (EXT-X-MAP)": last.init != following.init,
        "the station left a gap (EXT-X-GAP)": last.gap,
        "the station's clock jumped": _clock_jumped(last, following),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _clock_jumped(last: Segment, following: Segment) -> bool:
    if last.aired_at is None or following.aired_at is None:
        return False
    return abs(following.aired_at - last.aired_at - last.duration_s) > CLOCK_JUMP_S
