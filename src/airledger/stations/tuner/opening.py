"""From an address to bytes that are media: the answer, what it is, and the playlists in between."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from airledger.audio.icy import METAINT_LIMIT_BYTES, IcyDemuxer, IcyTitle
from airledger.audio.sniff import Kind, Sniffed, sniff
from airledger.platform.curl_request import ResponseHead
from airledger.platform.fetch_error import FetchCause, FetchError
from airledger.platform.multifetch import Chunk, MultiFetcher, Transfer
from airledger.stations.cause import Cause
from airledger.stations.tuner.failure import TuneFailedError
from airledger.stations.tuner.limits import TunerLimits
from airledger.stations.tuner.listening import IcyInfo
from airledger.stations.tuner.playlists import decode_text, entries, fetchable, is_hls

FIRST_REDIRECT_STATUS = 300


@dataclass
class Opened:
    """An answer that turned out to be media; whoever holds it closes it."""

    transfer: Transfer
    head: ResponseHead
    sniffed: Sniffed
    chunks: list[Chunk]
    titles: list[IcyTitle]
    demuxer: IcyDemuxer | None
    hls_text: str | None = None
    via: tuple[str, ...] = ()

    @property
    def kind(self) -> Literal["icy", "http", "hls"]:
        """The way of sending."""
        if self.hls_text is not None:
            return "hls"
        icy = self.head.icy or any(name.startswith(("icy-", "ice-")) for name in self.head.headers)
        return "icy" if icy else "http"


@dataclass
class Opening:
    """One search for media behind an address."""

    fetcher: MultiFetcher
    limits: TunerLimits
    headers: Mapping[str, str]
    seen: set[str] = field(default_factory=set)

    async def find(self, url: str, depth: int = 0) -> Opened:
        """Open an address; look behind playlists, first entry first.

        Raises:
            TuneFailedError: there is no media; of several entries, why the last one failed.
        """
        if url in self.seen or depth > self.limits.playlist_depth:
            raise TuneFailedError(Cause.REDIRECT_LOOP, f"Playlists lead round in a circle or too deep, at {url}.")
        self.seen.add(url)
        if not fetchable(url):
            raise TuneFailedError(Cause.UNSUPPORTED, f"{url.partition(':')[0]}: is a kind of stream we cannot play.")
        try:
            opened = await self._open(url)
        except FetchError as error:
            raise TuneFailedError.of_fetch(error) from error
        if opened.sniffed.kind is Kind.MEDIA or opened.hls_text is not None:
            return opened
        opened.transfer.close()
        if opened.sniffed.kind is Kind.TEXT:
            raise TuneFailedError(Cause.NOT_MEDIA, "The server sends a page or text instead of sound.")
        if opened.sniffed.kind is Kind.UNKNOWN:
            raise TuneFailedError(Cause.UNDECODABLE, "The bytes are of no kind of sound that we know.")
        return await self._behind_playlist(url, opened, depth)

    async def _behind_playlist(self, url: str, opened: Opened, depth: int) -> Opened:
        text = decode_text(b"".join(chunk.data for chunk in opened.chunks))
        failed = TuneFailedError(Cause.NOT_MEDIA, "The playlist is empty.")
        for entry in entries(opened.sniffed.name, text, url)[: self.limits.playlist_entries]:
            try:
                found = await self.find(entry, depth + 1)
            except TuneFailedError as error:
                failed = error
            else:
                return replace(found, via=(url, *found.via))
        raise failed

    async def _open(self, url: str) -> Opened:
        headers = {"Icy-MetaData": "1", **self.headers}
        transfer = self.fetcher.get(url, headers=headers, connect_timeout_s=self.limits.connect_s)
        try:
            head = _successful(await transfer.head(self.limits.answer_s))
            opened = Opened(transfer, head, Sniffed(Kind.UNKNOWN), [], [], icy_demuxer(head))
            await self._sniff(opened)
            if opened.sniffed.kind is Kind.PLAYLIST:
                await self._read_playlist(opened)
        except BaseException:
            transfer.close()
            raise
        return opened

    async def _sniff(self, opened: Opened) -> None:
        """Read until the bytes tell what they are; bytes that come too slowly must do as they are."""
        head = b""
        deadline = asyncio.get_running_loop().time() + self.limits.sniff_s
        while True:
            patience_s = max(deadline - asyncio.get_running_loop().time(), 0.0)
            try:
                chunk = await opened.transfer.read(self.limits.stall_s if not head else patience_s)
            except FetchError as error:
                if error.cause is not FetchCause.STALLED or not head:
                    raise
                chunk = None
            if chunk is not None:
                audio, titles = demux(opened.demuxer, chunk)
                opened.chunks.append(audio)
                opened.titles += titles
                head += audio.data
            elif not head:
                raise TuneFailedError(Cause.ENDED, "The server closed before it sent a byte of sound.")
            verdict = sniff(head, whole=chunk is None)
            if verdict is not None:
                opened.sniffed = verdict
                return

    async def _read_playlist(self, opened: Opened) -> None:
        limit = self.limits.hls_playlist_bytes if opened.sniffed.name == "m3u" else self.limits.playlist_bytes
        size = sum(len(chunk.data) for chunk in opened.chunks)
        while (chunk := await opened.transfer.read(self.limits.stall_s)) is not None:
            size += len(chunk.data)
            if size > limit:
                raise TuneFailedError(Cause.TOO_LARGE, f"The playlist is longer than {limit} bytes.")
            opened.chunks.append(chunk)
        text = decode_text(b"".join(chunk.data for chunk in opened.chunks))
        if opened.sniffed.name == "m3u" and is_hls(text):
            opened.hls_text = text
        elif size > self.limits.playlist_bytes:
            raise TuneFailedError(Cause.TOO_LARGE, f"The playlist is longer than {self.limits.playlist_bytes} bytes.")


def _successful(head: ResponseHead) -> ResponseHead:
    if head.icy and head.status >= FIRST_REDIRECT_STATUS:
        # SHOUTcast says `ICY 401 Service Unavailable` while nobody feeds the mount; no password would help.
        raise TuneFailedError(Cause.SOURCE_OFFLINE, f"The SHOUTcast server has no source ({head.status}).", head.status)
    if head.status >= FIRST_REDIRECT_STATUS:
        raise TuneFailedError.of_answer(head)
    return head


def demux(demuxer: IcyDemuxer | None, chunk: Chunk) -> tuple[Chunk, list[IcyTitle]]:
    """Take the ICY metadata out of a chunk, where there is any."""
    if demuxer is None:
        return chunk, []
    audio, titles = demuxer.feed(chunk.data)
    return Chunk(audio, chunk.at), titles


def icy_demuxer(head: ResponseHead) -> IcyDemuxer | None:
    """Make the demuxer that an answer's `icy-metaint` asks for; an absurd interval is taken for none."""
    metaint = read_icy(head.headers).metaint_bytes
    return IcyDemuxer(metaint) if metaint and metaint <= METAINT_LIMIT_BYTES else None


def read_icy(headers: Mapping[str, str]) -> IcyInfo:
    """Read the headers in which ICY and Icecast servers describe themselves."""
    audio_info = dict(
        part.strip().partition("=")[::2] for part in headers.get("ice-audio-info", "").lower().split(";") if part
    )
    audio_info = {name.removeprefix("ice-"): value for name, value in audio_info.items()}
    public = headers.get("icy-pub", "")
    return IcyInfo(
        name=headers.get("icy-name") or None,
        genre=headers.get("icy-genre") or None,
        url=headers.get("icy-url") or None,
        description=headers.get("icy-description") or None,
        bitrate_kbps=_number(headers.get("icy-br", "")) or _number(audio_info.get("bitrate", "")),
        sample_rate_hz=_number(headers.get("icy-sr", "")) or _number(audio_info.get("samplerate", "")),
        metaint_bytes=_number(headers.get("icy-metaint", "")),
        public=public.strip() == "1" if public else None,
        do_not_index=headers.get("icy-do-not-index", "").strip() == "1",
    )


def _number(text: str) -> int | None:
    """Read the first number of `128,128` or ` 44100`, None where there is none."""
    digits = text.strip().partition(",")[0].strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None  # noqa: PLR2004
