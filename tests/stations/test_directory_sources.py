"""Directories as sources: SHOUTcast's two, iptv-org with its database, web pages by selectors."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from airledger.platform.errors import ConfigurationError, InputError, LimitError
from airledger.stations.sources import html_child, html_directory
from airledger.stations.sources.base import Ask, Entry, Refused
from airledger.stations.sources.html_directory import HtmlDirectory
from airledger.stations.sources.iptv_org import IptvOrg
from airledger.stations.sources.iptv_org_database import read_database
from airledger.stations.sources.shoutcast_json import ShoutcastJson
from airledger.stations.sources.shoutcast_xml import ShoutcastXml
from stations.source_contract import SourceContract


class TestShoutcastXml(SourceContract):
    kind = "shoutcast_xml"
    good = (
        b'<?xml version="1.0" encoding="UTF-8"?><stationlist>'
        b'<tunein base="/sbin/tunein-station.pls" base-m3u="/sbin/tunein-station.m3u"></tunein>'
        b'<station name="Radio T" mt="audio/mpeg" id="1025" br="128" genre="Rock" genre2="Classic Rock"'
        b' logo="http://i.example/1.png" ct="A - B" lc="14"></station>'
        b'<station name="\xc3\x9cber" mt="audio/aacp" id="7" br="64" genre="Pop" ct="" lc="0"/></stationlist>'
    )
    endless = (b"<stationlist>", b'<station name="A" id="1" genre="Pop"/>')

    def listing(self, url: str) -> bytes:
        # A station is named by its id, never by an address of the file's choice: so the id is what may be absurd.
        return f'<stationlist><station name="A" id="{url}"/></stationlist>'.encode()

    def test_stations_are_found_at_the_tune_in_server(self) -> None:
        first, second = self.taken(self.good)
        assert first.url == "http://yp.shoutcast.com/sbin/tunein-station.pls?id=1025"
        assert (first.name, first.key, first.bitrate, first.codec) == ("Radio T", "1025", 128, "MP3")
        assert (first.tags, first.extra["current_song"]) == (("rock", "classic rock"), "A - B")
        assert (second.name, second.codec) == ("Über", "AAC+")

    def test_genres_and_searches_are_asked_for_one_by_one(self) -> None:
        adapter = ShoutcastXml().with_options({"key": "K", "genres": ["Rock", "R&B"], "searches": ["ghana"]})
        asks = [ask.url for ask in adapter.asks("http://api.example/legacy/")]
        assert asks == [
            "http://api.example/legacy/genresearch?k=K&genre=Rock",
            "http://api.example/legacy/genresearch?k=K&genre=R%26B",
            "http://api.example/legacy/stationsearch?k=K&search=ghana",
        ]
        assert next(ShoutcastXml(key="K").asks("http://api.example/legacy")).url.endswith("/legacy/Top500?k=K")

    def test_options_that_do_not_exist_or_fit_are_named(self) -> None:
        with pytest.raises(ConfigurationError, match=r"no option 'genre'.*genres, key"):
            ShoutcastXml().with_options({"genre": "Rock"})
        with pytest.raises(ConfigurationError, match="list of texts"):
            ShoutcastXml().with_options({"genres": "Rock"})


class TestShoutcastJson(SourceContract):
    kind = "shoutcast_json"
    good = json.dumps(
        [
            {"ID": 5, "Name": "Radio T", "Format": "audio/mpeg", "Bitrate": 128, "Genre": "Rock", "CurrentTrack": "A",
             "Listeners": 3, "IceUrl": "", "StreamUrl": None},
            {"ID": 6, "Name": "B", "Format": "audio/aacp", "Bitrate": 64, "StreamUrl": "http://b.example/live"},
        ]
    ).encode()  # fmt: skip
    endless = (b"[", b'{"ID":1,"Name":"A","Bitrate":1},')

    def listing(self, url: str) -> bytes:
        return json.dumps([{"ID": 1, "Name": "A", "Bitrate": 1, "StreamUrl": url}]).encode()

    def test_rows_are_read(self) -> None:
        first, second = self.taken(self.good)
        assert first.url == "http://yp.shoutcast.com/sbin/tunein-station.pls?id=5"
        assert (first.key, first.bitrate, first.codec, first.extra["listeners"]) == ("5", 128, "MP3", "3")
        assert (second.url, second.codec) == ("http://b.example/live", "AAC+")

    def test_the_missions_names_are_understood(self) -> None:
        row = {
            "URI": "http://a.example/",
            "Name": "A",
            "Mime": "audio/mpeg",
            "Country": "GH",
            "Website": "http://a.gh/",
        }
        (entry,) = self.taken(json.dumps([row]).encode())
        assert (entry.url, entry.codec, entry.country_code, entry.website) == (
            "http://a.example/",
            "MP3",
            "GH",
            "http://a.gh/",
        )

    def test_the_web_pages_own_requests_are_made(self) -> None:
        adapter = ShoutcastJson().with_options({"genres": ["Rock"], "searches": ["ghana"]})
        assert list(adapter.asks("https://directory.example")) == [
            Ask("https://directory.example/Home/BrowseByGenre", {"genrename": "Rock"}),
            Ask("https://directory.example/Search/UpdateSearch", {"query": "ghana"}),
        ]


def database_of(files: Mapping[str, str]) -> Any:
    empty = {
        "channels": "id,name,alt_names,network,owners,country,categories,is_nsfw,launched,closed,replaced_by,website\n",
        "feeds": "channel,id,name,alt_names,is_main,broadcast_area,timezones,languages,format\n",
        "blocklist": "channel,reason,ref\n",
        "languages": "code,name\n",
        "categories": "id,name,description\n",
        "cities": "country,subdivision,code,name,wikidata_id\n",
    }
    return read_database(lambda name: io.BytesIO((empty[name] + files.get(name, "")).encode()))


class TestIptvOrg(SourceContract):
    kind = "iptv_org"
    good = (
        b'#EXTM3U\r\n#EXTINF:-1 tvg-id="Joy.gh@HD",Joy (720p) [Geo-blocked]\r\nhttp://joy.example/a.m3u8\r\n'
        b'#EXTINF:-1 tvg-id="One.uk@SD",One [Not 24/7]\r\nhttp://one.example/b.m3u8\r\n'
        b'#EXTINF:-1 tvg-id="Bad.us@SD",Bad\r\nhttp://bad.example/c.m3u8\r\n'
    )
    endless = (b'#EXTM3U\n#EXTINF:-1 tvg-id="A.gh@SD",A\n', b"http://a/\n")

    def listing(self, url: str) -> bytes:
        return f'#EXTM3U\n#EXTINF:-1 tvg-id="A.gh@SD",A\n{url}\n#EXTINF:-1,B\nhttp://b/\n'.encode()

    def test_the_database_is_joined_by_channel_and_feed(self) -> None:
        known = database_of(
            {
                "channels": "Joy.gh,Joy TV,,Multimedia,,GH,news;general,FALSE,,,,https://joy.example/\n"
                "One.uk,One,,,,UK,,FALSE,,2020-01-01,,\n",
                "feeds": "Joy.gh,SD,SD,,TRUE,c/GH,Africa/Accra,eng,576i\n"
                "Joy.gh,HD,HD,,FALSE,ct/GHACC,Africa/Accra,eng;twi,720p\nOne.uk,HD,HD,,TRUE,c/UK,Europe/London,eng,\n",
                "blocklist": "Bad.us,dmca,https://x\n",
                "languages": "eng,English\ntwi,Twi\n",
                "categories": "news,News,\ngeneral,General,\n",
                "cities": "GH,GH-AA,GHACC,Accra,Q1\n",
            }
        )
        joy, one, bad = IptvOrg().joined_with(known).entries(io.BytesIO(self.good))
        assert isinstance(joy, Entry)
        assert isinstance(one, Entry)
        assert (joy.name, joy.country_code, joy.city, joy.language) == ("Joy", "GH", "Accra", "English, Twi")
        assert (joy.website, joy.tags, joy.genre) == ("https://joy.example/", ("news", "general"), "News, General")
        assert (joy.says_geo_blocked, joy.says_part_time) == (True, None)
        assert joy.extra["time_zone"] == "Africa/Accra"
        assert joy.extra["network"] == "Multimedia"
        # No feed SD: the main one's language; the United Kingdom is GB wherever we show it.
        assert (one.country_code, one.language, one.says_part_time) == ("GB", "English", True)
        assert one.extra["closed"] == "2020-01-01"
        assert bad == Refused("blocklist_dmca", "line 7")

    def test_without_the_database_entries_stand_as_listed(self) -> None:
        assert [entry.country_code for entry in self.taken(self.good)] == ["GH", "GB", "US"]

    def test_a_file_that_is_no_table_is_named(self) -> None:
        with pytest.raises(InputError, match=r"channels\.csv has no column"):
            read_database(lambda _: io.BytesIO(b"<html>not found</html>\nrow\n"))
        with pytest.raises(LimitError, match=r"channels\.csv has a line"):
            read_database(lambda _: io.BytesIO(b"a" * 1_000_000))


SELECTORS = """
rows = "ul.stations > li"
[fields]
url = "a.play@href"
name = "h2"
country_code = "img@class"
bitrate = "span.rate"
[match]
country_code = "flag-([a-z]{2})"
[fixed]
type = "radio"
"""
PAGE = (
    '<html><body><ul class="stations">'
    '<li><h2>Joy <b>FM</b></h2><a class="play" href="/live/joy.pls">play</a><img class="flag flag-gh">'
    '<span class="rate">64 kbps</span></li>'
    '<li><h2>B</h2><a class="play" href="http://b.example/live">play</a></li>'
    "<li><h2>Off the air</h2></li></ul></body></html>"
)


class TestHtmlDirectory(SourceContract):
    kind = "html_directory"
    good = (
        b'<html><body><p><a href="http://a.example/live.mp3">Radio <b>A</b></a> <a href="/imprint">Imprint</a>'
        b'<a href="http://b.example/b.pls?x=1">B\xc3\xa9</a></body></html>'
    )
    endless = (b"<html>", b'<a href="http://a/b.mp3">A</a>')
    is_sniffed = False

    @pytest.fixture(autouse=True)
    def parse_here(self, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
        # Hundreds of tries are made: the child's own function reads them, without a process for each.
        if "child" not in request.node.name:
            monkeypatch.setattr(html_directory, "_parsed_apart", html_child.answer)

    def listing(self, url: str) -> bytes:
        return f'<audio src="{url}"></audio>'.encode()

    def configured(self, tmp_path: Path, told: str = SELECTORS) -> HtmlDirectory:
        path = tmp_path / "selectors.toml"
        path.write_text(told)
        return HtmlDirectory().with_options({"selectors": str(path)})

    def test_a_child_reads_the_page_by_the_selector_file(self, tmp_path: Path) -> None:
        adapter = self.configured(tmp_path).at("https://directory.example/list?page=1")
        first, second, third = adapter.entries(io.BytesIO(PAGE.encode()))
        assert isinstance(first, Entry)
        assert isinstance(second, Entry)
        assert (first.url, first.name) == ("https://directory.example/live/joy.pls", "Joy FM")
        assert (first.country_code, first.bitrate, first.type) == ("GH", 64, "radio")
        assert (second.url, second.country_code) == ("http://b.example/live", None)
        assert third == Refused("no_url", "row 3")

    def test_a_child_that_a_page_keeps_busy_is_ended(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(html_directory, "CHILD_CPU_S", 1)
        with pytest.raises(LimitError, match="no parser gets through"):
            self.read(b"<a><b>" * 400_000)

    def test_a_page_larger_than_any_directory_is_refused(self) -> None:
        with pytest.raises(LimitError, match="8 MiB"):
            self.read(b"<p>" * (3 * 1024 * 1024))

    def test_pages_are_asked_for_until_one_is_empty(self, tmp_path: Path) -> None:
        asks = self.configured(tmp_path).asks("http://d.example/?p={page}")
        assert next(asks).url == "http://d.example/?p=1"
        assert asks.send(20).url == "http://d.example/?p=2"
        with pytest.raises(StopIteration):
            asks.send(0)

    @pytest.mark.parametrize(
        ("told", "wrong"),
        [
            ("rows = 'li'", "needs `rows` and a table `fields`"),
            ("rows = 'li'\n[fields]\nname = 'a'", "does not say where a row's url is"),
            ("rows = 'li'\n[fields]\nurl = 'a@href'\nstars = 'b'", "names 'stars'"),
            ("rows = 'li'\n[fields]\nurl = 'a@href'\n[match]\nurl = '('", "url: missing"),
            ("rows = ", "cannot be read"),
        ],
    )
    def test_a_selector_file_that_does_not_fit_is_named(self, tmp_path: Path, told: str, wrong: str) -> None:
        with pytest.raises(ConfigurationError, match=wrong):
            self.configured(tmp_path, told)

    def test_a_selector_that_is_none_is_told(self, tmp_path: Path) -> None:
        adapter = self.configured(tmp_path, "rows = 'li[['\n[fields]\nurl = 'a@href'")
        with pytest.raises(InputError, match="cannot be read"):
            list(adapter.entries(io.BytesIO(PAGE.encode())))
