"""A real Icecast 2.4 announces its mounts to us, as it would to dir.xiph.org; they are served once they are proven."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from acceptance.installation import Installation
from airledger.stations.announcing.models import YpAnnouncement
from servers.debian import ServerUnavailableError
from servers.icecast import IcecastServer
from servers.process import wait_until

LIMIT_S = 120
NAME = "Hafenwelle Süd"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    settings = {
        "AIRLEDGER_ALLOW_NETWORKS": '["127.0.0.0/8"]',
        "AIRLEDGER_SOURCES": "[]",
        "AIRLEDGER_LISTEN_TO_ALL": "false",
        "AIRLEDGER_PROBE_SECONDS": "4",
    }
    installation = Installation(tmp_path, is_demo=False, settings=settings)
    yield installation
    installation.stop()


@pytest.fixture
def announcing(house: Installation) -> Iterator[IcecastServer]:
    try:
        server = IcecastServer(yp_url=f"{house.address}/yp")
    except ServerUnavailableError as error:
        pytest.skip(str(error))
    yield server
    server.close()


def announcements(house: Installation) -> list[YpAnnouncement]:
    database = house.database
    try:
        with database.read() as session:
            return list(session.scalars(select(YpAnnouncement).order_by(YpAnnouncement.added_at)))
    finally:
        database.close()


def served(house: Installation, **asked: str) -> list[dict[str, Any]]:
    answer = httpx.get(f"{house.address}/api/v1/streams", params=asked, trust_env=False)
    rows: list[dict[str, Any]] = answer.raise_for_status().json()
    return rows


def is_up(house: Installation) -> bool:
    try:
        return httpx.get(f"{house.address}/readyz", trust_env=False).is_success
    except httpx.TransportError:
        return False


def test_an_icecast_announces_itself_and_is_served_once_proven(house: Installation, announcing: IcecastServer) -> None:
    house.up()
    wait_until(lambda: is_up(house), "the installation answers", LIMIT_S)
    announcing.start()
    with announcing.feed("/live.mp3", "sine=frequency=440", "mp3", name=NAME, genre="jazz") as feed:
        wait_until(lambda: len(announcements(house)) == 1, "it is announced", LIMIT_S)
        (row,) = announcements(house)
        assert (row.listen_url, row.announced_from, row.is_own) == (feed.url, "127.0.0.1", True)
        # Nobody is served it before a proof: it is on the list of the doubtful at first.
        wait_until(lambda: [one["url"] for one in served(house)] == [feed.url], "it is proven and served", LIMIT_S)
        (stream,) = served(house)
        assert (stream["name"], stream["genre"], stream["type"]) == (NAME, "jazz", "radio")
        wait_until(lambda: announcements(house)[0].touches > 0, "it is touched", LIMIT_S)
        assert announcements(house)[0].ended_at is None
    wait_until(lambda: announcements(house)[0].ended_by == "removed", "it is taken back", LIMIT_S)
