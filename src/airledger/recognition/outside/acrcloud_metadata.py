"""ACRCloud's metadata API as a source for ISRCs.

Protocol: https://docs.acrcloud.com/reference/metadata-api: `GET /api/external-metadata/tracks?isrc=` with a bearer
token of the console. Its rows are read as tolerantly as identification's matches.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airledger.platform.errors import InputError
from airledger.recognition.outside.acrcloud_payload import read_match
from airledger.recognition.outside.bounded_json import items, mapping, read_json, text
from airledger.recognition.outside.http_call import HttpDoor
from airledger.recognition.outside.isrc import Finding, IsrcCandidate

NAME = "acrcloud"
PATH = "/api/external-metadata/tracks"
OK, NOT_FOUND = 200, 404
ROWS_LIMIT = 20


@dataclass(frozen=True)
class AcrCloudMetadata:
    """The metadata API of one ACRCloud account."""

    door: HttpDoor
    base_url: str
    token: str = field(repr=False)
    name: str = NAME

    def look_up(self, isrc: str) -> Finding:
        """Ask once; see `IsrcSource.look_up`."""
        reply = self.door.send(
            "GET",
            self.base_url.rstrip("/") + PATH,
            params={"isrc": isrc, "include_works": "1"},
            headers={"Authorization": f"Bearer {self.token}", "Accept": "application/json"},
        )
        if reply.status == NOT_FOUND:
            return Finding(())
        if reply.fault or reply.status != OK:
            return Finding(None, reply.fault or f"HTTP {reply.status}")
        try:
            payload = mapping(read_json(reply.body))
        except InputError as error:
            return Finding(None, error.message)
        rows = [mapping(one) for one in items(payload.get("data"))][:ROWS_LIMIT]
        return Finding(tuple(found for row in rows if (found := read_track(row, isrc)) is not None))

    def close(self) -> None:
        """Give back connections."""
        self.door.close()


def read_track(row: Mapping[str, Any], isrc: str) -> IsrcCandidate | None:
    """Read one track; None when it names nothing."""
    match = read_match(row)
    if match is None or not match.title:
        return None
    works = [mapping(one) for one in items(row.get("works"))]
    album = mapping(row.get("album"))
    return IsrcCandidate(
        source=NAME,
        source_id=match.provider_id,
        title=match.title,
        artists=match.artists,
        album=match.album,
        label=match.label or text(album.get("label")) or None,
        release_date=match.release_date or text(album.get("release_date"), 20) or None,
        duration_ms=match.duration_ms,
        isrcs=match.isrcs or (isrc,),
        iswcs=match.iswcs,
        work_title=next((title for work in works if (title := text(work.get("name")))), None),
        writers=match.writers,
    )
