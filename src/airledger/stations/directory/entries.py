"""What a playlist or table says of a stream, read in chunks of constant size however long the list is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from airledger.stations.catalogue import StreamView, view_of, view_query
from airledger.stations.models import Listing, Stream

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """A stream in a list.

    Attributes:
        tvg_id: The channel's id in programme guides, as a directory gave it.
        headers: What the server wants of players.
    """

    stream: StreamView
    clicked_at: datetime | None
    tvg_id: str | None
    headers: dict[str, Any]

    @property
    def title(self) -> str:
        """What the stream is called, on one line."""
        return " ".join((self.stream.name or self.stream.url).split())

    @property
    def channel_id(self) -> str:
        """What a programme guide calls the channel."""
        return self.tvg_id or f"{self.stream.uuid}@airledger"


def chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Cut a list of ids into what is read at once."""
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def read_entries(session: Session, ids: Sequence[int]) -> list[Entry]:
    """Read some streams, in the order of their ids given; those that are gone meanwhile are left out."""
    rows = session.execute(view_query(Stream.clicked_at, Stream.request_headers).where(Stream.id.in_(list(ids)))).all()
    found = {row.id: (view_of(row), row.clicked_at, row.request_headers or {}) for row in rows}
    channels = [stream_id for stream_id, (view, _, _) in found.items() if view.type == "tv"]
    guide = _guide_ids(session, channels)
    return [
        Entry(view, clicked_at, guide.get(stream_id), headers)
        for stream_id in ids
        if stream_id in found
        for view, clicked_at, headers in (found[stream_id],)
    ]


def _guide_ids(session: Session, stream_ids: Sequence[int]) -> dict[int, str]:
    if not stream_ids:
        return {}
    query = select(Listing.stream_id, Listing.claims).where(Listing.stream_id.in_(stream_ids)).order_by(Listing.id)
    return {stream_id: claims["tvg_id"] for stream_id, claims in session.execute(query) if claims.get("tvg_id")}
