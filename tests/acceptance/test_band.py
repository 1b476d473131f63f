"""Thirty minutes of the demo band, held against what was really aired.

The embedded run is resumable: interrupted, it goes on in its folder where it was, and the gap is coverage.
"""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from acceptance.installation import Installation, with_songs
from servers.postgres import PostgresServer
from servers.process import wait_until
from servers.redis import RedisServer

pytestmark = pytest.mark.acceptance
CACHE = Path(os.environ.get("AIRLEDGER_SONGS_CACHE", tempfile.gettempdir())) / "airledger-demo-songs"
KEPT = Path(__file__).resolve().parents[2] / ".cache" / "acceptance" / "band"
MINUTES = float(os.environ.get("AIRLEDGER_BAND_MINUTES", "30"))
PLAYS_PER_MINUTE = 5  # 150 in 30 minutes


@pytest.fixture(params=["embedded", "grown"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Installation]:
    if request.param == "embedded":
        house = Installation(KEPT if KEPT.exists() else with_songs(KEPT, CACHE))
    else:
        postgres: PostgresServer = request.getfixturevalue("postgres_server")
        redis: RedisServer = request.getfixturevalue("redis_server")
        house = Installation(with_songs(tmp_path, CACHE), postgres.url(postgres.create_database()), redis.url)
    house.up()
    try:
        yield house
    finally:
        house.stop()


def heard_s(house: Installation) -> float:
    """How long the station that was heard longest was heard, over all starts."""
    seconds: Counter[int] = Counter()
    for one in house.coverage("heard"):
        seconds[one.stream_id] += round((one.ended_at - one.started_at).total_seconds())
    return max(seconds.values(), default=0)


def test_the_log_is_the_truth(house: Installation) -> None:
    house.wait_for_plays(1)
    wait_until(lambda: heard_s(house) >= MINUTES * 60, "the time is heard", MINUTES * 60 + 300, poll_s=5)
    report = house.score()
    print(report)  # noqa: T201  the figures that are to be shown
    assert report["aired"] >= PLAYS_PER_MINUTE * (MINUTES - 3)
    assert report["false_plays"] == 0, report["wrong"]
    assert report["recall"] >= 0.97, report["missed"]
    assert report["recall_fast"] is None or report["recall_fast"] >= 0.90, report["missed"]
    assert report["start_error_p50_s"] <= 0.5
    assert report["start_error_p95_s"] <= 3.0
    assert all(one["right"] for one in report["bad_stations"]), report["bad_stations"]
    assert "database is locked" not in (house.folder / "up.log").read_text(errors="replace")
    if house.folder == KEPT:
        house.stop()
        shutil.rmtree(KEPT)
