"""MusicBrainz as a source for ISRCs: recordings, their works, who wrote and published them.

Protocol: https://musicbrainz.org/doc/MusicBrainz_API. One request a second, a User-Agent that says who asks, and 503
when either is not kept. An ISRC leads to recordings, maybe several; each of the first few is fetched with its works.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from airledger.platform.errors import InputError
from airledger.recognition.outside.acrcloud_payload import ipi_of, isrcs_of
from airledger.recognition.outside.answer import Writer
from airledger.recognition.outside.bounded_json import items, mapping, read_json, text, whole
from airledger.recognition.outside.http_call import HttpDoor
from airledger.recognition.outside.isrc import Finding, IsrcCandidate

NAME = "musicbrainz"
EVERY_S = 1.0
DETAILED = 3  # recordings that are fetched with their works: each costs a second
INCLUDES = "isrcs+artist-credits+releases+work-rels+work-level-rels+artist-rels+label-rels"
WRITER_TYPES = ("composer", "lyricist", "writer", "arranger", "librettist", "translator")
OK, NOT_FOUND, BAD_REQUEST = 200, 404, 400


@dataclass(frozen=True)
class MusicBrainz:
    """MusicBrainz, or a mirror of it.

    Attributes:
        book_turn: Books the next second for us among all processes; returns how long to wait for it.
    """

    door: HttpDoor
    base_url: str
    book_turn: Callable[[float], float]
    pause: Callable[[float], None] = time.sleep
    name: str = NAME

    def look_up(self, isrc: str) -> Finding:
        """Ask once; see `IsrcSource.look_up`."""
        status, payload, fault = self._get(f"/ws/2/isrc/{isrc}", "artist-credits")
        if status in (NOT_FOUND, BAD_REQUEST):
            return Finding(())
        if fault:
            return Finding(None, fault)
        rows = [mapping(one) for one in items(payload.get("recordings"))]
        detailed = [self._detailed(row) for row in rows[:DETAILED]]
        return Finding(tuple(read_recording(row, isrc) for row in (*detailed, *rows[DETAILED:20]) if row.get("id")))

    def close(self) -> None:
        """Give back connections."""
        self.door.close()

    def _detailed(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Fetch a recording with its works; without an answer, what the ISRC told must do."""
        identity = text(row.get("id"), 60)
        if not all(sign.isalnum() or sign == "-" for sign in identity):
            return row
        _, payload, fault = self._get(f"/ws/2/recording/{identity}", INCLUDES)
        return row if fault else payload

    def _get(self, path: str, includes: str) -> tuple[int, Mapping[str, Any], str]:
        self.pause(self.book_turn(EVERY_S))
        url = f"{self.base_url.rstrip('/')}{path}?fmt=json&inc={includes}"
        reply = self.door.send("GET", url, headers={"Accept": "application/json"})
        if reply.fault or reply.status != OK:
            return reply.status, {}, reply.fault or f"HTTP {reply.status}"
        try:
            return reply.status, mapping(read_json(reply.body)), ""
        except InputError as error:
            return reply.status, {}, error.message


def read_recording(row: Mapping[str, Any], isrc: str) -> IsrcCandidate:
    """Read a recording, with the works it performs where it tells them."""
    release = mapping(next(iter(items(row.get("releases"))), None))
    works = [
        mapping(relation.get("work"))
        for relation in map(mapping, items(row.get("relations")))
        if relation.get("type") == "performance"
    ]
    relations = [mapping(one) for work in works for one in items(work.get("relations"))]
    writers = [
        Writer(name, text(one.get("type"), 40), _ipi(mapping(one.get("artist"))))
        for one in relations
        if one.get("type") in WRITER_TYPES and (name := text(mapping(one.get("artist")).get("name")))
    ]
    publishers = [
        text(mapping(one.get("label") or one.get("artist")).get("name"))
        for one in relations
        if one.get("type") == "publishing"
    ]
    credits_ = [mapping(one) for one in items(row.get("artist-credit"))]
    return IsrcCandidate(
        source=NAME,
        source_id=text(row.get("id"), 60),
        title=text(row.get("title")),
        artists=tuple(
            name for one in credits_ if (name := text(one.get("name")) or text(mapping(one.get("artist")).get("name")))
        ),
        album=text(release.get("title")) or None,
        release_date=text(row.get("first-release-date") or release.get("date"), 20) or None,
        duration_ms=whole(row.get("length")),
        isrcs=isrcs_of(row.get("isrcs")) or (isrc,),
        iswcs=tuple(
            dict.fromkeys(code for work in works for one in items(work.get("iswcs")) if (code := text(one, 20)))
        ),
        work_title=next((title for work in works if (title := text(work.get("title")))), None),
        writers=tuple(dict.fromkeys(writers))[:40],
        publishers=tuple(dict.fromkeys(one for one in publishers if one))[:40],
        country=next((code for one in credits_ if (code := text(mapping(one.get("artist")).get("country"), 2))), None),
    )


def _ipi(artist: Mapping[str, Any]) -> str | None:
    return next((ipi for one in items(artist.get("ipis")) if (ipi := ipi_of(one)) is not None), None)
