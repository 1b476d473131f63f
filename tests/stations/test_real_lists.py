"""A slice of the real lists, where they lie beside the project (all of them: tests/acceptance/test_real_lists.py)."""

import gzip
import json
import shutil
from pathlib import Path

from airledger.platform.clock import SteppedClock
from airledger.platform.db import Database
from airledger.platform.fetch import Fetcher
from airledger.platform.guard import AddressGuard
from airledger.stations.crawl import CrawlReport, crawl
from airledger.stations.reading import CrawlTarget
from airledger.stations.urls import UrlRefusedError, canonical

ROWS = 2_000
FILES = 40


def read(database: Database, clock: SteppedClock, path: Path) -> CrawlReport:
    return crawl(database, clock, Fetcher(AddressGuard(), "test"), CrawlTarget.of(str(path)))


def spelling(url: str) -> str | None:
    try:
        return canonical(url)
    except UrlRefusedError:
        return None


def test_every_exact_duplicate_of_real_rows_is_merged(
    database: Database, clock: SteppedClock, shared: Path, tmp_path: Path
) -> None:
    rows = json.loads(gzip.decompress((shared / "data/radio-browser/stations.json.gz").read_bytes()))[:ROWS]
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(rows))
    report = read(database, clock, path)
    assert report.error is None
    assert report.found == ROWS
    assert report.added == len(set(filter(None, (spelling(row["url"]) for row in rows))))
    assert report.merged > 0
    assert report.added + report.merged + report.refused.total() == ROWS


def test_real_playlists_are_taken_but_for_what_no_browser_plays(
    database: Database, clock: SteppedClock, shared: Path, tmp_path: Path
) -> None:
    for file in sorted((shared / "data/iptv-org/streams").glob("*.m3u"))[:FILES]:
        shutil.copy(file, tmp_path)
    report = read(database, clock, tmp_path)
    assert report.error is None
    assert report.added > 1_000
    assert set(report.refused) <= {"unsupported_scheme"}
    again = read(database, clock, tmp_path)
    assert (again.added, again.updated, again.unchanged) == (0, 0, report.added)
