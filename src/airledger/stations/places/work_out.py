"""Working out where streams are: read a batch, let the methods vote outside any unit, write votes and answers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from airledger.learning.where_told import Told, address
from airledger.platform.db import Database, Unit
from airledger.platform.geo.lookup import IpPlace
from airledger.stations.changes import note_change
from airledger.stations.claims import FILLED, search_text
from airledger.stations.locate import country_name, middle_of, time_zone_of
from airledger.stations.models import RETIRED, Geolocation, Listing, Station, Stream
from airledger.stations.places.fuse import CITY, MODERATOR, Answer, Middle, Vote, fuse
from airledger.stations.places.gather import OWN_LISTING, Evidence, votes_of
from airledger.stations.places.models import PlaceLook, PlaceSibling, PlaceTrust, PlaceVote
from airledger.stations.places.trust import Trust

BATCH = 100
FILL_AT = 0.9  # a country less sure than this is shown, and not written into the catalogue's row
Predict = Callable[[Sequence[Told]], Iterator[list[tuple[str, float]]]]
LookUp = Callable[[str], IpPlace]


@dataclass(frozen=True, slots=True)
class Found:
    """What was worked out of one stream."""

    stream_id: int
    key: str
    votes: tuple[Vote, ...]
    answer: Answer | None


def locate_due(
    database: Database, predict: Predict | None, look_up: LookUp, now: datetime, *, limit: int = BATCH
) -> tuple[int, int]:
    """Work out a batch of streams whose row changed since their last look.

    Args:
        database: The catalogue.
        predict: The text model; None where it is not installed.
        look_up: Asks the databases of addresses.
        now: When.
        limit: How many at most.

    Returns:
        How many were looked at, and for how many of them the evidence was new.
    """
    with database.read() as session:
        ids = due(session, limit)
        known = evidence_of(session, ids)
        seen = _keys(session, ids)
        trust = read_trust(session)
    fresh = {one: evidence for one, evidence in known.items() if seen.get(one) != evidence.key}
    told = [evidence.told for evidence in fresh.values()]
    shares = list(predict(told)) if predict and told else [[] for _ in told]
    found = [
        _found(stream_id, evidence, share, look_up, trust)
        for (stream_id, evidence), share in zip(fresh.items(), shares, strict=True)
    ]
    if ids:
        with database.unit() as unit:
            write_found(unit, found, now)
            _note_looks(unit, {one: evidence.key for one, evidence in known.items()}, now)
    return len(ids), len(found)


def due(session: Session, limit: int) -> list[int]:
    """Find streams that were never looked at, or changed since."""
    query = (
        select(Stream.id)
        .outerjoin(PlaceLook, PlaceLook.stream_id == Stream.id)
        .where(Stream.state != RETIRED)
        .where(
            or_(
                PlaceLook.stream_id.is_(None),
                PlaceLook.evidence_key == "",
                Stream.updated_at > PlaceLook.looked_at,
            )
        )
        .order_by(Stream.id)
        .limit(limit)
    )
    return list(session.scalars(query))


def evidence_of(session: Session, ids: Sequence[int]) -> dict[int, Evidence]:
    """Read what is known of streams, without what we filled in ourselves."""
    streams = list(session.scalars(select(Stream).where(Stream.id.in_(ids))))
    claims: dict[int, dict[str, Mapping[str, Any]]] = {}
    for listing in session.scalars(select(Listing).where(Listing.stream_id.in_(ids)).order_by(Listing.id)):
        claims.setdefault(listing.stream_id, {})[listing.source] = listing.claims
    domains = {stream.id: domain_of(stream.url, stream.website) for stream in streams}
    siblings: dict[str, dict[str, int]] = {}
    for row in session.scalars(select(PlaceSibling).where(PlaceSibling.domain.in_(set(domains.values())))):
        siblings.setdefault(row.domain, {})[row.country_code] = row.streams
    return {
        stream.id: Evidence(
            url=stream.url,
            host=stream.host,
            name=stream.name or "",
            website=stream.website or "",
            tags=tuple(stream.tags or ()),
            language=stream.language or "",
            claims=claims.get(stream.id, {}),
            server_address=stream.remote_address or _numeric(stream.url),
            siblings=siblings.get(domains[stream.id], {}),
        )
        for stream in streams
    }


def read_trust(session: Session) -> Trust:
    """Read what corrections taught of the methods."""
    rows = session.scalars(select(PlaceTrust))
    return Trust({(row.method, row.host): (row.right, row.wrong) for row in rows})


def domain_of(url: str, website: str | None) -> str:
    """Return the domain whose streams are siblings: the website's, else the stream's own."""
    known = address(website or "") or address(url)
    return known.domain if known else ""


def write_found(unit: Unit, found: Sequence[Found], now: datetime) -> None:
    """Write votes and answers. What a moderator said stays, and so does every verified row."""
    session = unit.session
    ids = [one.stream_id for one in found]
    session.execute(delete(PlaceVote).where(PlaceVote.stream_id.in_(ids), PlaceVote.method != MODERATOR))
    streams = {row.id: row for row in session.scalars(select(Stream).where(Stream.id.in_(ids)))}
    rows = {row.stream_id: row for row in session.scalars(select(Geolocation).where(Geolocation.stream_id.in_(ids)))}
    filled = {
        row.stream_id: row
        for row in session.scalars(select(Listing).where(Listing.stream_id.in_(ids), Listing.source == OWN_LISTING))
    }
    for one in found:
        stream, row = streams.get(one.stream_id), rows.get(one.stream_id)
        if stream is None:
            continue
        session.add_all(_row_of(one.stream_id, vote, now) for vote in one.votes if vote.method != MODERATOR)
        if one.answer is None or (row is not None and row.verified):
            continue
        session.add(lay_answer(row or Geolocation(stream_id=one.stream_id), one.answer, now))
        _fill(unit, stream, one, filled.get(one.stream_id), now)


def answer_of(votes: Sequence[Vote]) -> Answer | None:
    """Fuse votes, with the middles of the countries that they name."""
    named = {vote.country_code for vote in votes if vote.country_code} | {
        code for vote in votes for code in vote.shares
    }
    middles = {code: place for code in named if (place := middle_of(code)) is not None}
    return fuse(
        votes,
        {code: Middle(one.latitude, one.longitude, one.accuracy_radius_km) for code, one in middles.items()},
    )


def _found(stream_id: int, evidence: Evidence, shares: list[tuple[str, float]], look_up: LookUp, trust: Trust) -> Found:
    votes = votes_of(evidence, shares, look_up, trust)
    return Found(stream_id, evidence.key, tuple(votes), answer_of(votes))


def lay_answer(row: Geolocation, answer: Answer, now: datetime) -> Geolocation:
    """Lay an answer on a stream's row of `geolocation_data`."""
    row.latitude, row.longitude = answer.latitude, answer.longitude
    row.accuracy_radius_km, row.geocoding_method = answer.radius_km, answer.method
    row.confidence_score = round(answer.confidence, 4)
    row.country_code, row.country_probability = answer.country_code, round(answer.probability, 4)
    row.candidates = [list(one) for one in answer.candidates]
    row.located_at = now
    return row


