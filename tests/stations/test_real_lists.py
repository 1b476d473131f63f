"""The real lists, where they lie beside the project: every entry accounted for, and a second crawl changes nothing."""

import gzip
import json
from pathlib import Path

import pytest
from sqlalchemy import func, select

from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.fetch import Fetcher
from airledger.platform.guard import AddressGuard
from airledger.stations.crawl import CrawlReport, crawl
from airledger.stations.models import Listing, Stream
from airledger.stations.reading import CrawlTarget
from airledger.stations.urls import UrlRefusedError, canonical


def read(database: Database, clock: SteppedClock, path: Path) -> CrawlReport:
    return crawl(database, clock, Fetcher(AddressGuard(), "test"), CrawlTarget.of(str(path)))


def catalogue(database: Database) -> list[object]:
    with database.read() as session:
        columns = (Stream.id, Stream.url, Stream.name, Stream.country_code, Stream.updated_at, Stream.search_text)
        return [tuple(row) for row in session.execute(select(*columns).order_by(Stream.id))]


def spelling(url: str) -> str | None:
    try:
        return canonical(url)
    except UrlRefusedError:
        return None


def test_all_real_lists(
    database: Database, clock: SteppedClock, shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    radio, television = shared / "data/radio-browser/stations.json.gz", shared / "data/iptv-org/streams"
    first = [read(database, clock, path) for path in (radio, television)]
    with capsys.disabled():
        for report in first:
            print(f"\n{json.dumps(report.to_json())}")  # noqa: T201  the figures are asked for
    for report in first:
        accounted = report.added + report.merged + report.updated + report.unchanged + report.refused.total()
        assert report.found == accounted
        assert report.error is None
    rows = json.loads(gzip.decompress(radio.read_bytes()))
    assert first[0].found == len(rows)
    assert first[0].added == len(set(filter(None, (spelling(row["url"]) for row in rows))))  # no duplicate is left
    before = catalogue(database)
    assert len(before) == sum(report.added for report in first)

    clock.step(3_600)
    again = [read(database, clock, path) for path in (radio, television)]
    assert [(report.added, report.updated) for report in again] == [(0, 0), (0, 0)]
    assert catalogue(database) == before
    with database.read() as session:
        seen = select(func.count()).where(Listing.last_seen == clock.now())
        assert session.scalar(seen) == session.scalar(select(func.count()).select_from(Listing))
