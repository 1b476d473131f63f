"""What `/streams` costs over 100,000 streams, on SQLite and PostgreSQL: CPU of the process that answers, and queries.

Run as `python -m bench.serving [--streams N]`. The rows are made, with the real catalogue's proportions of names,
countries and states where ../shared is at hand; each request is answered through the whole API without its one-second
cache, as a stranger's first request is.
"""

import argparse
import asyncio
import gzip
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from bench.results import write_row
from sqlalchemy import event, insert, text

from airledger.api.main import build_api
from airledger.app import Airledger
from airledger.platform.logging import configure_logging
from airledger.platform.settings import Settings
from airledger.platform.words import index_words
from airledger.stations.models import Geolocation, Stream

ROWS = Path(__file__).parents[2] / "shared" / "data" / "radio-browser" / "stations.json.gz"
COUNTRIES = ("DE", "US", "FR", "GB", "BR", "MX", "IT", "ES", "PL", "GH", "NG", "IN", "JP", "RU", "AR")
WORDS = ("Radio", "FM", "Hit", "Rock", "Jazz", "News", "Love", "Gold", "City", "Music", "Antenne", "Kiss", "Energy")
LIMIT_MS = 20.0
SHARE_PLAYING = 0.85
MOST_QUERIES = 2
REPEATS = 15
QUESTIONS = {
    "100 rows": "limit=100",
    "100 rows of one country": "limit=100&country=FR",
    "100 rows within 300 km": "limit=100&near=48.1,11.6&radius_km=300",
    "100 rows of 'jazz'": "limit=100&q=jazz",
    "100 rows of 'radio' (a word of most)": "limit=100&q=radio",
    "100 rows of 'radio b' (a beginning)": "limit=100&q=radio+b",
    "100 rows playable in a browser": "limit=100&playable_in=browser_https&min_bitrate=128",
    "100 rows changed since": "limit=100&changed_since=2026-01-01T00:00:00Z",
}


def names(count: int, chance: random.Random) -> Iterator[tuple[str, str]]:
    """Give names with countries: real ones where they are at hand, made ones else."""
    if ROWS.exists():
        real = [(row["name"], row["countrycode"]) for row in json.loads(gzip.decompress(ROWS.read_bytes()))]
        chance.shuffle(real)
        for number in range(count):
            yield real[number % len(real)]
        return
    for number in range(count):
        yield f"{chance.choice(WORDS)} {chance.choice(WORDS)} {number}", chance.choice(COUNTRIES)


def fill(app: Airledger, count: int) -> None:
    """Write streams, 85 % of them playing."""
    chance = random.Random(1)  # noqa: S311  the same rows each time
    now = datetime.now(UTC)
    rows, places = [], []
    for number, (name, country) in enumerate(names(count, chance), start=1):
        url = f"https://stream{number % 9_000}.example/live/{number}.mp3"
        tags = chance.sample(["pop", "rock", "jazz", "news", "talk", "80s", "classic", "dance"], 2)
        rows.append({
            "id": number, "uuid": UUID(int=chance.getrandbits(128), version=4), "url": url, "url_key": f"{number:064d}",
            "host": f"stream{number % 9_000}.example",
            "name": name, "type": "radio", "country_code": country, "country_name": country, "language": "german",
            "codec": chance.choice(["mp3", "aac"]), "bitrate": chance.choice([64, 128, 192, 320]), "website": url,
            "description": None, "tags": tags, "warnings": [], "is_active": True,
            "state": "playing" if chance.random() < SHARE_PLAYING else "failing",
            "reliability_score": chance.random() * 0.5 + 0.5, "quality_score": chance.random(),
            "last_checked": now, "last_success": now, "playable_in": ",browser_http,browser_https,native,",
            "created_at": now, "updated_at": now - timedelta(seconds=20 + number / 10),
            "search_text": index_words(name, [country, "german", url, *tags]),
        })  # fmt: skip
        places.append({
            "stream_id": number, "latitude": chance.uniform(-60, 70), "longitude": chance.uniform(-180, 180),
            "accuracy_radius_km": 25, "geocoding_method": "city", "confidence_score": 0.8,
        })  # fmt: skip
    for start in range(0, count, 5_000):
        with app.unit() as unit:
            unit.session.execute(insert(Stream), rows[start : start + 5_000])
            unit.session.execute(insert(Geolocation), places[start : start + 5_000])
    with app.database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))


def cpu_s() -> float:
    """CPU of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measure(app: Airledger, question: str) -> tuple[float, float, int]:
    """Return the median CPU and wall time of a request in ms, and its queries."""
    api = build_api(app)
    api.state.airledger.cache._keep_s = 0.0  # noqa: SLF001  every request is the first one
    counted: list[str] = []

    def note(*given: Any) -> None:
        if given[2].startswith("SELECT"):
            counted.append(given[2])

    event.listen(app.database.engine, "before_cursor_execute", note)
    transport = httpx.ASGITransport(api)
    cpu, wall = [], []
    async with httpx.AsyncClient(transport=transport, base_url="http://airledger.test") as client:
        for _ in range(REPEATS):
            counted.clear()
            began, began_cpu = time.perf_counter(), cpu_s()
            answer = await client.get(f"/api/v1/streams?{question}")
            cpu.append(cpu_s() - began_cpu)
            wall.append(time.perf_counter() - began)
            answer.raise_for_status()
    event.remove(app.database.engine, "before_cursor_execute", note)
    if not answer.json():
        raise SystemExit(f"{question} found nothing")
    return sorted(cpu)[REPEATS // 2] * 1000, sorted(wall)[REPEATS // 2] * 1000, len(counted)


def run(name: str, url: str, count: int) -> bool:
    """Fill a database and measure all questions on it."""
    folder = tempfile.TemporaryDirectory()
    with folder as data, Airledger.open(Settings(data=Path(data), database_url=url)) as app:
        fill(app, count)
        is_fine = True
        for what, question in QUESTIONS.items():
            cpu_ms, wall_ms, queries = asyncio.run(measure(app, question))
            write_row(
                f"/streams on {name}: {what} from {count:,}",
                f"{cpu_ms:.1f} ms of CPU, {wall_ms:.1f} ms in all, {queries} queries",
                f"< {LIMIT_MS:.0f} ms of CPU, 2 queries",
            )
            is_fine &= cpu_ms < LIMIT_MS and queries <= MOST_QUERIES
    return is_fine


@contextmanager
def postgresql() -> Iterator[str]:
    """Give the address of an empty database of a PostgreSQL of our own (the tests' server)."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from servers.postgres import PostgresServer  # type: ignore[import-not-found,unused-ignore]

    server = PostgresServer()
    server.start()
    try:
        yield server.url(server.create_database())
    finally:
        server.close()


def main() -> int:
    """Measure, write the rows of RESULTS.md, and say whether the limits hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=100_000)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    given = parser.parse_args()
    configure_logging("bench", level="WARNING", style="console")
    is_fine = True
    if given.only != "postgresql":
        is_fine &= run("SQLite", "", given.streams)
    if given.only != "sqlite":
        with postgresql() as url:
            is_fine &= run("PostgreSQL", url, given.streams)
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main())