def _fill(unit: Unit, stream: Stream, found: Found, own: Listing | None, now: datetime) -> None:
    """Fill empty fields of the row from a sure answer; what a directory says later beats what we filled in."""
    claimed = _claimed_country(found.votes)
    ours = (own.claims or {}).get("country_code") if own else None
    is_ours = ours is not None and stream.country_code == ours
    answer = found.answer
    if answer is None:
        return
    sure = answer.country_code if answer.probability >= FILL_AT else None
    country = (claimed or sure) if is_ours else (sure if not stream.country_code else None)
    if country and country != stream.country_code:
        stream.country_code, stream.country_name = country, country_name(country)
    said: dict[str, Any] = {}
    if country and country != claimed:
        said = {"country_code": country, "country_name": country_name(country)}
    if not stream.city and answer.city and answer.method != CITY and sure == stream.country_code:
        stream.city = answer.city
        said["city"] = answer.city
    if said:
        _note_own(unit, stream, own, said, now)
    if note_change(stream, now):
        stream.search_text = search_text({"url": stream.url} | {name: getattr(stream, name) for name in FILLED})
    _time_zone(unit, stream, answer)


def _time_zone(unit: Unit, stream: Stream, answer: Answer) -> None:
    if stream.station_id is None or stream.country_code != answer.country_code:
        return
    station = unit.session.get(Station, stream.station_id)
    if station is not None and not station.time_zone:
        point = (None, None) if answer.method == "country" else (answer.latitude, answer.longitude)
        station.time_zone = time_zone_of(answer.country_code, *point)


def _claimed_country(votes: Sequence[Vote]) -> str | None:
    return next((vote.country_code for vote in votes if vote.method == "source_country"), None)


def _note_own(unit: Unit, stream: Stream, own: Listing | None, said: dict[str, Any], now: datetime) -> None:
    if own is not None:
        own.claims, own.last_seen = {**own.claims, **said}, now
        return
    unit.session.add(
        Listing(
            stream_id=stream.id,
            source=OWN_LISTING,
            source_key=stream.url_key,
            claims=said,
            first_seen=now,
            last_seen=now,
        )
    )


def _row_of(stream_id: int, vote: Vote, now: datetime) -> PlaceVote:
    plain = replace(vote, shares={})
    return PlaceVote(
        stream_id=stream_id,
        method=plain.method,
        country_code=plain.country_code,
        latitude=plain.latitude,
        longitude=plain.longitude,
        radius_km=plain.radius_km,
        confidence=round(plain.confidence, 4),
        evidence=dict(plain.evidence),
        at=now,
    )


def _keys(session: Session, ids: Sequence[int]) -> dict[int, str]:
    looks = session.scalars(select(PlaceLook).where(PlaceLook.stream_id.in_(ids)))
    return {look.stream_id: look.evidence_key for look in looks}


def _note_looks(unit: Unit, keys: Mapping[int, str], now: datetime) -> None:
    held = {row.stream_id: row for row in unit.session.scalars(select(PlaceLook).where(PlaceLook.stream_id.in_(keys)))}
    for stream_id, key in keys.items():
        row = held.get(stream_id)
        if row is None:
            unit.session.add(PlaceLook(stream_id=stream_id, evidence_key=key, looked_at=now))
        else:
            row.evidence_key, row.looked_at = key, now


def _numeric(url: str) -> str:
    known = address(url)
    return known.host if known and known.is_numeric else ""
