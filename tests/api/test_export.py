"""The catalogue as a file: what the formats hold, and that players open them."""

import csv
import io
import json
import shutil
import subprocess
import tracemalloc
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import imageio_ffmpeg
import pytest
from PIL import Image
from sqlalchemy import insert
from typer.testing import CliRunner

from airledger.cli.main import app as command
from airledger.stations.directory.logos import make_pictures, object_key
from airledger.stations.directory.models import Logo
from airledger.stations.models import PLAYING, Listing, Station, Stream
from airledger.stations.tuner.playlists import entries
from api.catalogue_rows import add_catalogue
from api_house import House, add_stream
from raw_http import raw_server
from servers.debian import ServerUnavailableError, binary

HOSTILE = 'A "quoted", name\r\n#EXTINF:-1,Forged\nhttp://forged.test/ <b>&'


@pytest.fixture
def stocked(house: House) -> House:
    with house.app.unit() as unit:
        rows = add_catalogue(unit, house.app.clock)
        now = house.app.clock.now()
        unit.session.add(Listing(
            stream_id=rows[-1].id, source="iptv", source_key="x", claims={"tvg_id": "Sept.fr"}, first_seen=now,
            last_seen=now,
        ))  # fmt: skip
    return house


def exported(house: House, form: str, query: str = "") -> str:
    answer = house.client.get(f"/api/v1/export.{form}{query}")
    assert answer.status_code == 200, answer.text
    assert f'filename="airledger.{form}"' in answer.headers["Content-Disposition"]
    return answer.text


def test_every_format_holds_what_the_filter_wants(stocked: House) -> None:
    assert exported(stocked, "m3u", "?country=de").count("#EXTINF") == 1
    assert exported(stocked, "m3u", "?country=de&all=true").count("#EXTINF") == 2
    assert exported(stocked, "pls", "?q=jazz").count("File") == 2
    assert len(ET.fromstring(exported(stocked, "xspf")).findall(".//{http://xspf.org/ns/0/}track")) == 4  # noqa: S314
    assert len(ET.fromstring(exported(stocked, "opml")).findall(".//outline")) == 4  # noqa: S314
    assert [row["name"] for row in json.loads(exported(stocked, "json", "?country=pl"))] == ["Radio Łódź Jazz"]
    [row] = csv.DictReader(io.StringIO(exported(stocked, "csv", "?country=pl")))
    assert (row["name"], row["latitude"], row["tags"]) == ("Radio Łódź Jazz", "51.77", "jazz,smooth jazz")
    assert stocked.client.get("/api/v1/export.exe").status_code == 422


def test_channels_have_a_guide_by_the_same_ids(stocked: House) -> None:
    playlist = exported(stocked, "m3u", "?type=tv")
    assert 'url-tvg="http://airledger.test/api/v1/export.xmltv?type=tv"' in playlist
    assert 'tvg-id="Sept.fr"' in playlist
    [channel] = ET.fromstring(exported(stocked, "xmltv")).findall("channel")  # noqa: S314  our own
    assert channel.attrib["id"] == "Sept.fr"
    assert channel.findtext("display-name") == '=Télé "Sept", the & channel'


def test_a_strangers_name_forges_nothing(house: House) -> None:
    with house.app.unit() as unit:
        add_stream(unit, house.app.clock.now(), name=HOSTILE, logo='http://x/"a', reliability_score=0.9)
    lines = exported(house, "m3u").splitlines()
    assert len([line for line in lines if line.startswith("#EXTINF")]) == 1
    assert [line for line in lines if not line.startswith("#")] == ["http://station.test/1"]
    assert exported(house, "pls").count("\nFile") == 1
    for form in ("xspf", "opml"):
        ET.fromstring(exported(house, form))  # noqa: S314  our own
    with house.app.unit() as unit:
        add_stream(unit, house.app.clock.now(), 2, name="=HYPERLINK(1)", reliability_score=0.9)
    names = [row["name"] for row in csv.DictReader(io.StringIO(exported(house, "csv")))]
    assert "'=HYPERLINK(1)" in names


