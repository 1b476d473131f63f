"""Proofs of streams as Radio Browser's checks."""

from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from airledger.stations.directory.station_fields import codec_name
from airledger.stations.models import Stream, Verification

MOST_CHECKS = 1_000


def checks_since(session: Session, stream_id: int | None, since: datetime | None, limit: int) -> list[dict[str, Any]]:
    """List checks, the newest first, of one stream or of all.

    Args:
        session: Of a read.
        stream_id: Whose; None for all streams'.
        since: None for all that are kept.
        limit: How many, at most 1,000.
    """
    query = select(Verification, Stream.uuid, Stream.url).join(Stream, Stream.id == Verification.stream_id)
    if stream_id is not None:
        query = query.where(Verification.stream_id == stream_id)
    if since is not None:
        query = query.where(Verification.checked_at >= since)
    newest = (Verification.id,) if stream_id is None else (Verification.checked_at, Verification.id)
    rows = session.execute(query.order_by(*(one.desc() for one in newest)).limit(min(limit, MOST_CHECKS)))
    return [_fields(check, str(uuid), url) for check, uuid, url in rows]


def _fields(check: Verification, uuid: str, url: str) -> dict[str, Any]:
    at = check.checked_at.astimezone(UTC)
    return {
        "stationuuid": uuid,
        "checkuuid": str(uuid5(NAMESPACE_URL, f"airledger check {check.id}")),
        "source": check.vantage,
        "codec": codec_name(check.codec),
        "bitrate": check.bandwidth_kbps or check.bitrate_claimed_kbps or 0,
        "hls": 0,
        "ok": int(check.is_healthy),
        "timestamp": f"{at:%Y-%m-%d %H:%M:%S}",
        "timestamp_iso8601": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "urlcache": url,
        "metainfo_overrides_database": 0,
        "public": None,
        "name": None,
        "description": None,
        "tags": None,
        "countrycode": None,
        "homepage": None,
        "favicon": None,
        "loadbalancer": None,
    }
