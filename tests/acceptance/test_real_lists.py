"""All lists of `../shared` into the catalogue: time, memory, what became of every entry; again changes nothing."""

import gzip
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from acceptance.installation import Installation
from airledger.platform.db import Row
from airledger.stations.models import Geolocation, Listing, Station, Stream
from airledger.stations.urls import UrlRefusedError, canonical
from measured_run import Ran, run_measured
from servers.postgres import PostgresServer

pytestmark = pytest.mark.acceptance

LIMIT_S = 900
BAR_S = 60
PEAK_MIB = 500
CATALOGUE: tuple[type[Row], ...] = (Station, Stream, Geolocation)
COUNTS = ("added", "merged", "updated", "unchanged")


@pytest.fixture(params=["sqlite", "postgres"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Installation:
    if request.param == "sqlite":
        return Installation(tmp_path, is_demo=False)
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return Installation(tmp_path, server.url(server.create_database()), is_demo=False)


def urls_of_m3u(file: Path) -> list[str]:
    """Take addresses out as simply as can be."""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def urls_of_json(file: Path) -> list[str]:
    with gzip.open(file) as body:
        return [row["url"] for row in json.load(body)]


def spelling(url: str) -> str | None:
    try:
        return canonical(url)
    except UrlRefusedError:
        return None


def crawl(house: Installation, *sources: Path, account: Path | None = None) -> tuple[Ran, list[dict[str, Any]]]:
    kept = ["--account", str(account)] if account else []
    ran = run_measured(["crawl", *map(str, sources), *kept, "--json"], house.environment, LIMIT_S)
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


def test_all_rows_of_real_lists_are_read_and_reading_again_changes_nothing(
    house: Installation, shared: Path, tmp_path: Path
) -> None:
    lists = sorted((shared / "data/iptv-org/streams").glob("*.m3u"))
    files = [shared / "data/radio-browser/stations.json.gz", *lists]
    urls = [urls_of_json(files[0]), *(urls_of_m3u(file) for file in lists)]
    first, reports = crawl(house, *files, account=tmp_path / "first.jsonl")
    before = fingerprint(house)
    second, again = crawl(house, *files)
    for name, ran, told in (("first", first, reports), ("second", second, again)):
        figures = {key: sum(one[key] for one in told) for key in ("found", *COUNTS)}
        refused = sum((Counter(one["refused"]) for one in told), Counter())
        told_of = f"{ran.seconds:.1f} s, {ran.cpu_s:.1f} s of CPU, {ran.peak_mib:.0f} MiB"
        print(f"{name}: {len(told)} lists, {told_of}, {json.dumps(figures)}, refused {dict(refused)}")  # noqa: T201  to be shown
    print({table: count for table, (count, _) in before.items()})  # noqa: T201  to be shown

    assert [one["found"] for one in reports] == [len(one) for one in urls]
    for one in (*reports, *again):
        assert one["error"] is None
        assert one["found"] == sum(one[key] for key in COUNTS) + sum(one["refused"].values())
    # Every exact duplicate is merged: as many streams as there are different addresses, counted without us.
    assert before["streams"][0] == len({known for one in urls for url in one if (known := spelling(url))})
    assert fingerprint(house) == before
    assert [one["added"] + one["updated"] for one in again] == [0] * len(files)
    the_account_is_whole(tmp_path / "first.jsonl", reports)
    assert max(first.peak_mib, second.peak_mib) < PEAK_MIB
    assert max(first.cpu_s, second.cpu_s) < BAR_S


def the_account_is_whole(path: Path, reports: list[dict[str, Any]]) -> None:
    """Each entry has one line: taken as which stream, merged with which, or refused why."""
    told: Counter[tuple[str, str]] = Counter()
    with path.open(encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            told[line["source"], line["outcome"]] += 1
            assert line["where"]
            if line["outcome"] == "refused":
                assert line["reason"]
            else:
                assert line["stream_id"]
            if line["outcome"] == "merged":
                assert line["merged_with"]["source"]
    for one in reports:
        outcomes = {**{key: one[key] for key in COUNTS}, "refused": sum(one["refused"].values())}
        assert {key: told[one["source"], key] for key in outcomes} == outcomes
