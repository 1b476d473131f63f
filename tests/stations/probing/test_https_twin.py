"""Finding the same stream by https, with scripted sound."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from airledger.audio.sniff import Kind, Sniffed
from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.first_bytes import Ask, FirstBytes
from airledger.stations.cause import Cause
from airledger.stations.models import PLAYING, Stream
from airledger.stations.probing.https_twin import (
    AGAIN,
    HttpStream,
    find_twins,
    find_untried,
    https_addresses,
    record_twin,
)
from airledger.stations.probing.knock import Knock
from airledger.stations.proof_job import ProofJob
from airledger.stations.tuner import Listening, TuneEnded
from made_sound import melody
from stations.rows import add_stream

RATE_HZ = 8_000
SECONDS = 90.0


def programme(seed: int) -> NDArray[np.int16]:
    made: NDArray[np.int16] = (melody(SECONDS + 20, RATE_HZ, seed) * 20_000).astype(np.int16)
    return made


ONE, OTHER = programme(1), programme(2)
ON_AIR = {
    "http://same.example/live": ONE,
    "https://same.example/live": ONE[5 * RATE_HZ :],  # five seconds apart, as two connections are
    "http://differs.example/live": ONE,
    "https://differs.example/live": OTHER,
    "http://none.example:8000/live": ONE,
}


class Script:
    """A tuner and a knocker for what is on air."""

    def knock(self, jobs: list[ProofJob], **_how: Any) -> Iterator[Knock]:
        for job in jobs:
            plays = job.url in ON_AIR
            what = Sniffed(Kind.MEDIA, "mp3") if plays else Sniffed(Kind.UNKNOWN)
            found = FirstBytes(Ask(job.id, job.url), None, b"", None, job.url, "", 0.0)
            yield Knock(job, found, what, 1 if plays else -1, None if plays else Cause.REFUSED)

    def tune(self, url: str, listener: Listening, *, headers: Mapping[str, str] | None = None) -> "Script":
        del headers
        pcm = ON_AIR[url]
        for start in range(0, len(pcm), RATE_HZ):
            listener.sound(pcm[start : start + RATE_HZ], start, 0.0, None)
        listener.ended(TuneEnded(Cause.ENDED, False, "scripted"))
        return self

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://a.example/live?x=1", ("https://a.example/live?x=1",)),
        ("http://a.example:80/;", ("https://a.example/;",)),
        ("http://a.example:8000/live", ("https://a.example:8000/live", "https://a.example/live")),
        ("http://[2001:db8::1]:8000/", ("https://[2001:db8::1]:8000/", "https://[2001:db8::1]/")),
        ("https://a.example/live", ()),
        ("http://a.example:99999/live", ()),
    ],
)
def test_where_it_could_be(url: str, expected: tuple[str, ...]) -> None:
    assert https_addresses(url) == expected


def test_only_what_sounds_the_same_is_taken() -> None:
    script = Script()
    streams = [HttpStream(n, url, {}) for n, url in enumerate(each for each in ON_AIR if each.startswith("http:"))]
    found = dict(find_twins(streams, cast("Any", script), lambda: script, seconds=SECONDS))
    assert found == {0: "https://same.example/live", 1: None, 2: None}


def test_a_stream_is_tried_once_a_month(database: Database, clock: SteppedClock) -> None:
    playing = {"state": PLAYING, "has_sound": True}
    stream_id = add_stream(database, clock, "http://a.example/", **playing, deep_proof_at=clock.now())
    add_stream(database, clock, "https://b.example/", **playing)
    add_stream(database, clock, "http://c.example/", has_sound=True)

    def untried() -> list[int]:
        with database.read() as session:
            return [one.id for one in find_untried(session, clock.now())]

    assert untried() == [stream_id]
    with database.unit() as unit:
        record_twin(unit, stream_id, "https://a.example/", clock.now())
    assert untried() == []
    with database.read() as session:
        stream = session.get_one(Stream, stream_id)
        # It is listened to anew before any client is told that it plays there.
        assert (stream.https_url, stream.deep_proof_at) == ("https://a.example/", None)
    clock.step(AGAIN.total_seconds() + timedelta(hours=1).total_seconds())
    assert untried() == [stream_id]
