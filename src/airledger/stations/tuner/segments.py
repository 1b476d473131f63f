"""Hearing an HLS station: renew the playlist, fetch what is new, hand it to the decoder in order."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from airledger.audio.hls import Follower, MediaPlaylist, NextSegment, Piece, PlaylistError, Rendition, Segment, parse
from airledger.audio.sniff import Kind, sniff
from airledger.audio.stream_format import PictureFormat
from airledger.platform.fetch_error import FetchCause, FetchError
from airledger.stations.cause import Cause
from airledger.stations.tuner.failure import TuneFailedError
from airledger.stations.tuner.listening import PlaylistRead
from airledger.stations.tuner.opening import FIRST_REDIRECT_STATUS, Opened, Opening
from airledger.stations.tuner.playlists import decode_text

MASTERS_LIMIT = 2
STALE_TARGETS = 6
PARTIAL_CONTENT_STATUS = 206


class SoundSink(Protocol):
    """Where the bytes go (the reception that owns the decoder)."""

    async def begin(self, container: str, *, aired_at: float | None, break_reason: str) -> None:
        """What follows is a container of its own."""

    async def feed(self, data: bytes, *, arrived_at: float) -> None:
        """Decode bytes."""

    def mark(self, aired_at: float) -> None:
        """The next byte fed belongs to sound aired at this epoch second."""

    def show(self, picture: PictureFormat) -> None:
        """The station has a picture, in a rendition that is not fetched."""

    def read_playlist(self, read: PlaylistRead) -> None:
        """An edition of the playlist was read."""


@dataclass
class HlsHearing:
    """One HLS station being heard."""

    opening: Opening
    sink: SoundSink

    def __post_init__(self) -> None:
        self._follower = Follower(self.opening.limits.hls_behind_segments)
        self._container: str | None = None
        self._init: Piece | None = None
        self._failures = 0
        self._last_failure: TuneFailedError | None = None
        self._reason = ""

    async def run(self, opened: Opened) -> None:
        """Hear until the station ends its playlist.

        Raises:
            TuneFailedError: it stopped working.
        """
        playlist, url = await self._first(opened.hls_text or "", opened.transfer.url_effective)
        changed_at = time.monotonic()
        while True:
            read_at = time.monotonic()
            fresh = self._follower.update(playlist)
            self._tell_edition(playlist)
            for each in fresh:
                await self._hear(each)
            if playlist.ended:
                self._judge_end()
                return
            now = time.monotonic()
            changed_at = now if fresh else changed_at
            target_s = playlist.target_duration_s
            if now - changed_at > max(STALE_TARGETS * target_s, self.opening.limits.stall_s):
                raise TuneFailedError(Cause.STALLED, f"The playlist has not changed for {now - changed_at:.0f} s.")
            # RFC 8216, 6.3.4: not before a target duration after the last load, half of it when nothing was new.
            await asyncio.sleep(max(read_at + (target_s if fresh else target_s / 2) - now, 0.1))
            playlist = await self._renewed(url, playlist)

    async def _first(self, text: str, url: str) -> tuple[MediaPlaylist, str]:
        """Go from the first text to a media playlist, through at most two masters."""
        for _ in range(MASTERS_LIMIT + 1):
            found = _parsed(text, url)
            if isinstance(found, MediaPlaylist):
                return found, url
            picture = _picture(found)
            if picture is not None:
                self.sink.show(picture)
            text, url = await self._first_that_answers((found, *found.others))
        raise TuneFailedError(Cause.REDIRECT_LOOP, "Master playlists lead to master playlists.")

    async def _first_that_answers(self, ways: Sequence[Rendition]) -> tuple[str, str]:
        """Fetch a rendition's playlist, or the next one's where it fails."""
        failed: TuneFailedError | None = None
        for way in ways:
            try:
                body = await self._fetched(Piece(way.url), self.opening.limits.hls_playlist_bytes)
            except TuneFailedError as error:
                failed = failed or error
            else:
                return decode_text(body), way.url
        raise failed or TuneFailedError(Cause.UNDECODABLE, "The master playlist names no rendition.")

    async def _renewed(self, url: str, playlist: MediaPlaylist) -> MediaPlaylist:
        """Load the playlist again; the old one for as long as failures are few."""
        try:
            text = decode_text(await self._fetched(Piece(url), self.opening.limits.hls_playlist_bytes))
        except TuneFailedError as error:
            self._forgive(error)
            return playlist
        found = _parsed(text, url)
        if isinstance(found, Rendition):
            raise TuneFailedError(Cause.UNSUPPORTED, "The playlist turned into a master playlist.")
        return found

    async def _hear(self, each: NextSegment) -> None:
        segment = each.segment
        self._reason = self._reason or each.break_reason
        if segment.gap:
            return
        try:
            init = await self._init_bytes(segment)
            data = await self._fetched(segment.piece, self.opening.limits.hls_segment_bytes)
        except TuneFailedError as error:
            self._forgive(error)
            self._reason = "a segment could not be fetched"
            return
        self._failures = 0
        await self._decode(segment, init, data)

    async def _init_bytes(self, segment: Segment) -> bytes:
        """Fetch the init segment where a chapter begins; within one the decoder has it already."""
        if segment.init is None or (segment.init == self._init and not self._reason):
            return b""
        return await self._fetched(segment.init, self.opening.limits.hls_segment_bytes)

    async def _decode(self, segment: Segment, init: bytes, data: bytes) -> None:
        arrived_at = time.time()
        if self._container is None or self._reason:
            self._container = _container(init or data)
            self._init = segment.init
            await self.sink.begin(self._container, aired_at=segment.aired_at, break_reason=self._reason)
            self._reason = ""
            await self.sink.feed(init, arrived_at=arrived_at)
        elif segment.aired_at is not None:
            self.sink.mark(segment.aired_at)
        await self.sink.feed(data, arrived_at=arrived_at)

    async def _fetched(self, piece: Piece, limit_bytes: int) -> bytes:
        limits = self.opening.limits
        headers = dict(self.opening.headers)
        if piece.byte_range is not None:
            headers["Range"] = piece.byte_range.header
        try:
            with self.opening.fetcher.get(
                piece.url, headers=headers, connect_timeout_s=limits.connect_s, max_bytes=limit_bytes
            ) as transfer:
                head = await transfer.head(limits.answer_s)
                if head.status >= FIRST_REDIRECT_STATUS:
                    raise TuneFailedError.of_answer(head)
                body = await transfer.read_all(limits.stall_s)
        except FetchError as error:
            if error.cause is FetchCause.CUT:
                raise TuneFailedError(Cause.STALLED, error.message) from error
            raise TuneFailedError.of_fetch(error) from error
        if piece.byte_range is not None and head.status != PARTIAL_CONTENT_STATUS:
            body = body[piece.byte_range.start : piece.byte_range.start + piece.byte_range.length]
        return body

    def _tell_edition(self, playlist: MediaPlaylist) -> None:
        last = playlist.segments[-1].sequence if playlist.segments else None
        self.sink.read_playlist(PlaylistRead(last, playlist.target_duration_s, playlist.ended))

    def _judge_end(self) -> None:
        """An end without any sound had a reason."""
        if self._container is None and self._last_failure is not None:
            raise self._last_failure

    def _forgive(self, error: TuneFailedError) -> None:
        """Let a failure pass unless there were too many in a row."""
        self._failures += 1
        self._last_failure = error
        if self._failures >= self.opening.limits.hls_failures:
            raise error


def _parsed(text: str, url: str) -> MediaPlaylist | Rendition:
    try:
        return parse(text, url)
    except PlaylistError as error:
        cause = Cause.ENCRYPTED if error.encrypted else Cause.UNDECODABLE
        raise TuneFailedError(cause, str(error)) from error


def _container(head: bytes) -> str:
    verdict = sniff(head, whole=True)
    if verdict is not None and verdict.kind is Kind.MEDIA:
        return verdict.name
    if verdict is not None and verdict.kind is Kind.TEXT:
        raise TuneFailedError(Cause.NOT_MEDIA, "The segments are pages or text instead of sound.")
    raise TuneFailedError(Cause.UNDECODABLE, "The segments are of no kind of sound that we know.")


def _picture(rendition: Rendition) -> PictureFormat | None:
    """Tell the picture of a variant whose sound comes separately."""
    if not rendition.audio_only or not rendition.width_px:
        return None
    codecs = (codec.strip().partition(".")[0].lower() for codec in rendition.codecs.split(","))
    names = {"avc1": "h264", "avc3": "h264", "hvc1": "hevc", "hev1": "hevc", "vp09": "vp9", "av01": "av1"}
    codec = next((names[each] for each in codecs if each in names), "")
    return PictureFormat(codec, rendition.width_px, rendition.height_px)
