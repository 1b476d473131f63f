"""Music that our library does not know is on air; an outside service that knows it names it, and it is logged in time.

The service on loopback speaks ACRCloud's protocol and really listens: it has the songs, our library has none. So what
is shown is the whole way: heard, kept as unknown, judged to be music, asked about within the budget, logged at its
true time, under its ISRC.
"""

import csv
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from acceptance.installation import Installation
from airledger.fingerprint.index import Index
from airledger.fingerprint.match import match
from airledger.fingerprint.params import PROFILES
from airledger.fingerprint.peaks import extract
from airledger.listening.models import AudioDetection
from airledger.playlog.models import PlayLog
from airledger.recognition.decode import decode_file
from airledger.recognition.outside.models import OutsideCall
from airledger.recognition.outside.sample import read_wav
from airledger.repertoire.models import Recording
from airledger.testing.band import BAND
from airledger.testing.scripted_acrcloud import ScriptedAcrCloud, music_item
from airledger.testing.transmitter import Transmitter
from servers.process import wait_until

pytestmark = pytest.mark.acceptance

HEARD = ("savana", "table-bay")
SONGS = 4
LIMIT_S = 900
PARAMS = PROFILES["balanced"]
SLACK_S = 3.0
SURE = 0.9


@dataclass
class Ears:
    """What the service knows: songs by number, and an index of them."""

    index: Index
    songs: list[dict[str, str]]
    turn: threading.Lock

    def listen(self, sample: bytes) -> list[dict[str, Any]] | None:
        """Say which song a sample is from, and from which place of it."""
        pcm = read_wav(sample)
        with self.turn:
            found = match(self.index, extract(pcm, PARAMS, dense="query"), limit=1)
        if not found or found[0].score < SURE:
            return None
        best, song = found[0], self.songs[found[0].track]
        first_ms = round(best.first_s * 1000)
        return [
            music_item(
                song["title"],
                song["artist"],
                isrc=song["isrc"],
                score=100,
                acrid=song["file"],
                duration_ms=int(song["duration_ms"]),
                sample_begin_time_offset_ms=first_ms,
                sample_end_time_offset_ms=round(best.last_s * 1000),
                db_begin_time_offset_ms=round((best.offset_s + best.first_s * best.speed) * 1000),
            )
        ]


@pytest.fixture(scope="module")
def band(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Transmitter]:
    stations = [station for station in BAND if station.key in HEARD]
    with Transmitter(tmp_path_factory.mktemp("band"), songs=SONGS, stations=stations) as transmitter:
        yield transmitter


@pytest.fixture(scope="module")
def cloud(band: Transmitter, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptedAcrCloud]:
    rows = list(csv.DictReader((band.songs_folder / "library.csv").read_text(encoding="utf-8").splitlines()))
    index = Index.create(tmp_path_factory.mktemp("ears") / "index", PARAMS)
    index.add(
        {
            number: extract(decode_file(band.songs_folder / row["file"]).pcm, PARAMS, dense="reference")
            for number, row in enumerate(rows)
        }
    )
    scripted = ScriptedAcrCloud()
    scripted.listen = Ears(index, rows, threading.Lock()).listen
    with scripted.service:
        yield scripted


@pytest.fixture(scope="module")
def house(
    band: Transmitter, cloud: ScriptedAcrCloud, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    sources = [{"name": "band", "type": "radio_browser", "url": band.base}]
    settings = {
        "AIRLEDGER_ALLOW_NETWORKS": '["127.0.0.0/8"]',
        "AIRLEDGER_SOURCES": json.dumps(sources),
        "AIRLEDGER_ACRCLOUD_BASE_URL": cloud.service.url,
        "ACRCLOUD_ACCESS_KEY": "key",
        "ACRCLOUD_ACCESS_SECRET": "secret",
        "AIRLEDGER_MUSICBRAINZ_URL": "",
        "AIRLEDGER_ACRCLOUD_PRICE_MICROS": "4000",
    }
    house = Installation(tmp_path_factory.mktemp("house"), is_demo=False, settings=settings)
    house.up()
    try:
        house.link()  # printed once everything is set up
        yield house
    finally:
        house.stop()


def named(house: Installation) -> list[tuple[PlayLog, Recording]]:
    database = house.database
    try:
        with database.read() as session:
            rows = session.execute(
                select(PlayLog, Recording)
                .join(Recording, Recording.id == PlayLog.recording_id)
                .where(PlayLog.detection_source == "acrcloud")
            )
            return [(play, recording) for play, recording in rows]
    finally:
        database.close()


def test_what_only_the_outside_knows_is_logged_at_its_true_time(
    house: Installation, band: Transmitter, cloud: ScriptedAcrCloud
) -> None:
    wait_until(lambda: len(named(house)) >= 2, "two plays that the outside named", LIMIT_S)
    songs = band.truth().songs()
    for play, recording in named(house):
        aired = [one for one in songs if one.recording == recording.isrc]
        begin_s, end_s = play.started_at.timestamp(), play.ended_at.timestamp()
        inside = [
            one.clock.time_of(one.first) - SLACK_S <= begin_s and end_s <= one.clock.time_of(one.last) + SLACK_S
            for one in aired
        ]
        assert any(inside), (recording.title, begin_s, end_s)
    database = house.database
    with database.read() as session:
        calls = session.scalars(select(OutsideCall)).all()
        detections = session.scalars(select(AudioDetection)).all()
    database.close()
    assert len(calls) == len(cloud.service.asked)
    assert sum(call.cost_micros for call in calls) == sum(
        {"hit": 4_000, "none": 2_000}.get(call.outcome, 0) for call in calls
    )
    assert {row.detection_source for row in detections} == {"acrcloud"}
    assert all(row.pro_affiliation == "ghamro (presumed)" for row in detections if row.pro_affiliation)
    told = json.loads(house.run("outside", "status", "--json"))
    assert told["providers"][0]["requests"] == len(calls)
