"""The catalogue as a file: any filter, seven formats."""

from array import array
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from airledger.stations.directory.entries import Entry
from airledger.stations.directory.playlists import M3u, Opml, Pls, Writing, Xmltv, Xspf
from airledger.stations.directory.tables import Csv, Json
from airledger.stations.filters import StreamFilter, conditions
from airledger.stations.models import Geolocation, Stream

TV = "tv"
COLUMNS = (
    "id", "uuid", "station_id", "name", "type", "url", "playable_url", "https_url", "state", "cause", "codec",
    "bitrate", "bitrate_measured_kbps", "is_hls", "genre", "tags", "country_code", "country_name", "city", "language",
    "latitude", "longitude", "accuracy_radius_km", "website", "logo", "reliability_score", "reliability_lower_bound",
    "quality_score", "playable_in", "votes", "click_count", "last_checked", "last_success", "updated_at", "tvg_id",
)  # fmt: skip


class ExportFormat(StrEnum):
    """What a list can be written as."""

    M3U = "m3u"
    PLS = "pls"
    XSPF = "xspf"
    OPML = "opml"
    CSV = "csv"
    JSON = "json"
    XMLTV = "xmltv"


def export_ids(session: Session, wanted: StreamFilter, limit: int | None = None) -> "array[int]":
    """List what is to be exported, in the catalogue's order: eight bytes a stream, however many there are.

    Raises:
        InputError: The filter cannot be used.
    """
    query = select(Stream.id).outerjoin(Geolocation, Geolocation.stream_id == Stream.id).where(*conditions(wanted))
    ordered = query.order_by(Stream.reliability_score.desc(), Stream.quality_score.desc(), Stream.id.desc())
    return array("q", session.scalars(ordered.limit(limit)))


def export_writing(form: ExportFormat, guide_url: str | None = None) -> Writing:
    """Return what writes a format; `guide_url` is where the playlist's programme guide is."""
    if form is ExportFormat.M3U:
        return M3u(guide_url)
    makers: dict[ExportFormat, Callable[[], Writing]] = {
        ExportFormat.PLS: Pls,
        ExportFormat.XSPF: Xspf,
        ExportFormat.OPML: Opml,
        ExportFormat.CSV: lambda: Csv(_fields, COLUMNS),
        ExportFormat.JSON: lambda: Json(_fields),
        ExportFormat.XMLTV: Xmltv,
    }
    return makers[form]()


def _fields(entry: Entry) -> dict[str, Any]:
    row = {**asdict(entry.stream), "tvg_id": entry.tvg_id}
    return {name: value.isoformat() if hasattr(value := row[name], "isoformat") else value for name in COLUMNS}
