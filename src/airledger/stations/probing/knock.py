"""The first look at a stream: does the server answer, and does what it sends look like media? Levels 0 and 1.

Thousands at once on one thread (`platform/first_bytes.py`). A knock that finds media says no more than that; what
seems wrong to it is proven by listening (`stages.py` says when).
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from airledger.audio.icy import METAINT_LIMIT_BYTES, IcyDemuxer
from airledger.audio.sniff import Kind, Sniffed, sniff
from airledger.platform.fetch_error import FetchCause
from airledger.platform.first_bytes import Ask, Asks, FirstBytes, FirstBytesFetcher
from airledger.platform.guard import AddressGuard
from airledger.stations.cause import Cause, cause_of_fetch, cause_of_status
from airledger.stations.levels import CONNECTS, HEADERS, NOTHING, STRANGE_ORIGIN
from airledger.stations.probing.manners import HostQueue, Manners
from airledger.stations.proof_job import ProofJob
from airledger.stations.retry_after import retry_after_s

WANTED_BYTES = 16 * 1024
LOOK_BYTES = 64 * 1024
AT_ONCE = 2_000
FIRST_REDIRECT_STATUS = 300
HEADERS_SENT = {"Icy-MetaData": "1", "Origin": STRANGE_ORIGIN}
_NOT_CONNECTED = frozenset(
    {
        FetchCause.UNKNOWN_HOST,
        FetchCause.REFUSED,
        FetchCause.UNREACHABLE,
        FetchCause.TLS,
        FetchCause.ADDRESS_REFUSED,
        FetchCause.BAD_URL,
    }
)
_HLS_TAGS = (b"#EXT-X-TARGETDURATION", b"#EXT-X-STREAM-INF", b"#EXT-X-MEDIA-SEQUENCE")
_HLS = Sniffed(Kind.MEDIA, "hls")


@dataclass(slots=True)
class Knock:
    """What a first look found.

    Attributes:
        job: What was looked at.
        found: What came of the address.
        what: What the first bytes are; an HLS playlist counts as media named `hls`.
        level: -1 nothing, 0 the server was reached, 1 it answers with media or a list of media.
        cause: What is wrong; None where nothing seems to be.
        detail: The same for people.
        retry_after_s: For how long the server asks to be left alone.
        sound: The first bytes without ICY metadata; empty but for media.
    """

    job: ProofJob
    found: FirstBytes
    what: Sniffed
    level: int
    cause: Cause | None = None
    detail: str = ""
    retry_after_s: float | None = None
    sound: bytes = b""

    @property
    def is_media(self) -> bool:
        """Whether media came."""
        return self.cause is None and self.what.kind is Kind.MEDIA


class Knocker:
    """Looks at many streams at once, politely. Not thread-safe; close it."""

    def __init__(
        self,
        guard: AddressGuard,
        user_agent: str,
        *,
        at_once: int = AT_ONCE,
        manners: Manners | None = None,
        timeout_s: float = 15.0,
        interface: str | None = None,
    ) -> None:
        """Prepare.

        Args:
            guard: Which addresses may be dialled.
            user_agent: What servers are told.
            at_once: Connections at the same time.
            manners: How hosts are treated, kept from batch to batch.
            timeout_s: Of one look; what came by then is judged.
            interface: Local address or network interface to dial from.
        """
        self.manners = manners or Manners()
        self._fetcher = FirstBytesFetcher(
            guard,
            user_agent,
            at_once=at_once,
            wanted_bytes=WANTED_BYTES,
            timeout_s=timeout_s,
            headers=HEADERS_SENT,
            interface=interface,
        )

    def knock(
        self,
        jobs: Iterable[ProofJob],
        *,
        wanted_bytes: int = WANTED_BYTES,
        stopping: Callable[[], bool] = lambda: False,
    ) -> Iterator[Knock]:
        """Look at streams; those of hosts that must be left alone do not come back.

        Args:
            jobs: What to look at.
            wanted_bytes: How much of each; 64 KiB are enough to decode.
            stopping: True breaks off.

        Yields:
            What was found, in the order in which it is done.
        """
        by_key = dict(enumerate(jobs))
        asks: Asks = HostQueue(
            ((Ask(key, job.url, job.headers, wanted_bytes), job.host) for key, job in by_key.items()), self.manners
        )
        for found in self._fetcher.fetch(asks, stopping):
            job = by_key.pop(found.ask.key)
            seen = judged(job, found)
            if seen.retry_after_s is not None:
                self.manners.rest(job.host, seen.retry_after_s)
            yield seen

    def close(self) -> None:
        """Free the connections."""
        self._fetcher.close()


def judged(job: ProofJob, found: FirstBytes) -> Knock:
    """Judge what came of an address."""
    head, error = found.head, found.error
    nothing = Sniffed(Kind.UNKNOWN)
    if head is None:
        if error is None:
            return Knock(job, found, nothing, NOTHING, Cause.HTTP_ERROR, "The server sent no answer.")
        level = NOTHING if error.cause in _NOT_CONNECTED or not found.remote_address else CONNECTS
        return Knock(job, found, nothing, level, cause_of_fetch(error.cause), error.message)
    if head.status >= FIRST_REDIRECT_STATUS:
        if head.icy:
            detail = f"The SHOUTcast server has no source ({head.status})."
            return Knock(job, found, nothing, CONNECTS, Cause.SOURCE_OFFLINE, detail)
        wait_s = retry_after_s(head.status, head.headers, time.time())
        detail = f"The server answered with status {head.status}."
        return Knock(job, found, nothing, CONNECTS, cause_of_status(head.status), detail, wait_s)
    return _of_bytes(job, found)


def _of_bytes(job: ProofJob, found: FirstBytes) -> Knock:
    sound = _without_titles(found)
    what = sniff(sound, whole=True) or Sniffed(Kind.UNKNOWN)
    if not sound:
        return Knock(job, found, what, HEADERS, _why_empty(found), "The server answered, but no sound came.")
    if what.kind is Kind.PLAYLIST and what.name == "m3u" and any(tag in sound for tag in _HLS_TAGS):
        return Knock(job, found, _HLS, HEADERS)
    if what.kind is Kind.TEXT:
        detail = "The server sends a page or text instead of sound."
        return Knock(job, found, what, HEADERS, Cause.NOT_MEDIA, detail)
    if what.kind is Kind.UNKNOWN:
        detail = "The bytes are of no kind of sound that we know."
        return Knock(job, found, what, HEADERS, Cause.UNDECODABLE, detail)
    return Knock(job, found, what, HEADERS, sound=sound if what.kind is Kind.MEDIA else b"")


def _without_titles(found: FirstBytes) -> bytes:
    told = found.head.headers.get("icy-metaint", "") if found.head is not None else ""
    if not (told.isascii() and told.isdigit() and len(told) < 9 and 0 < int(told) <= METAINT_LIMIT_BYTES):  # noqa: PLR2004
        return found.body
    return IcyDemuxer(int(told)).feed(found.body)[0]


def _why_empty(found: FirstBytes) -> Cause:
    if found.error is None:
        return Cause.ENDED
    return Cause.STALLED if found.error.cause is FetchCause.TIMEOUT else cause_of_fetch(found.error.cause)
