"""The globe's columns say what the rows say, shrink on the way, and are not sent twice."""

import gzip
import struct

from airledger.platform.db import Unit
from airledger.stations.models import FAILING, PLAYING, RETIRED, UNPROVEN, Geolocation, Stream
from airledger.stations.points import STATES
from api_house import House, add_stream


def place(unit: Unit, stream: Stream, latitude: float, longitude: float, radius_km: int = 25) -> int:
    unit.session.add(Geolocation(
        stream_id=stream.id, latitude=latitude, longitude=longitude, accuracy_radius_km=radius_km,
        geocoding_method="city", confidence_score=0.8,
    ))  # fmt: skip
    return stream.id


def unpacked(body: bytes) -> list[tuple[int, float, float, int, str, bool, int]]:
    """Read the layout of docs/formats/points.md, by the document and not by the writer."""
    assert body[:4] == b"APT1"
    (count,) = struct.unpack_from("<I", body, 4)
    assert len(body) == 8 + 15 * count
    ids = struct.unpack_from(f"<{count}I", body, 8)
    latitudes = struct.unpack_from(f"<{count}f", body, 8 + 4 * count)
    longitudes = struct.unpack_from(f"<{count}f", body, 8 + 8 * count)
    radii = struct.unpack_from(f"<{count}H", body, 8 + 12 * count)
    kinds = struct.unpack_from(f"<{count}B", body, 8 + 14 * count)
    return [
        (ids[n], latitudes[n], longitudes[n], radii[n], STATES[kinds[n] & 3], bool(kinds[n] & 4), kinds[n] >> 3 & 7)
        for n in range(count)
    ]


def test_every_placed_stream_is_there_with_its_state_kind_and_reliability(house: House) -> None:
    now = house.app.clock.now()
    with house.app.unit() as unit:
        suva = place(unit, add_stream(unit, now, 1, reliability_score=0.5), -18.125, 178.5)
        tv = place(unit, add_stream(unit, now, 2, state=FAILING, type="tv", reliability_score=0.0), 52.5, 13.5, 700)
        old = place(unit, add_stream(unit, now, 3, state=RETIRED, reliability_score=1.0), 0.0, 0.0, 99_999)
        add_stream(unit, now, 4, state=UNPROVEN)  # has no place
    answer = house.client.get("/api/v1/points", params={"all": "true"})
    assert unpacked(answer.content) == [
        (suva, -18.125, 178.5, 25, PLAYING, False, 4),
        (tv, 52.5, 13.5, 700, FAILING, True, 0),
        (old, 0.0, 0.0, 65_535, RETIRED, False, 7),
    ]


def test_filters_narrow_points_as_they_narrow_streams(house: House) -> None:
    now = house.app.clock.now()
    with house.app.unit() as unit:
        for number, country in enumerate(["DE", "DE", "FR"]):
            place(unit, add_stream(unit, now, number, country_code=country), 50, number)
    for params in ({"country": "fr"}, {"country": "DE"}, {"q": "station 1"}, {"bbox": "0.5,0,3,89"}, {}):
        rows = house.client.get("/api/v1/streams", params=params).json()
        found = unpacked(house.client.get("/api/v1/points", params=params).content)
        assert sorted(row[0] for row in found) == sorted(row["id"] for row in rows)
        assert found


def test_what_is_known_is_not_sent_again_until_it_changes(house: House) -> None:
    now = house.app.clock.now()
    with house.app.unit() as unit:
        place(unit, add_stream(unit, now), 1, 1)
    first = house.client.get("/api/v1/points")
    again = house.client.get("/api/v1/points", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    with house.app.unit() as unit:
        place(unit, add_stream(unit, now, 2), 2, 2)
    other = house.client.get("/api/v1/points", params={"all": "true"}, headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200
    assert len(unpacked(other.content)) == 2


def test_only_who_reads_gzip_gets_it(house: House) -> None:
    with house.app.unit() as unit:
        place(unit, add_stream(unit, house.app.clock.now()), 1, 1)
    plain = house.client.get("/api/v1/points", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    with house.client.stream("GET", "/api/v1/points", headers={"Accept-Encoding": "gzip"}) as squeezed:
        assert squeezed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(b"".join(squeezed.iter_raw())) == plain.content


def test_choices_count_what_matches_and_what_has_no_place(house: House) -> None:
    now = house.app.clock.now()
    with house.app.unit() as unit:
        place(unit, add_stream(unit, now, 1, language="german", codec="mp3"), 1, 1)
        add_stream(unit, now, 2, language="german", state=FAILING)
        add_stream(unit, now, 3, country_code="FR", language="french", codec="aac")
    every = house.client.get("/api/v1/choices", params={"all": "true"}).json()
    assert every == {
        "total": 3,
        "placeless": 2,
        "states": {"playing": 2, "failing": 1},
        "countries": [{"value": "DE", "count": 2}, {"value": "FR", "count": 1}],
        "languages": [{"value": "german", "count": 2}, {"value": "french", "count": 1}],
        "codecs": [{"value": "aac", "count": 1}, {"value": "mp3", "count": 1}],
    }
    german = house.client.get("/api/v1/choices", params={"all": "true", "language": "German"}).json()
    assert (german["total"], german["countries"]) == (2, [{"value": "DE", "count": 2}])
