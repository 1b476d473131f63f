"""Whose word each field is."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy import select

from airledger.stations.crawl import crawl
from airledger.stations.models import Stream
from airledger.stations.reading import CrawlTarget
from api_house import House


def read(house: House, path: Path, source: str, **said: Any) -> None:
    path.write_text(json.dumps([{"stationuuid": "u", "url": "http://a.example/live", **said}]))
    crawl(house.app.database, house.app.clock, house.app.fetcher, CrawlTarget(source, str(path)))


def test_every_field_names_its_sources(house: House, tmp_path: Path) -> None:
    read(house, tmp_path / "one.json", "one", name="Radio A", countrycode="GH", votes=5)
    read(house, tmp_path / "two.json", "two", name="A", bitrate=96, countrycode="GH")
    with house.app.read() as session:
        stream_id = session.scalars(select(Stream.id)).one()
    rows = house.client.get(f"/api/v1/streams/{stream_id}/provenance").raise_for_status().json()
    fields = {row["field"]: row for row in rows}
    name = fields["name"]
    assert name["value"] == "Radio A"
    assert [(one["source"], one["value"], one["stands"]) for one in name["said"]] == [
        ("one", "Radio A", True),
        ("two", "A", False),
    ]
    assert name["said"][0]["first_seen"] <= name["said"][0]["last_seen"]
    assert [one["stands"] for one in fields["country_code"]["said"]] == [True, True]
    assert fields["country_name"]["derived_from"] == "country_code"
    assert fields["bitrate"]["said"][0]["source"] == "two"
    assert fields["votes"]["value"] is None
    assert "genre" not in fields


def test_a_stream_that_is_not_there(house: House) -> None:
    assert house.client.get("/api/v1/streams/999/provenance").status_code == 404
