"""Rows for tests of the catalogue."""

from typing import Any

from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.stations.cause import Cause
from airledger.stations.models import Stream
from airledger.stations.proof import Proof
from airledger.stations.urls import parse_address

GOOD = Proof(
    level=4,
    is_healthy=True,
    http_status=200,
    response_time_ms=30,
    bandwidth_kbps=128,
    bitrate_claimed_kbps=128,
    codec="mp3",
    sample_rate_hz=44_100,
    channels=2,
    sound_s=12.0,
    stream_title="A - B",
    has_sound=True,
    has_picture=False,
)
LONG = Proof(level=4, is_healthy=True, sound_s=65.0, codec="mp3", bandwidth_kbps=128, has_sound=True)


def bad(cause: Cause) -> Proof:
    return Proof(level=0, is_healthy=False, cause=cause, permanent=cause.permanent, detail="why")


def add_stream(database: Database, clock: Clock, url: str = "http://a.example/", **fields: Any) -> int:
    """Add a stream that is due now; give its id."""
    address = parse_address(url)
    now = clock.now()
    defaults = {
        "name": "A",
        "tags": [],
        "warnings": [],
        "search_text": str(fields.get("name", "a")).casefold(),
        "next_check_at": now,
        "created_at": now,
        "updated_at": now,
    }
    with database.unit() as unit:
        stream = Stream(url=address.url, url_key=address.key, host=address.host, **{**defaults, **fields})
        unit.session.add(stream)
        unit.session.flush()
        return stream.id
