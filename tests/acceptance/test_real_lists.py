"""All rows of two real directories into the catalogue: how many seconds, how much memory; again changes nothing."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from acceptance.installation import Installation
from airledger.platform.db import Row
from airledger.stations.models import Geolocation, Listing, Station, Stream
from measured_run import Ran, run_measured
from servers.postgres import PostgresServer

pytestmark = pytest.mark.acceptance

LIMIT_S = 900
PEAK_MIB = 600
CATALOGUE: tuple[type[Row], ...] = (Station, Stream, Geolocation)
COUNTS = ("added", "merged", "updated", "unchanged")


@pytest.fixture(params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Installation:
    if request.param == "sqlite":
        return Installation(tmp_path, is_demo=False)
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return Installation(tmp_path, server.url(server.create_database()), is_demo=False)


def rows_of_m3u(folder: Path) -> int:
    """Count addresses as simply as can be."""
    lines = (line for file in folder.rglob("*.m3u") for line in file.read_bytes().splitlines())
    return sum(bool(line.strip()) and not line.startswith(b"#") for line in lines)


def rows_of_json(file: Path) -> int:
    with gzip.open(file) as body:
        return len(json.load(body))


def crawl(house: Installation, *sources: Path) -> tuple[Ran, list[dict[str, Any]]]:
    ran = run_measured(["crawl", *map(str, sources), "--json"], house.environment, LIMIT_S)
    assert ran.code == 0, ran.err[-3000:]
    return ran, [json.loads(line) for line in ran.out.splitlines()]


def fingerprint(house: Installation) -> dict[str, tuple[int, str]]:
    """Return how many rows each table of the catalogue has, and a hash over all their columns."""
    database, found = house.database, {}
    with database.read() as session:
        for model in CATALOGUE:
            table = model.metadata.tables[model.__tablename__]
            digest, count = hashlib.sha256(), 0
            for row in session.execute(select(table).order_by(*table.primary_key.columns)).yield_per(5_000):
                digest.update(repr(tuple(row)).encode())
                count += 1
            found[table.name] = (count, digest.hexdigest())
        assert session.scalar(select(func.count()).select_from(Listing))
    database.close()
    return found


def test_all_rows_of_real_lists_are_read_and_reading_again_changes_nothing(house: Installation, shared: Path) -> None:
    m3u, radio_browser = shared / "data/iptv-org/streams", shared / "data/radio-browser/stations.json.gz"
    expected = [rows_of_m3u(m3u), rows_of_json(radio_browser)]
    first, reports = crawl(house, m3u, radio_browser)
    before = fingerprint(house)
    second, again = crawl(house, m3u, radio_browser)
    for name, ran, told in (("first", first, reports), ("second", second, again)):
        figures = {one["source"]: {**{key: one[key] for key in COUNTS}, "refused": one["refused"]} for one in told}
        print(f"{name}: {ran.seconds:.1f} s, {ran.peak_mib:.0f} MiB, {json.dumps(figures)}")  # noqa: T201  to be shown
    print({table: count for table, (count, _) in before.items()})  # noqa: T201  to be shown

    assert [one["found"] for one in reports] == expected
    for one in (*reports, *again):
        assert one["error"] is None
        assert one["found"] == sum(one[key] for key in COUNTS) + sum(one["refused"].values())
    assert before["streams"][0] == sum(one["added"] for one in reports)
    assert fingerprint(house) == before
    assert [one["added"] + one["updated"] for one in again] == [0, 0]
    assert max(first.peak_mib, second.peak_mib) < PEAK_MIB
