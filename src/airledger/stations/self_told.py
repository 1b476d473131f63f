"""What a stream says of itself in its ICY headers (version 2 included), as a listing of its own."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from airledger.platform.db import Unit
from airledger.stations.claims import FILLED, Claim, Draft, claim, lay_on, search_text
from airledger.stations.models import Geolocation, Listing, Stream
from airledger.stations.proof import Proof
from airledger.stations.sources.base import LIMITS_CHARS, Entry, coordinates, country, link, tags, text
from airledger.stations.tuner.listening import Connected

SOURCE = "stream"
# Servers that nobody configured say these of themselves.
FILLER = frozenset({"no name", "unspecified name", "unspecified description", "this is my server name", "n/a"})


def adopt_own_words(unit: Unit, stream: Stream, proof: Proof, now: datetime) -> None:
    """Fill empty fields of the catalogue from the stream's own headers, and keep them as a listing."""
    if proof.connected is None or not proof.is_healthy:
        return
    found = claim(told_entry(stream.url, proof.connected))
    said = {name: value for name, value in found.fields.items() if name != "url"}
    if not said:
        return
    listing = unit.session.scalar(select(Listing).where(Listing.source == SOURCE, Listing.source_key == stream.url_key))
    before = listing.claims if listing else None
    if listing is None:
        unit.session.add(_listing(stream, said, now))
    else:
        listing.last_seen, listing.claims = now, said
    if before != said:
        _lay_on(unit, stream, replace(found, fields=said), before)


def told_entry(url: str, info: Connected) -> Entry:
    """Read an entry off a stream's response headers."""
    icy, headers = info.icy, info.headers
    latitude, longitude = coordinates(*_pair(headers.get("icy-geo-lat-long", "")))
    return Entry(
        url=url,
        name=_told(icy.name, LIMITS_CHARS["name"]),
        genre=_told(icy.genre, LIMITS_CHARS["genre"]),
        bitrate=icy.bitrate_kbps,
        country_code=country(headers.get("icy-country-code")),
        language=text(headers.get("icy-language-codes")),
        website=link(icy.url),
        description=_told(icy.description, LIMITS_CHARS["description"]),
        logo=link(headers.get("icy-logo")),
        tags=tags(icy.genre, ",;"),
        latitude=latitude,
        longitude=longitude,
    )


def _told(value: str | None, limit_chars: int) -> str | None:
    clean = text(value, limit_chars)
    return None if clean is None or clean.casefold() in FILLER else clean


def _pair(value: str) -> tuple[str, str]:
    north, _, east = value.partition(",")
    return north, east


def _listing(stream: Stream, said: dict[str, Any], now: datetime) -> Listing:
    return Listing(
        stream_id=stream.id, source=SOURCE, source_key=stream.url_key, claims=said, first_seen=now, last_seen=now
    )


def _lay_on(unit: Unit, stream: Stream, found: Claim, before: dict[str, Any] | None) -> None:
    place = unit.session.get(Geolocation, stream.id)
    values = {"url": stream.url} | {name: getattr(stream, name) for name in FILLED}
    draft = Draft(
        stream.url_key,
        values,
        id=stream.id,
        method=place.geocoding_method if place else None,
        is_verified=place is not None and place.verified,
    )
    lay_on(draft, found, before)
    for name, value in draft.changes.items():
        setattr(stream, name, value)
    if draft.changes:
        stream.search_text = search_text(draft.values)
    if draft.position is not None:
        place = place or Geolocation(stream_id=stream.id)
        place.latitude, place.longitude = draft.position.latitude, draft.position.longitude
        place.accuracy_radius_km = draft.position.accuracy_radius_km
        place.geocoding_method, place.confidence_score = draft.position.method, draft.position.confidence
        unit.session.add(place)
