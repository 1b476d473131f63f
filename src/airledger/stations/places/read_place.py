"""Reading places: one stream's answer with all its votes, and the streams whose place is unsure."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from airledger.platform.errors import NotFoundError
from airledger.stations.models import RETIRED, Geolocation, Stream
from airledger.stations.places.fuse import METHODS
from airledger.stations.places.models import PlaceVote


@dataclass(frozen=True, slots=True)
class PlaceView:
    """Where a stream is, and who says so."""

    stream: Stream
    place: Geolocation | None
    votes: Sequence[PlaceVote]

    @property
    def attribution(self) -> str | None:
        """What must be shown beside the place, where a database asks for it."""
        told = (vote.evidence.get("attribution") for vote in self.votes)
        return next((str(one) for one in told if one), None)


def place_of(session: Session, stream_id: int) -> PlaceView:
    """Return a stream's place.

    Raises:
        NotFoundError: There is no such stream.
    """
    stream = session.get(Stream, stream_id)
    if stream is None:
        raise NotFoundError(f"there is no stream {stream_id}")
    votes = list(session.scalars(select(PlaceVote).where(PlaceVote.stream_id == stream_id)))
    votes.sort(key=lambda vote: METHODS.index(vote.method) if vote.method in METHODS else len(METHODS))
    return PlaceView(stream, session.get(Geolocation, stream_id), votes)


def unsure_places(session: Session, *, below: float, after: float, after_id: int, limit: int) -> list[PlaceView]:
    """Return streams whose country is unsure and nobody verified, the least sure first.

    Args:
        session: To read with.
        below: Probability of the country below which a place counts as unsure.
        after: Go on behind this probability ...
        after_id: ... and this stream.
        limit: How many.
    """
    probability = Geolocation.country_probability
    query = (
        select(Stream, Geolocation)
        .join(Geolocation, Geolocation.stream_id == Stream.id)
        .where(probability < below, ~Geolocation.verified, Stream.state != RETIRED)
        .where((probability > after) | ((probability == after) & (Stream.id > after_id)))
        .order_by(probability, Stream.id)
        .limit(limit)
    )
    return [PlaceView(stream, place, ()) for stream, place in session.execute(query)]
