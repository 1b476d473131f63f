import importlib
import io
import json
import pkgutil
from typing import Any

import pytest

import airledger.stations.sources
from airledger.platform.errors import InputError, LimitError
from airledger.stations.sources import SOURCE_FILES, sniff, source_file, text_lines
from airledger.stations.sources.base import Ask, Entry, Refused, coordinates, country, kbps, tags, text
from airledger.stations.sources.icecast_status import IcecastStatus
from stations.source_contract import SourceContract, adapters_without


class TestM3u(SourceContract):
    kind = "m3u"
    good = (
        '\ufeff#EXTM3U url-tvg="http://a/, b"\r\n'
        '#EXTINF:-1 tvg-id="Radio1.uk" tvg-logo="http://a/l.png" group-title="News;Rock, hard" radio="true"'
        ",Eins, zwei\r\n"
        "#EXTVLCOPT:http-user-agent=VLC\r\n#EXTVLCOPT:http-referrer=http://ref/\r\nhttp://one.example/a\r\n\r\n"
        '#EXTINF:-1 tvg-id="Tv.gh" tvg-name="Say "Hi" Ann" tvg-language="Twi;English"'
        ",Tv (720p) [Geo-blocked] [Not 24/7]\n"
        "#EXTGRP:Local\n#KODIPROP:inputstream.adaptive.stream_headers=User-Agent=Kodi&X=1\nhttp://two.example/b.m3u8"
    ).encode()
    endless = (b"#EXTM3U\n", b"#EXTINF:-1,A\nhttp://example.com/a\n")

    def listing(self, url: str) -> bytes:
        return f"#EXTM3U\n#EXTINF:-1,A\n{url}\n#EXTINF:-1,B\nhttp://b/\n".encode()

    def test_every_attribute_is_read(self) -> None:
        radio, channel = self.taken(self.good)
        assert (radio.name, radio.type, radio.country_code) == ("Eins, zwei", "radio", "GB")
        assert radio.genre == "News, Rock, hard"
        assert radio.tags == ("news", "rock", "hard")
        assert radio.logo == "http://a/l.png"
        assert radio.headers == {"User-Agent": "VLC", "Referer": "http://ref/"}
        assert (channel.name, channel.type, channel.country_code) == ("Tv", "tv", "GH")
        assert channel.genre == "Local"
        assert channel.language == "Twi, English"
        assert channel.headers == {"User-Agent": "Kodi"}
        assert (channel.says_geo_blocked, channel.says_part_time, radio.says_part_time) == (True, True, None)
        assert channel.extra == {"labels": ["Not 24/7", "Geo-blocked"], "height_px": 720, "tvg_id": "Tv.gh"}

    def test_a_plain_list_is_unwrapped(self) -> None:
        entries = self.taken(b"http://a/1\n\nhttps://b/2\r\n")
        assert [(entry.url, entry.name, entry.type) for entry in entries] == [
            ("http://a/1", None, None),
            ("https://b/2", None, None),
        ]

    def test_the_country_may_be_named(self) -> None:
        assert self.taken(b'#EXTINF:-1 tvg-country="DE;AT" tvg-id="X.fr",X\nhttp://a/')[0].country_code == "DE"

    def test_latin_1_is_read_where_utf_8_is_not(self) -> None:
        assert self.taken("#EXTINF:-1,Café\nhttp://a/".encode("latin-1"))[0].name == "Café"

    def test_a_title_without_attributes_keeps_its_signs(self) -> None:
        assert self.taken(b"#EXTINF:-1,A (ATV | Canal 28), x=y\nhttp://a/")[0].name == "A (ATV | Canal 28), x=y"

    def test_attributes_without_quotes_and_quotes_without_end(self) -> None:
        assert self.taken(b"#EXTINF:-1 tvg-country=DE radio=true,A, B\nhttp://a/")[0].country_code == "DE"
        assert self.taken(b"#EXTINF:-1 tvg-country=DE radio=true,A, B\nhttp://a/")[0].name == "A, B"
        assert self.taken(b'#EXTINF:-1 tvg-name="A,B\nhttp://a/')[0].name == "A,B"

    @pytest.mark.parametrize("piece", [b"a", b'a="!', b'a="', b"a=", b'"', b",", b'",'])
    def test_a_line_of_one_sign_does_not_hold_us_up(self, piece: bytes) -> None:
        line = b"#EXTINF:-1 " + piece * (60_000 // len(piece)) + b"\nhttp://a/\n"
        assert len(self.taken(line * 20)) == 20

    def test_headers_from_json(self) -> None:
        entry = self.taken(b'#EXTINF:-1,A\n#EXTHTTP:{"user-agent":"J","cookie":"c"}\nhttp://a/')[0]
        assert entry.headers == {"User-Agent": "J"}

    def test_a_line_that_is_too_long_spoils_its_entry_alone(self) -> None:
        body = b"#EXTINF:-1," + b"x" * 200_000 + b"\nhttp://a/\n#EXTINF:-1,B\nhttp://b/\n"
        first, second = self.read(body)
        assert first == Refused("line_too_long", "line 2")
        assert isinstance(second, Entry)

    def test_an_address_that_is_too_long_spoils_no_other_entry(self) -> None:
        body = b"#EXTINF:-1,A\nhttp://a/" + b"x" * 200_000 + b"\n#EXTINF:-1,B\nhttp://b/\n"
        first, second = self.read(body)
        assert first == Refused("line_too_long", "line 2")
        assert isinstance(second, Entry)
        assert second.name == "B"

    def test_lines_beyond_what_any_list_needs_end_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(text_lines, "MAX_LINES", 3)
        assert len(self.read(b"http://a/\n" * 3)) == 3
        with pytest.raises(LimitError, match="more than 3 lines"):
            self.read(b"http://a/\n" * 4)

    def test_an_hls_playlist_is_no_list_of_streams(self) -> None:
        with pytest.raises(InputError, match="HLS"):
            self.read(b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\na.ts\n")

    def test_an_entry_without_an_address_is_told(self) -> None:
        assert self.read(b"#EXTM3U\n#EXTINF:-1,A") == [Refused("no_url", "at the end")]


class TestIcecastYp(SourceContract):
    kind = "icecast_yp"
    good = (
        b'<?xml version="1.0" encoding="UTF-8"?><directory>'
        b"<entry><server_name>Radio T</server_name><listen_url>http://a.example:8000/t.mp3</listen_url>"
        b"<server_type>audio/mpeg</server_type><bitrate>128</bitrate><channels>2</channels><samplerate>44100</samplerate>"
        b"<genre>jazz rock</genre><current_song>A - B</current_song></entry>"
        b"<entry><server_name>\xc3\x9cber</server_name><listen_url>http://b.example/u</listen_url><server_type/>"
        b"<bitrate/><genre></genre></entry></directory>"
    )
    endless = (b"<directory>", b"<entry><server_name>A</server_name><listen_url>http://a/</listen_url></entry>")

    def listing(self, url: str) -> bytes:
        return f"<directory><entry><listen_url>{url}</listen_url></entry></directory>".encode()

    def test_fields_are_read(self) -> None:
        first, second = self.taken(self.good)
        assert (first.name, first.type, first.bitrate, first.codec) == ("Radio T", "radio", 128, "MP3")
        assert first.tags == ("jazz", "rock")
        assert first.extra["current_song"] == "A - B"
        assert (second.name, second.bitrate, second.codec, second.genre) == ("Über", None, None, None)

    def test_an_entry_without_an_address_is_told(self) -> None:
        assert self.read(b"<directory><entry><listen_url/></entry></directory>") == [Refused("no_url", "entry 1")]

    def test_entities_are_refused(self) -> None:
        bomb = '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">' + "".join(
            f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
        )
        with pytest.raises(InputError, match="DTD"):
            self.read((bomb + "]><directory><entry><listen_url>&j;</listen_url></entry></directory>").encode())

    def test_an_outside_entity_is_refused(self) -> None:
        with pytest.raises(InputError, match="DTD"):
            self.read(b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><directory>&x;</directory>')

    def test_deep_nesting_is_refused(self) -> None:
        with pytest.raises(LimitError, match="nested"):
            self.read(b"<directory>" + b"<a>" * 100_000)

    def test_an_entry_with_too_many_children_is_refused_alone(self) -> None:
        many = b"<entry>" + b"<x/>" * 10_000 + b"<listen_url>http://a/</listen_url></entry>"
        good = b"<entry><listen_url>http://b/</listen_url></entry>"
        first, second = self.read(b"<directory>" + many + good + b"</directory>")
        assert first == Refused("entry_too_large", "entry 1")
        assert isinstance(second, Entry)

    def test_text_without_end_is_refused(self) -> None:
        with pytest.raises(LimitError, match="larger"):
            self.read(b"<directory><entry><server_name>" + b"a" * 3_000_000)


class TestIcecastStatus(SourceContract):
    kind = "icecast_status"
    good = json.dumps(
        {
            "icestats": {
                "server_id": "Icecast 2.4.4",
                "source": [
                    {
                        "listenurl": "http://a.example:8000/live.mp3",
                        "server_name": "Radio T",
                        "server_type": "audio/mpeg",
                        "genre": "rock jazz",
                        "ice-bitrate": 96,
                        "server_url": "http://example.org",
                        "server_description": "Unspecified description",
                    },
                    {
                        "listenurl": "http://a.example:8000/s.ogg",
                        "server_name": "Silence FM",
                        "server_type": "application/ogg",
                        "subtype": "Vorbis",
                        "audio_bitrate": 96_000,
                    },
                ],
            }
        }
    ).encode()
    endless = (b'{"icestats":{"source":[', b'{"listenurl":"http://a/"},')

    def listing(self, url: str) -> bytes:
        return json.dumps({"icestats": {"source": {"listenurl": url}}}).encode()

    def test_fields_are_read(self) -> None:
        first, second = self.taken(self.good)
        assert (first.name, first.codec, first.bitrate, first.website) == ("Radio T", "MP3", 96, "http://example.org")
        assert first.description is None
        assert (second.codec, second.bitrate) == ("VORBIS", 96)

    def test_no_source_one_source_and_a_bare_dash(self) -> None:
        assert self.read(b'{"icestats":{"host":"x"}}') == []
        one = self.taken(b'{"icestats":{"source":{"listenurl":"http://a/","title": - ,"server_name":"A"}}}')
        assert [entry.name for entry in one] == ["A"]

    @pytest.mark.parametrize(
        "source",
        [
            b'{"listenurl":"http://a.example/x","server_name":"A","title":"say "hi", you","listeners":3}',
            b'{"listenurl":"http:\\/\\/a.example\\/x","server_name":"A","title":"two\nlines"}',
            b'[null, {"listenurl":"http://a.example/x","server_name":"A","title": - }]',
            b'{"/x":{"listenurl":"http://a.example/x","server_name":"A"}}',
            '{"listenurl":"http://a.example/x","server_name":"A","title":"Été"}'.encode("latin-1"),
        ],
    )
    def test_what_servers_write_instead_of_json(self, source: bytes) -> None:
        (entry,) = self.taken(b'{"icestats":{"host":"x","source":' + source + b"}}")
        assert (entry.url, entry.name) == ("http://a.example/x", "A")

    @pytest.mark.parametrize(
        ("told", "meant"),
        [
            ({"listenurl": "http://localhost:8000/x"}, "https://radio.example:8443/x"),
            ({"listenurl": "http://10.0.0.7:8000/x?a=1"}, "https://radio.example:8443/x?a=1"),
            ({"listenurl": "http://icecast:8000/x"}, "https://radio.example:8443/x"),
            ({"mount": "/x"}, "https://radio.example:8443/x"),
            ({"listenurl": "/x"}, "https://radio.example:8443/x"),
            ({"listenurl": "a.example:8000/x"}, "https://a.example:8000/x"),
            ({"listenurl": "http://a.example:8000/x"}, "http://a.example:8000/x"),
        ],
    )
    def test_mounts_are_looked_for_where_the_page_came_from(self, told: dict[str, str], meant: str) -> None:
        adapter = IcecastStatus().at("https://radio.example:8443/status-json.xsl")
        (entry,) = adapter.entries(io.BytesIO(json.dumps({"icestats": {"source": told}}).encode()))
        assert isinstance(entry, Entry)
        assert entry.url == meant

    def test_a_server_may_be_named_by_its_address_alone(self) -> None:
        for named in ("http://a.example:8000", "http://a.example:8000/"):
            assert next(IcecastStatus().asks(named)) == Ask("http://a.example:8000/status-json.xsl")

    def test_deep_json_is_refused(self) -> None:
        with pytest.raises(LimitError, match="nested"):
            self.read(b'{"icestats":' + b"[" * 200_000)

    def test_the_captured_answer_of_a_real_server(self, shared: Any) -> None:
        entries = self.taken((shared / "data/icecast/status-json.sample.json").read_bytes())
        assert [(entry.name, entry.codec, entry.bitrate) for entry in entries] == [
            ("Radio T", "MP3", None),
            ("Silence FM", "VORBIS", 96),
        ]


class TestRadioBrowser(SourceContract):
    kind = "radio_browser"
    good = json.dumps(
        [
            {
                "stationuuid": "u-1",
                "name": "Rádio ",
                "url": "http://a.example/1",
                "homepage": "https://a.example",
                "favicon": "javascript:x",
                "tags": "Jazz,rock,,jazz",
                "countrycode": "br",
                "country": "Brazil",
                "language": "portuguese",
                "codec": "MP3",
                "bitrate": 128_000,
                "geo_lat": -12.9,
                "geo_long": -38.5,
                "votes": 3,
            },
            {
                "stationuuid": "u-2",
                "name": "Kanal",
                "url": "http://a.example/2",
                "codec": "AAC,H.264",
                "geo_lat": None,
                "bitrate": 0,
            },
        ]
    ).encode()
    endless = (b"[", b'{"name":"A","url":"http://a/"},')

    def listing(self, url: str) -> bytes:
        return json.dumps([{"url": url}]).encode()

    def test_fields_are_read(self) -> None:
        first, second = self.taken(self.good)
        assert (first.name, first.key, first.country_code, first.bitrate) == ("Rádio", "u-1", "BR", 128)
        assert (first.latitude, first.longitude, first.logo) == (-12.9, -38.5, None)
        assert first.tags == ("jazz", "rock")
        assert (second.type, second.bitrate, second.latitude) == ("tv", None, None)

    def test_rows_that_are_no_objects_are_refused_alone(self) -> None:
        assert self.read(b'[1, {"url":""}, {"url":"http://a/"}]')[:2] == [
            Refused("not_an_object", "row 1"),
            Refused("no_url", "row 2"),
        ]

    def test_rows_before_a_break_stand(self) -> None:
        entries = self.adapter.entries(io.BytesIO(b'[{"url":"http://a/"}, {"url":'))
        assert isinstance(next(entries), Entry)
        with pytest.raises(InputError, match="JSON"):
            next(entries)

    def test_deep_json_is_refused(self) -> None:
        with pytest.raises(LimitError, match="nested"):
            self.read(b'[{"url":' + b"[" * 200_000)

    def test_a_row_without_end_is_refused(self) -> None:
        with pytest.raises(LimitError, match="larger"):
            self.read(b'[{"url":"' + b"a" * 3_000_000)


def test_every_adapter_is_taken_to_task() -> None:
    importlib.import_module("stations.test_playlist_sources")
    importlib.import_module("stations.test_directory_sources")
    assert adapters_without(iter(SourceContract.__subclasses__())) == set()
    # A file that is named like an adapter is one: a new file cannot be forgotten in the registry.
    parts = {"base", "html_child", "iptv_org_database", "json_rows", "options", "text_lines", "xml_rows"}
    files = {module.name for module in pkgutil.iter_modules(airledger.stations.sources.__path__)} - parts
    assert files == set(SOURCE_FILES)


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(InputError, match="icecast_status, icecast_yp"):
        source_file("winamp")
    with pytest.raises(InputError, match="none of"):
        sniff(b"<!doctype html><html>")


def test_cleaning() -> None:
    assert text("  a\x00\n b\u2028 ") == "a b"
    assert text("x" * 1000, 10) == "x" * 10
    assert text(["a"]) is None
    assert (kbps("128,128"), kbps("96 kbps"), kbps(320_000), kbps(-1), kbps("x"), kbps(True)) == (
        128,
        96,
        320,
        None,
        None,
        None,
    )
    assert coordinates("0.0", 0) == (None, None)
    assert coordinates(float("nan"), 5) == (None, None)
    assert coordinates(91, 5) == (None, None)
    assert (country("uk"), country("USA"), country("1A")) == ("GB", None, None)
    assert len(tags(",".join(f"t{n}" for n in range(1000)))) == 30
