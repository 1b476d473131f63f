"""The same stream by https, which is all that a page served by https can play; 41 % of the streams are listed by http.

An address that answers is no proof: hosts answer https with another station, or a page. So it is knocked at first,
and then both addresses are heard at the same time; only where they sound the same (`fingerprint/same_sound.py`) is the
https address taken.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from airledger.audio.stream_format import SOUND_RATE_HZ, StreamFormat
from airledger.platform.db import Unit
from airledger.stations.models import PLAYING, Stream
from airledger.stations.probe import Tunes
from airledger.stations.probing.knock import Knocker
from airledger.stations.proof_job import ProofJob
from airledger.stations.tuner.listening import Connected, TuneEnded

HEARD_S = 90.0
PATIENCE_S = 45.0
SURE = 0.95
AGAIN = timedelta(days=30)
KNOCKED_AT_ONCE = 500
HEARD_AT_ONCE = 8
HTTP_PORTS = frozenset({None, 80})


@dataclass(frozen=True, slots=True)
class HttpStream:
    """A stream that is listed by http only."""

    id: int
    url: str
    headers: dict[str, str]


def https_addresses(url: str) -> tuple[str, ...]:
    """Return where the same stream could be by https, likeliest first; none for what is https already."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        return ()
    if parts.scheme != "http" or not host:
        return ()
    named = f"[{host}]" if ":" in host else host
    standard = urlunsplit(parts._replace(scheme="https", netloc=named))
    if port in HTTP_PORTS:
        return (standard,)
    return urlunsplit(parts._replace(scheme="https", netloc=f"{named}:{port}")), standard


def find_untried(session: Session, now: datetime, limit: int = KNOCKED_AT_ONCE) -> list[HttpStream]:
    """List playing http streams that were never tried by https, or not for a month."""
    query = (
        select(Stream.id, Stream.url, Stream.request_headers)
        .where(Stream.state == PLAYING, Stream.has_sound.is_(True), Stream.url.like("http:%"))
        .where(or_(Stream.https_tried_at.is_(None), Stream.https_tried_at < now - AGAIN))
        .order_by(Stream.https_tried_at.is_not(None), Stream.https_tried_at, Stream.id)
        .limit(limit)
    )
    return [HttpStream(row.id, row.url, row.request_headers or {}) for row in session.execute(query)]


def find_twins(
    streams: Sequence[HttpStream],
    knocker: Knocker,
    tuner: Callable[[], Tunes],
    *,
    seconds: float = HEARD_S,
    stopping: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[int, str | None]]:
    """Find the https addresses of streams.

    Args:
        streams: To try.
        knocker: Asks the addresses that could be.
        tuner: Gives the running tuner, when two addresses are to be heard.
        seconds: How long both are heard.
        stopping: True breaks off.

    Yields:
        Each stream's id with its https address, None where there is none that sounds the same.
    """
    by_id = {one.id: one for one in streams}
    answering: dict[int, list[str]] = {one.id: [] for one in streams}
    jobs = [ProofJob(one.id, url, 0.0, one.headers) for one in streams for url in https_addresses(one.url)]
    for knock in knocker.knock(jobs, stopping=stopping):
        if knock.is_media:
            answering[knock.job.id].append(knock.job.url)
    to_hear = [(by_id[stream_id], urls) for stream_id, urls in answering.items() if urls]
    yield from ((stream_id, None) for stream_id, urls in answering.items() if not urls and not stopping())
    for start in range(0, len(to_hear), HEARD_AT_ONCE):
        for one, urls in _heard_together(to_hear[start : start + HEARD_AT_ONCE], tuner(), seconds, stopping):
            if not stopping():
                yield one.id, urls


def record_twin(unit: Unit, stream_id: int, https_url: str | None, now: datetime) -> None:
    """Write what was found. A new address changes who can play the stream, which the next deep proof writes down."""
    stream = unit.session.get(Stream, stream_id)
    if stream is None:
        return
    stream.https_tried_at = now
    if stream.https_url != https_url:
        stream.https_url, stream.updated_at, stream.deep_proof_at = https_url, now, None


def _heard_together(
    some: Sequence[tuple[HttpStream, list[str]]], tuner: Tunes, seconds: float, stopping: Callable[[], bool]
) -> Iterator[tuple[HttpStream, str | None]]:
    """Hear some streams and their likeliest https addresses, all at the same time."""
    pairs = [(one, urls[0], _Ear(seconds), _Ear(seconds)) for one, urls in some]
    tuned = []
    for one, url, plain, secure in pairs:
        tuned += [tuner.tune(one.url, plain, headers=one.headers), tuner.tune(url, secure, headers=one.headers)]
    try:
        deadline = time.monotonic() + seconds + PATIENCE_S
        for _one, _url, plain, secure in pairs:
            plain.wait(deadline, stopping)
            secure.wait(deadline, stopping)
    finally:
        for each in tuned:
            each.close()
    for one, url, plain, secure in pairs:
        yield one, url if _is_same(plain.heard(), secure.heard()) else None


def _is_same(plain: NDArray[np.int16], secure: NDArray[np.int16]) -> bool:
    from airledger.fingerprint.same_sound import sounds_same

    if not len(plain) or not len(secure):
        return False
    return sounds_same(plain, secure, rate_hz=SOUND_RATE_HZ).probability >= SURE


@dataclass
class _Ear:
    """Collects the sound of one address, on the tuner's thread, until there is enough."""

    seconds: float
    _pieces: list[NDArray[np.int16]] = field(default_factory=list)
    _samples: int = 0
    _done: threading.Event = field(default_factory=threading.Event)

    def connected(self, info: Connected) -> None:
        """Nothing: the knock has seen it."""

    def format(self, found: StreamFormat) -> None:
        """Nothing."""

    def title(self, text: str, at_s: float) -> None:
        """Nothing."""

    def sound(self, pcm: NDArray[np.int16], position: int, at: float, air_time: float | None) -> None:
        """Keep it."""
        del position, at, air_time
        if self._samples < self.seconds * SOUND_RATE_HZ:
            self._pieces.append(np.array(pcm, np.int16))
            self._samples += len(pcm)
        else:
            self._done.set()

    def bytes_received(self, count: int, at: float) -> None:
        """Nothing."""

    def discontinuity(self, reason: str) -> None:
        """Nothing: a gap costs agreement."""

    def ended(self, end: TuneEnded) -> None:
        """Take what there is."""
        del end
        self._done.set()

    def wait(self, deadline: float, stopping: Callable[[], bool]) -> None:
        """Wait for enough sound."""
        while time.monotonic() < deadline and not self._done.wait(0.25) and not stopping():
            pass

    def heard(self) -> NDArray[np.int16]:
        """Give what was heard."""
        return np.concatenate(self._pieces) if self._pieces else np.zeros(0, np.int16)