def test_memory_does_not_grow_with_the_list(house: House) -> None:
    """20,000 rows are 20 MB of JSON; what is held at a time stays far below."""
    now = house.app.clock.now()
    with house.app.unit() as unit:
        rows: list[dict[str, Any]] = [
            {"url": f"http://s.test/{n}", "url_key": str(n), "host": "s.test", "name": f"S{n}", "tags": [],
             "warnings": [], "state": PLAYING, "search_text": "", "description": "x" * 200, "created_at": now,
             "updated_at": now}
            for n in range(20_000)
        ]  # fmt: skip
        unit.session.execute(insert(Stream), rows)
    del rows
    runner = CliRunner()
    target = house.app.settings.data / "out.json"
    tracemalloc.start()
    done = runner.invoke(
        command, ["export", "-f", "json", "-o", str(target)], env={"AIRLEDGER_DATA": str(house.app.settings.data)}
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert done.exit_code == 0, done.output
    assert len(json.loads(target.read_text())) == 20_000
    assert target.stat().st_size > 15_000_000
    assert peak < 12_000_000


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("sound") / "tone.mp3"
    made = ["-f", "lavfi", "-i", "sine=440:duration=3", "-b:a", "64k", "-y", str(path)]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *made], check=True)
    return path.read_bytes()


@pytest.mark.parametrize("form", ["m3u", "pls"])  # mpv reads no XSPF
def test_mpv_plays_what_is_exported(house: House, tmp_path: Path, form: str, sound: bytes) -> None:
    """mpv reads the playlist and opens each of its addresses with FFmpeg."""
    try:
        mpv = shutil.which("mpv") or str(binary("mpv", "mpv"))
    except ServerUnavailableError as error:
        pytest.skip(str(error))
    with raw_server() as server:
        urls = [server.on(f"/{n}.mp3", lambda talk: talk.answer(sound, Content_Type="audio/mpeg")) for n in (1, 2)]
        with house.app.unit() as unit:
            for number, url in enumerate(urls):
                add_stream(unit, house.app.clock.now(), number, url=url, name=f"Tone, {number}", reliability_score=0.9)
        playlist = tmp_path / f"list.{form}"
        playlist.write_text(exported(house, form))
        told = subprocess.run(
            [mpv, "--no-config", "--no-video", "--ao=null", "--ao-null-untimed", "--untimed", "--load-unsafe-playlists",
             "--msg-level=all=info", str(playlist)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert told.returncode == 0, told.stdout + told.stderr
        assert {talk.path for talk in server.requests} == {"/1.mp3", "/2.mp3"}


@pytest.mark.parametrize("form", ["m3u", "pls", "xspf"])
def test_ffmpeg_opens_every_address_of_a_playlist(house: House, form: str, sound: bytes) -> None:
    """FFmpeg alone reads no playlists but HLS; its addresses it must open."""
    with raw_server() as server:
        url = server.on("/live", lambda talk: talk.answer(sound, Content_Type="audio/mpeg"))
        with house.app.unit() as unit:
            add_stream(unit, house.app.clock.now(), url=url, reliability_score=0.9)
        [found] = entries(form, exported(house, form), server.base)
        subprocess.run(
            [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-xerror", "-i", found, "-f", "null", "-"], check=True
        )


def test_a_station_shows_its_logo_or_its_initials(stocked: House) -> None:
    drawn = stocked.client.get("/api/v1/stations/1/logo")
    assert (drawn.headers["Content-Type"].split(";")[0], drawn.status_code) == ("image/svg+xml", 200)
    written = io.BytesIO()
    Image.new("RGB", (300, 300), "red").save(written, "PNG")
    for size, picture in zip((64, 128, 256), make_pictures(written.getvalue()), strict=True):
        stocked.app.storage.put(object_key("abc", size), picture)
    now = stocked.app.clock.now()
    with stocked.app.unit() as unit:
        unit.session.query(Stream).filter(Stream.station_id == 1).update({"logo": "http://x.test/logo.png"})
        unit.session.add(Logo(url="http://x.test/logo.png", digest="abc", looked_at=now, look_again_at=now))
        assert unit.session.get(Station, 1) is not None
    logo = stocked.client.get("/api/v1/stations/1/logo?size=256")
    assert logo.headers["Content-Type"] == "image/webp"
    assert Image.open(io.BytesIO(logo.content)).size == (256, 256)
    assert "max-age=604800" in logo.headers["Cache-Control"]
    again = stocked.client.get("/api/v1/stations/1/logo?size=256", headers={"If-None-Match": logo.headers["ETag"]})
    assert again.status_code == 304
    assert stocked.client.get("/api/v1/stations/1/logo?size=4000").status_code == 422
