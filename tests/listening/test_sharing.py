"""Several listener processes share the stations of one installation."""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import select

from airledger.listening.models import ListeningSession
from airledger.stations.models import PLAYING, Stream
from listening_house import House

DEADLINE_S = 90.0
SCRIPT = Path(__file__).with_name("quiet_listener.py")
STATIONS, MOST = 9, 4
TURNS = timedelta(seconds=4)  # longer than one turn of leases


def add_stations(house: House, count: int) -> None:
    now = house.clock.now()
    with house.database.unit() as unit:
        for number in range(count):
            stream = Stream(
                url=f"http://station.test/{number}", url_key=f"k{number}", host="station.test", search_text="", tags=[],
                warnings=[], state=PLAYING, has_sound=True, created_at=now, updated_at=now,
            )  # fmt: skip
            unit.session.add(stream)
            unit.session.flush()
            row = ListeningSession(
                session_id=uuid4(),
                organisation_id=house.organisation_id,
                stream_id=stream.id,
                status="waiting",
                config={},
            )
            unit.session.add(row)


def holders(house: House) -> Counter[int]:
    """How many sessions each process holds."""
    with house.database.read() as session:
        names = session.scalars(select(ListeningSession.listener)).all()
    return Counter(int(name.rsplit("-", 2)[1]) for name in names if name is not None)


def leases(house: House) -> list[datetime]:
    with house.database.read() as session:
        return [until for until in session.scalars(select(ListeningSession.lease_until)) if until is not None]


def begun(house: House) -> list[object]:
    """When each session was taken."""
    with house.database.read() as session:
        return list(session.scalars(select(ListeningSession.started_at).order_by(ListeningSession.session_id)))


def wait_for(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not is_true():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.1)


def test_three_share_the_stations_and_a_killed_ones_are_taken_over(house: House) -> None:
    add_stations(house, STATIONS - 1)
    command = [sys.executable, str(SCRIPT), f"sqlite:///{house.folder}/a.db", str(house.folder), str(MOST)]
    processes = [subprocess.Popen(command) for _ in range(3)]
    try:
        wait_for(lambda: sum(holders(house).values()) == STATIONS)
        assert max(holders(house).values()) <= MOST
        shared, leased_until = begun(house), max(leases(house)) + TURNS
        wait_for(lambda: min(leases(house)) > leased_until)
        assert begun(house) == shared, "what is heard is not begun anew"
        killed = next(one for one in processes if holders(house)[one.pid])
        left = [one.pid for one in processes if one is not killed]
        killed.kill()
        killed.wait()
        wait_for(lambda: [holders(house)[pid] for pid in left] == [MOST, MOST])
        assert holders(house)[killed.pid] <= STATIONS - 2 * MOST
    finally:
        for one in processes:
            one.kill()
            one.wait()
