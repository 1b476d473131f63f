"""A real Icecast 2.4, fed by ffmpeg: found by its status page and a yp.xml, proven, heard, logged."""

import json
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acceptance.installation import Installation
from airledger.playlog.models import PlayLog
from airledger.testing.pcm import SONG_RATE_HZ
from airledger.testing.songs import SongFile, make_library, read_pcm
from icecast.witness import Witness
from servers.icecast import Feed, IcecastServer
from servers.process import wait_until

QUIET_S = 3
PART_S = 26
BITRATE_KBPS = 96
NAME = "Hafenwelle Süd"
TITLE = "Öffne dich - L'été"


@dataclass
class OnAir:
    """Two mounts of an Icecast, and an installation that may dial them."""

    server: IcecastServer
    song_feed: Feed
    tone_feed: Feed
    songs: list[SongFile]
    house: Installation

    def crawl(self, *arguments: str) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.house.run("crawl", *arguments, "--json"))
        return report

    def streams(self) -> dict[str, dict[str, Any]]:
        lines = self.house.run("streams", "--json").splitlines()
        return {row["url"]: row for row in map(json.loads, lines)}


def programme(folder: Path, songs: list[SongFile]) -> Path:
    """Write the beginnings of two songs, each behind silence, to be sent again and again."""
    silence = np.zeros(QUIET_S * SONG_RATE_HZ, np.int16)
    parts = [part for song in songs for part in (silence, read_pcm(song.path)[: PART_S * SONG_RATE_HZ])]
    path = folder / "programme.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SONG_RATE_HZ, 0, "NONE", ""))
        file.writeframes(np.concatenate(parts).tobytes())
    return path


@pytest.fixture
def on_air(icecast: IcecastServer, tmp_path: Path) -> Iterator[OnAir]:
    songs = make_library(tmp_path / "songs", seed=1, songs=2)
    sources = [{"name": "harbour", "type": "icecast_status", "url": icecast.status_url}]
    settings = {"AIRLEDGER_ALLOW_NETWORKS": '["127.0.0.0/8"]', "AIRLEDGER_SOURCES": json.dumps(sources)}
    (tmp_path / "data").mkdir()
    house = Installation(tmp_path / "data", is_demo=False, settings=settings)
    sent = programme(tmp_path, songs)
    with (
        icecast.feed("/songs.mp3", sent, "mp3", bitrate_kbps=BITRATE_KBPS, name=NAME, genre="pop") as song_feed,
        icecast.feed("/tone.ogg", "sine=frequency=440", "vorbis", name="Tone") as tone_feed,
    ):
        icecast.set_title("/songs.mp3", TITLE)
        yield OnAir(icecast, song_feed, tone_feed, songs, house)
        house.stop()


def test_a_real_icecast_is_found_proven_heard_and_logged(on_air: OnAir) -> None:
    house = on_air.house
    found_by_its_status_page(on_air)
    with Witness(on_air.song_feed.url, BITRATE_KBPS) as witness:
        house.up()
        house.run("library", "add", str(on_air.songs[0].path.parent), "--quiet")
        # While the installation proves and hears on its own:
        found_again_in_a_directory(on_air)
        proven_with_codec_and_title(on_air)
        plays = plays_of(house, 2, 120)
    onsets = witness.heard().onsets(QUIET_S - 0.5)
    # The first may have been under way when hearing began; the second was heard from its first sample.
    error_s = min((plays[1].started_at.timestamp() - onset for onset in onsets), key=abs)
    print(f"start error {error_s:+.3f} s")  # noqa: T201  the figure that is to be shown
    assert abs(error_s) < 1.0
    assert plays[0].recording_id != plays[1].recording_id


def found_by_its_status_page(on_air: OnAir) -> None:
    report = on_air.crawl(on_air.server.status_url, "--type", "icecast_status")
    assert (report["found"], report["added"], report["error"]) == (2, 2, None)


def found_again_in_a_directory(on_air: OnAir) -> None:
    report = on_air.crawl(on_air.server.publish_yp())
    assert (report["found"], report["added"], report["merged"]) == (2, 0, 2)
    streams = on_air.streams()
    assert streams.keys() == {on_air.song_feed.url, on_air.tone_feed.url}
    assert streams[on_air.song_feed.url]["name"] == NAME
    assert streams[on_air.song_feed.url]["genre"] == "pop"


def proven_with_codec_and_title(on_air: OnAir) -> None:
    urls = (on_air.song_feed.url, on_air.tone_feed.url)
    proofs = {row["url"]: row for row in map(json.loads, on_air.house.run("probe", *urls, "--json").splitlines())}
    song, tone = (proofs[url] for url in urls)
    assert song["is_healthy"]
    assert (song["codec"], song["stream_title"]) == ("mp3", TITLE)
    assert song["bandwidth_kbps"] == pytest.approx(BITRATE_KBPS, rel=0.1)
    assert tone["is_healthy"]
    assert tone["codec"] == "vorbis"


def plays_of(house: Installation, count: int, limit_s: float) -> list[PlayLog]:
    """Wait until so many plays are logged; return them, by start."""
    wait_until(lambda: len(house.plays()) >= count, f"{count} plays are in the log", limit_s)
    return house.plays()
