"""What people say of a stream's place: kept, never overwritten by machines, and taught to the methods."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from airledger.platform.audit import Actor, record_change
from airledger.platform.db import Unit
from airledger.platform.errors import InputError, NotFoundError
from airledger.stations.changes import note_change
from airledger.stations.claims import FILLED, search_text
from airledger.stations.locate import CITY_RADIUS_KM, SOURCE_RADIUS_KM, city_point, country_name, middle_of
from airledger.stations.models import Geolocation, Stream
from airledger.stations.places.fuse import MODERATOR, Vote
from airledger.stations.places.models import PlaceLook, PlaceSibling, PlaceTrust, PlaceVote
from airledger.stations.places.work_out import answer_of, domain_of, lay_answer
from airledger.stations.urls import parse_address


@dataclass(frozen=True, slots=True)
class Correction:
    """Where a person says a stream is; a point without coordinates is the city's, or the country's middle."""

    country_code: str
    city: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    note: str | None = None


def place_by_hand(unit: Unit, stream_id: int, told: Correction, actor: Actor, now: datetime) -> None:
    """Store a person's word, mark the place verified, and teach the methods by it.

    Raises:
        NotFoundError: There is no such stream.
        InputError: There is no such country, or only half a point.
    """
    stream = _stream(unit, stream_id)
    vote = _vote(told, actor)
    answer = answer_of([vote])
    if answer is None:
        raise InputError(f"there is no country {told.country_code!r}: give its two letters, like GH")
    machines = _machine_votes(unit, stream_id)
    before = unit.session.scalar(
        select(PlaceVote).where(PlaceVote.stream_id == stream_id, PlaceVote.method == MODERATOR)
    )
    _learn(unit, stream, machines, told.country_code, before)
    row = unit.session.get(Geolocation, stream_id) or Geolocation(stream_id=stream_id)
    old = {"country_code": stream.country_code, "latitude": row.latitude, "longitude": row.longitude}
    lay_answer(row, answer, now).verified = True
    unit.session.add(row)
    stream.country_code, stream.country_name = told.country_code, country_name(told.country_code)
    stream.city = told.city
    if note_change(stream, now):
        stream.search_text = search_text({"url": stream.url} | {name: getattr(stream, name) for name in FILLED})
    _keep_vote(unit, stream_id, vote, before, now)
    new = {"country_code": told.country_code, "city": told.city, "latitude": row.latitude, "longitude": row.longitude}
    record_change(unit, actor, "placed", "stream", stream_id, {"new": new, "old": old, "note": told.note}, at=now)


def verify(unit: Unit, stream_id: int, actor: Actor, now: datetime) -> None:
    """Confirm the place that was worked out, as a person's word of the same content.

    Raises:
        NotFoundError: There is no such stream, or nobody worked out where it is.
    """
    row = unit.session.get(Geolocation, stream_id)
    stream = _stream(unit, stream_id)
    country = row.country_code or stream.country_code if row else None
    if row is None or country is None:
        raise NotFoundError(f"where stream {stream_id} is was not worked out yet")
    method, radius_km, certainty = row.geocoding_method, row.accuracy_radius_km, row.confidence_score
    told = Correction(country, stream.city, row.latitude, row.longitude, "confirmed")
    place_by_hand(unit, stream_id, told, actor, now)
    # The country is certain now; the point is as far off as it was.
    row.geocoding_method, row.accuracy_radius_km, row.confidence_score = method, radius_km, certainty


def _vote(told: Correction, actor: Actor) -> Vote:
    if (told.latitude is None) != (told.longitude is None):
        raise InputError("a point needs both latitude and longitude")
    code = told.country_code
    about = {"by": actor.name, "note": told.note} | ({"city": told.city} if told.city else {})
    if told.latitude is not None:
        return Vote(MODERATOR, code, 1.0, told.latitude, told.longitude, SOURCE_RADIUS_KM, about)
    point = city_point(code, told.city) if told.city else None
    if point is not None:
        return Vote(MODERATOR, code, 1.0, *point, CITY_RADIUS_KM, about)
    middle = middle_of(code)
    if middle is None:
        raise InputError(f"there is no country {code!r}: give its two letters, like GH")
    return Vote(MODERATOR, code, 1.0, middle.latitude, middle.longitude, middle.accuracy_radius_km, about)


def _learn(unit: Unit, stream: Stream, votes: Sequence[PlaceVote], truth: str, before: PlaceVote | None) -> None:
    """Count which methods were right, anywhere and on this host; a second word on a stream takes the first one back."""
    if before is not None and before.country_code is not None:
        _count(unit, stream, votes, before.country_code, -1)
    _count(unit, stream, votes, truth, 1)
    # Siblings look at their evidence again.
    host = parse_address(stream.url).host
    near = select(Stream.id).where(Stream.host == host)
    unit.session.execute(
        update(PlaceLook)
        .where(PlaceLook.stream_id.in_(near))
        .values(evidence_key="")
        .execution_options(synchronize_session=False)
    )


def _count(unit: Unit, stream: Stream, votes: Sequence[PlaceVote], truth: str, step: int) -> None:
    for vote in votes:
        for host in ("", stream.host):
            row = unit.session.get(PlaceTrust, (vote.method, host))
            if row is None:
                row = PlaceTrust(method=vote.method, host=host, right=0, wrong=0)
                unit.session.add(row)
            if vote.country_code == truth:
                row.right = max(row.right + step, 0)
            else:
                row.wrong = max(row.wrong + step, 0)
    domain = domain_of(stream.url, stream.website)
    if domain:
        sibling = unit.session.get(PlaceSibling, (domain, truth))
        if sibling is None:
            sibling = PlaceSibling(domain=domain, country_code=truth, streams=0)
            unit.session.add(sibling)
        sibling.streams = max(sibling.streams + step, 0)
    unit.session.flush()


def _machine_votes(unit: Unit, stream_id: int) -> list[PlaceVote]:
    query = select(PlaceVote).where(
        PlaceVote.stream_id == stream_id, PlaceVote.method != MODERATOR, PlaceVote.country_code.is_not(None)
    )
    return list(unit.session.scalars(query))


def _keep_vote(unit: Unit, stream_id: int, vote: Vote, before: PlaceVote | None, now: datetime) -> None:
    row = before or PlaceVote(stream_id=stream_id, method=MODERATOR)
    row.country_code, row.latitude, row.longitude = vote.country_code, vote.latitude, vote.longitude
    row.radius_km, row.confidence, row.evidence, row.at = vote.radius_km, vote.confidence, dict(vote.evidence), now
    unit.session.add(row)


def _stream(unit: Unit, stream_id: int) -> Stream:
    stream = unit.session.get(Stream, stream_id)
    if stream is None:
        raise NotFoundError(f"there is no stream {stream_id}")
    return stream
