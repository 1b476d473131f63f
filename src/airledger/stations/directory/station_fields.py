"""A stream as a Radio Browser station: the fields, types and nullability that its clients read.

Their "station" is one address, so it is our stream. `changeuuid` is a UUID of version 8 (RFC 9562) that holds when the
stream changed last and its number, so that "what changed after this one" needs no table of changes.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from airledger.stations.catalogue import StreamView
from airledger.stations.models import PLAYING

UNKNOWN_CODEC = "UNKNOWN"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CODECS = {"vorbis": "OGG", "libvorbis": "OGG", "mp3float": "MP3", "h264": "H.264"}
_LOW_BITS, _MIDDLE_BITS, _HIGH_BITS = 62, 12, 48


def station_fields(stream: StreamView, last_clicked: datetime | None) -> dict[str, Any]:
    """Return a stream's fields as Radio Browser names and writes them."""
    return {
        "changeuuid": str(change_uuid(stream.updated_at, stream.id)),
        "stationuuid": str(stream.uuid),
        "serveruuid": None,
        "name": stream.name or stream.url,
        "url": stream.url,
        "url_resolved": stream.playable_url,
        "homepage": stream.website or "",
        "favicon": stream.logo or "",
        "tags": ",".join(tag.replace(",", " ") for tag in stream.tags),
        "country": stream.country_name or "",
        "countrycode": stream.country_code or "",
        "iso_3166_2": None,
        "state": stream.city or "",
        "language": stream.language or "",
        "languagecodes": "",
        "votes": stream.votes,
        **_moment("lastchangetime", stream.updated_at),
        "codec": codec_name(stream.codec),
        "bitrate": stream.bitrate_measured_kbps or stream.bitrate or 0,
        "hls": int(stream.is_hls),
        "lastcheckok": int(stream.state == PLAYING),
        **_moment("lastchecktime", stream.last_checked),
        **_moment("lastcheckoktime", stream.last_success),
        **_moment("lastlocalchecktime", stream.last_checked),
        **_moment("clicktimestamp", last_clicked),
        "clickcount": stream.click_count,
        "clicktrend": stream.click_trend,
        "ssl_error": int(stream.cause == "tls"),
        "geo_lat": stream.latitude,
        "geo_long": stream.longitude,
        "has_extended_info": False,
    }


def codec_name(codec: str | None) -> str:
    """Return a codec's name as Radio Browser writes it."""
    return _CODECS.get(codec.lower(), codec.upper()) if codec else UNKNOWN_CODEC


def change_uuid(changed_at: datetime, stream_id: int) -> UUID:
    """Return the name of a stream's latest change."""
    micros = (changed_at - _EPOCH) // timedelta(microseconds=1)
    high, middle = micros >> _MIDDLE_BITS, micros & ((1 << _MIDDLE_BITS) - 1)
    number = high << 80 | 8 << 76 | middle << 64 | 0b10 << _LOW_BITS | stream_id
    return UUID(int=number)


def read_change_uuid(change: UUID) -> tuple[datetime, int] | None:
    """Return when and to which stream a change happened; None of a UUID that is not ours."""
    if change.version != 8:  # noqa: PLR2004  RFC 9562
        return None
    micros = (change.int >> 80) << _MIDDLE_BITS | (change.int >> 64) & ((1 << _MIDDLE_BITS) - 1)
    try:
        changed_at = _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return None
    return changed_at, change.int & ((1 << _LOW_BITS) - 1)


def _moment(name: str, at: datetime | None) -> dict[str, str | None]:
    if at is None:
        return {name: "", f"{name}_iso8601": None}
    utc = at.astimezone(UTC)
    return {name: f"{utc:%Y-%m-%d %H:%M:%S}", f"{name}_iso8601": f"{utc:%Y-%m-%dT%H:%M:%SZ}"}
