"""A small catalogue as directories tell of it."""

from datetime import timedelta
from typing import Any

from airledger.platform.clock import Clock
from airledger.platform.db import Unit
from airledger.platform.words import index_words
from airledger.stations.models import FAILING, PLAYING, Geolocation, Station, Stream

STATIONS: tuple[dict[str, Any], ...] = (
    {"name": "Radio Łódź Jazz", "country_code": "PL", "country_name": "Poland", "city": "Łódź", "language": "polish",
     "tags": ["jazz", "smooth jazz"], "codec": "mp3", "bitrate": 128, "place": (51.77, 19.46)},
    {"name": "Jazz FM", "country_code": "GB", "country_name": "The United Kingdom", "city": "London",
     "language": "english", "tags": ["jazz", "soul"], "codec": "aac", "bitrate": 64, "place": (51.5, -0.12)},
    {"name": "Rock Antenne", "country_code": "DE", "country_name": "Germany", "city": "Ismaning",
     "language": "german,english", "tags": ["rock"], "codec": "mp3", "bitrate": 192, "place": (48.22, 11.67)},
    {"name": "Dead Air", "country_code": "DE", "country_name": "Germany", "language": "german", "tags": ["rock"],
     "state": FAILING, "cause": "timeout", "codec": "mp3"},
    {"name": '=Télé "Sept", the & channel', "country_code": "FR", "country_name": "France", "language": "french",
     "tags": ["news"], "type": "tv", "codec": "aac", "is_hls": True, "has_picture": True},
)  # fmt: skip


def add_catalogue(unit: Unit, clock: Clock) -> list[Stream]:
    """Add the stations, the first changed last."""
    rows = []
    for number, told in enumerate(STATIONS):
        fields, now = dict(told), clock.now() - timedelta(minutes=1 + number)
        place = fields.pop("place", None)
        station = Station(identity=f"test:{number}", name=fields["name"], created_at=now)
        unit.session.add(station)
        unit.session.flush()
        url = f"http{'s' if number % 2 else ''}://station{number}.test/live"
        row = Stream(
            **{
                "url": url,
                "url_key": f"key-{number}",
                "host": f"station{number}.test",
                "station_id": station.id,
                "type": "radio",
                "warnings": [],
                "state": PLAYING,
                "last_checked": now,
                "last_success": now,
                "created_at": now,
                "updated_at": now,
                "website": f"http://home{number}.test/",
                "reliability_score": 0.9,
                "quality_score": 0.5 + number / 10,
                **fields,
            },
            search_text=index_words(fields["name"], [url, fields["country_name"], fields["language"], *fields["tags"]]),
        )
        unit.session.add(row)
        unit.session.flush()
        if place:
            unit.session.add(Geolocation(
                stream_id=row.id, latitude=place[0], longitude=place[1], accuracy_radius_km=10, geocoding_method="city",
                confidence_score=0.9,
            ))  # fmt: skip
        rows.append(row)
    return rows
