"""What the catalogue tells the rest of Airledger."""

from typing import ClassVar

from airledger.platform.events import Event


class StreamAdded(Event):
    """A stream was met for the first time."""

    name: ClassVar[str] = "stream.added"

    stream_id: int
    title: str | None
    type: str | None
    country_code: str | None
    source: str


class StreamChecked(Event):
    """A proof was made; `level` as in `Verification.level`, the rest as the stream's row says now."""

    name: ClassVar[str] = "stream.checked"

    stream_id: int
    state: str
    cause: str | None
    is_healthy: bool
    level: int
    response_time_ms: int | None
    bitrate_measured_kbps: int | None
    codec: str | None
    has_picture: bool | None
    is_hls: bool
    stream_title: str | None
    reliability_score: float
    reliability_lower_bound: float
    quality_score: float
    last_checked: str
    last_success: str | None
    warnings: list[str]


class StreamStateChanged(Event):
    """A stream began or ceased to play, or was retired."""

    name: ClassVar[str] = "stream.state_changed"

    stream_id: int
    from_state: str
    to_state: str
    cause: str | None


class StreamFlapping(Event):
    """A stream began to come and go, or ceased to."""

    name: ClassVar[str] = "stream.flapping"

    stream_id: int
    is_flapping: bool


class StreamDegrading(Event):
    """A stream gets worse, and how; no reasons mean that it is as good as before again."""

    name: ClassVar[str] = "stream.degrading"

    stream_id: int
    reasons: list[str]


class StreamClassChanged(Event):
    """A close look heard another class of sound than the one before it."""

    name: ClassVar[str] = "stream.class_changed"

    stream_id: int
    from_class: str
    to_class: str


class CrawlFinished(Event):
    """A directory was read, or could not be (`error`)."""

    name: ClassVar[str] = "crawl.finished"

    source: str
    found: int
    added: int
    merged: int
    updated: int
    unchanged: int
    refused: int
    error: str | None


class StationMerged(Event):
    """Two stations turned out to be one: `station_id` has the streams of `merged_station_id` now."""

    name: ClassVar[str] = "station.merged"

    merge_id: int
    station_id: int
    merged_station_id: int
    stream_ids: list[int]
    reason: str
    confidence: float


class StationParted(Event):
    """A merge was taken back: `parted_station_id` has its streams again."""

    name: ClassVar[str] = "station.parted"

    merge_id: int
    station_id: int
    parted_station_id: int
    stream_ids: list[int]
