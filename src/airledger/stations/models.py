"""The catalogue's tables.

The mission's table and field names are kept; docs/decisions/mission-fields.md tells where types differ, and why.
"""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, UniqueConstraint, Uuid, event, text
from sqlalchemy.orm import Mapped, mapped_column

from airledger.platform.db import Retention, Row
from airledger.platform.migrations import full_text

BigId = BigInteger().with_variant(Integer, "sqlite")

UNPROVEN, PLAYING, FAILING, RETIRED = "unproven", "playing", "failing", "retired"
OFF_HOURS = "off_hours"  # off at a time at which it is usually off: no fault


class Station(Row):
    """Who broadcasts: one or more streams, a place, a time zone."""

    __tablename__ = "stations"
    retention = Retention(reason="the catalogue is kept; stations are retired, never deleted without a trace")

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    identity: Mapped[str] = mapped_column(unique=True)  # what makes two listings one station
    name: Mapped[str] = mapped_column(index=True)
    country_code: Mapped[str | None]
    time_zone: Mapped[str | None]
    website: Mapped[str | None]
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("stations.id"), index=True)  # who has its streams now
    created_at: Mapped[datetime]


class Stream(Row):
    """One address that is, or was, a stream. The mission's `streams`."""

    __tablename__ = "streams"
    retention = Retention(reason="the catalogue is kept; streams are retired, never deleted without a trace")
    __table_args__ = (
        Index("ix_streams_serving", "state", "reliability_score", "quality_score", "id"),
        Index("ix_streams_order", "reliability_score", "quality_score", "id"),
        Index("ix_streams_due", "next_check_at", "id", "host"),
        Index("ix_streams_changed", "updated_at", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    uuid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid4)
    station_id: Mapped[int | None] = mapped_column(ForeignKey("stations.id"), index=True)
    url: Mapped[str]
    url_key: Mapped[str] = mapped_column(unique=True)  # SHA-256 of the canonical URL: real URLs outgrow an index entry
    host: Mapped[str] = mapped_column(index=True)  # politeness counts per host
    name: Mapped[str | None] = mapped_column(index=True)
    type: Mapped[str | None] = mapped_column(index=True)
    genre: Mapped[str | None]
    bitrate: Mapped[int | None]
    codec: Mapped[str | None]
    country_code: Mapped[str | None] = mapped_column(index=True)
    country_name: Mapped[str | None]
    city: Mapped[str | None]
    language: Mapped[str | None]
    website: Mapped[str | None]
    description: Mapped[str | None]
    logo: Mapped[str | None]
    tags: Mapped[list[str]]
    is_active: Mapped[bool] = mapped_column(default=True)
    last_checked: Mapped[datetime | None]
    last_success: Mapped[datetime | None]
    check_frequency: Mapped[int] = mapped_column(default=3_600)  # seconds; the name is the mission's
    reliability_score: Mapped[float] = mapped_column(default=1.0)
    quality_score: Mapped[float] = mapped_column(default=1.0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    state: Mapped[str] = mapped_column(default=UNPROVEN)
    cause: Mapped[str | None]
    warnings: Mapped[list[str]]
    successes: Mapped[float] = mapped_column(default=0.0)  # decayed counts of the Beta posterior
    failures: Mapped[float] = mapped_column(default=0.0)
    reliability_lower_bound: Mapped[float] = mapped_column(default=0.0)
    failures_in_row: Mapped[int] = mapped_column(default=0)
    successes_in_row: Mapped[int] = mapped_column(default=0)
    checks: Mapped[int] = mapped_column(default=0)
    errors: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(default="")
    failing_since: Mapped[datetime | None]
    next_check_at: Mapped[datetime | None]
    long_proof_at: Mapped[datetime | None]  # when enough sound was last heard to tell a loop
    recent_checks: Mapped[int] = mapped_column(default=1, server_default="1")  # as watching/flapping.py packs them
    is_flapping: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    remote_address: Mapped[str | None]  # that answered the last time one did
    retired_reason: Mapped[str | None]
    bitrate_measured_kbps: Mapped[int | None]
    url_resolved: Mapped[str | None]
    is_wrapped: Mapped[bool] = mapped_column(default=False)  # a playlist stands in front: players need url_resolved
    is_hls: Mapped[bool] = mapped_column(default=False)
    has_sound: Mapped[bool | None]
    has_picture: Mapped[bool | None]
    stream_title: Mapped[str | None]
    says_geo_blocked: Mapped[bool | None]  # as directories mark it; a cause is what we found ourselves
    says_part_time: Mapped[bool | None]  # not on the air around the clock, as directories mark it
    request_headers: Mapped[dict[str, Any] | None]  # what the directory says the server wants (user agent, referrer)
    search_text: Mapped[str]  # made by platform/words.py; the full-text index is laid over it
    allows_any_origin: Mapped[bool | None]  # whether scripts of other sites may read it (CORS)
    https_url: Mapped[str | None]  # the same sound by https, heard to be the same
    https_tried_at: Mapped[datetime | None]
    playable_in: Mapped[str] = mapped_column(default="", server_default="")  # clients between commas: `,native,safari,`
    deep_proof_at: Mapped[datetime | None]  # when sound was last heard, not only the server asked
    votes: Mapped[int] = mapped_column(default=0, server_default="0", index=True)
    click_count: Mapped[int] = mapped_column(default=0, server_default="0", index=True)  # of the last 24 hours
    click_trend: Mapped[int] = mapped_column(default=0, server_default="0")  # against the 24 hours before
    clicked_at: Mapped[datetime | None] = mapped_column(index=True)


event.listen(Stream.__table__, "after_create", lambda _, connection, **__: full_text.lay(connection))


class Listing(Row):
    """That a directory lists a stream, and what it says of it: the provenance of every field."""

    __tablename__ = "listings"
    retention = Retention(reason="as long as the stream it tells of")
    __table_args__ = (UniqueConstraint("source", "source_key"), Index("ix_listings_source_key", "source_key"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"), index=True)
    source: Mapped[str]
    source_key: Mapped[str]
    claims: Mapped[dict[str, Any]]
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]


class Crawl(Row):
    """One run over a directory."""

    __tablename__ = "crawls"
    retention = Retention(days=365, age_column="started_at", reason="a year of how directories grew")

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid4)
    source: Mapped[str] = mapped_column(index=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    found: Mapped[int] = mapped_column(default=0)
    added: Mapped[int] = mapped_column(default=0)
    merged: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    refused_reasons: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[str | None]
    validators: Mapped[dict[str, Any] | None]  # what makes the next request conditional, by address


class StreamMetric(Row):
    """One measurement of a stream. The mission's `stream_metrics`; every probe fills every column."""

    __tablename__ = "stream_metrics"
    retention = Retention(
        days=7,
        age_column="check_timestamp",
        not_after="airledger.stations.watching.rollup:rolled_up_to",
        reason="raw for a week, and until it is rolled up into `stream_hours` and `stream_days`",
    )
    __table_args__ = (
        Index("ix_stream_metrics_recent", "stream_id", "check_timestamp"),
        Index("ix_stream_metrics_at", "check_timestamp"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"))
    response_time_ms: Mapped[int]
    uptime_percentage: Mapped[float]
    error_count: Mapped[int]
    last_error_type: Mapped[str]  # "" when there was none yet
    bandwidth_kbps: Mapped[int]
    check_timestamp: Mapped[datetime]
    is_healthy: Mapped[bool | None]  # None where it does not count: off in its off hours, or a row of an old version
    down_s: Mapped[int] = mapped_column(default=0, server_default="0")  # of the time before it, held to be failing
    cause: Mapped[str] = mapped_column(default="", server_default="")  # "" where it played


class Verification(Row):
    """One proof, with its evidence. The mission's `verification_history`."""

    __tablename__ = "verification_history"
    retention = Retention(
        days=90,
        age_column="checked_at",
        not_after="airledger.stations.watching.archive:archived_to",
        reason="evidence for a quarter, and until it lies in storage as compressed JSON lines",
    )
    __table_args__ = (
        Index("ix_verification_history_recent", "stream_id", "checked_at"),
        Index("ix_verification_history_at", "checked_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"))
    checked_at: Mapped[datetime]
    level: Mapped[int]  # highest level reached: -1 none, 0 connects, 1 headers, 2 frames decode, 3 rate, 4 live sound
    is_healthy: Mapped[bool]
    cause: Mapped[str | None]
    is_permanent: Mapped[bool] = mapped_column(default=False)
    detail: Mapped[str | None]
    http_status: Mapped[int | None]
    response_time_ms: Mapped[int | None]
    bandwidth_kbps: Mapped[int | None]
    bitrate_claimed_kbps: Mapped[int | None]
    codec: Mapped[str | None]
    sample_rate_hz: Mapped[int | None]
    channels: Mapped[int | None]
    sound_s: Mapped[float] = mapped_column(default=0.0)
    stream_title: Mapped[str | None]
    warnings: Mapped[list[str]]
    cause_confidence: Mapped[float | None]  # 0 to 1; None where there is no cause
    vantage: Mapped[str] = mapped_column(default="here")


class Geolocation(Row):
    """Where a stream is. The mission's `geolocation_data`; one row a stream."""

    __tablename__ = "geolocation_data"
    retention = Retention(reason="as long as the stream")
    __table_args__ = (Index("ix_geolocation_data_place", "latitude", "longitude"),)

    stream_id: Mapped[int] = mapped_column(ForeignKey("streams.id", ondelete="CASCADE"), primary_key=True)
    latitude: Mapped[float]
    longitude: Mapped[float]
    accuracy_radius_km: Mapped[int]
    geocoding_method: Mapped[str]
    confidence_score: Mapped[float]
    verified: Mapped[bool] = mapped_column(default=False)
    country_code: Mapped[str | None]  # that won the votes; None as long as nobody counted them
    country_probability: Mapped[float | None] = mapped_column(index=True)
    candidates: Mapped[list[Any] | None]  # [country, probability], the likeliest first
    located_at: Mapped[datetime | None]
