"""The account of a crawl, entry by entry: taken, merged with which, refused why. One JSON line each."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TextIO

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from airledger.stations.models import Listing, Stream


@dataclass(slots=True)
class Line:
    """What became of one entry.

    Attributes:
        number: Its place among all entries of the source, from 1.
        where: Its place in the file.
        outcome: `added`, `merged`, `updated`, `unchanged` or `refused`.
        url_key: Of the stream that it became part of.
        repeats: Number of the entry of this very list that it repeats.
    """

    number: int
    where: str
    url: str | None = None
    outcome: str = "refused"
    reason: str | None = None
    url_key: str | None = None
    repeats: int | None = None


@dataclass
class Account:
    """Writes lines for one source; lines of a chunk are held until the chunk is in the catalogue."""

    source: str
    file: TextIO
    held: list[Line] = field(default_factory=list)

    def note(self, line: Line) -> None:
        """Hold a line."""
        self.held.append(line)

    def write(self, session: Session) -> None:
        """Write what is held, with the streams as the catalogue has them now."""
        streams = _streams(session, {line.url_key for line in self.held if line.url_key})
        for line in self.held:
            self.file.write(json.dumps(self._told(line, streams), ensure_ascii=False) + "\n")
        self.held.clear()

    def _told(self, line: Line, streams: dict[str, dict[str, Any]]) -> dict[str, Any]:
        told: dict[str, Any] = {"source": self.source, "entry": line.number, "where": line.where, "url": line.url}
        told["outcome"] = line.outcome
        if line.reason is not None:
            told["reason"] = line.reason
        stream = streams.get(line.url_key or "")
        if stream is not None:
            told["stream_id"], told["stream"] = stream["id"], stream["url"]
        if line.outcome == "merged":
            told["merged_with"] = (
                {"source": self.source, "entry": line.repeats}
                if line.repeats is not None
                else {"source": stream["source"], "source_key": stream["source_key"]}
                if stream is not None
                else None
            )
        return told


def _streams(session: Session, url_keys: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Load streams by key, each with the directory that first listed it."""
    wanted = list(url_keys)
    if not wanted:
        return {}
    first = (
        select(Listing.stream_id, func.min(Listing.id).label("id"))
        .join(Stream, Stream.id == Listing.stream_id)
        .where(Stream.url_key.in_(wanted))
        .group_by(Listing.stream_id)
        .subquery()
    )
    query = (
        select(Stream.url_key, Stream.id, Stream.url, Listing.source, Listing.source_key)
        .outerjoin(first, first.c.stream_id == Stream.id)
        .outerjoin(Listing, Listing.id == first.c.id)
        .where(Stream.url_key.in_(wanted))
    )
    return {
        row.url_key: {"id": row.id, "url": row.url, "source": row.source, "source_key": row.source_key}
        for row in session.execute(query)
    }
